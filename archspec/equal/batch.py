"""Graphs of the reference as a batch of the runtime, packed here by hand: the runtime's own packing is not trusted."""

from collections import Counter
from collections.abc import Sequence
from itertools import accumulate

import torch
from torch import Tensor

from archspec.reference import Graph
from archspec.reference.graph import Pair
from archspec.runtime.batch import Batch
from archspec.runtime.pairs import Pairs


def packed(graphs: Sequence[Graph]) -> Batch:
    """The graphs one after the other, edges sorted by target and within a target as they were."""
    first = [0, *accumulate(graph.nodes for graph in graphs)]
    edges = [(i + start, j + start) for graph, start in zip(graphs, first, strict=False) for i, j in graph.edges]
    order = by_target(edges)
    incoming = Counter(i for i, _ in edges)
    ptr = torch.tensor([0, *accumulate(incoming[node] for node in range(first[-1]))])
    source = torch.tensor([edges[edge][1] for edge in order], dtype=torch.int32)
    neighbours = Pairs(ptr, source, Counter(edges) == Counter((j, i) for i, j in edges))
    asked = [(i + start, j + start) for graph, start in zip(graphs, first, strict=False) for i, j in graph.targets]
    e, pos = joined([graph.e for graph in graphs]), joined([graph.pos for graph in graphs])
    return Batch(
        torch.cat([graph.x for graph in graphs]),
        torch.tensor(first),
        neighbours,
        e=None if e is None else e[order],
        pos=pos,
        pair=torch.tensor([asked[row] for row in by_target(asked)], dtype=torch.int32).view(-1, 2),
    )


def by_target(pairs: Sequence[Pair]) -> list[int]:
    """The order in which a batch has pairs (i, j): by i, those of one i as they were."""
    return sorted(range(len(pairs)), key=lambda row: pairs[row][0])


def joined(parts: Sequence[Tensor | None]) -> Tensor | None:
    """The features of all graphs one after the other; None where a graph has none."""
    found = [part for part in parts if part is not None]
    return torch.cat(found) if len(found) == len(parts) else None
