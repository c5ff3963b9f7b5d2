"""A run that diverged: the batch is kept, and the error says which equation it was and how to see it again."""

import shlex
from dataclasses import replace

from archspec.train.engine import Diverged, Engine
from archspec.train.folder import RunFolder
from archspec.train.health import failure
from archspec.train.health.record import Event, Place
from archspec.train.health.trace import Trace, trace


def explained(problem: Diverged, engine: Engine, folder: RunFolder) -> Diverged:
    """The error with what a second look at the batch has found, which is recorded too."""
    if problem.failure is None or engine.task.equations is None:
        return problem
    failure.keep(folder.failure, problem.failure, engine.module)
    found = looked_at(problem, engine)
    [said] = problem.diagnostics
    if found:
        folder.note(event(said.message, said.help, problem.failure, found))
    replay = f"the batch is kept: `archspec replay {shlex.quote(str(folder.path))}` computes it once more"
    notes = (*([found.said, *where(found.place)] if found else said.notes), replay)
    return Diverged([replace(said, notes=notes)], problem.failure)


def looked_at(problem: Diverged, engine: Engine) -> Trace | None:
    """The trace of a failure; None of a module without equations, or where there is no memory for it."""
    if engine.task.equations is None or problem.failure is None:
        return None
    try:
        return trace(engine.module, engine.task.equations, problem.failure, engine.loss_of)
    except (MemoryError, RuntimeError):  # torch has a RuntimeError for each; the run's own error matters more
        return None


def where(place: Place | None) -> tuple[str, ...]:
    """A place in one line."""
    return (f"{place['path']}:{place['line']}, {place['definition']}: {place['text']}",) if place else ()


def event(message: str, help: str, failed: failure.Failure, found: Trace) -> Event:
    """What is recorded of it."""
    return {
        "epoch": failed.epoch,
        "step": failed.step,
        "sign": "not finite",
        "name": found.first,
        "place": found.place,
        "value": None,
        "threshold": 0.0,
        "message": f"{message}; {found.said}",
        "help": help,
    }
