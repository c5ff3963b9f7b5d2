"""A few small odd graphs with random features, for comparisons that need no data set."""

from collections.abc import Sequence

import torch
from torch import Tensor

from archspec.facts import Facts
from archspec.facts.table import Letters
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

UNDIRECTED: Sequence[tuple[int, Sequence[Pair]]] = (
    (4, ((0, 1), (1, 0), (1, 2), (2, 1), (2, 3), (3, 2))),  # a path
    (6, ((0, 1), (1, 0), (0, 2), (2, 0), (0, 3), (3, 0), (4, 5), (5, 4))),  # a star and an edge
    (3, ((0, 1), (1, 0), (0, 2), (2, 0), (1, 2), (2, 1))),  # complete
)
"""More graphs for comparisons on such as a data set may hold."""


def samples(facts: Facts, seed: int = 0, shapes: Sequence[tuple[int, Sequence[Pair]]] = SHAPES) -> list[Graph]:
    """Each shape with random features such as the data set has."""
    generator = torch.Generator().manual_seed(seed)
    graphs = []
    for nodes, edges in shapes:
        x = drawn(nodes, facts.letters, facts.features or 1, generator)
        e = drawn(len(edges), facts.edge_letters, facts.edge_features, generator)
        pos = drawn(nodes, None, facts.positions, generator)
        targets = asked(nodes, generator) if facts.level == "pair" else ()
        graphs.append(Graph(x, nodes, tuple(edges), e, pos, targets))  # type: ignore[arg-type]
    return graphs


def asked(nodes: int, generator: torch.Generator) -> tuple[Pair, ...]:
    """Some pairs (i, j) in any order, one of them twice."""
    order = torch.randperm(nodes**2, generator=generator)[: 1 + nodes**2 // 2].tolist()
    return tuple(divmod(one, nodes) for one in [*order, order[0]])


def drawn(rows: int, letters: Letters | None, features: int | None, generator: torch.Generator) -> Tensor | None:
    """Random categories [rows] or [rows, columns], or numbers [rows, features]; None where there are neither."""
    if isinstance(letters, tuple):
        return torch.stack([torch.randint(one, (rows,), generator=generator) for one in letters], dim=1)
    if letters is not None:
        return torch.randint(letters, (rows,), generator=generator)
    if features is None:
        return None
    return torch.randn(rows, features, generator=generator, dtype=torch.float64)
