"""Adjacency matrices of packed graphs, a few graphs of similar size at a time, padded to the largest of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

CELLS = 2**22
"""Entries of the matrices worked on at a time; a graph of more pairs is alone."""

SPREAD, SMALL = 1.25, 16
"""Graphs are worked on together up to so many times the nodes of the smallest, or up to so many nodes."""


@dataclass(frozen=True, eq=False)
class Edges:
    """The edges of a packed batch: those into node i come from source[ptr[i]:ptr[i+1]], numbered in the batch."""

    node_ptr: Tensor  # [graphs + 1], int64
    ptr: Tensor  # [nodes + 1], int64
    source: Tensor  # [edges], int32 or int64

    @property
    def nodes(self) -> int:
        """How many nodes all graphs have together."""
        return len(self.ptr) - 1

    @cached_property
    def pair_ptr(self) -> Tensor:
        """Where the pairs of every graph begin among those of V, [graphs + 1]."""
        squares = self.node_ptr.diff().square()
        return torch.cat([squares.new_zeros(1), squares.cumsum(0)])


@dataclass(frozen=True, eq=False)
class Chunk:
    """Some graphs as square matrices; self loops and the multiplicity of edges are gone."""

    adjacency: Tensor  # [graphs, size, size], bool, (i, j) where an edge leads from j to i
    real: Tensor  # [graphs, size], bool, cells that hold a node
    first_node: Tensor  # [graphs]
    first_pair: Tensor  # [graphs]

    @property
    def itself(self) -> Tensor:
        """(i, i) of every node, [graphs, size, size], bool."""
        return torch.diag_embed(self.real)

    @cached_property
    def pairs(self) -> Tensor:
        """Cells that hold a pair, [graphs, size, size], bool."""
        return self.real.unsqueeze(2) & self.real.unsqueeze(1)

    @cached_property
    def node_places(self) -> Tensor:
        """The number of every node in the batch, in the order of `real`."""
        return (self.first_node.unsqueeze(1) + self.steps)[self.real]  # [nodes]

    @cached_property
    def pair_places(self) -> Tensor:
        """Where every pair stands among those of V, in the order of `pairs`."""
        row = self.first_pair.unsqueeze(1) + self.steps * self.real.sum(1, keepdim=True)  # [graphs, size]
        return (row.unsqueeze(2) + self.steps)[self.pairs]  # [pairs]

    @property
    def steps(self) -> Tensor:
        """0, 1, …, size - 1."""
        return torch.arange(self.real.shape[1], device=self.real.device)


def chunks(edges: Edges) -> Iterator[Chunk]:
    """All graphs of a batch with at least one node, by size."""
    sizes = edges.node_ptr.diff()
    order = torch.argsort(sizes, stable=True)
    target = torch.repeat_interleave(torch.arange(edges.nodes, device=sizes.device), edges.ptr.diff())  # [edges]
    graph = torch.bucketize(target, edges.node_ptr[1:], right=True)
    for first, last in bounds(sizes[order].tolist()):
        yield chunk(edges, order[first:last], target, graph)


def bounds(sizes: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Runs [first, last) of ascending sizes that are worked on together; graphs without nodes are in none."""
    first = next((at for at, size in enumerate(sizes) if size), len(sizes))
    for at in range(first + 1, len(sizes) + 1):
        if at == len(sizes) or not together(sizes[first], sizes[at], at + 1 - first):
            yield first, at
            first = at


def together(smallest: int, largest: int, graphs: int) -> bool:
    """Whether graphs of these sizes are padded to one size."""
    return largest <= max(SMALL, SPREAD * smallest) and graphs * largest**2 <= CELLS


def chunk(edges: Edges, chosen: Tensor, target: Tensor, graph: Tensor) -> Chunk:
    """The graphs of these numbers; `target` and `graph` tell of every edge."""
    start, stop = edges.node_ptr[chosen], edges.node_ptr[chosen + 1]
    size = int((stop - start).max())
    place = torch.full_like(edges.node_ptr, -1).index_copy_(
        0, chosen, torch.arange(len(chosen), device=chosen.device)
    )  # [graphs + 1], of a graph in the chunk
    here = (place[graph] >= 0) & (target != edges.source)
    i, j, g = target[here], edges.source[here].long(), place[graph[here]]
    adjacency = torch.zeros(len(chosen), size, size, dtype=torch.bool, device=chosen.device)
    adjacency[g, i - start[g], j - start[g]] = True
    real = torch.arange(size, device=chosen.device) < (stop - start).unsqueeze(1)
    return Chunk(adjacency, real, start, edges.pair_ptr[chosen])
