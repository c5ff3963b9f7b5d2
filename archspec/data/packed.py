"""Many graphs as flat arrays: the form in which data is generated, stored and cut into batches."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal, cast, get_args

import numpy as np
from numpy.typing import NDArray

Rows = Literal["graph", "node", "edge", "pair"]
"""What a column has a row for."""

PARTS = {"train": 1, "val": 2, "test": 4}
"""The bit of every split in `Packed.mask`."""


@dataclass(frozen=True)
class Packed:
    """Graphs one after the other, edges as rows of in-neighbours; arrays may be views of a memory-mapped file.

    The edges into a node are `degree` consecutive entries of `source`, numbered within their graph from 0 in ascending
    order, so a batch needs one addition per graph and no sorting. Whole numbers in x and e are letters, floating-point
    ones are numbers. Labels y stand at nodes, edges (in the order of `source`), ordered pairs of nodes (those listed in
    `pair`, by i) or graphs, as `level` says: whole numbers are classes, [rows]; others are numbers or, where a row has
    many answers of yes (1) and no (0), those, [rows, numbers], and NaN is unknown.
    """

    sizes: NDArray[np.int32]  # [graphs], nodes of each graph
    x: NDArray[Any]  # [nodes] letters or [nodes, features]
    y: NDArray[Any]  # [rows] classes or [rows, numbers]
    degree: NDArray[Any]  # [nodes], unsigned, in-neighbours of each node
    source: NDArray[Any]  # [edges], unsigned, the in-neighbours
    e: NDArray[Any] | None = None  # [edges] letters or [edges, features]
    pos: NDArray[Any] | None = None  # [nodes, dimensions]
    mask: NDArray[np.uint8] | None = None  # [rows, folds], the bits of the splits that count a label (see PARTS)
    pair_count: NDArray[np.int32] | None = None  # [graphs], labelled pairs of each graph
    pair: NDArray[Any] | None = None  # [pairs, 2], i, ascending, and j of every labelled pair, within their graph
    level: Rows = "node"

    @property
    def graphs(self) -> int:
        """How many graphs there are."""
        return len(self.sizes)

    @property
    def columns(self) -> Mapping[str, NDArray[Any]]:
        """The columns that are there, by name."""
        return {name: column for name in COLUMNS if (column := getattr(self, name)) is not None}

    def rows(self, name: str) -> Rows:
        """What the column of a name has a row for."""
        return self.level if name in ("y", "mask") else ROWS[name]

    def starts(self, rows: Rows) -> NDArray[np.int64]:
        """Where the rows of every graph start and end, [graphs + 1]."""
        match rows:
            case "node":
                return offsets(self.sizes)
            case "edge":
                return offsets(self.degree)[offsets(self.sizes)]
            case "pair" if self.pair_count is not None:
                return offsets(self.pair_count)
            case _:
                return np.arange(self.graphs + 1)

    def first(self, graphs: int) -> "Packed":
        """The first so many graphs, or all if there are fewer, as views."""
        ends = {rows: int(self.starts(rows)[: graphs + 1][-1]) for rows in get_args(Rows)}
        return self.made({name: column[: ends[self.rows(name)]] for name, column in self.columns.items()})

    def take(self, graphs: NDArray[np.int64]) -> "Packed":
        """The graphs with these numbers in this order, copied."""
        index = {rows: runs_index(self.starts(rows), graphs) for rows in get_args(Rows)}
        return self.made({name: column[index[self.rows(name)]] for name, column in self.columns.items()})

    def made(self, columns: Mapping[str, NDArray[Any]]) -> "Packed":
        """Other columns of the same level."""
        return Packed(**cast(dict[str, Any], columns), level=self.level)


COLUMNS = tuple(column.name for column in fields(Packed) if column.name != "level")

ROWS: Mapping[str, Rows] = {
    **dict.fromkeys(("sizes", "pair_count"), "graph"),
    **dict.fromkeys(("x", "degree", "pos"), "node"),
    **dict.fromkeys(("source", "e"), "edge"),
    "pair": "pair",
}
"""What every column but y and mask, which have one for every label, has a row for."""


def joined(parts: Sequence[Packed]) -> Packed:
    """The graphs of at least one part, one after the other; all parts have the same columns."""
    names = parts[0].columns
    return parts[0].made({name: np.concatenate([getattr(part, name) for part in parts]) for name in names})


def offsets(lengths: NDArray[Any]) -> NDArray[np.int64]:
    """Where runs of these lengths start and end: [count] lengths to [count + 1] offsets, from 0."""
    bounds = np.zeros(len(lengths) + 1, dtype=np.int64)
    np.cumsum(lengths, out=bounds[1:])
    return bounds


def runs_index(starts: NDArray[np.int64], runs: NDArray[np.int64]) -> NDArray[np.int64]:
    """The numbers of all rows of the runs with these numbers, in their order."""
    lengths = np.diff(starts)[runs]
    ends = offsets(lengths)
    return np.arange(ends[-1]) + np.repeat(starts[:-1][runs] - ends[:-1], lengths)


def smallest(values: NDArray[Any]) -> NDArray[Any]:
    """Whole numbers from 0 in as few bytes as they need."""
    return values.astype(np.min_scalar_type(int(values.max(initial=0))))


def sort_edges(edges: NDArray[np.int64], nodes: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Edges [2, edges], source and target, in stored order: which edge comes when, and `degree` and `source` then.

    Edges are sorted by target, then source; repeated ones stay in the order they have.
    """
    order = np.lexsort((edges[0], edges[1]))
    return order, np.bincount(edges[1], minlength=nodes), edges[0][order]
