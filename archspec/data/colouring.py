"""3-colouring of pyramids: learnt on small ones, tested on larger ones; as a task on nodes and as one on pairs.

Every pyramid has one proper colouring with three colours up to their names (see `archspec.data.plain.pyramid`), so a
model has something to find. Graph g of a split depends on (seed, split, g) alone.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import islice

import numpy as np

from archspec.data.packed import Packed, joined, smallest
from archspec.data.plain import PlainGraph, packed, pyramid, same_label
from archspec.data.random import Purpose, Stream

VERSION = 1
"""Counts changes of the generated bits."""

BASES: Mapping[str, range] = {"train": range(3, 11), "val": range(11, 13), "test": range(13, 21)}
"""Bases of the pyramids of a split; graph g has the base at g modulo their number."""

GRAPHS: Mapping[str, int] = {"train": 2_000, "val": 200, "test": 400}
"""Graphs of the task on nodes."""

GRAPHS_OF_PAIRS: Mapping[str, int] = {split: len(bases) for split, bases in BASES.items()}
"""Graphs of the task on pairs: one of every base, as it has no random part."""

COLOURS = 3
CHUNK = 250  # graphs held in memory at a time
NAMES = np.array([[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]], dtype=np.uint8)
"""Every way to name the colours; named at random, so that only the seed nodes say which is which."""


def generate(seed: int, split: str, graphs: int) -> Iterator[Packed]:
    """The first so many graphs of the task on nodes, in chunks."""
    drawn = on_nodes(seed, split, graphs)
    while chunk := list(islice(drawn, CHUNK)):
        yield joined([packed(graph) for graph in chunk])


def generate_pairs(_seed: int, split: str, graphs: int) -> Iterator[Packed]:
    """The first so many graphs of the task on pairs, all ordered pairs of each by i, then j."""
    for number in range(graphs):
        yield of_pairs(pyramid(base(split, number)))


def of_pairs(graph: PlainGraph) -> Packed:
    """A graph whose nodes have labels, and whether those of each ordered pair have the same, by i, then j."""
    pairs = np.argwhere(np.ones((graph.nodes, graph.nodes), np.bool_))
    labels = {"y": same_label(graph.y).reshape(-1).astype(np.uint8), "pair": smallest(pairs)}
    return replace(packed(graph), level="pair", pair_count=np.array([len(pairs)], np.int32), **labels)


def on_nodes(seed: int, split: str, graphs: int) -> Iterator[PlainGraph]:
    """The first so many graphs: y the colour of every node, x that of one node of each colour plus 1, 0 elsewhere."""
    for number in range(graphs):
        yield draw(Stream(seed, Purpose.COLOURING_SEEDS, list(BASES).index(split), number), base(split, number))


def on_pairs(split: str) -> Iterator[PlainGraph]:
    """One graph for each base: y [nodes, nodes] is 1 for ordered pairs of one colour, (i, i) included; x is 0."""
    for number in range(len(BASES[split])):
        graph = pyramid(base(split, number))
        yield PlainGraph(graph.edges, graph.x, same_label(graph.y).astype(np.uint8))


def base(split: str, number: int) -> int:
    """The base of a graph of a split."""
    return BASES[split][number % len(BASES[split])]


def draw(stream: Stream, base: int) -> PlainGraph:
    """A pyramid with randomly named colours and a random node of each colour revealed."""
    graph = pyramid(base)
    y = NAMES[stream.integers(len(NAMES), 1)[0]][graph.y]
    x = np.zeros(len(y), dtype=np.uint8)
    for colour in range(COLOURS):
        nodes = np.flatnonzero(y == colour)
        x[nodes[stream.integers(len(nodes), 1)]] = colour + 1
    return PlainGraph(graph.edges, x, y)
