"""Graphs of the user's own as arrays, before anything about them is checked."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archspec.data.packed import Rows
from archspec.diagnostics import Diagnostic
from archspec.source import Span

Array = NDArray[Any]


@dataclass(frozen=True)
class Spot:
    """Where something stands: in a line of a table, or in a graph of a file."""

    path: str
    words: str = ""
    """What a message begins with, `graph 3`."""
    span: Span | None = None
    label: str = ""

    def problem(self, code: str, message: str, cure: str) -> Diagnostic:
        """A problem at this place."""
        text = f"{self.words}: {message}" if self.words else message
        return Diagnostic(code, text, self.span, self.label if self.span else "", help=cure, path=self.path)


def no_edges() -> Array:
    """The edges of a graph without any."""
    return np.zeros((2, 0), dtype=np.int64)


@dataclass(frozen=True)
class Raw:
    """One graph, its arrays under the names that PyG has for them; a label or feature a row."""

    at: Callable[[str, int], Spot]
    """Where a row of an array stands."""
    num_nodes: int
    edge_index: Array = field(default_factory=no_edges)  # [2, edges], source above target
    y: Array | None = None
    x: Array | None = None
    edge_attr: Array | None = None
    pos: Array | None = None
    edge_label_index: Array | None = None  # [2, pairs], j above i, the pairs that y has labels of
    train_mask: Array | None = None
    val_mask: Array | None = None
    test_mask: Array | None = None
    level: Rows | None = None
    """What carries the labels, where that is known from elsewhere."""

    @property
    def num_edges(self) -> int:
        """How many edges there are."""
        return int(self.edge_index.shape[1])

    @property
    def num_pairs(self) -> int:
        """How many pairs are listed."""
        return 0 if self.edge_label_index is None else int(self.edge_label_index.shape[1])


def table(values: Array) -> Array:
    """Features or labels as [rows, numbers]."""
    return values.reshape(len(values), width(values) or 0)


def width(values: Array | None) -> int | None:
    """Numbers a row."""
    return None if values is None else math.prod(values.shape[1:])


MOST_COLUMNS = 64
"""Columns of whole numbers that are believed to be categories; more are a vector of numbers."""


def are_letters(columns: Sequence[Array]) -> bool:
    """Whether the column of every graph holds categories: one whole number a row, or up to 64.

    Several are numbers where all of them are 0 or 1: one-hot vectors, of which a linear map says the same.
    """
    if not columns or any(one.dtype.kind not in "uib" or not width(one) for one in columns):
        return False
    most = max(width(one) or 0 for one in columns)
    return most == 1 or (most <= MOST_COLUMNS and any(((one < 0) | (one > 1)).any() for one in columns))


def more(count: int) -> str:
    """`, and 4 more` of the kind that was told of."""
    return f", and {count - 1:,} more" if count > 1 else ""
