"""A graph as the reference sees it: nodes, a list of edges, and index sets worked out from the list each time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from torch import Tensor

from archspec.ir.types import MEMBERS, NEIGHBOURS, IndexSet

Pair = tuple[int, int]


@dataclass(frozen=True, eq=False)
class Graph:
    """One graph: raw features of its `nodes` nodes, and its edges (target i, source j) in the order of the data.

    `x` holds categories [nodes] (integers) or numbers [nodes, features]; `e`, if there is one, the same with a row per
    edge, and `pos` numbers [nodes, dimensions]. `targets` are the pairs (i, j) that labels are asked for, in any order.
    """

    x: Tensor
    nodes: int
    edges: tuple[Pair, ...] = ()
    e: Tensor | None = None
    pos: Tensor | None = None
    targets: tuple[Pair, ...] = ()
    kept: Mapping[IndexSet, Sequence[int]] = field(default_factory=dict)
    """The pairs of the base for which the condition of a set holds, as far as they are known."""


def pairs(graph: Graph, over: IndexSet) -> list[Pair]:
    """The pairs (i, j) with j in a set: N and targets as the data has them, others by i.

    Of members there is a pair for every node j, and the only i is 0, the graph. Of triples (i, j, k) there are pairs of
    places: that of (i, j) among the first pairs, that of (i, k) among the second.
    """
    return [pair for pair, _ in numbered(graph, over)]


def numbered(graph: Graph, over: IndexSet) -> list[tuple[Pair, int]]:
    """The pairs of a set, each with its number among parallel edges in the set that it comes from."""
    if over.decided:
        return [numbered(graph, based(over))[row] for row in graph.kept[over]]
    if over.name == "- i":
        return [((i, j), number) for (i, j), number in numbered(graph, based(over)) if i != j]
    before: dict[Pair, int] = {}
    found = []
    for pair in listed(graph, over):
        found.append((pair, before.get(pair, 0)))
        before[pair] = before.get(pair, 0) + 1
    return found


def based(over: IndexSet) -> IndexSet:
    """The set that another is made from."""
    if over.base is None:
        raise ValueError(f"{over} is made from no other set")
    return over.base


def listed(graph: Graph, over: IndexSet) -> list[Pair]:
    """The pairs of a set in order."""
    if over == MEMBERS:
        return [(0, j) for j in range(graph.nodes)]
    if over.pairs is not None and over.third is not None:
        return triples(graph, over.pairs, over.third)
    if over.name in ("N", "targets"):
        return list(graph.edges if over.name == "N" else graph.targets)
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
    """The nodes j of a set for one node i: `S + i` has i once, its other pairs as often as they are repeated."""
    if over.name in ("N + i", "+ i"):
        base = NEIGHBOURS if over.base is None else over.base
        return [source for target, source in pairs(graph, base) if target == i and source != i] + [i]
    if over.name == "reach":
        return sorted(within_reach(graph, i, over.k))
    if over.name == "expander":
        return sorted(beside(graph.nodes, over.k, i) - {i})
    if over.name == "V":
        return list(range(graph.nodes))
    raise ValueError(f"no index set is called {over.name}")


def beside(nodes: int, k: int, i: int) -> set[int]:
    """The nodes before and after i on k / 2 cycles through all nodes, drawn by SplitMix64 and Fisher and Yates."""
    mask, state, found = 2**64 - 1, (nodes << 32) + k, set()
    for _ in range(k // 2):
        cycle = list(range(nodes))
        for last in reversed(range(1, nodes)):
            state = (state + 0x9E3779B97F4A7C15) & mask
            word = ((state ^ state >> 30) * 0xBF58476D1CE4E5B9) & mask
            word = ((word ^ word >> 27) * 0x94D049BB133111EB) & mask
            other = (word ^ word >> 31) % (last + 1)
            cycle[last], cycle[other] = cycle[other], cycle[last]
        at = cycle.index(i)
        found |= {cycle[at - 1], cycle[(at + 1) % nodes]}
    return found


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
