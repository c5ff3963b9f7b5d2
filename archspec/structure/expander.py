"""The index set expander(k): sparse random regular graphs, the same for all graphs of a size.

Random regular graphs are expanders with high probability (Friedman 2003): information crosses them in few steps. So do
Shirzad et al. (Exphormer, ICML 2023) use them, made from random cycles through all nodes as here.
"""

from collections.abc import Iterator
from functools import lru_cache

import torch
from torch import Tensor

WORD = 2**64


def expander_pairs(node_ptr: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The pairs (i, j) of a packed batch such that j is beside i on one of k / 2 random cycles, each pair once.

    `node_ptr` [graphs + 1] bounds the graphs. Cycles depend on the number of nodes and on k alone. Two nodes are each
    other's only neighbour, one node has none, and a node has fewer than k where cycles meet. Returns (ptr [nodes + 1],
    source [pairs]), int64 on the device of `node_ptr`, ascending within a row. Raises ValueError for k that is odd or
    below 2.
    """
    if k < 2 or k % 2:
        raise ValueError(f"expander(k) needs an even k ≥ 2, found {k}")
    sizes, start = node_ptr.diff().tolist(), 0
    counts, sources = [torch.zeros(1, dtype=torch.int64)], [torch.zeros(0, dtype=torch.int64)]
    for nodes in sizes:
        count, source = neighbours(nodes, k)
        counts.append(count)
        sources.append(source + start)
        start += nodes
    return torch.cat(counts).cumsum(0).to(node_ptr.device), torch.cat(sources).to(node_ptr.device)


@lru_cache(maxsize=4096)
def neighbours(nodes: int, k: int) -> tuple[Tensor, Tensor]:
    """How many neighbours every node of a graph has, [nodes], and which, [pairs]."""
    words, numbers = generator(nodes * 2**32 + k), torch.arange(nodes)
    ids = [numbers.new_zeros(0)]
    for _ in range(k // 2):
        cycle = torch.tensor(shuffled(nodes, words), dtype=torch.int64)
        after = cycle.roll(-1)
        ids += [cycle * nodes + after, after * nodes + cycle]
    found = torch.unique(torch.cat(ids))  # (i, j) as the number i·nodes + j
    i, j = found // max(nodes, 1), found % max(nodes, 1)
    return torch.bincount(i[i != j], minlength=nodes), j[i != j]


def shuffled(nodes: int, words: Iterator[int]) -> list[int]:
    """The nodes in random order (Fisher and Yates): from the last place down, each is swapped with one up to it."""
    order = list(range(nodes))
    for last in range(nodes - 1, 0, -1):
        other = next(words) % (last + 1)
        order[last], order[other] = order[other], order[last]
    return order


def generator(state: int) -> Iterator[int]:
    """SplitMix64 (Steele et al. 2014): whole numbers below 2⁶⁴."""
    while True:
        state = (state + 0x9E3779B97F4A7C15) % WORD
        word = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9 % WORD
        word = (word ^ (word >> 27)) * 0x94D049BB133111EB % WORD
        yield word ^ (word >> 31)
