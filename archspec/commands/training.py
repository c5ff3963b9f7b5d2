"""Beginning a run and going on with one: what `archspec train` does for a single run and for each of several seeds."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from archspec.diagnostics import SpecError
from archspec.facts import own
from archspec.syntax.load import load_spec
from archspec.syntax.spec import Spec

if TYPE_CHECKING:  # torch is imported when the command runs, not for its help
    from archspec.train.display import Display
    from archspec.train.folder import RunFolder
    from archspec.train.processes import Processes
    from archspec.train.run import Machine
    from archspec.train.sink import Follow
    from archspec.train.task import Task


@dataclass(frozen=True)
class Means:
    """With what a run is trained, apart from its spec."""

    device: str | None
    data_dir: Path | None
    trust: bool
    shown: Display
    processes: Processes
    init_from: Path | None = None
    """The run, or the file, whose weights the run begins with."""
    renames: tuple[str, ...] = ()
    until: int | None = None
    """The epoch after which it pauses."""

    def recorded(self) -> dict[str, Any]:
        """What is kept for whoever goes on later."""
        return {
            "device": self.device or "auto",
            "data_dir": self.data_dir and str(self.data_dir.absolute()),
            "init_from": self.init_from and str(self.init_from.absolute()),
            "renames": list(self.renames),
        }

    def or_recorded(self, options: Mapping[str, Any]) -> Means:
        """With what was kept where nothing else is given now."""
        kept, source = options.get("data_dir"), options.get("init_from")
        return replace(
            self,
            device=self.device or options.get("device"),
            data_dir=self.data_dir or (Path(kept) if kept else None),
            init_from=Path(source) if source else None,
            renames=tuple(options.get("renames", ())),
        )


@contextmanager
def told_once() -> Iterator[None]:
    """Let one process tell what is wrong where all that `torchrun` has started find the same."""
    try:
        yield
    except SpecError:
        if os.environ.get("RANK", "0") != "0":
            raise SystemExit(1) from None
        raise


def begin(spec: Spec, run_dir: Path | None, means: Means) -> RunFolder:
    """Train a completed spec in a new folder."""
    from archspec.commands.opening import open_machine
    from archspec.train import folder, run

    with told_once():
        if run_dir is not None:
            folder.check_free(run_dir)
        machine = open_machine(spec, means.device or "auto", processes=means.processes)
    task = task_of(spec, means, machine)
    options = means.recorded() | {"data": content(spec), "initial": begun_with(task, means)}
    return run.start(task, run_dir, machine, means.shown, options, followers(spec), means.until)


def begun_with(task: Task, means: Means, sha256: str | None = None) -> dict[str, Any] | None:
    """Put the weights of another run into the module, if the run begins with some, and tell what became of them."""
    from archspec.train.transfer import transfer

    if means.init_from is None:
        return None
    with told_once():
        done = transfer(task.module, means.init_from, means.renames, sha256)
    for line in done.lines():
        means.shown.say(line)
    return done.record()


def go_on(old: RunFolder, asked: Spec, means: Means) -> RunFolder:
    """Go on with a run by a spec that may differ from its own only in what does not change the epochs that are done."""
    from archspec.commands.opening import completed, data_folder, open_machine, recorded
    from archspec.train import resumption, run

    means = replace(means, data_dir=means.data_dir or data_folder(old))
    processes = means.processes
    before = load_spec(old.spec)
    spec = processes.in_turn(lambda: completed(asked, means.data_dir, means.shown, means.trust))
    with told_once():
        resumption.check(before, spec, old, old.epochs())
        resumption.check_data(spec, recorded(old, "data"), old)
    if why := resumption.finished(old, spec.settings.train.epochs):
        processes.agree(lambda: repeat(old, why, spec.name, before.text, means.shown))
        return old
    with old.writing() if processes.number == 0 else nullcontext():
        with told_once():
            threads = old.told().get("threads")
            machine = open_machine(spec, means.device or recorded(old, "device") or "auto", threads, processes)
        task, options = task_of(spec, means, machine), old.told().get("options", {})
        if (initial := options.get("initial")) and not old.state.exists() and not old.previous.exists():
            begun_with(task, means.or_recorded(options), initial["sha256"])
        return run.resume(task, old, machine, means.shown, followers(spec), means.until)


def task_of(spec: Spec, means: Means, machine: Machine | None = None) -> Task:
    """What is trained, its data in the cache and the structure of that computed, unless it cannot fit the machine."""
    from archspec.commands.opening import assemble
    from archspec.train import structure

    def prepared() -> Task:
        task = assemble(spec, means.data_dir, means.shown, means.trust)
        if machine and task.demands:  # computing those can take long
            machine.check(task)
        return structure.prepared(task, means.data_dir, means.shown)

    return means.processes.in_turn(prepared)


def repeat(old: RunFolder, why: str, name: str, text: str, shown: Display) -> None:
    """Say that a run is finished, and mend its weights."""
    from archspec.train import run

    click.echo(f"this run is finished: {why}")
    run.mend(old, run.metadata(name, text), shown)


def holds(path: Path, spec: Spec, means: Means) -> bool:
    """Whether a folder holds this very run, so that giving the same command again goes on with it."""
    from archspec.train.folder import RunFolder

    run = RunFolder(path)
    if not run.spec.is_file() or run.spec.read_text(encoding="utf-8") != spec.text:
        return False
    return begins_alike(means, run.told().get("options", {}))


def begins_alike(means: Means, options: Mapping[str, Any]) -> bool:
    """Whether a run began with the weights that are asked for now."""
    asked = means.recorded()
    return all(asked[key] == options.get(key, empty) for key, empty in (("init_from", None), ("renames", [])))


def followers(spec: Spec) -> Follow:
    """The trackers of a spec, if it has any."""
    from archspec.track import feed
    from archspec.train.sink import nobody

    track = spec.settings.track
    return feed.follow if track and track.chosen else nobody


def content(spec: Spec) -> str | None:
    """What the data follows from where it is the user's own, so that a run goes on only with the same."""
    return own.key(spec.settings.data) if spec.settings.data else None
