"""What walk encodings tell apart in a data set: its nodes, pairs or graphs by their encoding and their label.

The encoding of a pair is its entries in the powers 0 … R of D⁻¹A; that of a node the multiset of those of its pairs
(i, j) that are not all zero; that of a graph the multiset of those of its nodes. Graphs are compared with each other.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
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


@dataclass(frozen=True)
class Graphs:
    """The graphs of a split, of which pairs are numbered one graph after the other, those of a graph by i, then j."""

    split: Split
    near: Sequence[Neighbours] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "near", list(near_of(self.packed)))

    @property
    def packed(self) -> Packed:
        """The arrays."""
        return self.split.packed

    @cached_property
    def sizes(self) -> Numbers:
        """Nodes of every graph."""
        return self.packed.sizes.astype(np.int64)

    @cached_property
    def first_pair(self) -> Numbers:
        """Where the pairs of every graph begin and end."""
        return offsets(self.sizes**2)

    @cached_property
    def first_node(self) -> Numbers:
        """Where the nodes of every graph begin and end."""
        return offsets(self.sizes)

    @cached_property
    def known(self) -> Numbers:
        """The features of both nodes of every pair, as numbers."""
        kind = ranked(self.packed.x)[0]
        count = int(kind.max(initial=0)) + 1
        parts = [kind[first:last] for first, last in pairwise(self.first_node)]
        return np.concatenate([(one[:, None] * count + one).reshape(-1) for one in parts])

    def named(self, level: str, number: int) -> str:
        """A pair, node or graph as `pair (3, 4) of graph 0`."""
        if level == "graph":
            return f"graph {number}"
        starts = self.first_node if level == "node" else self.first_pair
        graph = int(np.searchsorted(starts, number, "right")) - 1
        own = number - int(starts[graph])
        return f"node {own} of graph {graph}" if level == "node" else f"{self.pair(graph, own)} of graph {graph}"

    def pair(self, graph: int, own: int) -> tuple[int, int]:
        """The nodes of the pair with this number in its graph."""
        i, j = divmod(own, int(self.sizes[graph]))
        return i, j


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
    """The labels that count and are known, given the places of all of them."""
    y, split = graphs.packed.y, graphs.split
    counts = split.mask if isinstance(split, Masked) else np.ones(len(y), np.bool_)
    unknown = np.isnan(y).reshape(len(y), -1).any(1) if y.dtype.kind == "f" else np.zeros(len(y), np.bool_)
    kept = counts & ~unknown
    labels, values = ranked(y[kept])
    return Things(places[kept], labels, [text_of(value) for value in values], int((counts & unknown).sum()))


def text_of(value: NDArray[Any]) -> str:
    """A label in words."""
    numbers = np.atleast_1d(value).tolist()
    return ", ".join(f"{one:.6g}" for one in numbers)


def of_rows(graphs: Graphs) -> Things:
    """Nodes, or graphs, with their labels."""
    return labelled(graphs, np.arange(len(graphs.packed.y)))


def of_edges(graphs: Graphs) -> Things:
    """The pairs (i, j) that are edges, with the labels of these."""
    packed = graphs.packed
    i = np.repeat(np.arange(len(packed.degree)) - np.repeat(graphs.first_node[:-1], graphs.sizes), packed.degree)
    return labelled(graphs, numbered(graphs, i, packed.source.astype(np.int64), packed.starts("edge")))


def of_listed(graphs: Graphs) -> Things:
    """The pairs (i, j) that are listed, with their labels."""
    assert graphs.packed.pair is not None  # there is no level of pairs without
    i, j = graphs.packed.pair.astype(np.int64).T
    return labelled(graphs, numbered(graphs, i, j, graphs.packed.starts("pair")))


def numbered(graphs: Graphs, i: Numbers, j: Numbers, starts: Numbers) -> Numbers:
    """Pairs (i, j), numbered among those of all graphs; the rows of every graph start as given."""
    graph = np.repeat(np.arange(len(graphs.sizes)), np.diff(starts))
    return graphs.first_pair[graph] + i * graphs.sizes[graph] + j


def of_same(graphs: Graphs) -> Things:
    """All ordered pairs of labelled nodes of one graph: whether both have one label."""
    nodes = of_rows(graphs)
    ends = np.searchsorted(nodes.at, graphs.first_node)
    at, labels = [], []
    for graph, (first, last) in enumerate(pairwise(ends)):
        own, label = nodes.at[first:last] - graphs.first_node[graph], nodes.labels[first:last]
        at.append((graphs.first_pair[graph] + own[:, None] * graphs.sizes[graph] + own).reshape(-1))
        labels.append((label[:, None] == label).reshape(-1))
    return Things(
        np.concatenate(at), np.concatenate(labels).astype(np.int64), ["different labels", "same label"], nodes.unknown
    )


KINDS: Mapping[str, tuple[str, str, Callable[[Graphs], Things]]] = {
    "node": ("node", "node", of_rows),
    "same": ("node", "pair", of_same),
    "edge": ("edge", "pair", of_edges),
    "pair": ("pair", "pair", of_listed),
    "graph": ("graph", "graph", of_rows),
}
"""What labels may be asked of: the level that the data set has them at, what they are then labels of, and which."""


def told(graphs: Graphs, things: Things, level: str, fields: Collection[int], features: bool) -> Iterator[Field]:
    """The receptive fields asked for, in ascending order; with `features` x of both nodes is part of an encoding."""
    for encoded in encodings(graphs.near, max(fields), graphs.known if features else None):
        if encoded.field in fields:
            classes, covered = LEVELS[level](graphs, encoded)
            kept = ranked(classes[things.at])[0]
            yield seen(encoded.field, kept, things.labels, covered[things.at])


def of_pairs(_graphs: Graphs, encoded: Encoded) -> tuple[Numbers, NDArray[np.bool_]]:
    """The encodings of pairs."""
    return encoded.classes, encoded.covered


def of_nodes(graphs: Graphs, encoded: Encoded) -> tuple[Numbers, NDArray[np.bool_]]:
    """The encodings of nodes; none is all zero, since a node is at itself after no step."""
    known: dict[bytes, int] = {}
    found = [
        of_multisets([row[there] for row, there in zip(*rows, strict=True)], known)
        for rows in zip(squares(graphs, encoded.classes), squares(graphs, encoded.covered), strict=True)
    ]
    nodes = np.concatenate(found)
    return nodes, np.ones(len(nodes), np.bool_)


def squares(graphs: Graphs, pairs: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """What all pairs have, for every graph, [nodes, nodes]."""
    for size, first, last in zip(graphs.sizes, graphs.first_pair, graphs.first_pair[1:], strict=False):
        yield pairs[first:last].reshape(size, size)


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
