"""A split of a data set, and batches cut from it."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from archspec.data.packed import Packed, offsets
from archspec.runtime.batch import Batch
from archspec.runtime.pairs import Pairs


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
        return offsets(self.packed.sizes)

    @cached_property
    def edge_ptr(self) -> NDArray[np.int64]:
        """Where the edges of every graph start and end, [graphs + 1]."""
        return offsets(self.packed.degree)[self.node_ptr]

    @property
    def nodes(self) -> int:
        """How many nodes all graphs have together."""
        return len(self.packed.x)

    @property
    def edges(self) -> int:
        """How many directed edges all graphs have together."""
        return len(self.packed.source)

    def batch(self, indices: ArrayLike | Sequence[int]) -> Batch:
        """The graphs with these numbers in this order, as a batch on the CPU: x and y int64, N.source int32.

        Raises IndexError for a number outside [-graphs, graphs).
        """
        graphs = np.asarray(indices, dtype=np.int64)
        first_nodes, first_edges = self.node_ptr[:-1][graphs], self.edge_ptr[:-1][graphs]
        last_nodes, last_edges = self.node_ptr[1:][graphs], self.edge_ptr[1:][graphs]
        node_ptr, edge_ptr = offsets(last_nodes - first_nodes), offsets(last_edges - first_edges)
        nodes = Runs(first_nodes, last_nodes, node_ptr)
        ptr = offsets(nodes.copy(self.packed.degree, self.packed.degree.dtype))
        source = Runs(first_edges, last_edges, edge_ptr).numbered(self.packed.source, node_ptr)
        letters = self.packed.x.dtype.kind in "ui"
        x = nodes.copy(self.packed.x, np.dtype(np.int64) if letters else self.packed.x.dtype)
        y = nodes.copy(self.packed.y, np.dtype(np.int64))
        near = Pairs(torch.from_numpy(ptr), torch.from_numpy(source), self.symmetric)
        return Batch(torch.from_numpy(x), torch.from_numpy(node_ptr), near, torch.from_numpy(y))

    def batches(self, batch_size: int, order: NDArray[np.int64] | None = None) -> Iterator[Batch]:
        """Batches of so many graphs (the last one takes what is left) in this order, by default the stored one."""
        order = np.arange(len(self)) if order is None else order
        for start in range(0, len(order), batch_size):
            yield self.batch(order[start : start + batch_size])


class Runs:
    """Runs [first, last) of a flat array and where each starts in the array they are copied to.

    Slices are copied one by one: for graphs of hundreds of nodes that is several times as fast as an index array.
    """

    def __init__(self, first: NDArray[np.int64], last: NDArray[np.int64], starts: NDArray[np.int64]):
        bounds = starts.tolist()
        self.total = bounds[-1]
        self.slices = list(zip(first.tolist(), last.tolist(), bounds[:-1], bounds[1:], strict=True))

    def copy(self, column: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
        """The runs of a column one after the other, [total, …]."""
        out = np.empty((self.total, *column.shape[1:]), dtype)
        for first, last, start, end in self.slices:
            out[start:end] = column[first:last]
        return out

    def numbered(self, column: NDArray[Any], add: NDArray[np.int64]) -> NDArray[np.int32]:
        """The runs of a column one after the other, `add[k]` added to those of run k, [total]."""
        out = np.empty(self.total, np.int32)
        for (first, last, start, end), amount in zip(self.slices, add.tolist(), strict=False):
            np.add(column[first:last], np.int32(amount), out=out[start:end])
        return out
