"""What is done once a batch: cutting it, the parts of its sets, loss and optimiser."""

from collections.abc import Callable, Iterator, Sequence
from itertools import product

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from archspec import runtime as rt
from archspec.runtime import sparse
from archspec.runtime.blocks import cells, multiplicity
from archspec.train.calibrate.graphs import fresh, graphs, packed
from archspec.train.calibrate.measuring import Trial
from archspec.train.calibrate.numbers import Found


def of_a_batch() -> Iterator[Found]:
    """All of it."""
    for count in (2, 16, 64):
        whole = graphs(count, 116, 48)
        split = packed(count, 116, 48)
        yield "cut", (), Trial(split.nodes + split.edges, lambda s=split: s.batch(np.arange(len(s))))
        for name, part in PARTS:
            yield f"part.{name}", (), Trial(len(whole.N), lambda p=part, b=whole: p(fresh(b)))
    for tensors, numbers in product((10, 60, 240), (100, 4000)):
        yield "update", (tensors,), Trial(tensors * numbers, updating(tensors, numbers))
    for rows in (30, 3000, 100_000):
        y = torch.randint(2, (rows,))
        loss = Trial(rows, lambda p, y=y: F.cross_entropy(p, y, reduction="none").mean(), [torch.rand(rows, 2)])
        yield "loss", (), loss


PARTS: Sequence[tuple[str, Callable[[rt.Batch], object]]] = (
    ("target", lambda batch: batch.N.target),
    ("index", lambda batch: batch.N.index),
    ("adjacency", lambda batch: sparse.adjacency(batch.N, torch.float32)),
    ("incidence", lambda batch: sparse.incidence(batch.N, torch.float32)),
    ("reverse", lambda batch: batch.N.reverse),
    ("scatter", lambda batch: sparse.incidence(batch.N, torch.float32)),
    ("cells", lambda batch: cells(batch, batch.N)),
    ("multiplicity", lambda batch: multiplicity(batch, batch.N, torch.float32)),
    ("source", lambda batch: rt.with_self(batch.N)),
)
"""What makes the parts of `archspec.cost.batch.PARTS`."""


def updating(tensors: int, numbers: int) -> Callable[[], None]:
    """A step of Adam on so many tensors of so many numbers."""
    parameters = [nn.Parameter(torch.rand(numbers)) for _ in range(tensors)]
    optimizer = torch.optim.Adam(parameters)

    def update() -> None:
        for one in parameters:
            one.grad = torch.ones_like(one)
        nn.utils.get_total_norm([one.grad for one in parameters if one.grad is not None])
        optimizer.step()
        optimizer.zero_grad()

    return update
