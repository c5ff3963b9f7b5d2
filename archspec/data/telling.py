"""What walk encodings tell apart in a data set: its nodes, pairs or graphs by their encoding and their label.

The encoding of a pair is its entries in the powers 0 … R of D⁻¹A; that of a node the multiset of those of its pairs
(i, j) that are not all zero; that of a graph the multiset of those of its nodes. Graphs are compared with each other.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archspec.data.masked import Masked
from archspec.data.packed import Packed, offsets
from archspec.data.split import Split
from archspec.structure.exact import Encoded, Neighbours, encodings, neighbours
from archspec.structure.receptive import Field, of_multisets, seen

Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Things:
    """What is to be told apart: a label for each that counts, and where they stand."""

    at: Numbers
    """Which pairs, nodes or graphs they are, of all graphs one after the other."""
    labels: Numbers
    """From 0, equal where the labels are."""
    values: Sequence[str]
    """What every label is called."""
    unknown: int = 0
    """How many were left out since their label is not known."""
    left: int = 0
    """How many were left out since their graph has too many pairs."""


MOST_PAIRS = 4_000_000
"""Pairs of a graph that are studied; of a larger one those (i, j) with an i among its first labelled nodes."""


class Graphs:
    """The graphs of a split, and which pairs (i, j) of them are studied: those with an i in `rows`, by i, then j."""

    def __init__(self, split: Split, wanted: Numbers | None = None):
        self.split = split
        self.near: Sequence[Neighbours] = list(near_of(split.packed))
        self.sizes: Numbers = split.packed.sizes.astype(np.int64)
        self.first_node = offsets(self.sizes)
        self.rows = [self.studied(graph, wanted) for graph in range(len(self.sizes))]
        self.first_row = offsets(np.array([len(one) for one in self.rows]))
        self.first_pair = offsets(np.diff(self.first_row) * self.sizes)

    def studied(self, graph: int, wanted: Numbers | None) -> Numbers:
        """The nodes i of a graph: all, or so many of those `wanted`, numbered through all graphs, as there may be."""
        first, size = int(self.first_node[graph]), int(self.sizes[graph])
        if wanted is None or size**2 <= MOST_PAIRS:
            return np.arange(size)
        own = np.unique(wanted[(wanted >= first) & (wanted < first + size)]) - first
        return own[: max(1, MOST_PAIRS // size)]

    @property
    def packed(self) -> Packed:
        """The arrays."""
        return self.split.packed

    @cached_property
    def place(self) -> Numbers:
        """Of every node its number among the nodes i that are studied, -1 where it is none."""
        found = np.full(int(self.first_node[-1]), -1)
        for first, start, rows in zip(self.first_node, self.first_row, self.rows, strict=False):
            found[first + rows] = start + np.arange(len(rows))
        return found

    @cached_property
    def known(self) -> Numbers:
        """The features of both nodes of every pair, as numbers."""
        kind = ranked(self.packed.x)[0]
        count = int(kind.max(initial=0)) + 1
        parts = [
            (kind[first:last], rows) for (first, last), rows in zip(pairwise(self.first_node), self.rows, strict=True)
        ]
        return np.concatenate([(one[rows][:, None] * count + one).reshape(-1) for one, rows in parts])

    def named(self, level: str, number: int) -> str:
        """A pair, node or graph by its number among those that are studied, as `(3, 4) of graph 0`."""
        if level == "graph":
            return f"graph {number}"
        if level == "pair":
            graph, i, j = self.pair(number)
            return f"({i}, {j}) of graph {graph}"
        graph = int(np.searchsorted(self.first_row, number, "right")) - 1
        return f"node {self.rows[graph][number - self.first_row[graph]]} of graph {graph}"

    def pair(self, number: int) -> tuple[int, int, int]:
        """Graph, i and j of a pair."""
        graph = int(np.searchsorted(self.first_pair, number, "right")) - 1
        row, j = divmod(number - int(self.first_pair[graph]), int(self.sizes[graph]))
        return graph, int(self.rows[graph][row]), j

    def numbers(self, graph: Numbers, i: Numbers, j: Numbers) -> Numbers:
        """The numbers of pairs; -1 for those that are not studied."""
        place = self.place[self.first_node[graph] + i]
        return np.where(place < 0, -1, self.first_pair[graph] + (place - self.first_row[graph]) * self.sizes[graph] + j)


def near_of(packed: Packed) -> Iterator[Neighbours]:
    """N(i) of every graph."""
    for number in range(packed.graphs):
        one = packed.take(np.array([number]))
        target = np.repeat(np.arange(len(one.degree)), one.degree)
        yield neighbours(len(one.degree), np.stack([one.source.astype(np.int64), target]))


def ranked(rows: NDArray[Any]) -> tuple[Numbers, NDArray[Any]]:
    """Rows as numbers from 0, equal where the rows are, and the different rows in ascending order."""
    values, number = np.unique(rows, axis=0, return_inverse=True)
    return number.reshape(len(rows)), values


def labelled(graphs: Graphs, places: Numbers) -> Things:
    """The labels that count and are known, given the places of all of them, -1 for what is not studied."""
    y = graphs.packed.y
    counts, known = counted(graphs.split), known_rows(y)
    kept = counts & known
    studied = kept & (places >= 0)
    labels, values = ranked(y[studied])
    left = int(kept.sum() - studied.sum())
    return Things(places[studied], labels, [text_of(value) for value in values], int((counts & ~known).sum()), left)


def counted(split: Split) -> NDArray[np.bool_]:
    """Which labels count in a split."""
    return split.mask if isinstance(split, Masked) else np.ones(len(split.packed.y), np.bool_)


def known_rows(y: NDArray[Any]) -> NDArray[np.bool_]:
    """Which labels are known in every number."""
    return ~np.isnan(y).reshape(len(y), -1).any(1) if y.dtype.kind == "f" else np.ones(len(y), np.bool_)


def text_of(value: NDArray[Any]) -> str:
    """A label in words."""
    return ", ".join(f"{one:.6g}" for one in np.atleast_1d(value).tolist())


def wanted(split: Split) -> Numbers | None:
    """The nodes i of labels that count and are known, numbered through all graphs; None where all nodes are needed."""
    packed = split.packed
    kept = counted(split) & known_rows(packed.y)
    if packed.level == "graph":
        return None
    if packed.level == "node":
        return np.flatnonzero(kept)
    first, (graph, i, _) = packed.starts("node"), ends(packed)
    return (first[graph] + i)[kept]


def ends(packed: Packed) -> tuple[Numbers, Numbers, Numbers]:
    """Graph, i and j of every label of an edge or a listed pair."""
    graph = np.repeat(np.arange(packed.graphs), np.diff(packed.starts(packed.level)))
    if packed.pair is not None and packed.level == "pair":
        i, j = packed.pair.astype(np.int64).T
        return graph, i, j
    i = np.repeat(np.arange(len(packed.degree)), packed.degree) - packed.starts("node")[graph]
    return graph, i, packed.source.astype(np.int64)


def of_nodes_labelled(graphs: Graphs) -> Things:
    """Nodes with their labels."""
    return labelled(graphs, graphs.place)


def of_graphs_labelled(graphs: Graphs) -> Things:
    """Graphs with their labels."""
    return labelled(graphs, np.arange(len(graphs.sizes)))


def of_listed(graphs: Graphs) -> Things:
    """The pairs (i, j) that are edges, or are listed, with their labels."""
    return labelled(graphs, graphs.numbers(*ends(graphs.packed)))


def of_same(graphs: Graphs) -> Things:
    """All ordered pairs of labelled nodes of one graph: whether both have one label."""
    kept = counted(graphs.split) & known_rows(graphs.packed.y)
    label = np.full(len(kept), -1)
    label[kept] = ranked(graphs.packed.y[kept])[0]
    at, labels, left = [], [], 0
    for graph, (first, last) in enumerate(pairwise(graphs.first_node)):
        own = label[first:last]
        i, j = graphs.rows[graph][own[graphs.rows[graph]] >= 0], np.flatnonzero(own >= 0)
        number = graphs.numbers(np.array([graph]), np.repeat(i, len(j)), np.tile(j, len(i)))
        at.append(number)
        labels.append((own[i][:, None] == own[j]).reshape(-1))
        left += len(j) ** 2 - len(number)
    values = ["different labels", "same label"]
    unknown = int((counted(graphs.split) & ~known_rows(graphs.packed.y)).sum())
    return Things(np.concatenate(at), np.concatenate(labels).astype(np.int64), values, unknown, left)


KINDS: Mapping[str, tuple[str, str, Callable[[Graphs], Things]]] = {
    "node": ("node", "node", of_nodes_labelled),
    "same": ("node", "pair", of_same),
    "edge": ("edge", "pair", of_listed),
    "pair": ("pair", "pair", of_listed),
    "graph": ("graph", "graph", of_graphs_labelled),
}
"""What labels may be asked of: the level that the data set has them at, what they are then labels of, and which."""


def told(graphs: Graphs, things: Things, level: str, fields: Collection[int], features: bool) -> Iterator[Field]:
    """The receptive fields asked for, in ascending order; with `features` x of both nodes is part of an encoding."""
    for encoded in encodings(graphs.near, max(fields), graphs.known if features else None, graphs.rows):
        if encoded.field in fields:
            classes, covered = LEVELS[level](graphs, encoded)
            kept = ranked(classes[things.at])[0]
            yield seen(encoded.field, kept, things.labels, covered[things.at])


def of_pairs(_graphs: Graphs, encoded: Encoded) -> tuple[Numbers, NDArray[np.bool_]]:
    """The encodings of pairs."""
    return encoded.classes, encoded.covered


def of_nodes(graphs: Graphs, encoded: Encoded) -> tuple[Numbers, NDArray[np.bool_]]:
    """The encodings of the nodes i; none is all zero, since a node is at itself after no step."""
    known: dict[bytes, int] = {}
    found = [
        of_multisets([row[there] for row, there in zip(*rows, strict=True)], known)
        for rows in zip(squares(graphs, encoded.classes), squares(graphs, encoded.covered), strict=True)
    ]
    nodes = np.concatenate(found)
    return nodes, np.ones(len(nodes), np.bool_)


def squares(graphs: Graphs, pairs: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """What all pairs have, for every graph, [rows, nodes]."""
    for size, (first, last) in zip(graphs.sizes, pairwise(graphs.first_pair), strict=True):
        yield pairs[first:last].reshape(-1, size)


def of_graphs(graphs: Graphs, encoded: Encoded) -> tuple[Numbers, NDArray[np.bool_]]:
    """The encodings of graphs."""
    nodes, _ = of_nodes(graphs, encoded)
    found = of_multisets([nodes[first:last] for first, last in pairwise(graphs.first_node)], {})
    return found, np.ones(len(found), np.bool_)


LEVELS: Mapping[str, Callable[[Graphs, Encoded], tuple[Numbers, NDArray[np.bool_]]]] = {
    "pair": of_pairs,
    "node": of_nodes,
    "graph": of_graphs,
}
"""The encodings of all pairs, nodes or graphs, equal numbers for equal ones, and whether one is not all zero."""
