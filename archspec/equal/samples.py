"""A few small odd graphs with random features, for comparisons that need no data set."""

from collections.abc import Sequence

import torch

from archspec.facts import Facts
from archspec.reference import Graph
from archspec.reference.graph import Pair

SHAPES: Sequence[tuple[int, Sequence[Pair]]] = (
    (5, ((1, 0), (0, 1), (2, 1), (1, 2), (0, 2), (2, 0), (3, 2), (2, 3))),  # undirected, with an isolated node
    (4, ((1, 0), (2, 1), (1, 0), (2, 2), (0, 2))),  # directed: a repeated edge, a self loop, an isolated node
    (1, ()),
    (1, ((0, 0),)),
    (3, ()),
    (4, ((3, 0), (3, 1), (3, 2))),  # into one node alone
)
"""Number of nodes, and edges (target i, source j)."""


def samples(facts: Facts, seed: int = 0) -> list[Graph]:
    """Each shape with random features such as the data set has."""
    generator = torch.Generator().manual_seed(seed)
    graphs = []
    for nodes, edges in SHAPES:
        if facts.letters is None:
            x = torch.randn(nodes, facts.features or 1, generator=generator, dtype=torch.float64)
        else:
            x = torch.randint(facts.letters, (nodes,), generator=generator)
        graphs.append(Graph(x, nodes, tuple(edges)))
    return graphs
