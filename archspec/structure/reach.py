"""The index set reach(k): the nodes from which a node is at most k steps away."""

import torch
from torch import Tensor

CELLS = 2**22
"""Entries of the dense matrices worked on at a time (16 MiB); a graph of more pairs is searched by its edges."""


def reach_pairs(node_ptr: Tensor, ptr: Tensor, source: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The pairs (i, j) of a packed batch such that a walk of at most k edges leads from j to i, each pair once.

    `node_ptr` [graphs + 1] bounds the graphs; the edges into node i come from source[ptr[i]:ptr[i+1]], numbered in
    the batch, within one graph; loops and repeated edges change nothing. i itself is always in its set. Returns (ptr
    [nodes + 1], source [pairs]), both int64 on the device of `ptr`, ascending within a row. Raises ValueError for
    negative k.
    """
    if k < 0:
        raise ValueError(f"reach(k) needs k ≥ 0, found {k}")
    node_ptr, source = node_ptr.to(ptr.device), source.long()
    nodes = len(ptr) - 1
    target = torch.repeat_interleave(torch.arange(nodes, device=ptr.device), ptr.diff())  # [edges]
    counts, sources = [ptr.new_zeros(1)], [ptr.new_zeros(0)]
    for first, last in runs(node_ptr.diff().tolist()):
        bounds = node_ptr[first : last + 1]
        edges = slice(int(ptr[bounds[0]]), int(ptr[bounds[-1]]))
        search = dense if dense_fits(last - first, int(bounds.diff().max())) else along_edges
        lengths, found = search(bounds, target[edges], source[edges], k)
        counts.append(lengths)
        sources.append(found)
    return torch.cat(counts).cumsum(0), torch.cat(sources)


def dense_fits(graphs: int, size: int) -> bool:
    """Whether graphs padded to this size are small enough for dense matrices."""
    return graphs * size**2 <= CELLS


def runs(sizes: list[int]) -> list[tuple[int, int]]:
    """Runs [first, last) of graphs that can be worked on together; a large graph is alone."""
    bounds, first, largest = [], 0, 0
    for graph, size in enumerate(sizes):
        largest = max(largest, size)
        if graph > first and not dense_fits(graph + 1 - first, largest):
            bounds.append((first, graph))
            first, largest = graph, size
    return [*bounds, (first, len(sizes))] if sizes else []


def dense(node_ptr: Tensor, target: Tensor, source: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """How many j each i has, [nodes], and the j, [pairs], of graphs small enough for matrices, by products of them."""
    sizes, places = node_ptr.diff(), torch.arange(int(node_ptr.diff().max()), device=target.device)
    graph = torch.bucketize(target, node_ptr[1:], right=True)
    real = places < sizes.unsqueeze(1)  # [graphs, size]
    itself = torch.diag_embed(real.float())
    step = itself.clone()
    step[graph, target - node_ptr[graph], source - node_ptr[graph]] = 1  # [graphs, size, size], (i, j): j → i or j = i
    reached = itself if k == 0 else step
    for _ in range(k - 1):
        further = (reached @ step > 0).float()  # counts of walks; positive terms cannot round to zero
        if torch.equal(further, reached):
            break
        reached = further
    numbers = (node_ptr[:-1, None] + places).unsqueeze(1).expand(reached.shape)
    return reached.sum(2)[real].long(), numbers.masked_select(reached > 0)


def along_edges(node_ptr: Tensor, target: Tensor, source: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """How many j each i has, [nodes], and the j, [pairs], of one large graph, by following edges."""
    first, nodes = int(node_ptr[0]), int(node_ptr[1] - node_ptr[0])
    target, source = target - first, source - first
    counts = torch.bincount(target, minlength=nodes)
    start = counts.cumsum(0) - counts
    reached = newest = torch.arange(nodes, device=target.device) * (nodes + 1)  # (i, j) as the number i·nodes + j
    for _ in range(k):
        i, j = newest // nodes, newest % nodes
        pair = torch.repeat_interleave(torch.arange(len(newest), device=target.device), counts[j])
        offset = torch.arange(len(pair), device=target.device) - (counts[j].cumsum(0) - counts[j])[pair]
        candidates = torch.unique(i[pair] * nodes + source[start[j[pair]] + offset])
        newest = candidates[~torch.isin(candidates, reached)]
        if len(newest) == 0:
            break
        reached = torch.cat([reached, newest]).sort().values
    return torch.bincount(reached // nodes, minlength=nodes), reached % nodes + first
