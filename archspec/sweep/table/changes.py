"""What every cell of a sweep changes of the baseline, in a line and in full, as `archspec diff` shows it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup, escape

from archspec.compare.consequences import Checked
from archspec.compare.difference import Difference, differences
from archspec.compare.markup import html_line, html_lines
from archspec.compare.shown import summary
from archspec.diagnostics import SpecError
from archspec.interface.checking import compiled
from archspec.sweep.table.results import CellRuns
from archspec.syntax.load import parse_spec

MOST = 60
"""Cells that are compared; the first of more."""

LONGEST = 160
"""Letters of a changed equation that is the line itself."""


@dataclass(frozen=True)
class Changed:
    """A cell's difference to the baseline."""

    name: str
    line: Markup
    whole: Markup


def changes(baseline: CellRuns, cells: Sequence[CellRuns]) -> Iterator[Changed]:
    """The cells with a spec that can be read, but for the baseline."""
    if (old := checked(baseline)) is None:
        return
    for cell in [one for one in cells if one.folder != baseline.folder][:MOST]:
        if (new := checked(cell)) is None:
            continue
        found = differences(old, new)
        whole = "\n".join(html_lines(found, (baseline.name, cell.name)))
        yield Changed(cell.name, one_line(found), Markup(whole.replace("<h2>", "<h4>").replace("</h2>", "</h4>")))


def checked(cell: CellRuns) -> Checked | None:
    """The spec of a cell with its program; None where it cannot be read or compiled, or its data is not known here."""
    for run in cell.runs.values():
        path = run.folder.spec
        try:
            return compiled(parse_spec(path.read_text(encoding="utf-8"), str(path)))
        except (SpecError, OSError):
            continue
    return None


def one_line(found: Difference) -> Markup:
    """The changed equation itself where it is one, else what has changed, and how many of each kind."""
    lines = [line for change in found.all_changes() for line in change.lines]
    if len(lines) == 1 and len(lines[0].text) <= LONGEST:
        return Markup(html_line(replace(lines[0], remarks=())))
    paths = [f"{change.sign} {change.path.removeprefix('where.')}" for change in found.all_changes()]
    return escape("; ".join([", ".join(paths), summary(found)] if paths else [summary(found)]))
