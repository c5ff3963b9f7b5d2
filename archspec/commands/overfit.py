"""`archspec overfit`: whether a model can learn a few graphs by heart, and what the diagnostics saw where it cannot."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from archspec.commands.options import spec_options, trust_option
from archspec.syntax.load import load_spec
from archspec.train.waiting import wait_politely

if TYPE_CHECKING:  # torch is imported when the command runs, not for its help
    from archspec.train.overfit.attempt import Attempt

PATH = click.Path(path_type=Path)
POSITIVE = click.IntRange(min=1)
LOOKS = 30
"""Looks at weights and values over an attempt."""


@click.command("overfit")
@click.argument("spec")
@click.option("--graphs", type=POSITIVE, default=32, show_default=True, help="Graphs, the first of the training split.")
@click.option("--steps", type=POSITIVE, default=300, show_default=True, help="Steps, all on the one batch.")
@click.option(
    "--lr", type=click.FloatRange(min=0, min_open=True), default=2e-3, show_default=True, help="Rate of Adam."
)
@click.option("--seeds", type=POSITIVE, default=3, show_default=True, help="Attempts, with the seeds 0, 1, …")
@click.option("--device", metavar="D", help="cpu, cuda, cuda:1, … or auto (the default): a GPU if there is one.")
@click.option(
    "--data-dir", type=PATH, metavar="DIR", help="Folder for data; default ARCHSPEC_CACHE, else a cache folder."
)
@trust_option
@spec_options
def command(
    spec: str,
    graphs: int,
    steps: int,
    lr: float,
    seeds: int,
    device: str | None,
    data_dir: Path | None,
    trust: bool,
    overrides: tuple[str, ...],
) -> None:
    """Train SPEC on a few graphs as one batch and say whether it learns them by heart.

    Scored in evaluation mode on the same graphs. Three verdicts: it memorises; it is no better than the best threshold
    on the degree; chance. Exit code 0 for the first alone. The rate falls to 0 as half a cosine; clipping, decay and
    schedule of the spec are left aside.
    """
    wait_politely()
    from archspec.train.overfit.verdict import MEMORISES, Verdict

    attempts: list[Attempt] = []
    for seed in range(seeds):
        own = tuple(settings(graphs, steps, lr, seed))
        attempts.append(tried(spec, (*own, *overrides), steps, device, data_dir, trust, first=not attempts))
    verdict = Verdict(attempts)
    click.echo("\n" + "\n".join(verdict.text()))
    if verdict.word != MEMORISES:
        click.echo("\n" + "\n".join(("what the diagnostics saw:", *verdict.seen())))
        raise SystemExit(1)


def settings(graphs: int, steps: int, lr: float, seed: int) -> Iterator[str]:
    """What an attempt sets in the spec."""
    yield f"data.limit={graphs}"
    yield f"data.batch_size={graphs}"
    yield f"train.epochs={steps}"
    yield f"train.seed={seed}"
    yield f"train.optimizer={{name: adam, lr: {lr}, weight_decay: 0}}"
    yield "train.schedule={name: cosine}"
    yield f"train.watch={{every: {max(1, steps // LOOKS)}}}"
    yield from ("train.clip=null", "train.seeds=null")


def tried(
    file: str,
    overrides: tuple[str, ...],
    steps: int,
    device: str | None,
    directory: Path | None,
    trust: bool,
    first: bool,
) -> Attempt:
    """One attempt, told as it ends; the first tells what is tried."""
    from archspec.commands.opening import assemble, completed, open_machine
    from archspec.train.display import choose, counted
    from archspec.train.overfit.attempt import attempt

    shown, began = choose(), time.perf_counter()
    spec = completed(load_spec(file, overrides), directory, shown, trust)
    machine = open_machine(spec, device or "auto")
    engine = machine.engine(assemble(spec, directory, shown, trust))
    if first:
        work = f"{counted(len(engine.task.data.train), 'graph')} of {engine.task.data.name} as one batch"
        train = engine.settings
        rate = f"{train.optimizer.name}, lr {train.optimizer.lr:g}, {train.schedule.name}"
        click.echo(f"{spec.name}: {work}, {counted(steps, 'step')} of {rate}")
    found = attempt(engine, steps, lambda number: None)
    scores = (
        f"{found.labels.name} {100 * found.score:.1f} in evaluation mode, {100 * found.training:.1f} in training mode"
    )
    said = f"diverged: {found.broken}" if found.broken else scores
    click.echo(f"seed {found.seed}: {said}  {time.perf_counter() - began:.0f} s")
    return found
