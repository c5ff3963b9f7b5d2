"""Small odd graphs that tell specs apart: the samples, every tiny graph, and random ones."""

from collections.abc import Iterator, Sequence
from itertools import combinations
from random import Random

from archspec.equal.finite import possible
from archspec.equal.samples import SHAPES, UNDIRECTED, samples
from archspec.facts import Facts
from archspec.reference import Graph
from archspec.reference.graph import Pair

Shape = tuple[int, Sequence[Pair]]

TINY = 3
"""Nodes up to which every undirected graph is looked at."""

LARGEST = 7
"""Nodes of a random graph at most."""


def graphs_for(facts: Facts) -> list[Graph]:
    """The graphs on which specs are compared: first the samples, then random ones."""
    shapes = (*SHAPES, *UNDIRECTED, *random_shapes(Random(0)))
    return [graph for graph in samples(facts, shapes=shapes) if possible(graph, facts)]


def smallest_first(facts: Facts, graphs: Sequence[Graph]) -> list[Graph]:
    """Tiny graphs, and these, by their numbers of nodes and edges."""
    tiny = [graph for graph in samples(facts, shapes=tuple(tiny_shapes())) if possible(graph, facts)]
    return sorted((*tiny, *graphs), key=lambda graph: (graph.nodes, len(graph.edges)))


def tiny_shapes() -> Iterator[Shape]:
    """Every undirected graph without loops of a few nodes, and an edge that leads one way."""
    for nodes in range(1, TINY + 1):
        between = list(combinations(range(nodes), 2))
        for count in range(len(between) + 1):
            for chosen in combinations(between, count):
                yield nodes, tuple(pair for i, j in chosen for pair in ((i, j), (j, i)))
    yield 2, ((0, 1),)


def random_shapes(random: Random) -> Iterator[Shape]:
    """For every number of nodes a sparse and a dense graph, undirected, and one with directions, loops and repeats."""
    for nodes in range(2, LARGEST + 1):
        for chance in (0.3, 0.7):
            pairs = [pair for pair in combinations(range(nodes), 2) if random.random() < chance]
            yield nodes, tuple(pair for i, j in pairs for pair in ((i, j), (j, i)))
        yield nodes, tuple((random.randrange(nodes), random.randrange(nodes)) for _ in range(2 * nodes))
