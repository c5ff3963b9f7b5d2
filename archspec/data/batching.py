"""Which graphs make a batch: so many, or as many as have so many nodes, from an order that is drawn for every epoch.

What is drawn depends on the training split, the settings, the seed and the number of the epoch alone, so a resumed run
asks for the epoch it is in.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from itertools import count, pairwise

import numpy as np
from numpy.typing import NDArray

from archspec.data.random import Purpose, Stream
from archspec.data.split import Split

Indices = NDArray[np.int64]
"""Numbers of graphs in a split."""

TRIED = 8
"""Draws that say how many batches of so many nodes an epoch has: one in nine needs more than the most of them."""


@dataclass(frozen=True)
class BatchSize:
    """How large a batch may be."""

    most: int
    unit: str
    """What is counted: `graphs` or `nodes`."""

    def __str__(self) -> str:
        return f"{self.most:,} {self.unit}"

    def weights(self, split: Split) -> Indices:
        """What every graph counts for, [graphs]."""
        return np.ones(len(split), np.int64) if self.unit == "graphs" else split.packed.sizes.astype(np.int64)

    def alone(self, split: Split) -> int:
        """How many graphs are larger than a batch may be, each of which is a batch of its own."""
        return int((self.weights(split) > self.most).sum())


def batch_size(setting: int | str) -> BatchSize:
    """`data.batch_size` or `train.eval_batch_size`: a number of graphs, or text such as `4000 nodes`."""
    if isinstance(setting, int):
        return BatchSize(setting, "graphs")
    most, unit = setting.split()
    return BatchSize(int(most), unit)


def in_order(split: Split, size: BatchSize) -> list[Indices]:
    """The batches of a split whose graphs stay in the order they have, as for evaluation."""
    return cut(np.arange(len(split)), size.weights(split), size.most)


def cut(order: Indices, weights: Indices, most: int) -> list[Indices]:
    """Consecutive graphs of an order, as many as weigh no more than `most`, or one that weighs more by itself."""
    ends, starts = np.cumsum(weights[order]).tolist(), [0]
    while starts[-1] < len(order):
        before = ends[starts[-1] - 1] if starts[-1] else 0
        starts.append(max(starts[-1] + 1, bisect_right(ends, before + most)))
    return [order[start:end] for start, end in pairwise(starts)]


@dataclass(frozen=True)
class BatchSampler:
    """The batches of every epoch of a training split; every graph is in one batch of each epoch.

    Graphs are shuffled, so that any of them may meet. With more than one bucket the shuffled graphs of so many batches
    at a time are sorted by their nodes and cut into batches, so that those of a batch are of like size, and then the
    batches are shuffled; at which size the cutting begins is drawn too, so that no size is in the last, smaller batch
    more often than another.

    Every epoch has the same number of batches. How many nodes fill depends on the order, so there are as many batches
    as the fullest of a few draws has: an order that needs more is drawn again, and where it needs fewer, batches drawn
    at random are halved.
    """

    split: Split
    size: BatchSize
    buckets: int
    seed: int

    @cached_property
    def weights(self) -> Indices:
        """What every graph counts for, [graphs]."""
        return self.size.weights(self.split)

    @cached_property
    def steps(self) -> int:
        """How many batches an epoch has."""
        if self.size.unit == "graphs":
            return -(-len(self.split) // self.size.most)
        return max(len(self.drawn(Stream(0, Purpose.BATCH_COUNT, 0, draw))) for draw in range(TRIED))

    def epoch(self, number: int) -> list[Indices]:
        """The batches of an epoch, counted from 0, in their order."""
        for attempt in count():
            stream = Stream(self.seed, Purpose.EPOCH_ORDER, number, attempt)
            batches = self.drawn(stream)
            if len(batches) <= self.steps:
                break
        while len(batches) < self.steps:
            halve(batches, stream)
        if self.buckets > 1:
            return [batches[place] for place in stream.permutation(len(batches))]
        return batches

    def drawn(self, stream: Stream) -> list[Indices]:
        """The graphs in an order drawn, cut into as many batches as it takes."""
        order = stream.permutation(len(self.split))
        if self.buckets > 1 and len(order):
            order = np.roll(self.by_size(order), stream.integers(len(order), 1)[0])
        return cut(order, self.weights, self.size.most)

    def by_size(self, order: Indices) -> Indices:
        """Graphs sorted by their nodes, those of so many batches at a time, by turns up and down; ties as they were."""
        sizes = self.split.packed.sizes.astype(np.int64)
        batches = max(1.0, np.minimum(self.weights, self.size.most).sum() / self.size.most)
        pool = max(1, round(self.buckets * len(order) / batches))
        pools = [order[start : start + pool] for start in range(0, len(order), pool)]
        up_and_down = [np.argsort(sizes[one] * (-1) ** turn, kind="stable") for turn, one in enumerate(pools)]
        return np.concatenate([one[sorting] for one, sorting in zip(pools, up_and_down, strict=True)])


def halve(batches: list[Indices], stream: Stream) -> None:
    """Cut one of the batches of several graphs, drawn at random, in two."""
    several = [place for place, one in enumerate(batches) if len(one) > 1]
    place = several[stream.integers(len(several), 1)[0]]
    middle = len(batches[place]) // 2
    batches[place : place + 1] = [batches[place][:middle], batches[place][middle:]]
