"""Graphs that occur more than once: the same bytes, or the same up to the numbering of nodes by colour refinement.

Colour refinement (Weisfeiler and Leman 1968; as a hash of graphs, Shervashidze et al., *Weisfeiler-Lehman Graph
Kernels*, 2011) gives isomorphic graphs equal colours and tells most others apart, though not, for example, regular
graphs of one degree: equal colours are what a message-passing network can see of it. Colours are hashes of 64 bits.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archspec.data.links import links
from archspec.data.packed import Packed, joined, offsets

Hashes = NDArray[np.uint64]
INPUTS = ("sizes", "x", "degree", "source", "e", "pos")
"""The columns that make two graphs the same; labels are left aside."""

INTO, OUT = np.uint64(0xD1B54A32D192ED03), np.uint64(0xABC98388FB8FAC03)
"""Added to the colours that come along edges and against them, so that neither is taken for a node's own."""


@dataclass(frozen=True)
class Repeated:
    """How many graphs of a split occur before: in each earlier split, and within their own (all but the first)."""

    within: int
    earlier: Mapping[str, int]


@dataclass(frozen=True)
class Duplicates:
    """Equal graphs, by split; two graphs are equal if their features and edges are, whatever their labels."""

    bytes: Mapping[str, Repeated]
    """With equal arrays: the same numbering of the nodes."""
    colours: Mapping[str, Repeated]
    """With equal colours: the same graph under some numbering, or one that colour refinement takes for it."""
    contradictory: int | None
    """Graphs of all splits with the colours of one that is labelled otherwise; None where labels stand elsewhere."""


def duplicates(splits: Mapping[str, Packed]) -> Duplicates:
    """The equal graphs of some splits."""
    rough = [of_nodes(packed, mixed(letters(packed.x) + mixed(wide(packed.degree)))) for packed in splits.values()]
    often = repeated(np.concatenate(rough))
    ends = offsets(np.array([len(one) for one in rough]))
    chosen = [np.flatnonzero(often[first:last]) for first, last in pairwise(ends)]
    candidates = joined([packed.take(some) for packed, some in zip(splits.values(), chosen, strict=True)])
    split = np.repeat(np.arange(len(chosen)), [len(some) for some in chosen])
    colours = refined(candidates)
    return Duplicates(
        counted(by_bytes(candidates), split, tuple(splits)),
        counted(colours, split, tuple(splits)),
        contradictory(colours, candidates.y) if candidates.level == "graph" else None,
    )


def counted(keys: NDArray[Any], split: NDArray[np.int64], names: tuple[str, ...]) -> dict[str, Repeated]:
    """How often the keys of a split occur within it and in the splits before it."""
    found = {}
    for number, name in enumerate(names):
        own = keys[split == number]
        earlier = {names[other]: int(np.isin(own, keys[split == other]).sum()) for other in range(number)}
        found[name] = Repeated(len(own) - len(np.unique(own)), earlier)
    return found


def contradictory(keys: NDArray[Any], y: NDArray[Any]) -> int:
    """How many rows have the key of one with another label."""
    if not len(keys):
        return 0
    _, first, group = np.unique(keys, return_index=True, return_inverse=True)
    same = np.isclose(y, y[first[group]], rtol=0, atol=0, equal_nan=y.dtype.kind == "f").reshape(len(y), -1).all(1)
    return int(np.isin(group, group[~same]).sum())


def repeated(keys: NDArray[Any]) -> NDArray[np.bool_]:
    """Which keys occur more than once."""
    _, group, count = np.unique(keys, return_inverse=True, return_counts=True)
    return np.asarray(count[group] > 1)


def by_bytes(packed: Packed) -> NDArray[Any]:
    """A hash of 128 bits of the arrays of every graph, [graphs]."""
    columns = [(packed.columns[name], packed.starts(packed.rows(name))) for name in INPUTS if name in packed.columns]
    digests = []
    for graph in range(packed.graphs):
        digest = blake2b(digest_size=16)
        for column, ptr in columns:
            digest.update(np.ascontiguousarray(column[ptr[graph] : ptr[graph + 1]]).data)
        digests.append(digest.hexdigest())
    return np.array(digests, dtype="U32")


def refined(packed: Packed) -> Hashes:
    """A hash of the colours of every graph once they no longer split, [graphs]; edges count with their direction."""
    colour = letters(packed.x) if packed.pos is None else mixed(letters(packed.x) + letters(packed.pos))
    of_edges = np.zeros(len(packed.source), np.uint64) if packed.e is None else letters(packed.e)
    known, distinct = 0, len(np.unique(colour))
    while known < distinct:
        colour = round_of(packed, colour, of_edges)
        known, distinct = distinct, len(np.unique(colour))
    return of_nodes(packed, colour)


def round_of(packed: Packed, colour: Hashes, of_edges: Hashes) -> Hashes:
    """The next colours: of a node's own, and of the multisets of those before and behind it with their edges."""
    found = np.empty_like(colour)
    for some in links(packed):
        own, into_salted, out_salted = colour[some.nodes], of_edges[some.edges] + INTO, of_edges[some.edges] + OUT
        into = summed(mixed(own[some.source] + into_salted), packed.degree[some.nodes])
        out = np.zeros_like(own)
        np.add.at(out, some.source, mixed(own[some.target] + out_salted))
        found[some.nodes] = mixed(mixed(mixed(own) + into) + out)
    return found


def of_nodes(packed: Packed, colour: Hashes) -> Hashes:
    """A hash of the multiset of the colours of every graph, [graphs]."""
    return mixed(summed(mixed(colour), packed.sizes) + wide(packed.sizes))


def letters(column: NDArray[Any]) -> Hashes:
    """A hash of every row: of its letter, or of all its numbers."""
    if column.ndim == 1 and column.dtype.kind in "iu":
        return mixed(wide(column))
    found = np.zeros(len(column), np.uint64)
    for numbers in column.T:
        found = mixed(found + (numbers + 0.0).astype(np.float64).view(np.uint64))  # -0.0 becomes 0.0
    return found


def summed(values: Hashes, lengths: NDArray[Any]) -> Hashes:
    """The sums of runs of these lengths, modulo 2⁶⁴."""
    total = np.concatenate([np.zeros(1, np.uint64), np.cumsum(values, dtype=np.uint64)])
    ends = offsets(lengths)
    return np.asarray(total[ends[1:]] - total[ends[:-1]])


def wide(values: NDArray[Any]) -> Hashes:
    """Whole numbers in 64 bits."""
    return values.astype(np.uint64)


def mixed(words: Hashes) -> Hashes:
    """The finaliser of SplitMix64 (Steele et al. 2014) of every word, which spreads all its bits."""
    words = words + np.uint64(0x9E3779B97F4A7C15)
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))
