"""Work that depends on how many numbers there are: functions entry by entry, norms, reading and reducing on pairs."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from archspec import runtime as rt
from archspec.cost.machine import Variant
from archspec.ir.ops import FUNCTIONS
from archspec.train.calibrate.graphs import graphs
from archspec.train.calibrate.measuring import Trial

Found = tuple[str, Variant, Trial]
"""Kernel, variant, trial."""

NUMBERS = (2e3, 6e4, 1e6, 8e6)
"""Sizes of values."""

WIDTH, NARROW = 64, 8
"""Features of most values, and of values per pair and head."""


def by_numbers() -> Iterator[Found]:
    """All of it, size by size."""
    for numbers in NUMBERS:
        rows = max(2, int(numbers / WIDTH))
        for kernel, function, operands, fixed in (*of_one(rows), *of_two(rows)):
            yield kernel, (), Trial(rows * WIDTH, function, operands, fixed)
        yield from along_rows(rows)
        yield from summed(rows)
        yield from normalised(rows)
        yield "embed", (), Trial(rows * WIDTH, nn.Embedding(3, WIDTH), [torch.randint(3, (rows,))])
        yield from on_pairs(rows)


Case = tuple[str, Callable[..., Tensor], Sequence[Tensor], Sequence[int]]
"""Kernel, function, operands, which of them want no gradient."""


def of_one(rows: int) -> Iterator[Case]:
    """Functions of one value, those of the language among them.

    Roots are of numbers of which half are 0, as those of relu are: MKL takes up to ten times as long for these.
    """
    a = torch.rand(rows, WIDTH)
    half = a * (torch.arange(WIDTH) % 2)
    for row in FUNCTIONS:
        if "{1}" not in row.torch and row.name != "detach":
            values = [half if row.name == "sqrt" else a]
            yield row.name, getattr(torch, row.name, None) or getattr(F, row.name), values, ()
    yield "neg", torch.neg, [a], ()
    yield "pow", lambda a: a**3, [a], ()
    yield "structure", torch.clone, [a], ()
    yield "category", torch.clone, [a], [0]
    yield "average", lambda a: a * 0.5, [a], [0]
    yield "view", lambda a: a.unflatten(-1, (8, 8)), [a], ()
    yield "dropout", lambda a: F.dropout(a, 0.1, True), [a], ()
    yield "chance", lambda a: torch.rand(a.shape) >= 0.1, [a], [0]


def of_two(rows: int) -> Iterator[Case]:
    """Functions of two values of one size, of a value and a row for all rows, of a value and a number."""
    a, b, half = torch.rand(rows, WIDTH), torch.rand(rows, WIDTH) + 0.5, torch.rand(rows, WIDTH // 2)
    column, number = torch.rand(WIDTH) + 0.5, torch.rand(()) + 0.5
    for how, small in (("full", b), ("column", column), ("number", number)):
        yield f"add.{how}.00", torch.add, [a, small], [0, 1]
        for flows, fixed in FLOWS.items():
            yield f"mul.{how}.{flows}", torch.mul, [a, small], fixed
            yield f"div.{how}.{flows}", torch.div, [a, small], fixed
    for how, small in (("column", column), ("number", number)):
        yield f"add.{how}.01", torch.add, [a, small], [0]
    yield "div.inverse.01", lambda b: 1 / b, [b], ()
    yield "maximum", torch.maximum, [a, b], ()
    yield "maximum.one", torch.maximum, [a, b], [1]
    yield "compare", torch.gt, [a, b], [0, 1]
    yield "where", lambda a, b: torch.where(a > b, a, b), [a, b], ()
    yield "concat", lambda a, b: torch.cat([a, b], -1), [half, half], ()


FLOWS = {"11": (), "10": (1,), "01": (0,)}
"""To which of two operands gradients flow, and which want none."""


def along_rows(rows: int) -> Iterator[Found]:
    """A value and one with a number for several neighbouring entries of it."""
    for width in (NARROW, WIDTH):
        a = torch.rand(rows * WIDTH // width, width)
        small, numbers = torch.rand(len(a), 1) + 0.5, rows * WIDTH
        yield "add.row.00", (width,), Trial(numbers, torch.add, [a, small], [0, 1])
        yield "add.row.01", (width,), Trial(numbers, torch.add, [a, small], [0])
        for flows, fixed in FLOWS.items():
            yield f"mul.row.{flows}", (width,), Trial(numbers, torch.mul, [a, small], fixed)
            yield f"div.row.{flows}", (width,), Trial(numbers, torch.div, [a, small], fixed)


def summed(rows: int) -> Iterator[Found]:
    """Inner products."""
    for width in (NARROW, WIDTH):
        a, b = (torch.rand(rows * WIDTH // width, width) for _ in range(2))
        yield "inner", (width,), Trial(rows * WIDTH, lambda a, b: (a * b).sum(-1), [a, b])
        yield "inner.one", (width,), Trial(rows * WIDTH, lambda a, b: (a * b).sum(-1), [a, b], [1])


def normalised(rows: int) -> Iterator[Found]:
    """Norms of a value per row."""
    for width in (NARROW, WIDTH):
        a = torch.rand(rows * WIDTH // width, width)
        norms = {"batch_norm": nn.BatchNorm1d, "layer_norm": nn.LayerNorm, "rms_norm": nn.RMSNorm}
        for kernel, norm in norms.items():
            yield kernel, (width,), Trial(a.numel(), norm(width), [a])


def on_pairs(rows: int) -> Iterator[Found]:
    """Gathering and reducing values of so many pairs."""
    batch = graphs(max(1, rows // (40 * 20)), 40, 20)
    pairs = batch.N
    for width in (1, NARROW, WIDTH):
        x, v = torch.rand(batch.nodes, width), torch.rand(len(pairs), width)
        for kernel, function in READING.items():
            yield kernel, (width,), Trial(v.numel(), partial(function, pairs), [x])
        for kernel, function in REDUCING.items():
            if kernel in ("segment", "softmax") or width == WIDTH:
                yield (
                    kernel,
                    (width,) if kernel in ("segment", "softmax") else (),
                    Trial(v.numel(), partial(function, pairs), [v]),
                )
    norm = rt.GraphNorm(WIDTH)
    x = torch.rand(batch.nodes, WIDTH)
    yield "graph_norm", (), Trial(x.numel(), lambda x: rt.graph_norm(batch, x, norm), [x])


READING: dict[str, Callable[..., Tensor]] = {"gather_source": rt.gather_source, "gather_target": rt.gather_target}

REDUCING: dict[str, Callable[..., Tensor]] = {
    "segment": rt.segment_sum,
    "softmax": rt.segment_softmax,
    "extremum": rt.segment_max,
    "std": rt.segment_std,
    "logsumexp": rt.segment_logsumexp,
}
