"""A batch of graphs as emitted code sees it: packed node and edge arrays, and index sets made from them on demand."""

from dataclasses import dataclass, field

import torch
from torch import Tensor


@dataclass
class Pairs:
    """The pairs (i, j) of an index set over a whole batch, sorted by i: row `i` is source[ptr[i]:ptr[i+1]]."""

    ptr: Tensor  # [nodes + 1], int64
    source: Tensor  # [pairs], int32 or int64, j of every pair, in the numbering of the batch
    symmetric: bool = False
    """Whether (j, i) is in the set as often as (i, j)."""
    cache: dict[object, object] = field(default_factory=dict, repr=False)


@dataclass
class Batch:
    """Graphs packed one after the other.

    `x` holds categories [nodes] (int64) or numbers [nodes, features]; edges are sorted by target, within a target as in the
    data, and `e` follows that order; `N.ptr` and `N.source` are the in-neighbours of every node.
    """

    x: Tensor
    node_ptr: Tensor  # [graphs + 1], int64
    N: Pairs
    y: Tensor | None = None
    e: Tensor | None = None
    cache: dict[object, object] = field(default_factory=dict, repr=False)

    @property
    def nodes(self) -> int:
        """How many nodes all graphs have together."""
        return len(self.x)

    @property
    def graphs(self) -> int:
        """How many graphs there are."""
        return len(self.node_ptr) - 1

    def pairs(self, name: str, k: int = 0) -> Pairs:
        """The pairs of an index set: "N", "N + i", "V", "reach" (with k)."""
        raise NotImplementedError


def as_batch(graphs: object) -> Batch:
    """A Batch from itself or from PyG's Data or Batch (duck-typed: x, edge_index, batch or ptr, y, edge_attr)."""
    raise NotImplementedError(torch, graphs)
