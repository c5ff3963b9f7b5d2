"""CSL: circular skip links, regular graphs that colour refinement cannot tell apart (ten classes of graphs).

Murphy et al., *Relational Pooling for Graph Representations* (2019), in the form of Dwivedi et al., *Benchmarking Graph
Neural Networks* (2023): a cycle of 41 nodes with further edges between nodes R apart, for ten values of R; 15 graphs of
each, alike but for the numbers of their nodes. Every node has four neighbours and carries the same letter.
"""

from collections.abc import Iterator

import numpy as np

from archspec.data.packed import Packed, joined
from archspec.data.pattern import pack
from archspec.data.random import Purpose, Stream

VERSION = 1
"""Counts changes of the generated bits; stored with the data, so older files are not taken for newer ones."""

NODES = 41
SKIPS = (2, 3, 4, 5, 6, 9, 11, 12, 13, 16)  # the classes in order; no two of them give isomorphic graphs
COPIES = 15  # graphs of a class
FOLDS = 5


def generate(seed: int, split: str, graphs: int) -> Iterator[Packed]:
    """The first so many graphs: all copies of a class, then those of the next."""
    del split  # folds are made of all graphs
    yield joined([draw_graph(seed, number) for number in range(graphs)])


def draw_graph(seed: int, number: int) -> Packed:
    """Graph `number`: of class number // 15, its nodes in random order."""
    label = number // COPIES
    order = Stream(seed, Purpose.CSL_GRAPH, minor=number).permutation(NODES)
    apart = (order[:, None] - order[None, :]) % NODES
    step = np.minimum(apart, NODES - apart)  # [nodes, nodes], how far apart on the cycle
    packed = pack(np.zeros(NODES, dtype=np.uint8), order, (step == 1) | (step == SKIPS[label]))
    return Packed(packed.sizes, packed.x, np.array([label], np.uint8), packed.degree, packed.source, level="graph")
