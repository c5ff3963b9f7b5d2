"""Random graphs to measure on: as a batch, and as a data set holds them."""

import numpy as np
import torch

from archspec import runtime as rt
from archspec.data.packed import Packed
from archspec.data.split import Split
from archspec.runtime.pairs import Pairs


def graphs(count: int, nodes: int, degree: int, uneven: bool = False) -> rt.Batch:
    """A batch of random graphs with so many neighbours a node; `uneven` ones have different sizes."""
    sizes = [nodes + (at * 7 % (nodes // 2) - nodes // 4 if uneven else 0) for at in range(count)]
    generator = np.random.default_rng(0)
    starts = np.concatenate([[0], np.cumsum(sizes)])
    rows = [
        np.sort(generator.integers(start, start + size, (size, degree)), 1)
        for start, size in zip(starts, sizes, strict=False)
    ]
    source = torch.from_numpy(np.concatenate(rows).ravel()).int()
    total = int(starts[-1])
    pairs = Pairs(torch.arange(total + 1) * degree, source, symmetric=False)
    return rt.Batch(torch.randint(3, (total,)), torch.from_numpy(starts), pairs)


def fresh(batch: rt.Batch) -> rt.Batch:
    """The same batch with nothing made."""
    return rt.Batch(batch.x, batch.node_ptr, Pairs(batch.N.ptr, batch.N.source, symmetric=False))


def packed(count: int, nodes: int, degree: int) -> Split:
    """Graphs as a data set holds them."""
    generator = np.random.default_rng(0)
    source = generator.integers(nodes, size=count * nodes * degree).astype(np.uint8)
    letters = generator.integers(2, size=count * nodes).astype(np.uint8)
    sizes, degrees = np.full(count, nodes, np.int32), np.full(count * nodes, degree, np.uint8)
    return Split(Packed(sizes, letters, letters, degrees, source), symmetric=True)
