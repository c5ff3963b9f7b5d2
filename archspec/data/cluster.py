"""CLUSTER: tell the communities of a graph apart, given one node of each (node classification, six classes).

The recipe of Dwivedi et al., *Benchmarking Graph Neural Networks* (2023), a stochastic block model, as its generation
notebook has it: six communities, one random node of each carries the letter of its community, all others letter 0. The
draw is our own, so the graphs are not the released ones but of the same distribution. Graph g of a split depends on
(seed, split, g) alone.
"""

from collections.abc import Iterator

import numpy as np

from archspec.data.packed import Packed, joined
from archspec.data.pattern import draw_edges, pack
from archspec.data.random import Purpose, Stream, threshold

VERSION = 1
"""Counts changes of the generated bits; stored with the data, so older files are not taken for newer ones."""

GRAPHS = {"train": 10_000, "val": 1_000, "test": 1_000}
COMMUNITIES = 6
SMALLEST, LARGEST = 5, 34  # nodes of a community
CHUNK = 250  # graphs held in memory at a time

EDGE = np.full((COMMUNITIES, COMMUNITIES), threshold(0.25), dtype=np.uint32)  # [community, community] thresholds
np.fill_diagonal(EDGE, threshold(0.55))


def generate(seed: int, split: str, graphs: int) -> Iterator[Packed]:
    """The first so many graphs of a split, in chunks."""
    for start in range(0, graphs, CHUNK):
        yield joined([draw_graph(seed, split, number) for number in range(start, min(start + CHUNK, graphs))])


def draw_graph(seed: int, split: str, number: int) -> Packed:
    """Graph `number` of a split: six communities, its nodes in random order."""
    stream = Stream(seed, Purpose.CLUSTER_GRAPH, list(GRAPHS).index(split), number)
    sizes = SMALLEST + stream.integers(LARGEST - SMALLEST + 1, COMMUNITIES)
    order = stream.permutation(int(sizes.sum()))  # [nodes], place → node before the nodes were mixed
    label = np.repeat(np.arange(COMMUNITIES, dtype=np.uint8), sizes)
    # One of a community's nodes is as good as another before they are mixed, so the first one is told.
    told = np.zeros(len(label), dtype=np.uint8)
    told[np.cumsum(sizes) - sizes] = np.arange(1, COMMUNITIES + 1)
    return pack(told[order], label[order], draw_edges(stream, label[order], EDGE))
