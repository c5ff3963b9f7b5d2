"""Adjacency matrices of packed graphs, a few graphs of similar size at a time, padded to the largest of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from archspec.structure.memory import need

CELLS = 2**22
"""Entries of the matrices worked on at a time; a graph of more pairs is alone."""

MATRICES = 8
"""Bytes an entry that anything computed from matrices takes at the least: one of numbers and some of flags."""

SPREAD, SMALL = 1.25, 16
"""Graphs are worked on together up to so many times the nodes of the smallest, or up to so many nodes."""


@dataclass(frozen=True, eq=False)
class Chunk:
    """Some graphs as square matrices; self loops and the multiplicity of edges are gone."""

    graphs: Tensor  # [graphs], their numbers
    adjacency: Tensor  # [graphs, size, size], bool, (i, j) where an edge leads from j to i
    real: Tensor  # [graphs, size], bool, cells that hold a node

    @property
    def itself(self) -> Tensor:
        """(i, i) of every node, [graphs, size, size], bool."""
        return torch.diag_embed(self.real)


@dataclass(frozen=True, eq=False)
class Edges:
    """The edges of a packed batch: those into node i come from source[ptr[i]:ptr[i+1]], numbered in the batch.

    What is computed chunk by chunk is brought back by `on_nodes` and `on_pairs`.
    """

    node_ptr: Tensor  # [graphs + 1], int64
    ptr: Tensor  # [nodes + 1], int64
    source: Tensor  # [edges], int32 or int64

    @property
    def nodes(self) -> int:
        """How many nodes all graphs have together."""
        return len(self.ptr) - 1

    @cached_property
    def chunks(self) -> list[Chunk]:
        """All graphs with at least one node, by size."""
        sizes = self.node_ptr.diff()
        order = torch.argsort(sizes, stable=True)
        target = torch.repeat_interleave(torch.arange(self.nodes, device=sizes.device), self.ptr.diff())  # [edges]
        graph = torch.bucketize(target, self.node_ptr[1:], right=True)
        runs = bounds(sizes[order].tolist())
        return [chunk(self, order[first:last], target, graph) for first, last in runs]

    @cached_property
    def cells(self) -> tuple[Tensor, Tensor]:
        """Where every node, and every pair of V, stands in the cells of all chunks one after the other."""
        sizes = self.node_ptr.diff()
        start, rows, width = (torch.zeros_like(sizes) for _ in range(3))  # [graphs]
        nodes = pairs = 0
        for part in self.chunks:
            count, size = part.real.shape
            slots = torch.arange(count, device=sizes.device) * size
            start[part.graphs], rows[part.graphs], width[part.graphs] = nodes + slots, pairs + slots * size, size
            nodes, pairs = nodes + count * size, pairs + count * size * size
        graph = torch.repeat_interleave(torch.arange(len(sizes), device=sizes.device), sizes)  # [nodes]
        within = torch.arange(self.nodes, device=sizes.device) - self.node_ptr[graph]
        length = sizes[graph]
        row = rows[graph] + within * width[graph] - (length.cumsum(0) - length)
        of_pairs = torch.repeat_interleave(row, length)
        return start[graph] + within, of_pairs + torch.arange(len(of_pairs), device=sizes.device)

    def on_nodes(self, parts: Sequence[Tensor]) -> Tensor:
        """[graphs, size, …] of every chunk to [nodes, …]."""
        return joined([part.flatten(0, 1) for part in parts])[self.cells[0]]

    def on_pairs(self, parts: Sequence[Tensor]) -> Tensor:
        """[graphs, size, size] of every chunk to [pairs of V]."""
        return joined([part.flatten() for part in parts])[self.cells[1]]


def joined(parts: Sequence[Tensor]) -> Tensor:
    """The parts one after the other; there are none where no graph has a node."""
    return torch.cat(list(parts)) if parts else torch.zeros(0)


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
    if edges.ptr.device.type == "cpu":
        need(MATRICES * len(chosen) * size**2, f"matrices of {size:,} nodes by as many")
    place = torch.full_like(edges.node_ptr, -1).index_copy_(
        0, chosen, torch.arange(len(chosen), device=chosen.device)
    )  # [graphs + 1], of a graph in the chunk
    here = (place[graph] >= 0) & (target != edges.source)
    i, j, g = target[here], edges.source[here].long(), place[graph[here]]
    adjacency = torch.zeros(len(chosen), size, size, dtype=torch.bool, device=chosen.device)
    adjacency[g, i - start[g], j - start[g]] = True
    real = torch.arange(size, device=chosen.device) < (stop - start).unsqueeze(1)
    return Chunk(chosen, adjacency, real)
