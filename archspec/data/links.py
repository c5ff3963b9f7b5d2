"""The edges of packed graphs with both their ends, some graphs at a time."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archspec.data.packed import Packed

EDGES = 2**21
"""Edges worked on at a time; a graph of more is alone."""


@dataclass(frozen=True)
class Links:
    """The edges of graphs that follow each other, their ends numbered from the first node of the first of them."""

    nodes: slice
    """The nodes of these graphs among all."""
    edges: slice
    """The edges of these graphs among all."""
    source: NDArray[np.int64]  # [edges]
    target: NDArray[np.int64]  # [edges], ascending

    @property
    def count(self) -> int:
        """How many nodes these graphs have."""
        return int(self.nodes.stop - self.nodes.start)


def links(packed: Packed) -> Iterator[Links]:
    """The edges of all graphs, so many at a time that all of it is short."""
    node_ptr, edge_ptr = packed.starts("node"), packed.starts("edge")
    first = 0
    while first < packed.graphs:
        last = max(first + 1, int(np.searchsorted(edge_ptr, edge_ptr[first] + EDGES, "right")) - 1)
        nodes, edges = slice(node_ptr[first], node_ptr[last]), slice(edge_ptr[first], edge_ptr[last])
        before = np.repeat(node_ptr[first:last] - node_ptr[first], np.diff(edge_ptr[first : last + 1]))
        target = np.repeat(np.arange(nodes.stop - nodes.start), packed.degree[nodes])
        yield Links(nodes, edges, packed.source[edges] + before, target)
        first = last


@dataclass(frozen=True)
class Oddities:
    """What edges may be like."""

    one_way: bool
    """Whether some edge is there in one direction more often than in the other."""
    loops: bool
    repeated: bool


def oddities(packed: Packed) -> Oddities:
    """Whether any graph has an edge without its reverse, a self loop, a repeated edge."""
    one_way = loops = repeated = False
    for some in links(packed):
        there, back = numbered(some.target, some.source, some.count), numbered(some.source, some.target, some.count)
        back.sort()
        one_way |= not np.array_equal(there, back)
        repeated |= bool((there[1:] == there[:-1]).any())  # sources ascend within a target
        loops |= bool((some.source == some.target).any())
    return Oddities(one_way, loops, repeated)


def numbered(major: NDArray[np.int64], minor: NDArray[np.int64], count: int) -> NDArray[Any]:
    """Every pair as one number, in half the bytes where that will do."""
    number = major * count + minor
    return number.astype(np.uint32) if count**2 < 2**32 else number
