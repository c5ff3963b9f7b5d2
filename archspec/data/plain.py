"""One graph as plain arrays: how the graphs of the studies and of 3-colouring are made, before they are packed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archspec.data.packed import Packed, smallest


@dataclass(frozen=True)
class PlainGraph:
    """A graph with its features and labels; an undirected edge stands in both directions."""

    edges: NDArray[np.int64]  # [2, edges], source above target, sorted by target and then source
    x: NDArray[np.uint8]  # [nodes], letters
    y: NDArray[Any]  # [nodes], or [nodes, nodes] for labels of ordered pairs; unsigned

    @property
    def nodes(self) -> int:
        """How many nodes there are."""
        return len(self.x)


def undirected(ends: NDArray[np.int64]) -> NDArray[np.int64]:
    """Edges given once, [2, edges], as both directions in the order of `PlainGraph.edges`, [2, 2 · edges]."""
    both = np.concatenate([ends, ends[::-1]], axis=1)
    return both[:, np.lexsort(both)]


def palindrome(nodes: int) -> PlainGraph:
    """A path whose labels count up from both ends: 0, 1, 1, 0 for four nodes. All features are 0.

    Mirrored pairs of nodes have equal encodings whatever is computed from structure, and equal labels.
    """
    number = np.arange(nodes)
    ends = np.stack([number[:-1], number[1:]])
    return PlainGraph(undirected(ends), np.zeros(nodes, np.uint8), smallest(np.minimum(number, number[::-1])))


def pyramid(base: int) -> PlainGraph:
    """Rows of 1 … base nodes, each joined to its neighbours in the row and the two below it. All features are 0.

    Node (r, c), 1 ≤ r ≤ base and 0 ≤ c < r, has number r(r-1)/2 + c and is joined to (r, c ± 1), (r + 1, c) and
    (r + 1, c + 1): base(base+1)/2 nodes, 3·base(base-1)/2 undirected edges. Its label is its colour, (r + c) mod 3, the
    only proper colouring with three colours up to their names, as every row's triangles fix the next row.
    """
    row, column = np.tril_indices(base)  # row counts from 0
    number = np.arange(len(row))
    along, down = number[column < row], number[row < base - 1]
    below = down + row[down] + 1
    ends = np.concatenate([[along, along + 1], [down, below], [down, below + 1]], axis=1)
    return PlainGraph(undirected(ends), np.zeros(len(row), np.uint8), ((row + 1 + column) % 3).astype(np.uint8))


STUDY_GRAPHS: Mapping[str, Callable[[int], PlainGraph]] = {"palindrome": palindrome, "pyramid": pyramid}
"""What builds the graph of a study from the value of its option; the options are in `archspec.facts.studies`."""


def same_label(labels: NDArray[Any]) -> NDArray[np.bool_]:
    """For every ordered pair of nodes whether both have the same label, [nodes] → [nodes, nodes]."""
    return labels[:, None] == labels


def packed(graph: PlainGraph) -> Packed:
    """The graph with labels of nodes in packed form."""
    degree = np.bincount(graph.edges[1], minlength=graph.nodes).astype(np.uint8)  # at most 6
    source = graph.edges[0].astype(np.min_scalar_type(graph.nodes - 1))
    return Packed(np.array([graph.nodes], np.int32), graph.x, graph.y, degree, source)
