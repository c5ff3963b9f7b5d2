"""PATTERN: find the nodes of a hidden pattern in a graph of communities (node classification, two classes).

The recipe of Dwivedi et al., *Benchmarking Graph Neural Networks* (2023), as its generation notebook has it: five
communities and one of a hundred fixed patterns, joined at random. The draw is our own, so the graphs are not the
released ones but of the same distribution. Graph g of a split depends on (seed, split, g) alone, so the first graphs
can be had without the rest.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archspec.data.packed import Packed, joined
from archspec.data.random import Purpose, Stream, threshold

VERSION = 1
"""Counts changes of the generated bits; stored with the data, so older files are not taken for newer ones."""

GRAPHS = {"train": 10_000, "val": 2_000, "test": 2_000}
PATTERNS = 100
COMMUNITIES = 5
SMALLEST, LARGEST = 5, 34  # nodes of a community or a pattern
LETTERS = 3
INSIDE, BETWEEN = threshold(0.5), threshold(0.35)  # edges in a community or a pattern; edges between communities
JOIN = threshold(0.5)  # edges between the pattern and the rest
CHUNK = 250  # graphs held in memory at a time

MOST_NODES = (COMMUNITIES + 1) * LARGEST
LOWER = np.tri(MOST_NODES, k=-1, dtype=np.bool_)  # the pairs i > j; those of a smaller graph are its upper left corner
# [group, group] thresholds; the last group is the pattern, whose inner edges are fixed and overwritten.
EDGE = np.full((COMMUNITIES + 1, COMMUNITIES + 1), BETWEEN, dtype=np.uint32)
np.fill_diagonal(EDGE, INSIDE)
EDGE[COMMUNITIES, :] = EDGE[:, COMMUNITIES] = JOIN


@dataclass(frozen=True)
class Pattern:
    """A pattern: the same letters and edges wherever it occurs."""

    x: NDArray[np.uint8]  # [size]
    adjacency: NDArray[np.bool_]  # [size, size], symmetric, diagonal false


def generate(seed: int, split: str, graphs: int, shared_patterns: bool = True) -> Iterator[Packed]:
    """The first so many graphs of a split, in chunks; graph g carries pattern g mod 100, so a prefix mixes them.

    The published splits share their hundred patterns; where patterns are not shared, every split has its own.
    """
    group = 0 if shared_patterns else 1 + list(GRAPHS).index(split)
    patterns = [draw_pattern(seed, number, group) for number in range(min(PATTERNS, graphs))]
    for start in range(0, graphs, CHUNK):
        chunk = range(start, min(start + CHUNK, graphs))
        yield joined([draw_graph(seed, split, number, patterns[number % PATTERNS]) for number in chunk])


def draw_pattern(seed: int, number: int, group: int = 0) -> Pattern:
    """One of the hundred patterns of a seed, or of a group of another hundred."""
    stream = Stream(seed, Purpose.PATTERN_NODES_AND_EDGES, group, number)
    size = SMALLEST + int(stream.integers(LARGEST - SMALLEST + 1, 1)[0])
    x = stream.integers(LETTERS, size).astype(np.uint8)
    return Pattern(x, draw_edges(stream, np.zeros(size, dtype=np.uint8), EDGE))


def draw_graph(seed: int, split: str, number: int, pattern: Pattern) -> Packed:
    """Graph `number` of a split: five fresh communities around a pattern, its nodes in random order."""
    stream = Stream(seed, Purpose.PATTERN_GRAPH, list(GRAPHS).index(split), number)
    sizes = SMALLEST + stream.integers(LARGEST - SMALLEST + 1, COMMUNITIES)
    fresh = int(sizes.sum())
    order = stream.permutation(fresh + len(pattern.x))  # [nodes], place → node before the nodes were mixed
    group = np.repeat(np.arange(COMMUNITIES + 1, dtype=np.uint8), [*sizes, len(pattern.x)])[order]
    places = np.argsort(order)[fresh:]  # where the nodes of the pattern went, in the pattern's order
    x = stream.integers(LETTERS, len(order)).astype(np.uint8)
    x[places] = pattern.x
    adjacency = draw_edges(stream, group, EDGE)
    adjacency[np.ix_(places, places)] = pattern.adjacency
    return pack(x, group == COMMUNITIES, adjacency)


def draw_edges(stream: Stream, group: NDArray[np.uint8], table: NDArray[np.uint32]) -> NDArray[np.bool_]:
    """Undirected edges, each with the probability of its two groups: [nodes] groups to a symmetric [nodes, nodes]."""
    lower = LOWER[: len(group), : len(group)]
    adjacency = np.zeros(lower.shape, dtype=np.bool_)
    adjacency[lower] = stream.below(table[group][:, group][lower])
    return adjacency | adjacency.T


def pack(x: NDArray[np.uint8], label: NDArray[Any], adjacency: NDArray[np.bool_]) -> Packed:
    """One graph in packed form; at most 255 nodes."""
    numbers = np.tile(np.arange(len(x), dtype=np.uint8), len(x))
    source = numbers.take(np.flatnonzero(adjacency))  # rows in order, ascending within a row; 4 times as fast as a mask
    degree = adjacency.sum(axis=1, dtype=np.uint8)  # at most 203, so a byte holds it
    return Packed(np.array([len(x)], dtype=np.int32), x, label.astype(np.uint8), degree, source)
