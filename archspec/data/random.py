"""Random numbers whose bits never change: raw output of a counter-based generator, and our own arithmetic on it.

Philox4x64-10 (Salmon et al., *Parallel Random Numbers: As Easy as 1, 2, 3*, 2011) maps a key and a counter to bits.
NumPy promises the raw bits of its bit generators, but not the methods of `Generator`, so only `random_raw` is used. A
stream is named by what it is for, so no draw depends on how many numbers another one took.
"""

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from archspec.diagnostics import Diagnostic, SpecError

SEEDS = 2**64


class Purpose(IntEnum):
    """What a stream is for; streams of different purposes share no bits even when their seeds are equal."""

    PATTERN_NODES_AND_EDGES = 1
    PATTERN_GRAPH = 2
    EPOCH_ORDER = 3
    COLOURING_SEEDS = 4
    CLUSTER_GRAPH = 10
    CSL_GRAPH = 11
    FOLDS = 12
    BATCH_COUNT = 13
    PYRAMID_SEEDS = 14


class Stream:
    """Numbers determined by (seed, purpose, major, minor) alone, such as those of graph `minor` in split `major`.

    The key is (seed, purpose) and the counter starts at (0, 0, minor, major), lowest word first, so each stream has
    2¹²⁸ blocks to itself. Raises SpecError E0404 for a seed of more than 64 bits.
    """

    def __init__(self, seed: int, purpose: Purpose, major: int = 0, minor: int = 0):
        if not 0 <= seed < SEEDS:
            message = f"a seed is a whole number from 0 to 2**64 - 1, found {seed}"
            raise SpecError([Diagnostic("E0404", message, help="choose a smaller seed")])
        key = np.array([seed, purpose], dtype=np.uint64)
        counter = np.array([0, 0, minor, major], dtype=np.uint64)
        self._philox = np.random.Philox(key=key, counter=counter)

    def words(self, count: int) -> NDArray[np.uint64]:
        """The next `count` words of 64 bits, [count]."""
        return self._philox.random_raw(count)

    def halves(self, count: int) -> NDArray[np.uint32]:
        """The next `count` numbers of 32 bits, [count]: low half of each word first, the last half dropped if odd."""
        words = self.words((count + 1) // 2).astype("<u8", copy=False)  # the byte order is part of the result
        return words.view("<u4")[:count]

    def integers(self, bound: int, count: int) -> NDArray[np.int64]:
        """Whole numbers in [0, bound), bound < 2³², [count].

        By multiply and shift: probabilities are off 1/bound by less than 2⁻³², which no experiment here can see.
        """
        return ((self.halves(count).astype(np.uint64) * np.uint64(bound)) >> np.uint64(32)).astype(np.int64)

    def below(self, thresholds: NDArray[np.uint32]) -> NDArray[np.bool_]:
        """Independent Bernoulli draws, each true with probability threshold / 2³² (see `threshold`), [count]."""
        return self.halves(len(thresholds)) < thresholds

    def permutation(self, count: int) -> NDArray[np.int64]:
        """The order that sorts `count` random words; equal ones (probability count²/2⁶⁵) keep their order."""
        return np.argsort(self.words(count), kind="stable").astype(np.int64, copy=False)


def threshold(probability: float) -> int:
    """The threshold of `Stream.below` for a probability in [0, 1), exact to 2⁻³³ (and exact for 0.5)."""
    return round(probability * 2**32)
