"""What a column of letters or numbers holds."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archspec.facts import Facts
from archspec.facts.table import Letters


@dataclass(frozen=True)
class Column:
    """Letters (or classes), with how often each occurs, or numbers, summed up column by column."""

    kind: str
    """`letters`, `classes`, `answers` (yes, no or unknown), `numbers`, or `columns` of letters."""
    width: int
    """Of letters and classes how many there are, else how many numbers or columns a row has."""
    counts: list[int] | None = None
    """Rows of each letter or class; of answers of yes in each column."""
    unknown: int = 0
    """Entries that are NaN."""
    zeros: float | None = None
    """The share of numbers that are 0."""
    mean: list[float] | None = None
    deviation: list[float] | None = None
    """The standard deviation of each column."""
    least: list[float] | None = None
    most: list[float] | None = None
    columns: list["Column"] | None = None
    """Where there are several of letters, each of them."""


def column(values: NDArray[Any], letters: Letters | None = None) -> Column:
    """A column of features, or several of letters; so many letters there are in the whole data set."""
    if isinstance(letters, tuple):
        each = [column(one, count) for one, count in zip(values.T, letters, strict=True)]
        return Column("columns", len(each), columns=each)
    if values.dtype.kind in "iu":
        counts = np.bincount(values, minlength=letters or 0)
        return Column("letters", len(counts), counts.tolist())
    return numbers(values)


def numbers(values: NDArray[Any]) -> Column:
    """Numbers, [rows, numbers]."""
    table = np.ma.masked_invalid(values.reshape(len(values), -1).astype(np.float64))
    figures = [table.mean(0), table.std(0), table.min(0), table.max(0)]
    mean, deviation, least, most = (np.ma.filled(one, np.nan).tolist() for one in figures)
    unknown, zeros = int(np.ma.count_masked(table)), float((table.filled(1) == 0).sum() / max(1, table.count()))
    return Column("numbers", table.shape[1], None, unknown, zeros, mean, deviation, least, most)


def labels(y: NDArray[Any], facts: Facts) -> Column:
    """The labels that count in a split."""
    if facts.kind == "classification":
        return Column("classes", facts.out, np.bincount(y, minlength=facts.out).tolist())
    if facts.kind == "multi-label":
        return Column("answers", facts.out, np.nansum(y, axis=0).astype(int).tolist(), int(np.isnan(y).sum()))
    return numbers(y)
