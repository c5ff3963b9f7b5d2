"""Products: linear maps, sums over sparse sets, and dense products over all pairs."""

from collections.abc import Iterator
from itertools import product
from typing import cast

import torch
from torch import Tensor, nn

from archspec import runtime as rt
from archspec.runtime.blocks import spread_pairs
from archspec.runtime.pairs import AllPairs
from archspec.train.calibrate.graphs import graphs
from archspec.train.calibrate.measuring import Trial
from archspec.train.calibrate.numbers import Found

POWERS = (2, 4, 8, 16, 32, 64, 128, 256)

MATRICES = (
    *((inputs, outputs) for inputs, outputs in product(POWERS, POWERS) if inputs * outputs >= 8),
    *((70, 70), (96, 96), (110, 110)),
)
"""Inputs and outputs of linear maps: multiples of 16 are faster than others."""

ROWS = (60, 2000, 60_000)

HEADS = ((16, 1), (16, 8), (64, 1), (64, 4), (64, 8), (128, 1), (128, 8))
"""Features and heads."""

SPARSE = tuple(product(HEADS, ((23, 2), (116, 8), (116, 48))))
"""(Features, heads), (nodes a graph, neighbours of a node)."""

BLOCKS = tuple(product(HEADS, (23, 116)))
"""(Features, heads), nodes a graph."""

GRAPHS = (4, 32, 256)
"""Graphs of a batch of small graphs; of large ones a quarter."""


def by_matrix() -> Iterator[Found]:
    """Linear maps of several widths; `leaf` are those whose input wants no gradient."""
    for inputs, outputs in MATRICES:
        layer = nn.Linear(inputs, outputs)
        for rows in ROWS:
            x, units = torch.rand(rows, inputs), rows * inputs * outputs
            yield "linear", (inputs, outputs), Trial(units, layer, [x])
            if inputs <= 32 <= outputs:
                yield "linear.leaf", (inputs, outputs), Trial(units, layer, [x], [0])


def drawn(batch: rt.Batch, features: int, heads: int) -> tuple[Tensor, Tensor, Tensor]:
    """Queries, keys, values."""
    q, k, v = (torch.rand(batch.nodes, heads, features // heads) for _ in range(3))
    return q, k, v


def on_sparse_sets() -> Iterator[Found]:
    """Sparse sums and products."""
    for (features, heads), (nodes, degree) in SPARSE:
        for count in GRAPHS:
            batch = graphs(count if nodes < 50 else max(1, count // 4), nodes, degree)
            for kernel, trial in sparse(batch, features, heads):
                yield kernel, (features, degree, heads), trial


def sparse(batch: rt.Batch, features: int, heads: int) -> Iterator[tuple[str, Trial]]:
    """Those on one batch."""
    pairs = batch.N
    units = len(pairs) * features
    (q, k, v), w = drawn(batch, features, heads), torch.rand(len(pairs), heads)
    if heads == 1:
        yield "neighbour_sum.csr", Trial(units, lambda x: rt.neighbour_sum_csr(pairs, x), [v.flatten(1)])
        yield "weighted_sum.csr.fixed", Trial(units, lambda w, x: rt.weighted_sum_csr(pairs, w, x), [w, v], [0])
    yield "weighted_sum.csr", Trial(units, lambda w, x: rt.weighted_sum_csr(pairs, w, x), [w, v])
    yield "pair_product.csr", Trial(units, lambda q, k: rt.pair_product(pairs, q, k), [q, k])
    yield "attention.gather", Trial(units, lambda q, k, v: rt.attention_gather(batch, pairs, q, k, v, 0.25), [q, k, v])


def on_all_pairs() -> Iterator[Found]:
    """Dense sums, products and attention."""
    for (features, heads), nodes in BLOCKS:
        for count in GRAPHS:
            batch = graphs(count if nodes < 50 else max(1, count // 4), nodes, min(nodes // 2, 48), uneven=True)
            for kernel, more, trial in dense(batch, features, heads):
                yield kernel, (heads,) if kernel == "spread" else (features, nodes, heads, *more), trial
            if heads == 1 and features == 16:
                yield "pair_matmul.dense", (features, nodes), matmul(batch, features)


def dense(batch: rt.Batch, features: int, heads: int) -> Iterator[Found]:
    """Those on one batch, with what their variant has beside features, nodes and heads."""
    everything = batch.pairs("V")
    (q, k, v), w, n = drawn(batch, features, heads), torch.rand(len(everything), heads), torch.rand(len(batch.N), heads)
    units = len(everything) * features
    yield "spread", (), Trial(n.numel(), lambda n: spread_pairs(batch, batch.N, n), [n])
    if heads == 1:
        x = v.flatten(1)
        yield "neighbour_sum.dense", (), Trial(units, lambda x: rt.neighbour_sum_dense(batch, batch.N, x), [x])
        fixed = Trial(units, lambda w, x: rt.weighted_sum_dense(batch, everything, w, x), [w, v], [0])
        yield "weighted_sum.dense.fixed", (), fixed
    yield "weighted_sum.dense", (), Trial(units, lambda w, x: rt.weighted_sum_dense(batch, everything, w, x), [w, v])
    for bias in ([], [w]):
        attend = Trial(
            units,
            lambda q, k, v, *bias: rt.attention_dense(batch, everything, q, k, v, 0.25, *bias),
            [q, k, v, *bias],
        )
        yield "attention.dense", (len(bias),), attend


def matmul(batch: rt.Batch, features: int) -> Trial:
    """Products of the matrices that values per pair are."""
    everything = cast(AllPairs, batch.pairs("V"))
    r, s = (torch.rand(len(everything), features) for _ in range(2))
    units = sum(size**3 for size in batch.sizes) * features
    return Trial(units, lambda r, s: rt.pair_matmul_dense(batch, everything, r, s), [r, s])
