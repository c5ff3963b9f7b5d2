"""`archspec train`: from a spec file to a trained model in a run folder, or to one for each of several seeds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from archspec.commands import seeds as several
from archspec.commands.options import spec_options, track_option, trust_option
from archspec.commands.training import Means, begin, go_on, holds, told_once
from archspec.diagnostics import Diagnostic, SpecError
from archspec.syntax.load import load_spec
from archspec.syntax.spec import Spec
from archspec.train.waiting import wait_politely

if TYPE_CHECKING:  # torch is imported when the command runs, not for its help
    from archspec.train.folder import RunFolder

PATH = click.Path(path_type=Path)


@click.command("train")
@click.argument("spec", required=False)
@click.option(
    "--run-dir", type=PATH, metavar="DIR", help="Folder of the run, absent or empty; default runs/NAME-1, -2, …"
)
@click.option(
    "--resume", type=PATH, metavar="RUN", help="Go on with this run, or with all seeds; SPEC may be left out."
)
@click.option("--seeds", metavar="N|A,B,…", help="Train with so many seeds, or with these, and report mean ± std.")
@click.option(
    "--jobs",
    type=click.IntRange(1),
    metavar="N",
    help="Seeds to train at a time; default cores // `train.threads`, or 1.",
)
@click.option(
    "--init-from",
    type=PATH,
    metavar="RUN",
    help="Begin with the best weights of a run, or with a .safetensors file, by name.",
)
@click.option(
    "--rename", "renames", multiple=True, metavar="OLD=NEW", help="With `--init-from`: other names. Repeatable."
)
@click.option("--until", type=click.IntRange(1), metavar="EPOCH", help="Pause after this epoch; `--resume` goes on.")
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
    seeds: str | None,
    jobs: int | None,
    init_from: Path | None,
    renames: tuple[str, ...],
    until: int | None,
    dry_run: bool,
    device: str | None,
    data_dir: Path | None,
    track: tuple[str, ...],
    trust: bool,
    overrides: tuple[str, ...],
) -> None:
    """Train SPEC.

    Ctrl-C saves the state in the middle of the epoch; `archspec train --resume RUN` goes on from there, bit for bit.
    With several seeds RUN is the folder of all: finished ones are not trained again.
    """
    wait_politely()
    overrides = (*track, *overrides)
    with told_once():
        if resume is not None:
            check_alone({"--run-dir": run_dir, "--dry-run": dry_run or None, "--init-from": init_from})
        read = load_spec(needed(spec), overrides) if resume is None else None
        asked = several.chosen(read, seeds) if read else None
    from archspec.commands.opening import completed
    from archspec.train.display import choose
    from archspec.train.group import with_seeds
    from archspec.train.processes import joined

    with joined() as processes:
        shown = choose(talks=processes.number == 0)
        means = Means(device, data_dir, trust, shown, processes, init_from, renames, until)
        if read is None:
            assert resume is not None
            resumed(resume, spec, overrides, seeds, jobs, means)
            return
        whole = processes.in_turn(lambda: completed(read, data_dir, means.shown, trust))
        if dry_run:
            processes.agree(lambda: show_estimate(whole, means))
        elif asked:
            several.begin_all(with_seeds(whole, asked), run_dir, jobs, means)
        elif run_dir is not None and holds(run_dir, whole, means):
            resumed(run_dir, spec, overrides, None, None, means)
        else:
            complete(lambda: begin(whole, run_dir, means), means)


def check_alone(options: Mapping[str, object]) -> None:
    """E0641 for what cannot be together with `--resume`."""
    for option, given in options.items():
        if given is not None:
            message = f"`--resume` goes on in the run's own folder and cannot be together with `{option}`"
            raise SpecError([Diagnostic("E0641", message, help=f"leave out `{option}`")])


def needed(spec: str | None) -> str:
    """The spec file, which only `--resume` can do without."""
    if spec is None:
        raise SpecError([Diagnostic("E0640", "there is no spec to train", help="write `archspec train SPEC`")])
    return spec


def resumed(
    path: Path, file: str | None, overrides: tuple[str, ...], seeds: str | None, jobs: int | None, means: Means
) -> None:
    """Go on with a run, or with several seeds, by its own spec or by a file."""
    from archspec.train import folder, group

    with told_once():
        if group.is_group(path):
            found = group.Group(path)
            spec = load_spec(file or found.spec, overrides)
            more = several.chosen(spec, seeds) or []
        elif seeds is not None:
            message, cure = "`--seeds` cannot be together with `--resume` of a single run", "leave out `--seeds`"
            raise SpecError([Diagnostic("E0641", message, help=cure)])
        else:
            old = folder.find(path)
            spec = load_spec(file or old.spec, overrides)
    if group.is_group(path):
        several.go_on_all(found, spec, more, jobs, means)
    else:
        complete(lambda: go_on(old, spec, means), means)


def show_estimate(spec: Spec, means: Means) -> None:
    """What training would take."""
    from archspec.commands.opening import assemble, open_machine
    from archspec.train import estimate, structure
    from archspec.train.engine import Engine

    machine = open_machine(spec, means.device or "auto")
    task = assemble(spec, means.data_dir, means.shown, means.trust)
    engine = Engine(structure.prepared(task, means.data_dir, means.shown), machine.device)
    click.echo("\n".join(estimate.report(engine)))


def complete(train: Callable[[], RunFolder], means: Means) -> None:
    """Train and show the result; an interrupted run, which has said how to go on, ends with the code of its signal."""
    from archspec.train.interrupt import Interrupted
    from archspec.train.report import table

    try:
        with told_once():
            done = train()
    except Interrupted as stopped:
        raise SystemExit(stopped.exit_code) from None

    def conclude() -> None:
        if result := done.result():
            click.echo(f"\n{table(result, done.path)}")

    means.processes.agree(conclude)
