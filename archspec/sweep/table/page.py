"""The page on a sweep: one HTML file with everything in it, made from the template beside this."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from archspec.report.curves import Curve
from archspec.report.template import rendered
from archspec.sweep.table.blocks import Part, Table
from archspec.sweep.table.changes import Changed, changes
from archspec.sweep.table.plots import pictures
from archspec.train.health.words import spreads

HERE = Path(__file__).parent


@dataclass(frozen=True)
class View:
    """A group of results as the page shows it."""

    part: Part
    pictures: Sequence[Curve]
    health: Sequence[tuple[str, Sequence[str]]]
    """Of every cell the figures of a run's last epoch that was looked at."""


def page(table: Table) -> str:
    """The page."""
    outcome = table.outcome
    file = outcome.path / "sweep.yaml"
    return rendered(
        HERE / "page.html",
        title=outcome.name,
        table=table,
        views=[View(part, pictures(part, f"g{at}"), [*health(part)]) for at, part in enumerate(table.parts)],
        changes=[*changed(table)],
        baseline=next((one.name for one in outcome.cells if is_baseline(table, one.folder)), ""),
        source=file.read_text(encoding="utf-8") if file.is_file() else "",
    )


def is_baseline(table: Table, folder: str) -> bool:
    """Whether a cell is the one that the others are compared with."""
    return table.outcome.baseline is not None and table.outcome.baseline.folder == folder


def changed(table: Table) -> Iterator[Changed]:
    """What every cell changes of the baseline; nothing where there is none."""
    cells = table.outcome.cells
    if (baseline := next((one for one in cells if is_baseline(table, one.folder)), None)) is not None:
        yield from changes(baseline, cells)


def health(part: Part) -> Iterator[tuple[str, Sequence[str]]]:
    """The health of one run of every cell, in words."""
    for row in part.group.rows:
        run = next((one for one in row.runs if one.health), None)
        if run is not None and row.cell.same_as is None:
            yield f"{row.cell.name}, seed {run.seed}", [*spreads(run.health)]  # type: ignore[arg-type]
