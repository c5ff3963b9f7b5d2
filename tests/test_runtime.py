"""Every function of the runtime on node and pair values against a loop: outputs and gradients in float64."""

import gc
import weakref
from itertools import accumulate
from math import log
from types import SimpleNamespace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from archspec import runtime as rt
from archspec.runtime import aggregate, attention, blocks, products, sparse
from tests.graphs import BATCHES, SHAPES, batches, both_ways

# Batches of (nodes, edges as (target, source)); the empty ones occur nowhere else.
ODD = {name: [SHAPES[shape] for shape in batch] for name, batch in BATCHES.items()} | {
    "empty graphs": [(0, ()), (3, ((1, 0),)), (0, ())],
    "same sizes": [SHAPES["directed cycle"], SHAPES["no edges"], (2, ((0, 1),)), (3, ((2, 1), (2, 1))), (3, ((1, 1),))],
    "no nodes": [(0, ())],
    "no graphs": [],
}
SETS = ("N", "N + i", "V", "reach", "N - i")


def make(shapes):
    starts = [0, *accumulate(nodes for nodes, _ in shapes)]
    edges = [(start + j, start + i) for start, (_, edges) in zip(starts, shapes, strict=False) for i, j in edges]
    edge_index = torch.tensor(edges, dtype=torch.int64).view(-1, 2).t()
    return rt.as_batch(SimpleNamespace(x=torch.zeros(starts[-1], 1), edge_index=edge_index, ptr=torch.tensor(starts)))


def listed(pairs):
    return list(zip(pairs.target.tolist(), pairs.index.tolist(), strict=True))


def by_row(pairs, term, reduce, like):
    """Row i of the result reduces term(p, i, j) over the pairs p = (i, j) of i; 0 where there are none."""
    out = []
    for row in range(pairs.rows):
        terms = [term(p, i, j) for p, (i, j) in enumerate(listed(pairs)) if i == row]
        out.append(reduce(torch.stack(terms)) if terms else torch.zeros(like, dtype=torch.float64))
    return torch.stack(out) if out else torch.zeros(0, *like, dtype=torch.float64)


def total(terms):
    return terms.sum(0)


def loop_sum(batch, pairs, x):
    return by_row(pairs, lambda p, i, j: x[j], total, x.shape[1:])


def loop_reduce(reduce):
    return lambda batch, pairs, v: by_row(pairs, lambda p, i, j: v[p], reduce, v.shape[1:])


def loop_weighted(batch, pairs, w, x):
    w = w.view(*w.shape, *[1] * (x.dim() - w.dim()))
    return by_row(pairs, lambda p, i, j: w[p] * x[j], total, x.shape[1:])


def spread_by_feature(terms):
    """By feature, since torch's own gradient is not finite where all are equal."""
    columns = terms.reshape(len(terms), -1).unbind(1)
    found = [one.std(correction=0) if bool((one != one[0]).any()) else 0 * one.sum() for one in columns]
    return torch.stack(found).view(terms.shape[1:])


def loop_softmax(batch, pairs, v):
    rows = [[p for p, (i, _) in enumerate(listed(pairs)) if i == row] for row in range(pairs.rows)]
    return torch.cat([torch.zeros_like(v[:0]), *(torch.softmax(v[row], 0) for row in rows if row)])


def loop_gather(at):
    return lambda batch, pairs, x: torch.stack([x[:0].sum(0), *(x[pair[at]] for pair in listed(pairs))])[1:]


def loop_product(batch, pairs, q, k):
    terms = [(q[i] * k[j]).sum(-1) for i, j in listed(pairs)]
    return torch.stack([torch.zeros(q.shape[1:-1], dtype=q.dtype), *terms])[1:]


def loop_attention(batch, pairs, q, k, v, bias=None):
    logits = 0.3 * loop_product(batch, pairs, q, k)
    return loop_weighted(batch, pairs, loop_softmax(batch, pairs, logits if bias is None else logits + bias), v)


def attend(function):
    return lambda batch, pairs, q, k, v, bias=None: function(batch, pairs, q, k, v, 0.3, bias)


def without_batch(function):
    return lambda batch, pairs, *values: function(pairs, *values)


def pooled(function):
    return lambda batch, pairs, x: function(batch, x)


def loop_pooled(reduce):
    return lambda batch, pairs, x: loop_reduce(reduce)(batch, batch.members, x)


EVERY, FULL = SETS, ("V",)
SUM = (loop_sum, EVERY, ["n", "n3", "n23"])
WEIGHTED = (loop_weighted, EVERY, ["p n", "p n3", "p n23", "p2 n2", "p2 n23", "p2 n232"])
ATTENTION = (loop_attention, EVERY, ["n3 n3 n4", "n23 n23 n21", "n23 n23 n24 p2", "n3 n3 n3 p"])
PAIRS = ["p", "p3", "p23"]
# function, the loop, the sets, and shapes of its inputs: n nodes, p pairs, then the feature axes.
TABLE = {
    "neighbour_sum_csr": (without_batch(rt.neighbour_sum_csr), *SUM),
    "neighbour_sum_gather": (without_batch(rt.neighbour_sum_gather), *SUM),
    "neighbour_sum_dense": (rt.neighbour_sum_dense, *SUM),
    "weighted_sum_csr": (without_batch(rt.weighted_sum_csr), *WEIGHTED),
    "weighted_sum_gather": (without_batch(rt.weighted_sum_gather), *WEIGHTED),
    "weighted_sum_dense": (rt.weighted_sum_dense, *WEIGHTED),
    "pair_product": (without_batch(rt.pair_product), loop_product, EVERY, ["n3 n3", "n23 n23"]),
    "gather_source": (without_batch(rt.gather_source), loop_gather(1), EVERY, SUM[2]),
    "gather_target": (without_batch(rt.gather_target), loop_gather(0), EVERY, SUM[2]),
    "segment_sum": (without_batch(rt.segment_sum), loop_reduce(total), EVERY, PAIRS),
    "segment_mean": (without_batch(rt.segment_mean), loop_reduce(lambda t: t.mean(0)), EVERY, PAIRS),
    "segment_max": (without_batch(rt.segment_max), loop_reduce(lambda t: t.amax(0)), EVERY, PAIRS),
    "segment_min": (without_batch(rt.segment_min), loop_reduce(lambda t: t.amin(0)), EVERY, PAIRS),
    "segment_std": (without_batch(rt.segment_std), loop_reduce(spread_by_feature), EVERY, PAIRS),
    "segment_logsumexp": (without_batch(rt.segment_logsumexp), loop_reduce(lambda t: t.logsumexp(0)), EVERY, PAIRS),
    "segment_softmax": (without_batch(rt.segment_softmax), loop_softmax, EVERY, PAIRS),
    "attention_gather": (attend(rt.attention_gather), *ATTENTION),
    "attention_dense": (attend(rt.attention_dense), *ATTENTION),
    "attention_sdpa": (attend(rt.attention_sdpa), loop_attention, FULL, ATTENTION[2]),
    "pool_sum": (pooled(rt.pool_sum), loop_pooled(total), FULL, SUM[2]),
    "pool_mean": (pooled(rt.pool_mean), loop_pooled(lambda t: t.mean(0)), FULL, SUM[2]),
    "pool_max": (pooled(rt.pool_max), loop_pooled(lambda t: t.amax(0)), FULL, SUM[2]),
}
CASES = [(name, over, shapes) for name, row in TABLE.items() for over in row[2] for shapes in row[3]]


def inputs(batch, pairs, shapes):
    """Small integers and halves, so that maxima tie often."""
    rows = {"n": batch.nodes, "p": len(pairs)}
    made = [torch.randint(-3, 4, (rows[shape[0]], *map(int, shape[1:]))).double() / 2 for shape in shapes.split()]
    return [value.requires_grad_() for value in made]


def assert_same(ours, loop, batch, pairs, values):
    result, expected = ours(batch, pairs, *values), loop(batch, pairs, *values)
    torch.testing.assert_close(result, expected)
    cotangent = torch.randn_like(expected)
    found, wanted = (
        torch.autograd.grad(value, values, cotangent, materialize_grads=True)
        if value.requires_grad
        else tuple(torch.zeros_like(one) for one in values)
        for value in (result, expected)
    )
    torch.testing.assert_close(found, wanted)


@pytest.mark.parametrize(("name", "over", "shapes"), CASES, ids=lambda part: part.replace(" ", ","))
def test_function_is_the_loop(name, over, shapes):
    ours, loop = TABLE[name][:2]
    for graphs in ODD.values():
        torch.manual_seed(0)
        batch = make(graphs)
        pairs = batch.pairs(over, 2 if over == "reach" else 0)
        assert_same(ours, loop, batch, pairs, inputs(batch, pairs, shapes))


@given(graphs=batches(), seed=st.integers(0, 2**31))
@pytest.mark.parametrize("name", TABLE)
def test_function_is_the_loop_on_random_multigraphs(name, graphs, seed):
    ours, loop, sets, shapes = TABLE[name]
    torch.manual_seed(seed)
    batch = make(graphs)
    over, chosen = sets[seed % len(sets)], shapes[seed // 4 % len(shapes)]
    pairs = batch.pairs(over, 2 if over == "reach" else 0)
    assert_same(ours, loop, batch, pairs, inputs(batch, pairs, chosen))


@pytest.mark.parametrize("name", [name for name in TABLE if not name.startswith("pool")])
def test_types_without_csr_take_the_plain_form(name, monkeypatch):
    monkeypatch.setattr(sparse, "has_csr", lambda x: False)
    ours, loop, sets, shapes = TABLE[name]
    batch = make(ODD["everything"])
    pairs = batch.pairs(sets[0])
    assert_same(ours, loop, batch, pairs, inputs(batch, pairs, shapes[-1]))


@pytest.mark.parametrize(
    "name",
    [
        "neighbour_sum_csr",
        "weighted_sum_csr",
        "pair_product",
        "gather_source",
        "segment_sum",
        "segment_softmax",
        "segment_std",
        "segment_logsumexp",
    ],
)
@pytest.mark.parametrize("over", SETS)
def test_gradients_have_gradients(name, over):
    ours, _, _, shapes = TABLE[name]
    batch = make(ODD["repeated edges"] + ODD["self loops"])
    pairs = batch.pairs(over, 1 if over == "reach" else 0)
    values = [torch.randn_like(value).requires_grad_() for value in inputs(batch, pairs, shapes[-1])]
    assert torch.autograd.gradcheck(lambda *values: ours(batch, pairs, *values), values)
    assert torch.autograd.gradgradcheck(lambda *values: ours(batch, pairs, *values), values)


@pytest.mark.parametrize("name", ["neighbour_sum_dense", "weighted_sum_dense", "attention_dense"])
def test_dense_forms_refuse_second_derivatives(name):
    ours, _, _, shapes = TABLE[name]
    batch = make(ODD["directed cycle"])
    values = inputs(batch, batch.N, shapes[-1])
    first = torch.autograd.grad(ours(batch, batch.N, *values).square().sum(), values, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        first[0].sum().backward()


@pytest.mark.parametrize("name", ["neighbour_sum_csr", "weighted_sum_csr", "attention_gather"])
def test_a_symmetric_set_shares_its_transpose(name):
    ours, loop, _, shapes = TABLE[name]
    batch = make([(4, (*both_ways((0, 1), (2, 1), (2, 1)), (3, 3))), SHAPES["undirected"]])
    batch.N.symmetric = True
    assert batch.N.transpose is batch.N
    assert_same(ours, loop, batch, batch.N, inputs(batch, batch.N, shapes[-1]))


def test_a_directed_set_that_claims_symmetry_is_found_out():
    batch = make(ODD["directed cycle"])
    batch.N.symmetric = True
    values = inputs(batch, batch.N, "n3")
    with pytest.raises(AssertionError):
        assert_same(without_batch(rt.neighbour_sum_csr), loop_sum, batch, batch.N, values)


def test_softmax_of_minus_infinity_is_never_nan():
    batch = make([(3, ((1, 0), (1, 1), (2, 0), (2, 2)))])
    v = torch.tensor([-torch.inf, -torch.inf, 0.0, -torch.inf], requires_grad=True)
    result = rt.segment_softmax(batch.N, v)
    result.square().sum().backward()
    assert result.tolist() == [0.0, 0.0, 1.0, 0.0]
    assert v.grad.tolist() == [0.0, 0.0, 0.0, 0.0]


def test_logsumexp_of_minus_infinity_is_never_nan():
    batch = make([(3, ((1, 0), (1, 1), (2, 0), (2, 2)))])
    v = torch.tensor([-torch.inf, -torch.inf, 0.0, -torch.inf], requires_grad=True)
    result = rt.segment_logsumexp(batch.N, v)
    result[1:].sum().backward()
    assert result.tolist() == [0.0, -torch.inf, 0.0]
    assert v.grad.tolist() == [0.0, 0.0, 1.0, 0.0]


def test_logsumexp_is_stable():
    batch = make([(2, ((1, 0), (1, 1), (0, 0)))])
    result = rt.segment_logsumexp(batch.N, torch.tensor([-5e3, 1e4, 1e4]))
    torch.testing.assert_close(result, torch.tensor([-5e3, 1e4 + log(2)]))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_std_of_members_equal_up_to_rounding_is_zero_and_has_no_gradient(dtype):
    batch = make([(2, ((1, 0), (1, 1), (1, 0)))])
    v = torch.tensor([1e4 + 0.1, 1e4 + 0.1, (1e4 + 0.1) * (1 + 4 * torch.finfo(dtype).eps)], dtype=dtype)
    result = rt.segment_std(batch.N, v.requires_grad_())
    result.sum().backward()
    assert result.tolist() == [0.0, 0.0]
    assert v.grad.tolist() == [0.0, 0.0, 0.0]
    tells = rt.segment_std(batch.N, torch.tensor([1.0, 1.0, 1.0 + 1e-3], dtype=dtype))
    torch.testing.assert_close(tells[1].double().item(), 1e-3 * 2**0.5 / 3, rtol=1e-3, atol=0)


def test_softmax_is_stable():
    batch = make([(2, ((1, 0), (1, 1), (0, 0)))])
    result = rt.segment_softmax(batch.N, torch.tensor([-5e3, 1e4, 1e4 + 1]))
    torch.testing.assert_close(result, torch.tensor([1.0, *torch.softmax(torch.tensor([0.0, 1.0]), 0)]))


@pytest.mark.parametrize("name", [name for name in TABLE if not name.startswith(("pool", "segment"))])
def test_graphs_do_not_see_one_another(name):
    """NaN and ∞ all over one graph leave the others as they are, in dense products too."""
    ours, _, sets, shapes = TABLE[name]
    batch = make([SHAPES[name] for name in ("directed cycle", "self loops", "undirected", "repeated edges")])
    pairs = batch.pairs(sets[-1], 1)
    values = [value.detach() for value in inputs(batch, pairs, shapes[-1])]
    spoilt = [value.clone() for value in values]
    for poison in (torch.nan, torch.inf):
        for value in spoilt:
            graph = batch.graph if len(value) == batch.nodes else batch.graph[pairs.target]
            value[graph == 1] = poison
        before, after = ours(batch, pairs, *values), ours(batch, pairs, *spoilt)
        others = (batch.graph if len(before) == batch.nodes else batch.graph[pairs.target]) != 1
        assert others.any()
        assert torch.equal(before[others], after[others])
        assert not torch.equal(before, after)


def padded_attention(batch, pairs, q, k, v, bias=None):
    """The form for accelerators, which a CPU computes too."""
    return attention.padded_attention(batch, pairs, q, k, v, 0.3, bias)


@pytest.mark.parametrize("shapes", ATTENTION[2])
def test_padded_attention_is_the_loop(shapes):
    for graphs in ODD.values():
        batch = make(graphs)
        values = inputs(batch, batch.pairs("V"), shapes)
        assert_same(padded_attention, loop_attention, batch, batch.pairs("V"), values)


def test_padding_does_not_leak(monkeypatch):
    """What stands in the cells of padding is large instead of 0, and nothing changes."""
    batch = make([(2, ()), (5, ()), (1, ()), (0, ())])
    pairs = batch.pairs("V")
    values = inputs(batch, pairs, ATTENTION[2][2])
    honest = attention.pad

    def poisoned(batch, x):
        real = batch.padding.mask.view(*batch.padding.mask.shape, *[1] * (x.dim() - 1))
        return torch.where(real, honest(batch, x), 1e6)

    monkeypatch.setattr(attention, "pad", poisoned)
    assert_same(padded_attention, loop_attention, batch, pairs, values)
    monkeypatch.setattr(attention, "padding_mask", lambda batch, dtype: torch.zeros((), dtype=dtype))
    with pytest.raises(AssertionError):
        assert_same(padded_attention, loop_attention, batch, pairs, values)


MUTANTS = [
    ("neighbour_sum_csr", sparse, "adjacency", lambda pairs, dtype: honest_adjacency(pairs.reverse[0], dtype)),
    ("segment_max", aggregate, "row_max", lambda pairs, v: honest_row_max(pairs, v) * 0),
    ("weighted_sum_dense", products, "spread_pairs", lambda batch, pairs, w: honest_spread(batch, pairs, w) * 2),
    ("attention_dense", attention, "log_multiplicity", lambda batch, pairs, dtype: None),
    ("neighbour_sum_dense", blocks, "cells", lambda batch, pairs: pairs.index),
]
honest_adjacency, honest_row_max, honest_spread = sparse.adjacency, aggregate.row_max, blocks.spread_pairs


@pytest.mark.parametrize(("name", "module", "part", "mutant"), MUTANTS, ids=[mutant[0] for mutant in MUTANTS])
def test_the_comparison_finds_planted_faults(name, module, part, mutant, monkeypatch):
    monkeypatch.setattr(module, part, mutant)
    ours, loop, _, shapes = TABLE[name]
    batch = make(ODD["everything"])
    with pytest.raises(AssertionError):
        assert_same(ours, loop, batch, batch.N, inputs(batch, batch.N, shapes[-1]))


def test_a_batch_is_freed_without_a_search_for_cycles():
    """What sets cache holds no set in a circle: memory of a batch is free when the next one is cut."""
    gc.collect()
    gc.disable()
    try:
        batch = make(ODD["everything"])
        for ours, _, sets, shapes in TABLE.values():
            for name in sets:
                values = inputs(batch, batch.pairs(name, 2), shapes[-1])
                ours(batch, batch.pairs(name, 2), *values).sum().backward()
        rt.restrict(batch.N, batch.pairs("V"), torch.zeros(len(batch.pairs("V"))))
        alive = [weakref.ref(batch), *(weakref.ref(batch.pairs(name, 2)) for name in SETS)]
        del batch, values
        assert [one() for one in alive] == [None] * (1 + len(SETS))
    finally:
        gc.enable()


def test_sparse_products_do_not_read_what_stands_in_memory():
    matrix = sparse.csr(torch.tensor([0, 0, 1]), torch.tensor([0]), torch.ones(1), 2)
    for dirt in (torch.nan, torch.inf):
        out = torch.full((2, 2, 3), dirt)
        sparse.multiply(matrix, torch.ones(2, 3), out[:, 1])
        assert out[:, 1].tolist() == [[0.0] * 3, [1.0] * 3]
        assert not out[:, 0].isfinite().any()
