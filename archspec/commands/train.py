"""`archspec train`: from a spec file to a trained model in a run folder."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from archspec.commands.options import spec_options, track_option, trust_option
from archspec.diagnostics import Diagnostic, SpecError
from archspec.facts import own
from archspec.syntax.load import load_spec
from archspec.syntax.spec import Spec
from archspec.train.waiting import wait_politely

if TYPE_CHECKING:  # torch is imported when the command runs, not for its help
    from archspec.train.display import Display
    from archspec.train.folder import RunFolder
    from archspec.train.processes import Processes
    from archspec.train.sink import Follow

PATH = click.Path(path_type=Path)


@click.command("train")
@click.argument("spec", required=False)
@click.option(
    "--run-dir", type=PATH, metavar="DIR", help="Folder of the run, absent or empty; default runs/NAME-1, -2, …"
)
@click.option("--resume", type=PATH, metavar="RUN", help="Go on with this run; SPEC may be left out.")
@click.option("--dry-run", is_flag=True, help="Show data, parameters, memory and time per epoch, then stop.")
@click.option("--device", metavar="D", help="cpu, cuda, cuda:1, … or auto (the default): a GPU if there is one.")
@click.option(
    "--data-dir", type=PATH, metavar="DIR", help="Folder for data; default ARCHSPEC_CACHE, else a cache folder."
)
@track_option
@trust_option
@spec_options
def command(
    spec: str | None,
    run_dir: Path | None,
    resume: Path | None,
    dry_run: bool,
    device: str | None,
    data_dir: Path | None,
    track: tuple[str, ...],
    trust: bool,
    overrides: tuple[str, ...],
) -> None:
    """Train SPEC.

    Ctrl-C saves the state in the middle of the epoch; `archspec train --resume RUN` goes on from there, bit for bit.
    """
    wait_politely()
    overrides = (*track, *overrides)
    with told_once():
        if resume is not None:
            check_alone(run_dir, dry_run)
        read = load_spec(needed(spec), overrides) if resume is None else None
    from archspec.commands.opening import completed
    from archspec.train.display import choose
    from archspec.train.processes import joined

    with joined() as processes:
        shown = choose(talks=processes.number == 0)
        if read is None:
            assert resume is not None
            go_on(resume, spec, overrides, device, data_dir, trust, shown, processes)
            return
        whole = processes.in_turn(lambda: completed(read, data_dir, shown, trust))
        if dry_run:
            processes.agree(lambda: show_estimate(whole, device, data_dir, shown, trust))
        elif run_dir is not None and holds(run_dir, whole):
            go_on(run_dir, spec, overrides, device, data_dir, trust, shown, processes)
        else:
            begin(whole, run_dir, device, data_dir, trust, shown, processes)


@contextmanager
def told_once() -> Iterator[None]:
    """Let one process tell what is wrong where all that `torchrun` has started find the same."""
    try:
        yield
    except SpecError:
        if os.environ.get("RANK", "0") != "0":
            raise SystemExit(1) from None
        raise


def check_alone(run_dir: Path | None, dry_run: bool) -> None:
    """E0641 for what cannot be together with `--resume`."""
    for option, given in (("--run-dir", run_dir is not None), ("--dry-run", dry_run)):
        if given:
            message = f"`--resume` goes on in the run's own folder and cannot be together with `{option}`"
            raise SpecError([Diagnostic("E0641", message, help=f"leave out `{option}`")])


def needed(spec: str | None) -> str:
    """The spec file, which only `--resume` can do without."""
    if spec is None:
        raise SpecError([Diagnostic("E0640", "there is no spec to train", help="write `archspec train SPEC`")])
    return spec


def holds(path: Path, spec: Spec) -> bool:
    """Whether a folder holds a run of this very spec, so that giving the same command again goes on with it."""
    kept = path / "spec.yaml"
    return kept.is_file() and kept.read_text(encoding="utf-8") == spec.text


def show_estimate(spec: Spec, device: str | None, data_dir: Path | None, shown: Display, trust: bool) -> None:
    """What training would take."""
    from archspec.commands.opening import assemble, open_machine
    from archspec.train import estimate, structure
    from archspec.train.engine import Engine

    machine = open_machine(spec, device or "auto")
    task = structure.prepared(assemble(spec, data_dir, shown, trust), data_dir, shown)
    engine = Engine(task, machine.device)
    click.echo("\n".join(estimate.report(engine)))


def begin(
    spec: Spec,
    run_dir: Path | None,
    device: str | None,
    data_dir: Path | None,
    trust: bool,
    shown: Display,
    processes: Processes,
) -> None:
    """Train in a new folder."""
    from archspec.commands.opening import assemble, open_machine
    from archspec.train import folder, run, structure

    with told_once():
        if run_dir is not None:
            folder.check_free(run_dir)
        machine = open_machine(spec, device or "auto", processes=processes)
    options = {"device": device or "auto", "data_dir": str(data_dir.absolute()) if data_dir else None}
    options["data"] = content(spec)
    task = processes.in_turn(lambda: structure.prepared(assemble(spec, data_dir, shown, trust), data_dir, shown))
    complete(lambda: run.start(task, run_dir, machine, shown, options, followers(spec)), processes)


def go_on(
    path: Path,
    file: str | None,
    overrides: tuple[str, ...],
    device: str | None,
    data_dir: Path | None,
    trust: bool,
    shown: Display,
    processes: Processes,
) -> None:
    """Go on with a run."""
    from archspec.commands.opening import assemble, completed, data_folder, open_machine, recorded
    from archspec.train import folder, resumption, run, structure

    with told_once():
        old = folder.find(path)
        data_dir = data_dir or data_folder(old)
        before = load_spec(old.spec)
        asked = load_spec(file or old.spec, overrides)
    spec = processes.in_turn(lambda: completed(asked, data_dir, shown, trust))
    with told_once():
        resumption.check(before, spec, old, old.epochs())
        resumption.check_data(spec, recorded(old, "data"), old)
    if why := resumption.finished(old, spec.settings.train.epochs):
        processes.agree(lambda: repeat(old, why, spec.name, before.text, shown))
        return
    with old.writing() if processes.number == 0 else nullcontext():
        with told_once():
            threads = old.told().get("threads")
            machine = open_machine(spec, device or recorded(old, "device") or "auto", threads, processes)
        task = processes.in_turn(lambda: structure.prepared(assemble(spec, data_dir, shown, trust), data_dir, shown))
        complete(lambda: run.resume(task, old, machine, shown, followers(spec)), processes)


def repeat(old: RunFolder, why: str, name: str, text: str, shown: Display) -> None:
    """Show the result of a finished run, and mend its weights."""
    from archspec.train import run

    click.echo(f"this run is finished: {why}")
    run.mend(old, run.metadata(name, text), shown)
    conclude(old)


def followers(spec: Spec) -> Follow:
    """The trackers of a spec, if it has any."""
    from archspec.track import feed
    from archspec.train.sink import nobody

    track = spec.settings.track
    return feed.follow if track and track.chosen else nobody


def content(spec: Spec) -> str | None:
    """What the data follows from where it is the user's own, so that a run goes on only with the same."""
    return own.key(spec.settings.data) if spec.settings.data else None


def complete(train: Callable[[], RunFolder], processes: Processes) -> None:
    """Train and show the result; an interrupted run, which has said how to go on, ends with the code of its signal."""
    from archspec.train.interrupt import Interrupted

    try:
        with told_once():
            done = train()
    except Interrupted as stopped:
        raise SystemExit(stopped.exit_code) from None
    processes.agree(lambda: conclude(done))


def conclude(done: RunFolder) -> None:
    """The final table."""
    from archspec.train.report import table

    if result := done.result():
        click.echo(f"\n{table(result, done.path)}")
