"""Rows as text: columns flush, figures as the rest of archspec shows them."""

from collections.abc import Sequence

from archspec.runs.row import Row, is_share
from archspec.runs.where import COLUMNS
from archspec.track.about import Plain


def lines(rows: Sequence[Row], more: Sequence[str] = ()) -> list[str]:
    """A heading and a line for every row, with further columns at the end; then what is wrong with damaged ones."""
    columns = [*COLUMNS, *(one for one in more if one not in COLUMNS)]
    cells = [columns, *([cell(row, column) for column in columns] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    numeric = [all(is_number(row.fields.get(column, 0)) for row in rows) for column in columns]
    text = ["  ".join(pad(*one) for one in zip(line, widths, numeric, strict=True)).rstrip() for line in cells]
    return [*text, *(f"{row.fields['run']}: damaged: {row.trouble}" for row in rows if row.trouble)]


def pad(text: str, width: int, right: bool) -> str:
    """A cell: numbers to the right."""
    return text.rjust(width) if right else text.ljust(width)


def cell(row: Row, column: str) -> str:
    """One figure or word of a row."""
    value = row.fields.get(column)
    if value is None:
        return "-"
    if column == "epochs":
        return f"{value}/{row.fields['of']}"
    if column in ("val", "test"):
        return figure(str(row.fields["metric"]), value)
    return figure(column.rpartition(".")[2], value)


def figure(name: str, value: Plain) -> str:
    """A value: shares with two digits, counts with commas."""
    if isinstance(value, bool) or not is_number(value):
        text = str(value).strip().replace("\n", " ⏎ ")
        return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
    if is_share(name):
        return f"{value:.2f}"
    if name == "parameters":
        return f"{value:,}"
    return str(value) if isinstance(value, int) else f"{value:.4g}"


LONGEST = 60
"""Characters of a text that are shown."""


def is_number(value: Plain) -> bool:
    """Whether a value is a number."""
    return isinstance(value, int | float) and not isinstance(value, bool)
