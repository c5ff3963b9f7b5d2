"""A graph as the reference sees it: nodes, a list of edges, and index sets worked out from the list each time."""

from dataclasses import dataclass

from torch import Tensor

from archspec.ir.types import MEMBERS, IndexSet

Pair = tuple[int, int]


@dataclass(frozen=True, eq=False)
class Graph:
    """One graph: raw features of its `nodes` nodes, and its edges (target i, source j) in the order of the data.

    `x` holds categories [nodes] (integers) or numbers [nodes, features]; `e`, if there is one, the same with a row per
    edge, and `pos` numbers [nodes, dimensions].
    """

    x: Tensor
    nodes: int
    edges: tuple[Pair, ...] = ()
    e: Tensor | None = None
    pos: Tensor | None = None


def pairs(graph: Graph, over: IndexSet) -> list[Pair]:
    """The pairs (i, j) with j in a set: N as the data has them, the others by i.

    Of members there is a pair for every node j, and the only i is 0, the graph. Of triples (i, j, k) there are pairs of
    places: that of (i, j) among the first pairs, that of (i, k) among the second.
    """
    if over == MEMBERS:
        return [(0, j) for j in range(graph.nodes)]
    if over.pairs is not None and over.third is not None:
        return triples(graph, over.pairs, over.third)
    if over.name == "N":
        return list(graph.edges)
    return [(i, j) for i in range(graph.nodes) for j in members(graph, over, i)]


def triples(graph: Graph, first: IndexSet, second: IndexSet) -> list[Pair]:
    """The places of every (i, j) of one set and every (i, k) of another."""
    inner = list(enumerate(pairs(graph, second)))
    return [(at, place) for at, (i, _) in enumerate(pairs(graph, first)) for place, (own, _) in inner if own == i]


def heads(graph: Graph, over: IndexSet) -> int:
    """How many i there are: nodes, the graph itself, or the pairs (i, j) of triples."""
    if over.pairs is not None:
        return len(pairs(graph, over.pairs))
    return 1 if over == MEMBERS else graph.nodes


def members(graph: Graph, over: IndexSet, i: int) -> list[int]:
    """The nodes j of a set for one node i: `N + i` has i once, its other edges as often as they are repeated."""
    if over.name == "N + i":
        return [source for target, source in graph.edges if target == i and source != i] + [i]
    if over.name == "reach":
        return sorted(within_reach(graph, i, over.k))
    if over.name == "V":
        return list(range(graph.nodes))
    raise ValueError(f"no index set is called {over.name}")


def in_neighbours(graph: Graph, i: int) -> set[int]:
    """The sources of the edges into i."""
    return {source for target, source in graph.edges if target == i}


def within_reach(graph: Graph, i: int, k: int) -> set[int]:
    """The nodes from which i is at most k steps away, i included."""
    reached = {i}
    for _ in range(min(k, graph.nodes)):  # no shortest way is longer
        reached = reached.union(*(in_neighbours(graph, node) for node in reached))
    return reached


def rows_by_target(graph: Graph, over: IndexSet) -> list[list[int]]:
    """For every i, the places of its pairs in the list of pairs."""
    rows: list[list[int]] = [[] for _ in range(heads(graph, over))]
    for row, (i, _) in enumerate(pairs(graph, over)):
        rows[i].append(row)
    return rows
