"""Walk encodings in exact arithmetic: which pairs of nodes have the same entries in the powers of D⁻¹A.

Every entry of the k-th power is a fraction a / Lᵏ with 0 ≤ a ≤ Lᵏ, L the least common multiple of the degrees of all
graphs that are compared. It is held as its residues modulo primes that divide no degree. If two entries agree modulo
every prime, the product of the primes divides the difference of their numerators, which is at most Lᵏ; with a product
above Lᵏ the entries are equal. So nothing is left to chance: residues are equal exactly where the fractions are, and 0
exactly where the fraction is.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate
from math import gcd, isqrt, lcm
from operator import mul

import numpy as np
from numpy.typing import NDArray

BELOW = 2**31
"""Primes are below this, so that a residue times a residue fits in 64 bits, and so does a class number with one."""

Neighbours = Sequence[NDArray[np.int64]]
"""N(i) of every node i: the sources of edges into it, ascending, without i itself, parallel edges once."""


@dataclass(frozen=True)
class Encoded:
    """The pairs of graphs by their encoding, the entries at (i, j) of the powers 0 … field, pairs in rows of i."""

    field: int
    classes: NDArray[np.int64]  # [pairs], numbered from 0 without gaps; equal where the encodings are
    covered: NDArray[np.bool_]  # [pairs], whether the encoding is not all zero

    @property
    def distinct(self) -> int:
        """How many encodings occur."""
        return int(self.classes.max(initial=-1)) + 1


def neighbours(nodes: int, edges: NDArray[np.int64]) -> Neighbours:
    """N(i) of every node, from edges [2, edges], source above target."""
    source, target = edges[:, edges[0] != edges[1]]
    codes = np.unique(target * nodes + source)
    return np.split(codes % max(nodes, 1), np.searchsorted(codes // max(nodes, 1), np.arange(1, nodes)))


def encodings(
    graphs: Sequence[Neighbours],
    last: int,
    known: NDArray[np.int64] | None = None,
    rows: Sequence[NDArray[np.int64]] | None = None,
) -> Iterator[Encoded]:
    """The pairs of all graphs, one graph after the other, by their encoding for the receptive fields 0 … last.

    Each field is a refinement of the one before; what is `known` of every pair, as whole numbers from 0, is part of its
    encoding. Where `rows` are given, only the pairs (i, j) with an i among those of its graph. P = D⁻¹A with A[i,j] = 1
    for j in N(i); the row of a node without neighbours is 0.
    """
    common, primes = denominator(graphs), moduli(graphs, last)
    chosen = [np.arange(len(near)) for near in graphs] if rows is None else rows
    powers = [start(near, own, len(primes)) for near, own in zip(graphs, chosen, strict=True)]
    pairs = sum(len(own) * len(near) for near, own in zip(graphs, chosen, strict=True))
    groups = Groups(np.zeros(pairs, dtype=np.int64) if known is None else known)
    covered = np.zeros(pairs, dtype=np.bool_)
    for field in range(last + 1):
        if field:
            powers = [next_power(near, power, primes) for near, power in zip(graphs, powers, strict=True)]
        for prime in range(enough(primes, common**field)):
            column = np.concatenate([power[prime].reshape(-1) for power in powers])
            groups.refine(column)
            covered |= column != 0
        yield Encoded(field, groups.numbers(), covered.copy())


def start(near: Neighbours, rows: NDArray[np.int64], primes: int) -> NDArray[np.uint32]:
    """The rows of the identity, modulo every prime, [primes, rows, nodes]."""
    found = np.zeros((primes, len(rows), len(near)), dtype=np.uint32)
    found[:, np.arange(len(rows)), rows] = 1
    return found


def next_power(near: Neighbours, power: NDArray[np.uint32], primes: Sequence[int]) -> NDArray[np.uint32]:
    """The same rows of the next power: P · power where all rows are there, else power · P."""
    return stepped(near, power, primes) if power.shape[1] == len(near) else walked_on(near, power, primes)


def walked_on(near: Neighbours, power: NDArray[np.uint32], primes: Sequence[int]) -> NDArray[np.uint32]:
    """power · P modulo each prime, [primes, rows, nodes]."""
    modulus = np.array(primes, dtype=np.uint64)[:, None]
    out = np.zeros(power.shape, dtype=np.uint64)
    for node in np.flatnonzero(power.any(axis=(0, 1))).tolist():
        if len(near[node]):
            inverse = np.array([pow(len(near[node]), -1, prime) for prime in primes], dtype=np.uint64)[:, None]
            out[:, :, near[node]] += (power[:, :, node] * inverse % modulus)[:, :, None]
    return (out % modulus[:, :, None]).astype(np.uint32)


class Groups:
    """Things that are equal so far; those that nothing else is equal to are settled and not looked at again."""

    def __init__(self, known: NDArray[np.int64]):
        self.count = len(known)
        self.open = np.arange(len(known))
        self.label = known
        self.settled: list[NDArray[np.int64]] = []

    def refine(self, column: NDArray[np.uint32]) -> None:
        """Tell apart what has different entries in a column, [things]."""
        label = np.unique(self.label * BELOW + column[self.open], return_inverse=True)[1]
        size = np.bincount(label)
        alone = size[label] == 1
        self.settled.append(self.open[alone])
        self.open = self.open[~alone]
        self.label = (np.cumsum(size > 1) - 1)[label[~alone]]

    def numbers(self) -> NDArray[np.int64]:
        """The group of every thing, numbered from 0 without gaps once there was a column."""
        found = np.empty(self.count, dtype=np.int64)
        found[self.open] = self.label
        settled = np.concatenate([self.open[:0], *self.settled])
        found[settled] = np.arange(len(settled)) + self.label.max(initial=-1) + 1
        return found


def stepped(near: Neighbours, power: NDArray[np.uint32], primes: Sequence[int]) -> NDArray[np.uint32]:
    """P · power modulo each prime, [primes, nodes, nodes]."""
    modulus = np.array(primes, dtype=np.uint64)[:, None]
    out = np.zeros_like(power)
    for node, row in enumerate(near):
        if len(row):
            inverse = np.array([pow(len(row), -1, prime) for prime in primes], dtype=np.uint64)[:, None]
            out[:, node] = power[:, row].sum(axis=1, dtype=np.uint64) % modulus * inverse % modulus
    return out


def denominator(graphs: Sequence[Neighbours]) -> int:
    """L, the least common multiple of the degrees of all graphs; 1 if there are no edges."""
    return lcm(*{len(row) for near in graphs for row in near if len(row)})


def moduli(graphs: Sequence[Neighbours], last: int) -> list[int]:
    """The largest primes below 2³¹ that divide no degree, as many as the receptive field `last` needs."""
    common = denominator(graphs)
    bound = common**last
    found = [BELOW - 1]  # a prime, and no degree of a graph that fits in memory
    product = candidate = BELOW - 1
    while product <= bound:
        candidate -= 2
        if gcd(candidate, common) == 1 and is_prime(candidate):
            found.append(candidate)
            product *= candidate
    return found


def enough(primes: Sequence[int], bound: int) -> int:
    """How many of the primes, from the first, have a product above `bound`; all of them have."""
    return next(count for count, product in enumerate(accumulate(primes, mul), 1) if product > bound)


def is_prime(odd: int) -> bool:
    """Whether an odd number above 1 is a prime, by trial division."""
    return all(odd % divisor for divisor in range(3, isqrt(odd) + 1, 2))


def memory(pairs: int, primes: int) -> int:
    """Bytes that `encodings` takes: two powers modulo every prime, and what sorting the pairs needs (measured)."""
    return pairs * (8 * primes + 64)


def encoding(near: Neighbours, i: int, j: int, last: int) -> list[Fraction]:
    """The encoding of one pair, entries (i, j) of the powers 0 … last, as fractions: where a walk from i may be."""
    at, found = {i: Fraction(1)}, []
    for _ in range(last + 1):
        found.append(at.get(j, Fraction(0)))
        at = walked(near, at)
    return found


def walked(near: Neighbours, at: dict[int, Fraction]) -> dict[int, Fraction]:
    """The distribution of a random walk after one more step."""
    after: dict[int, Fraction] = {}
    for node, weight in at.items():
        for neighbour in near[node].tolist():
            after[neighbour] = after.get(neighbour, Fraction(0)) + weight / len(near[node])
    return after
