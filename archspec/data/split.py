"""A split of a data set, and batches cut from it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from archspec.data.packed import Packed, offsets

if TYPE_CHECKING:  # torch is imported when the first batch is cut, so that data can be described without it
    from archspec.runtime.batch import Batch


class Split:
    """Graphs of one split, with the offsets that batches are cut by.

    `packed` may be views of a mapped file; cutting a batch copies, so batches can be changed freely.
    """

    def __init__(self, packed: Packed, symmetric: bool):
        self.packed = packed
        self.symmetric = symmetric

    def __len__(self) -> int:
        return self.packed.graphs

    @cached_property
    def node_ptr(self) -> NDArray[np.int64]:
        """Where the nodes of every graph start and end, [graphs + 1]."""
        return self.packed.starts("node")

    @cached_property
    def edge_ptr(self) -> NDArray[np.int64]:
        """Where the edges of every graph start and end, [graphs + 1]."""
        return self.packed.starts("edge")

    @cached_property
    def label_ptr(self) -> NDArray[np.int64]:
        """Where the labels of every graph start and end, [graphs + 1]."""
        return self.packed.starts(self.packed.level)

    @property
    def nodes(self) -> int:
        """How many nodes all graphs have together."""
        return len(self.packed.x)

    @property
    def edges(self) -> int:
        """How many directed edges all graphs have together."""
        return len(self.packed.source)

    @property
    def labels(self) -> NDArray[Any]:
        """Labels of the rows that count in this split."""
        return self.packed.y

    def batch(self, indices: ArrayLike | Sequence[int]) -> Batch:
        """The graphs with these numbers in this order, as a batch on the CPU: letters and classes int64, source int32.

        Raises IndexError for a number outside [-graphs, graphs).
        """
        import torch

        from archspec.runtime.batch import Batch
        from archspec.runtime.pairs import Pairs

        packed, graphs = self.packed, np.asarray(indices, dtype=np.int64)
        nodes, edges = cut(self.node_ptr, graphs), cut(self.edge_ptr, graphs)
        labels = {"node": nodes, "edge": edges}.get(packed.level) or cut(self.label_ptr, graphs)
        ptr = offsets(nodes.copy(packed.degree, packed.degree.dtype))
        source = edges.numbered(packed.source, nodes.starts)
        return Batch(
            torch.from_numpy(nodes.values(packed.x)),
            torch.from_numpy(nodes.starts),
            Pairs(torch.from_numpy(ptr), torch.from_numpy(source), self.symmetric),
            torch.from_numpy(labels.values(packed.y)),
            None if packed.e is None else torch.from_numpy(edges.values(packed.e)),
            None if packed.pos is None else torch.from_numpy(nodes.values(packed.pos)),
            pair=None if packed.pair is None else torch.from_numpy(labels.numbered(packed.pair, nodes.starts)),
        )

    def batches(self, graphs: Iterable[NDArray[np.int64]]) -> Iterator[Batch]:
        """Batches of the graphs with these numbers; `archspec.data.batching` says which go together."""
        return map(self.batch, graphs)


class Runs(ABC):
    """Runs [first, last) of a flat array, and where each starts in the array they are copied to."""

    starts: NDArray[np.int64]  # [runs + 1]

    def values(self, column: NDArray[Any]) -> NDArray[Any]:
        """The runs of a column one after the other as a batch has them: whole numbers as int64, [total, …]."""
        return self.copy(column, wide(column.dtype))

    @abstractmethod
    def copy(self, column: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
        """The runs of a column one after the other, [total, …]."""

    @abstractmethod
    def numbered(self, column: NDArray[Any], add: NDArray[np.int64]) -> NDArray[np.int32]:
        """The runs of a column one after the other, `add[k]` added to those of run k, [total, …]."""


class Slices(Runs):
    """Long runs, copied one by one: from hundreds of rows on that is several times as fast as an index array."""

    def __init__(self, first: NDArray[np.int64], last: NDArray[np.int64], starts: NDArray[np.int64]):
        bounds = starts.tolist()
        self.starts, self.total = starts, bounds[-1]
        self.slices = list(zip(first.tolist(), last.tolist(), bounds[:-1], bounds[1:], strict=True))

    def copy(self, column: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
        """The runs of a column one after the other, [total, …]."""
        out = np.empty((self.total, *column.shape[1:]), dtype)
        for first, last, start, end in self.slices:
            out[start:end] = column[first:last]
        return out

    def numbered(self, column: NDArray[Any], add: NDArray[np.int64]) -> NDArray[np.int32]:
        """The runs of a column one after the other, `add[k]` added to those of run k, [total, …]."""
        out = np.empty((self.total, *column.shape[1:]), np.int32)
        for (first, last, start, end), amount in zip(self.slices, add.tolist(), strict=False):
            part = out[start:end]
            part[:] = column[first:last]  # copied, then added to in place: a fifth faster than np.add of two types
            part += amount
        return out


class Gathered(Runs):
    """Short runs, copied together through the numbers of all their rows."""

    def __init__(self, first: NDArray[np.int64], lengths: NDArray[np.int64], starts: NDArray[np.int64]):
        self.starts, self.lengths = starts, lengths
        self.index = np.arange(starts[-1]) + np.repeat(first - starts[:-1], lengths)

    def copy(self, column: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
        """The runs of a column one after the other, [total, …]."""
        return column[self.index].astype(dtype, copy=False)

    def numbered(self, column: NDArray[Any], add: NDArray[np.int64]) -> NDArray[np.int32]:
        """The runs of a column one after the other, `add[k]` added to those of run k, [total, …]."""
        own = column[self.index].astype(np.int32, copy=False)
        own += np.repeat(add[:-1].astype(np.int32), self.lengths).reshape(-1, *(1 for _ in column.shape[1:]))
        return own


LONG = 400
"""Rows of a run, on average, from which on slices are faster; measured for ZINC, ENZYMES and PATTERN."""


def cut(ptr: NDArray[np.int64], graphs: NDArray[np.int64]) -> Runs:
    """The runs of some graphs, placed one after the other."""
    first, last = ptr[:-1][graphs], ptr[1:][graphs]
    starts = offsets(last - first)
    if starts[-1] >= LONG * len(graphs):
        return Slices(first, last, starts)
    return Gathered(first, last - first, starts)


def wide(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """int64 for whole numbers, as torch's indexing wants them; other types as they are."""
    return np.dtype(np.int64) if dtype.kind in "ui" else dtype
