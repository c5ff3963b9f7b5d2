"""Measuring a machine for `archspec cost`: every kind of work at several sizes, forward and back, for about a minute.

Times are those of the processor, all threads together divided by their number, so that other programs on the machine
count little.
"""

from __future__ import annotations

import platform
import statistics
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from archspec import runtime as rt
from archspec.cost.extent import Extent
from archspec.cost.figures import runs
from archspec.cost.machine import Machine, Point, Variant
from archspec.cost.time import seconds
from archspec.data.packed import Packed
from archspec.data.split import Split
from archspec.passes.schedule import Plan
from archspec.runtime import malloc, sparse
from archspec.runtime.blocks import cells, multiplicity, spread_pairs
from archspec.runtime.pairs import Pairs

LEAST, MOST, WARM = 5, 30, 2
"""Runs of one measurement, and those of them that do not count: they find memory that nobody had yet."""

CACHE = 2**25
"""Bytes that no cache holds all of."""

PATIENCE = 0.08
"""Seconds of the processor for one measurement, if it is not less than LEAST runs."""

NUMBERS = (2e3, 6e4, 1e6, 8e6)
"""Sizes of values that work entry by entry is measured at."""

WIDTH = 64
"""Features where only the numbers matter."""

HEADS = ((16, 1), (16, 8), (64, 1), (64, 4), (64, 8), (128, 1), (128, 8))
"""Features and heads."""

SPARSE = tuple((features, graph, heads) for (features, heads), graph in product(HEADS, ((23, 2), (116, 48))))
"""Features, (nodes a graph, neighbours of a node), heads."""

BLOCKS = tuple((features, nodes, heads) for (features, heads), nodes in product(HEADS, (23, 116)))
"""Features, nodes a graph, heads."""

GRAPHS = (4, 32, 256)
"""Graphs of a batch of small graphs; of large ones a quarter."""


@dataclass(frozen=True)
class Trial:
    """Work to measure: how many units, and the function with its operands."""

    units: float
    function: Callable[..., Any]
    operands: Sequence[Tensor] = ()


def machine(plan: Plan, module: nn.Module, report: Callable[[str], None]) -> Machine:
    """Measure this machine; `report` is told each kernel before it is measured.

    The module of the plan, which takes PATTERN's letters, says what calls take beside the work of kernels.
    """
    malloc.tune()
    curves: dict[str, dict[Variant, list[Point]]] = {}
    for kernel, variant, trial in trials():
        if kernel not in curves:
            report(kernel)
        curves.setdefault(kernel, {}).setdefault(variant, []).append(measured(trial))
    for variants in curves.values():
        for points in variants.values():
            points.sort(key=lambda point: point.units)
    report("calls")
    curves["call"] = {(): [calls(plan, module, Machine("", curves))]}
    threads = torch.get_num_threads()
    return Machine(f"{platform.machine()}, {threads} thread{'s' * (threads > 1)}", curves)


def calls(plan: Plan, module: nn.Module, so_far: Machine) -> Point:
    """What every operation of a model takes beside its work: seen on a batch so small that little else counts."""
    graph, batch = Extent(8, 8 * 23.0, 8 * 46.0, 8 * 23.0**2, 8 * 23.0**3), graphs(8, 23, 2)
    ran = [run for run in runs(plan, graph) if run.cost.kernel != "none"]
    there, back = (sum(times) for times in zip(*(seconds(run, so_far) for run in ran), strict=True))
    point = measured(Trial(1, lambda: module(batch)))
    return Point(1, max(0.0, point.forward - there) / len(ran), max(0.0, point.backward - back) / len(ran))


def measured(trial: Trial) -> Point:
    """The median times forward and back, on operands that are not in the processor's cache, as in a model."""
    sets = [[copied(one) for one in trial.operands] for _ in range(copies(trial))]
    held: deque[object] = deque(maxlen=len(sets))
    forward: list[float] = []
    backward: list[float] = []
    began = time.process_time()
    while len(forward) < LEAST or (len(forward) < MOST and time.process_time() - began < PATIENCE):
        operands = sets[len(forward) % len(sets)]
        start = time.process_time()
        out = trial.function(*operands)
        forward.append(time.process_time() - start)
        held.append(out)
        if isinstance(out, Tensor) and out.requires_grad:
            grad = torch.ones_like(out)
            start = time.process_time()
            torch.autograd.backward(out, grad)
            backward.append(time.process_time() - start)
            for one in operands:
                one.grad = None
    threads = torch.get_num_threads()
    return Point(trial.units, middle(forward) / threads, middle(backward) / threads)


def middle(times: Sequence[float]) -> float:
    """The median, those that warm up aside; 0 of none."""
    return statistics.median(times[WARM:]) if times else 0.0


def copied(operand: Tensor) -> Tensor:
    """An operand of its own, of which a gradient is wanted where it can have one."""
    return operand.clone().requires_grad_() if operand.is_floating_point() else operand


def copies(trial: Trial) -> int:
    """As many sets of operands as fill the cache, up to a few."""
    size = sum(one.nbytes for one in trial.operands) or CACHE
    return int(min(8, max(1, CACHE // size)))


def trials() -> Iterator[tuple[str, Variant, Trial]]:
    """Every kernel and variant at every size."""
    yield from by_numbers()
    yield from by_matrix()
    yield from on_sparse_sets()
    yield from on_all_pairs()
    yield from of_a_batch()


def by_numbers() -> Iterator[tuple[str, Variant, Trial]]:
    """Work that depends on how many numbers there are."""
    for numbers in NUMBERS:
        rows = max(2, int(numbers / WIDTH))
        for kernel, function, count in ENTRIES:
            yield kernel, (), Trial(rows * WIDTH, function, [torch.rand(rows, WIDTH) for _ in range(count)])
        for kernel, module in NORMS:
            yield kernel, (), Trial(rows * WIDTH, module, [torch.rand(rows, WIDTH)])
        letters = torch.randint(3, (rows,))
        yield "embed", (), Trial(rows * WIDTH, nn.Embedding(3, WIDTH), [letters])
        for kernel, trial in on_pairs(rows):
            yield kernel, (), trial


ENTRIES: Sequence[tuple[str, Callable[..., Tensor], int]] = (
    ("add", lambda a, b: a + b, 2),
    ("binary", lambda a, b: a * b, 2),
    ("unary", torch.relu, 1),
    ("slow", torch.sigmoid, 1),
    ("view", lambda a: a.unflatten(-1, (8, 8)), 1),
    ("inner", lambda a, b: (a * b).sum(-1), 2),
    ("concat", lambda a: torch.cat([a[:, :32], a[:, 32:]], -1), 1),
    ("structure", lambda a: a.clone(), 1),
    ("dropout", lambda a: F.dropout(a, 0.1, True), 1),
)

NORMS: Sequence[tuple[str, Callable[..., Tensor]]] = (
    ("batch_norm", nn.BatchNorm1d(WIDTH)),
    ("layer_norm", nn.LayerNorm(WIDTH)),
    ("rms_norm", nn.RMSNorm(WIDTH)),
)


def on_pairs(rows: int) -> Iterator[tuple[str, Trial]]:
    """Gathering and reducing values of so many pairs."""
    batch = graphs(max(1, rows // (40 * 20)), 40, 20)
    pairs = batch.N
    x, v, w = torch.rand(batch.nodes, WIDTH), torch.rand(len(pairs), WIDTH), torch.rand(len(pairs), 8)
    numbers = len(pairs) * WIDTH
    yield "gather_source", Trial(numbers, lambda x: rt.gather_source(pairs, x), [x])
    yield "gather_target", Trial(numbers, lambda x: rt.gather_target(pairs, x), [x])
    yield "segment", Trial(numbers, lambda v: rt.segment_sum(pairs, v), [v])
    yield "extremum", Trial(numbers, lambda v: rt.segment_max(pairs, v), [v])
    yield "std", Trial(numbers, lambda v: rt.segment_std(pairs, v), [v])
    yield "logsumexp", Trial(numbers, lambda v: rt.segment_logsumexp(pairs, v), [v])
    yield "softmax", Trial(len(pairs) * 8, lambda w: rt.segment_softmax(pairs, w), [w])
    norm = rt.GraphNorm(WIDTH)
    yield "graph_norm", Trial(batch.nodes * WIDTH, lambda x: rt.graph_norm(batch, x, norm), [x])


MATRICES = (
    *((width, width) for width in (4, 16, 32, 64, 70, 96, 110, 128, 256)),
    *((64, 256), (256, 64), (128, 64), (64, 128), (16, 64), (64, 16), (64, 8), (8, 64), (4, 64), (64, 2), (128, 2)),
)
"""Inputs and outputs of linear maps: multiples of 16 are faster than others."""


def by_matrix() -> Iterator[tuple[str, Variant, Trial]]:
    """Linear maps of several widths."""
    for inputs, outputs in MATRICES:
        layer = nn.Linear(inputs, outputs)
        for rows in (60, 1000, 8000, 100_000):
            if rows * max(inputs, outputs) <= 1.3e7:
                yield "linear", (inputs, outputs), Trial(rows * inputs * outputs, layer, [torch.rand(rows, inputs)])


def on_sparse_sets() -> Iterator[tuple[str, Variant, Trial]]:
    """Sparse sums and products."""
    for features, (nodes, degree), heads in SPARSE:
        for count in GRAPHS:
            batch = graphs(count if nodes < 50 else max(1, count // 4), nodes, degree)
            pairs, variant = batch.N, (features, degree, heads)
            units = len(pairs) * features
            x = torch.rand(batch.nodes, features)
            q, k, v = (torch.rand(batch.nodes, heads, features // heads) for _ in range(3))
            w = torch.rand(len(pairs), heads)
            if heads == 1:
                yield (
                    "neighbour_sum.csr",
                    variant,
                    Trial(units, lambda x, pairs=pairs: rt.neighbour_sum_csr(pairs, x), [x]),
                )
            yield (
                "weighted_sum.csr",
                variant,
                Trial(units, lambda w, x, pairs=pairs: rt.weighted_sum_csr(pairs, w, x), [w, v]),
            )
            yield (
                "pair_product.csr",
                variant,
                Trial(units, lambda q, k, pairs=pairs: rt.pair_product(pairs, q, k), [q, k]),
            )
            yield (
                "attention.gather",
                variant,
                Trial(units, lambda q, k, v, b=batch: rt.attention_gather(b, b.N, q, k, v, 0.25), [q, k, v]),
            )


def on_all_pairs() -> Iterator[tuple[str, Variant, Trial]]:
    """Dense sums, products and attention."""
    for features, nodes, heads in BLOCKS:
        for count in GRAPHS:
            batch = graphs(count if nodes < 50 else max(1, count // 4), nodes, min(nodes // 2, 48), uneven=True)
            everything, variant = batch.pairs("V"), (features, nodes, heads)
            units = len(everything) * features
            x, w = torch.rand(batch.nodes, features), torch.rand(len(everything), heads)
            n = torch.rand(len(batch.N), heads)
            yield "spread", (heads,), Trial(n.numel(), lambda n, b=batch: spread_pairs(b, b.N, n), [n])
            q, k, v = (torch.rand(batch.nodes, heads, features // heads) for _ in range(3))
            if heads == 1:
                yield (
                    "neighbour_sum.dense",
                    variant,
                    Trial(units, lambda x, b=batch: rt.neighbour_sum_dense(b, b.N, x), [x]),
                )
            yield (
                "weighted_sum.dense",
                variant,
                Trial(units, lambda w, x, b=batch, V=everything: rt.weighted_sum_dense(b, V, w, x), [w, v]),
            )
            for bias in ([], [w]):
                yield (
                    "attention.dense",
                    (*variant, len(bias)),
                    Trial(
                        units,
                        lambda q, k, v, *bias, b=batch, V=everything: rt.attention_dense(b, V, q, k, v, 0.25, *bias),
                        [q, k, v, *bias],
                    ),
                )
            if heads == 1 and features == 16:
                r, s = torch.rand(len(everything), features), torch.rand(len(everything), features)
                yield (
                    "pair_matmul.dense",
                    (features, nodes),
                    Trial(
                        sum(size**3 for size in batch.sizes) * features,
                        lambda r, s, b=batch, V=everything: rt.pair_matmul_dense(b, V, r, s),
                        [r, s],
                    ),
                )


def of_a_batch() -> Iterator[tuple[str, Variant, Trial]]:
    """What is done once a batch: cutting it, the parts of its sets, loss and optimiser."""
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
        yield (
            "loss",
            (),
            Trial(rows, lambda p, y=y: F.cross_entropy(p, y, reduction="none").mean(), [torch.rand(rows, 2)]),
        )


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
