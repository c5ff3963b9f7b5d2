"""The loop: epochs of training and scoring, each recorded and kept, until there is a reason to stop."""

import math
import time
from dataclasses import dataclass, field
from typing import Literal

from archspec.data.load import Split
from archspec.facts import tasks
from archspec.train import checkpoint, weights
from archspec.train import state as states
from archspec.train.display import Display
from archspec.train.engine import Engine
from archspec.train.files import settle
from archspec.train.folder import Record, RunFolder
from archspec.train.health.words import event_lines
from archspec.train.interrupt import Interrupt, Interrupted
from archspec.train.metrics import Scores
from archspec.train.sink import Nobody, Sink
from archspec.train.state import Best, State


@dataclass(frozen=True)
class Stop:
    """Why a run is over: a word for programs and a phrase for people."""

    reason: Literal["epochs", "patience", "schedule", "diverged", "paused"]
    text: str


@dataclass
class Run:
    """A run in progress: what computes, how far it is, where it writes and who is told."""

    engine: Engine
    state: State
    folder: RunFolder
    display: Display
    metadata: dict[str, str]
    """What is written into weight files: spec, its hash, versions."""
    sink: Sink = field(default_factory=Nobody)
    until: int | None = None
    """The epoch after which it pauses, to go on another time."""


def fit(run: Run) -> Stop:
    """Train until there is a reason to stop, and return it.

    On Ctrl-C the state in the middle of the epoch is saved, the sums of its steps included, and Interrupted is raised;
    a diverging run raises Diverged and leaves the last checkpoint as it is.
    """
    run.display.start(run.engine.settings.epochs, run.engine.steps, run.state)
    with Interrupt(run.engine.processes) as interrupt:
        try:
            while (why := over(run)) is None:
                train_epoch(run, interrupt)
                finish_epoch(run, score_epoch(run, interrupt))
        except Interrupted:
            save(run)
            raise
        finally:
            run.display.stop()
        save(run)
    return why


def over(run: Run) -> Stop | None:
    """Why the run is over, if it is; from its state alone, so a resumed run stops where an unbroken one does."""
    settings, state = run.engine.settings, run.state
    if state.step:
        return None
    if state.epoch >= settings.epochs:
        return Stop("epochs", "all epochs are done")
    if state.best and settings.patience is not None and state.epoch - state.best.epoch >= settings.patience:
        return Stop("patience", f"no better validation {run.engine.kind.monitor} for {settings.patience} epochs")
    if why := run.engine.schedule.over():
        return Stop("schedule", why)
    if run.until is not None and state.epoch >= run.until:
        return Stop("paused", f"paused after epoch {state.epoch} of {settings.epochs}")
    return None


def train_epoch(run: Run, interrupt: Interrupt) -> None:
    """The steps of an epoch that are not made yet; its order depends on seed and epoch alone."""
    engine, state, data = run.engine, run.state, run.engine.task.data
    began = time.perf_counter() - state.seconds
    engine.freeze(state.epoch + 1)
    engine.module.train()
    for batch in data.train.batches(engine.share(engine.sampler.epoch(state.epoch))[state.step :]):
        made = engine.step(batch, state.epoch * engine.steps + state.step, state.tally)
        state.norms.add(made.norm)
        state.penalty += made.penalty
        state.step += 1
        state.seconds = time.perf_counter() - began
        tell(run)
        run.display.step(state, made.loss, engine.rate)
        interrupt.check()


def score_epoch(run: Run, interrupt: Interrupt) -> Record:
    """The scores of an epoch: training as summed up during it, validation, and test every `test_every` epochs."""
    engine, state, began = run.engine, run.state, time.perf_counter()
    number, every = state.epoch + 1, engine.settings.test_every
    data = engine.task.data
    record: Record = {
        "epoch": number,
        "lr": engine.rate,
        "steps": engine.steps,
        "gradient_norm": {"mean": state.norms.total / engine.steps, "max": state.norms.largest},
        "train": state.tally.merged(engine.processes).scores(),
        "val": scores(run, data.val, "validation", interrupt),
    }
    if engine.penalised:
        record["penalty"] = state.penalty / engine.steps
    if every is not None and number % every == 0:
        record["test"] = scores(run, data.test, "test", interrupt)
    return record | {"seconds": state.seconds, "seconds_scoring": time.perf_counter() - began}


def scores(run: Run, split: Split, name: str, interrupt: Interrupt) -> Scores:
    """The scores of a split, stopping between batches where the run is asked to."""

    def watch() -> None:
        run.display.watch(name)
        interrupt.check()

    return run.engine.scores(split, watch)


def finish_epoch(run: Run, record: Record) -> None:
    """Learn from the scores, record them, and write a checkpoint where one is due."""
    engine, state, settings = run.engine, run.state, run.engine.settings
    engine.validated(record["val"]["loss"], record["epoch"])
    engine.schedule.after_epoch(record["val"])
    score = monitored(record["val"], engine.kind.monitor)
    if state.best is None or score > state.best.score:
        state.best = Best(record["epoch"], score, states.copy_weights(engine.module))
    record["health"] = engine.watch.next_epoch(record["val"], record["epoch"], engine.steps)
    tell(run)
    if engine.processes.number == 0:
        run.folder.append(record)
        run.sink.epoch()
    state.next_epoch(record["seconds"] + record["seconds_scoring"])
    run.display.epoch(record, state)
    if state.epoch % settings.checkpoint_every == 0:
        save(run)


def tell(run: Run) -> None:
    """Say and record what has gone wrong since this was last called."""
    for event in run.engine.watch.take():
        if run.engine.processes.number == 0:
            run.folder.note(event)
        for line in event_lines(event):
            run.display.say(line)


def monitored(validation: Scores, name: str) -> float:
    """The validation score that the best epoch has most of: one of which less is better counts as negative."""
    value = validation[name]
    if value is None:
        return -math.inf
    return value if tasks.score(name).larger_is_better else -value


def save(run: Run) -> None:
    """Write the state, then the weights for other programs to read.

    The best weights are in the state too: after a crash between the files, resuming writes them anew from there.
    """
    kept = states.as_dict(run.engine, run.state)
    if run.engine.processes.number == 0:
        checkpoint.save(run.folder, kept)
        write_weights(run.folder, run.metadata, kept)


def write_weights(folder: RunFolder, metadata: dict[str, str], kept: checkpoint.Kept) -> None:
    """The weights as they are in a checkpoint, and those of the best epoch, each with what it says about itself."""
    about = metadata | {"epoch": str(kept["epoch"]), "step": str(kept["step"])}
    weights.save(folder.weights("last"), kept["module"], about)
    if best := kept["best"]:
        about = metadata | {"epoch": str(best["epoch"]), "step": "0"}
        weights.save(folder.weights("best"), best["weights"], about)
    settle(folder.checkpoints)
