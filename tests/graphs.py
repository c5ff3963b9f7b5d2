"""Odd graphs by name, batches of them, and random ones: what every operation and every spec is tested on.

Edges are (target i, source j), directed unless the name says otherwise.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
from hypothesis import strategies as st
from torch import Tensor

from archspec.facts import Facts
from archspec.facts.table import Letters
from archspec.reference import Graph

Shape = tuple[int, tuple[tuple[int, int], ...]]
"""Number of nodes, edges."""


def both_ways(*edges: tuple[int, int]) -> tuple[tuple[int, int], ...]:
    """An undirected graph: every edge and its reverse."""
    return (*edges, *((source, target) for target, source in edges))


SHAPES: Mapping[str, Shape] = {
    "one node": (1, ()),
    "one node with a self loop": (1, ((0, 0),)),
    "one node with two self loops": (1, ((0, 0), (0, 0))),
    "no edges": (3, ()),
    "one directed edge": (2, ((1, 0),)),
    "directed path": (4, ((1, 0), (2, 1), (3, 2))),
    "directed cycle": (3, ((1, 0), (2, 1), (0, 2))),
    "directed with isolated nodes": (6, ((1, 0), (3, 1), (0, 3), (3, 0))),
    "self loops": (4, ((0, 0), (1, 0), (1, 1), (2, 3))),
    "repeated edges": (3, ((1, 0), (2, 1), (1, 0), (0, 2), (1, 0), (2, 2), (2, 2))),
    "two components": (5, ((1, 0), (0, 1), (3, 2), (4, 3), (2, 4))),
    "edges out of order": (4, ((3, 0), (0, 2), (3, 1), (1, 3), (0, 1), (3, 2))),
    "undirected": (5, both_ways((0, 1), (1, 2), (2, 0), (2, 3))),
    "complete with self loops": (3, tuple((i, j) for i in range(3) for j in range(3))),
    "star into its centre": (5, tuple((0, j) for j in range(1, 5))),
}

BATCHES: Mapping[str, Sequence[str]] = {
    **{name: (name,) for name in SHAPES},
    "everything": tuple(SHAPES),
    "first and last without edges": ("no edges", "repeated edges", "directed path", "one node"),
    "no edges anywhere": ("one node", "no edges", "one node"),
    "all undirected": ("undirected", "one node", "complete with self loops", "undirected"),
    "single nodes": ("one node", "one node with a self loop", "one node"),
}


def graph(shape: Shape, letters: Letters | None = None, features: int | None = None, seed: int = 0) -> Graph:
    """A graph of that shape with random categories below `letters`, or with random numbers [nodes, features]."""
    nodes, edges = shape
    return Graph(draw_features(nodes, letters, features, seed), nodes, edges)


def furnished(bare: Graph, facts: Facts, seed: int = 0) -> Graph:
    """The graph with edge features, positions and listed pairs too, as far as the data set has them."""
    has_e = (facts.edge_letters, facts.edge_features) != (None, None)
    e = draw_features(len(bare.edges), facts.edge_letters, facts.edge_features, seed + 1) if has_e else None
    pos = draw_features(bare.nodes, None, facts.positions, seed + 2) if facts.positions else None
    targets = listed(bare.nodes, seed + 3) if facts.level == "pair" else ()
    return replace(bare, e=e, pos=pos, targets=targets)


def listed(nodes: int, seed: int) -> tuple[tuple[int, int], ...]:
    """About half of all pairs in any order, and some of them once more; none of every fourth graph."""
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(nodes**2, generator=generator)[: (nodes**2 + 1) // 2 if seed % 4 else 0].tolist()
    return tuple(divmod(one, nodes) for one in order + order[:2])


def draw_features(nodes: int, letters: Letters | None, features: int | None, seed: int) -> Tensor:
    """Categories if `letters` is given, else numbers; a scalar per node if neither is."""
    generator = torch.Generator().manual_seed(seed)
    if isinstance(letters, tuple):
        return torch.stack([torch.randint(one, (nodes,), generator=generator) for one in letters], dim=1)
    if letters is not None:
        return torch.randint(letters, (nodes,), generator=generator)
    size = (nodes,) if features is None else (nodes, features)
    return torch.randn(size, generator=generator, dtype=torch.float64)


def batch(name: str, letters: Letters | None = None, features: int | None = None, seed: int = 0) -> list[Graph]:
    """A named batch with random features."""
    return [graph(SHAPES[shape], letters, features, seed + at) for at, shape in enumerate(BATCHES[name])]


def permuted(original: Graph, order: Sequence[int]) -> Graph:
    """The same graph with node `order[k]` as its k-th; the edges stay in order."""
    place = {node: at for at, node in enumerate(order)}
    edges = tuple((place[target], place[source]) for target, source in original.edges)
    pos = None if original.pos is None else original.pos[list(order)]
    targets = tuple((place[i], place[j]) for i, j in original.targets)
    return Graph(original.x[list(order)], original.nodes, edges, original.e, pos, targets)


@st.composite
def shapes(draw: st.DrawFn, nodes: int = 6, edges: int = 14) -> Shape:
    """Any directed multigraph up to that size, self loops and repeated edges included."""
    count = draw(st.integers(1, nodes))
    node = st.integers(0, count - 1)
    return count, tuple(draw(st.lists(st.tuples(node, node), max_size=edges)))


def batches(graphs: int = 4) -> st.SearchStrategy[list[Shape]]:
    """Any batch of up to so many graphs."""
    return st.lists(shapes(), min_size=1, max_size=graphs)
