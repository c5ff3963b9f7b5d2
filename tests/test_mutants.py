"""Planted faults: the comparison with the reference must see every one of them, or it is worth nothing."""

import sys
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from archspec.emit.build import build_module
from archspec.equal.compare import compare, differences, of_reference, without_dropout
from archspec.equal.differences import Differences
from archspec.ir.nodes import Node, Program
from archspec.passes import factor, hoist
from archspec.passes.rewrite import bottom_up, each_section
from archspec.runtime import aggregate, attention, encodings, norms, products, sparse, thirds
from archspec.runtime import pairs as sets
from archspec.runtime.pairs import Pairs
from tests.compiling import Case, of_layer

SUM = ("x = x + tanh(sum[j in N](x[j]))",)
WEIGHTED = ("s = linear(x)", "x = x + tanh(sum[j in N](sigmoid(s[i] - 2 * s[j]) * x[j]))")
GATED = ("x = x + tanh(sum[j in N](sigmoid(x[i]) * relu(x[j] - x[i])))",)
MAXIMUM = ("x = x + tanh(max[j in N](x[j]))",)
MEAN = ("x = x + tanh(mean[j in N](x[j] * sigmoid(x[i] + x[j])))",)
DECIDED = ("s = linear(x)", "up = N if s[i] < s[j]", "x = x + tanh(sum[j in up](x[j]))")
FILLED = ("g[i, j in N] = x[i] * x[j]", "x = x + tanh(sum[j in V](fill(g, 0.5)[i,j]))")
SPREAD_OUT = ("x = x + tanh(std[j in N](x[j]) + logsumexp[j in N](x[j]))",)
NORMED = ("x = tanh(batch_norm(linear(x, d)))",)
ATTENTION = (
    "q, k, v, s = linear(x, heads, c), linear(x, heads, c), linear(x, heads, c), linear(x, heads)",
    "b[i, j in V] = s[i] * s[j]",
    "a = softmax[j in V](q[i] @ k[j] / sqrt(c) + b[i, j])",
    "x = x + linear(sum[j](a[i, j] * v[j]), d)",
)
FAR = ("x = tanh(x + sum[j in V](x[j] / (1 + distance[i, j])))",)
WALKED = ("x = tanh(x + sum[j in V](linear(walk(1..2))[i, j] * x[j]))",)
HOPS = ("x = tanh(x + sum[j in V](linear(hops(1..2))[i, j] * x[j]))",)
MASKED = tuple(line.replace("V]", "N]") for line in ATTENTION)

PATHS = (
    "u, w = linear(x, heads), linear(x, heads)",
    "r[i, j in V] = tanh(u[i] - 2 * w[j])",
    "m[i, j in V] = mean[k in V](r[i, k] * r[j, k]) + r[j, i] + mean[k in N](relu(r[k, j] - r[i, j]))",
    "x = tanh(x + linear(mean[j in V](m[i, j] * u[j]), d))",
)
READ_OUT = ("g = max[i in V](x[i])", "x = tanh(x - 2 * g)")


def found(case: Case, batch: str = "everything") -> Differences:
    """The comparison as the other tests make it."""
    return compare(case.built.module, case.built.program, case.graphs(batch), case.weights, training=True)


def plant(case: Case, monkeypatch: pytest.MonkeyPatch, name: str, fault: Callable) -> None:
    """Replace a runtime function in the emitted module."""
    emitted = sys.modules[type(case.built.module).__module__]
    assert hasattr(emitted, name), case.built.code
    monkeypatch.setattr(emitted, name, fault)


def without_last_pair(pairs: Pairs) -> Pairs:
    """The set without its last pair."""
    ptr = pairs.ptr.clamp(max=max(len(pairs) - 1, 0))
    return Pairs(ptr, pairs.source[:-1], False)


def shifted(batch: object, pairs: Pairs, *operands: object) -> Tensor:
    """Attention with the keys of other nodes."""
    q, k, *rest = operands
    return attention.attention_gather(batch, pairs, q, k.roll(1, 0), *rest)  # type: ignore[arg-type,attr-defined]


RUNTIME_FAULTS = {
    "a term is dropped": (
        (SUM, "csr", "neighbour_sum_csr"),
        lambda pairs, x: products.neighbour_sum_csr(without_last_pair(pairs), x),
    ),
    "repeated edges count once": (
        (SUM, "gather", "neighbour_sum_gather"),
        lambda pairs, x: (
            torch.sparse_csr_tensor(pairs.ptr, pairs.index, torch.ones(len(pairs)).double(), (len(x),) * 2)
            .to_dense()
            .clamp(max=1)
            @ x
        ),
    ),
    "edges the other way round": (
        (SUM, "csr", "neighbour_sum_csr"),
        lambda pairs, x: products.neighbour_sum_csr(pairs.reverse[0], x),
    ),
    "weights in another order": (
        (WEIGHTED, "csr", "weighted_sum_csr"),
        lambda pairs, w, x: products.weighted_sum_csr(pairs, w.flip(0), x),
    ),
    "no weights": (
        (WEIGHTED, "csr", "weighted_sum_csr"),
        lambda pairs, w, x: products.neighbour_sum_csr(pairs, x),
    ),
    "target for source": ((GATED, "", "gather_target"), aggregate.gather_source),
    "maximum that is at least 0": (
        (MAXIMUM, "", "segment_max"),
        lambda pairs, v: aggregate.segment_max(pairs, v).clamp(min=0),
    ),
    "minus infinity for no neighbours": (
        (MAXIMUM, "", "segment_max"),
        lambda pairs, v: torch.where((pairs.count == 0).unsqueeze(1), -torch.inf, aggregate.segment_max(pairs, v)),
    ),
    "mean over one more": (
        (MEAN, "", "segment_mean"),
        lambda pairs, v: aggregate.segment_sum(pairs, v) / (1 + pairs.count).unsqueeze(1),
    ),
    "softmax without its bias": (
        (ATTENTION, "dense", "attention_dense"),
        lambda batch, pairs, q, k, v, scale, bias: attention.attention_dense(batch, pairs, q, k, v, scale),
    ),
    "a bias without its gradient": (
        (ATTENTION, "dense", "attention_dense"),
        lambda batch, pairs, q, k, v, scale, bias: attention.attention_dense(
            batch, pairs, q, k, v, scale, bias.detach()
        ),
    ),
    "attention without its scale": (
        (ATTENTION, "dense", "attention_dense"),
        lambda batch, pairs, q, k, v, scale, bias: attention.attention_dense(batch, pairs, q, k, v, 1.0, bias),
    ),
    "a bias transposed": (
        (ATTENTION, "dense", "attention_dense"),
        lambda batch, pairs, q, k, v, scale, bias: attention.attention_dense(batch, pairs, k, q, v, scale, bias),
    ),
    "keys of other nodes": ((MASKED, "gather", "attention_gather"), shifted),
    "attention beyond its set": (
        (MASKED, "gather", "attention_gather"),
        lambda batch, pairs, q, k, v, scale, bias: attention.attention_dense(batch, batch.pairs("V"), q, k, v, scale),
    ),
    "matrices multiplied the other way round": (
        (PATHS, "dense", "pair_matmul_dense"),
        lambda batch, pairs, r, s: thirds.pair_matmul_dense(batch, pairs, s, r),
    ),
    "a product of matrices without one of its gradients": (
        (PATHS, "dense", "pair_matmul_dense"),
        lambda batch, pairs, r, s: thirds.pair_matmul_dense(batch, pairs, r, s.detach()),
    ),
    "pairs as they were": ((PATHS, "dense", "transpose"), lambda pairs, v: v),
    "j and k taken for one another": (
        (PATHS, "gather", "gather_cross"),
        lambda every, pairs, v: thirds.gather_cross(every, pairs, aggregate.transpose(pairs, v)),
    ),
    "a read-out of the whole batch": (
        (READ_OUT, "", "segment_max"),
        lambda pairs, v: aggregate.segment_max(pairs, v).amax(0, keepdim=True).expand(pairs.rows, -1),
    ),
    "the other members": ((DECIDED, "", "subset"), lambda pairs, kept: sets.subset(pairs, ~kept)),
    "all members": ((DECIDED, "", "subset"), lambda pairs, kept: pairs),
    "absent pairs at 0": ((FILLED, "", "fill"), lambda outer, inner, v, absent: aggregate.fill(outer, inner, v, 0)),
    "one of parallel edges": (
        (FILLED, "", "fill"),
        lambda outer, inner, v, absent: torch.full((len(outer), v.shape[1]), absent, dtype=v.dtype).index_copy(
            0, outer.find(inner), v
        ),
    ),
    "deviation of a sample": (
        (SPREAD_OUT, "", "segment_std"),
        lambda pairs, v: (
            aggregate.segment_std(pairs, v) * (pairs.count / (pairs.count - 1).clamp(min=1)).sqrt().unsqueeze(1)
        ),
    ),
    "mean for sum in a logarithm": (
        (SPREAD_OUT, "", "segment_logsumexp"),
        lambda pairs, v: aggregate.segment_logsumexp(pairs, v) - pairs.count.clamp(min=1).log().unsqueeze(1),
    ),
    "a norm of single rows": (
        (NORMED, "", "batch_norm"),
        lambda x, module: norms.layer_norm(x, torch.nn.LayerNorm(x.shape[1]).double()),
    ),
    "a batch norm without its weights": (
        (NORMED, "", "batch_norm"),
        lambda x, module: (x - x.mean(0)) / torch.sqrt(x.var(0, correction=0) + 1e-5),
    ),
    "unbiased variance": (
        (NORMED, "", "batch_norm"),
        lambda x, module: (x - x.mean(0)) / torch.sqrt(x.var(0) + 1e-5) * module.weight + module.bias,
    ),
    "distances the other way round": (
        (FAR, "", "pair_distance"),
        lambda batch, dtype: encodings.pair_distance(batch, dtype)[batch.pairs("V").reverse[1]],
    ),
    "walks of one step more": (
        (WALKED, "", "pair_walk"),
        lambda batch, powers, dtype: encodings.pair_walk(batch, tuple(k + 1 for k in powers), dtype),
    ),
    "hops within a distance": (
        (HOPS, "", "pair_hops"),
        lambda batch, numbers, dtype: encodings.pair_hops(batch, numbers, dtype).cumsum(1),
    ),
    "eigenvectors of the other sign": (
        (("x = tanh(x + linear(laplacian_pe(2), d))",), "", "node_laplacian_pe"),
        lambda batch, count, training, dtype: -encodings.node_laplacian_pe(batch, count, training, dtype),
    ),
}


@pytest.mark.parametrize("fault", RUNTIME_FAULTS)
def test_faults_of_the_runtime_are_seen(fault, monkeypatch):
    (layer, backend, name), mutant = RUNTIME_FAULTS[fault]
    case = of_layer(*layer, backend=backend)
    assert found(case).ok()
    plant(case, monkeypatch, name, mutant)
    assert not found(case).ok()


def test_a_gradient_that_is_not_transposed_is_seen_on_directed_graphs_only(monkeypatch):
    case = of_layer(*SUM, backend="csr")
    monkeypatch.setattr(Pairs, "transpose", property(lambda pairs: pairs))
    wrong = found(case)
    assert {one.kind for one in wrong.beyond()} == {"gradient"}
    assert found(case, "all undirected").ok()


def test_a_set_that_wrongly_calls_itself_symmetric_is_seen(monkeypatch):
    case = of_layer(*WEIGHTED, backend="csr")
    backward = sparse.WeightedSum.backward

    def forgetful(ctx, grad):
        ctx.pairs.reverse[1].copy_(torch.arange(len(ctx.pairs)))
        return backward(ctx, grad)

    monkeypatch.setattr(sparse.WeightedSum, "backward", staticmethod(forgetful))
    assert not found(case).ok()


CODE_FAULTS = (
    ("torch.tanh(", "torch.sigmoid(", SUM),
    ("x + torch.tanh", "x - torch.tanh", SUM),
    ("for layer in self.layers:", "for layer in self.layers[:1]:", SUM),
    ("sigmoid(x)", "sigmoid(x.detach())", GATED),
)


@pytest.mark.parametrize(("old", "new", "layer"), CODE_FAULTS)
def test_faults_of_the_emitted_code_are_seen(old, new, layer):
    case = of_layer(*layer)
    assert old in case.built.code
    module = build_module(case.built.code.replace(old, new), "mutant")
    assert not compare(module, case.built.program, case.graphs("everything"), case.weights).ok()


def test_weights_under_other_names_or_shapes_are_told():
    case = of_layer(*WEIGHTED)
    module = build_module(case.built.code.replace("self.s", "self.t"), "mutant")
    said = str(compare(module, case.built.program, case.graphs("everything"), case.weights))
    assert "the module has no layers.0.s.weight" in said
    assert "only the module has layers.0.t.weight" in said
    module = build_module(case.built.code.replace("nn.Linear(4, 2)", "nn.Linear(4, 3)"), "mutant")
    said = str(compare(module, case.built.program, case.graphs("everything"), case.weights))
    assert "output.linear.bias is (3,), not (2,)" in said


def other_op(old: str, new: str) -> Callable[[Program], Program]:
    """A pass that takes one operation for another."""

    def change(node: Node) -> Node:
        return replace(node, op=new) if node.op == old else node

    return lambda program: each_section(program, lambda section: bottom_up(section, change))


def swapped(node: Node) -> Node:
    """a - b as b - a."""
    return replace(node, operands=node.operands[::-1]) if node.op == "sub" else node


PASS_FAULTS = {
    "source for target": other_op("gather_target", "gather_source"),
    "sum for mean": other_op("mean", "sum"),
    "operands swapped": lambda program: each_section(program, lambda section: bottom_up(section, swapped)),
    "no relu": other_op("relu", "tanh"),
}


@pytest.mark.parametrize("fault", PASS_FAULTS)
def test_faults_of_passes_are_seen(fault):
    case = of_layer("x = x + tanh(mean[j in N](relu(x[i]) * (x[j] - 2 * x[i])))")
    graphs = case.graphs("everything")
    program = without_dropout(case.built.program)
    wanted = of_reference(program, graphs, case.weights)
    assert differences(of_reference(program, graphs, case.weights), wanted).ok()
    assert not differences(of_reference(PASS_FAULTS[fault](program), graphs, case.weights), wanted).ok()


@pytest.mark.parametrize(
    ("module", "body"), [(hoist, "x[j] / sqrt(degree[j])"), (factor, "x[j] / degree[i]")], ids=["hoist", "factor"]
)
def test_a_pass_that_ignores_infinities_is_seen(module, body, monkeypatch):
    monkeypatch.setattr(module, "safe", lambda *anything: True)
    case = of_layer(f"x = tanh(x + sum[j in N]({body}))")
    assert not found(case, "all undirected").ok()
