"""`archspec replay`: computes the batch once more at which a run's loss or gradient was not finite."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from archspec.commands.options import trust_option
from archspec.train.waiting import wait_politely

if TYPE_CHECKING:  # torch is imported when the command runs, not for its help
    from collections.abc import Iterator

    from archspec.train.health.trace import Trace, Value

PATH = click.Path(path_type=Path)


@click.command("replay")
@click.argument("run", type=PATH)
@click.option("--all", "whole", is_flag=True, help="Show every value, not only those around the first that went wrong.")
@click.option("--device", metavar="D", help="cpu, cuda, cuda:1, … or auto; default that of the run.")
@click.option("--data-dir", type=PATH, metavar="DIR", help="Folder for data; default that of the run.")
@trust_option
def command(run: Path, whole: bool, device: str | None, data_dir: Path | None, trust: bool) -> None:
    """Compute the batch of RUN once more that gave a loss or a gradient which is not finite.

    The weights are those of that moment and so are the random numbers. Every value of the equations is shown in the
    order in which it is computed, and the first that is not finite with its place. Exit code 1 where one is found.
    """
    wait_politely()
    from archspec.commands.opening import reopen
    from archspec.train import folder
    from archspec.train.display import choose, counted
    from archspec.train.engine import Evaluator
    from archspec.train.health import failure
    from archspec.train.health.explain import where
    from archspec.train.health.trace import trace

    failed, weights = failure.read(folder.find(run).failure)
    _, task, machine = reopen(run, None, device, data_dir, choose(), trust)
    evaluator = Evaluator(task, machine.device)
    evaluator.module.load_state_dict(weights)
    assert task.equations is not None  # it was made from a spec
    found = trace(evaluator.module, task.equations, failed.on(machine.device), evaluator.loss_of)
    mode = "training" if failed.training else "evaluation"
    graphs = counted(failed.batch.graphs, "graph")
    click.echo(f"epoch {failed.epoch}, step {failed.step}: {graphs}, in {mode} mode\n")
    click.echo("\n".join(table(found.values if whole else around(found))))
    click.echo("\n" + "\n  --> ".join((found.said, *where(found.place))))
    raise SystemExit(1 if found.first else 0)


BEFORE, BEHIND = 6, 3
"""Values shown around the one that went wrong."""


def around(found: Trace) -> list[Value]:
    """The values before and behind the first that went wrong."""
    names = [one.name for one in found.values]
    at = names.index(found.first) if found.first in names else 0
    return found.values[max(0, at - BEFORE) : at + BEHIND + 1]


def table(values: list[Value]) -> Iterator[str]:
    """A line for every value."""
    width = max((len(one.name) for one in values), default=0)
    yield f"{'':{width}}  {'mean':>10}  {'std':>10}  {'largest':>10}"
    for one in values:
        spoilt = [
            f"{count} of {one.entries} {what}" for count, what in ((one.nan, "NaN"), (one.infinite, "inf")) if count
        ]
        figures = "".join(f"  {number:>10.4g}" for number in (one.mean, one.std, one.largest))
        yield f"{one.name:{width}}{figures}{'  ' * bool(spoilt)}{', '.join(spoilt)}"
