"""Layers written in the language against those of PyG and torch: copied weights, float64, outputs and gradients.

Batches are PyG's own, of directed odd graphs: self loops, repeated edges, isolated nodes, one node, no edges.
"""

from collections.abc import Mapping

import pytest
import torch
from torch import Tensor, nn
from torch_geometric import nn as pyg
from torch_geometric.data import Batch, Data

from tests.compiling import Case, of_file, of_layer
from tests.graphs import BATCHES

Names = Mapping[str, str]
"""From a name in the peer to the name below the path here."""


def data(case: Case, name: str) -> Batch:
    """A named batch as PyG's; edge_index holds sources, then targets."""
    graphs = case.graphs(name)
    edges = [torch.tensor(graph.edges, dtype=torch.long).reshape(-1, 2).flip(1).t() for graph in graphs]
    parts = [Data(x=graph.x, edge_index=edge_index) for graph, edge_index in zip(graphs, edges, strict=True)]
    return Batch.from_data_list(parts)


def copy(case: Case, path: str, peer: nn.Module, names: Names) -> dict[str, nn.Parameter]:
    """Give a peer our weights below a path; returns its parameters by our names."""
    own = dict(peer.named_parameters())
    assert set(own) == set(names)
    with torch.no_grad():
        for theirs, ours in names.items():
            own[theirs].copy_(case.weights[f"{path}.{ours}"].reshape(own[theirs].shape))
    return {f"{path}.{ours}": own[theirs] for theirs, ours in names.items()}


def assert_equal(case: Case, theirs: Tensor, weights: Mapping[str, Tensor], batch: Batch) -> None:
    """The compiled module gives the same prediction and the same gradients."""
    module = case.built.module.double().train()
    module.load_state_dict(case.weights)
    ours = module(batch)
    torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-9)
    noise = torch.randn(ours.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    wanted = torch.autograd.grad((theirs * noise).sum(), list(weights.values()), allow_unused=True)
    parameters = dict(module.named_parameters())
    found = torch.autograd.grad((ours * noise).sum(), [parameters[name] for name in weights], allow_unused=True)
    for name, own, other in zip(weights, found, wanted, strict=True):
        zero = torch.zeros_like(parameters[name])
        own, other = (zero if grad is None else grad.reshape(zero.shape) for grad in (own, other))
        torch.testing.assert_close(own, other, rtol=1e-8, atol=1e-8, msg=lambda text, name=name: f"{name}: {text}")


LINEAR = {"weight": "weight", "bias": "bias"}


def linear(case: Case, path: str) -> tuple[nn.Module, dict[str, nn.Parameter]]:
    """A linear map of ours as torch's."""
    peer = nn.Linear(*reversed(case.weights[f"{path}.weight"].shape)).double()
    return peer, copy(case, path, peer, LINEAR)


def norm(case: Case, path: str, kind: type[nn.Module]) -> tuple[nn.Module, dict[str, nn.Parameter]]:
    """A norm of ours as torch's."""
    peer = kind(len(case.weights[f"{path}.weight"])).double()
    return peer, copy(case, path, peer, LINEAR)


# --- whole models


@pytest.mark.parametrize("name", BATCHES)
def test_gin_is_pyg_ginconv(name):
    case = of_file("gin", True)
    batch = data(case, name)
    encode, weights = linear(case, "input.encode")
    x = encode(batch.x)
    states = [x]
    for at, _ in enumerate(case.built.program.layers):
        x, own = gin_layer(case, f"layers.{at}", x, batch)
        weights |= own
        states.append(x)
    heads = [linear(case, f"output.linear{f'_{at + 1}' if at else ''}") for at in range(len(states))]
    prediction = sum(head(x) for (head, _), x in zip(heads, states, strict=True))
    assert_equal(case, prediction, weights | {key: value for _, own in heads for key, value in own.items()}, batch)


def gin_layer(case: Case, path: str, x: Tensor, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
    """x + relu(norm(GINConv(x))); one row has no statistics, which torch refuses."""
    width = x.shape[1]
    inner = BatchNorm(width)
    conv = pyg.GINConv(
        nn.Sequential(nn.Linear(width, width), inner, nn.ReLU(), nn.Linear(width, width)), train_eps=True
    )
    names = {"eps": "eps"}
    names |= {f"nn.{at}.{kind}": f"mlp.{own}.{kind}" for at, own in MLP.items() for kind in LINEAR}
    weights = copy(case, path, conv.double(), names)
    between = BatchNorm(width).double()
    weights |= copy(case, f"{path}.between", between, LINEAR)
    return x + torch.relu(between(conv(x, batch.edge_index))), weights


MLP = {0: "linear", 1: "inner", 3: "linear_2"}


class BatchNorm(nn.BatchNorm1d):
    """torch's, which refuses a single row; that row has no deviation."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) if len(x) > 1 else x * 0 * self.weight + self.bias


@pytest.mark.parametrize("name", BATCHES)
def test_content_attention_is_torch_multihead_attention(name):
    case = of_file("content_attention", True)
    batch = data(case, name)
    encode, weights = linear(case, "input.encode")
    x = encode(batch.x)
    for at, _ in enumerate(case.built.program.layers):
        x, own = attention_layer(case, f"layers.{at}", x, batch)
        weights |= own
    head, own = linear(case, "output.linear")
    assert_equal(case, head(x), weights | own, batch)


def attention_layer(case: Case, path: str, x: Tensor, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
    """x + attention(norm(x)), then x + mlp(norm(x)); attention graph by graph."""
    first, weights = norm(case, f"{path}.pre_norm.layer_norm", nn.LayerNorm)
    attention = nn.MultiheadAttention(x.shape[1], 2, batch_first=True).double()
    leaves = {
        f"{path}.pre_norm.attend.{part}.{kind}": case.weights[f"{path}.pre_norm.attend.{part}.{kind}"].clone()
        for part in ("q", "k", "v", "linear")
        for kind in LINEAR
    }
    for leaf in leaves.values():
        leaf.requires_grad_()
    below = {name.rpartition("attend.")[2]: leaf for name, leaf in leaves.items()}
    packed = {
        "in_proj_weight": torch.cat([below[f"{part}.weight"] for part in "qkv"]),
        "in_proj_bias": torch.cat([below[f"{part}.bias"] for part in "qkv"]),
        "out_proj.weight": below["linear.weight"],
        "out_proj.bias": below["linear.bias"],
    }
    rows = []
    for graph in first(x).split(batch.ptr.diff().tolist()):
        inputs = (graph[None], graph[None], graph[None])
        rows.append(torch.func.functional_call(attention, packed, inputs, {"need_weights": False})[0][0])
    x = x + torch.cat(rows)
    return mlp_layer(case, f"{path}.pre_norm_2", x, weights | leaves)


def mlp_layer(case: Case, path: str, x: Tensor, weights: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
    """x + mlp(norm(x))."""
    parts = [
        norm(case, f"{path}.layer_norm", nn.LayerNorm),
        linear(case, f"{path}.mlp.linear"),
        norm(case, f"{path}.mlp.batch_norm", BatchNorm),
        (nn.ReLU(), {}),
        linear(case, f"{path}.mlp.linear_2"),
    ]
    for _, own in parts:
        weights = weights | own
    return x + nn.Sequential(*(part for part, _ in parts))(x), weights


# --- single layers

CONVOLUTIONS = {
    "gcn": (
        (
            "v = linear(x, d, bias = false)",
            "s = rsqrt(sum[j in N + i](1))",
            "b = vector(d, 0)",
            "x = sum[j in N + i](s[i] * s[j] * v[j]) + b",
        ),
        lambda: pyg.GCNConv(4, 4),
        {"lin.weight": "v.weight", "bias": "b"},
    ),
    "sage": (
        ("x = linear(mean[j in N](x[j]), d) + linear(x, d, bias = false)",),
        lambda: pyg.SAGEConv(4, 4),
        {"lin_l.weight": "linear.weight", "lin_l.bias": "linear.bias", "lin_r.weight": "linear_2.weight"},
    ),
    "transformer": (
        (
            "q, k, v = linear(x, heads, c), linear(x, heads, c), linear(x, heads, c)",
            "a = softmax[j in N](q[i] @ k[j] / sqrt(c))",
            "x = view(sum[j](a[i, j] * v[j]), d) + linear(x, d)",
        ),
        lambda: pyg.TransformerConv(4, 2, heads=2),
        {
            f"lin_{theirs}.{kind}": f"{ours}.{kind}"
            for theirs, ours in (("query", "q"), ("key", "k"), ("value", "v"), ("skip", "linear"))
            for kind in LINEAR
        },
    ),
    "gat v2": (
        (
            "l, r = linear(x, heads, c), linear(x, heads, c)",
            "w = matrix(heads, c, 0)",
            "b = vector(d, 0)",
            "e[i, j in N + i] = leaky_relu(l[j] + r[i], 0.2) @ w",
            "a = softmax[j in N + i](e[i, j])",
            "x = view(sum[j](a[i, j] * l[j]), d) + b",
        ),
        lambda: pyg.GATv2Conv(4, 2, heads=2),
        {
            **{f"lin_{side}.{kind}": f"{side}.{kind}" for side in "lr" for kind in LINEAR},
            "att": "w",
            "bias": "b",
        },
    ),
    "gated": (
        (
            "k, q, v = linear(x, d), linear(x, d), linear(x, d)",
            "b = vector(d, 0)",
            "x = linear(x, d, bias = false) + sum[j in N](sigmoid(k[i] + q[j]) * v[j]) + b",
        ),
        lambda: pyg.ResGatedGraphConv(4, 4),
        {
            **{
                f"lin_{theirs}.{kind}": f"{ours}.{kind}"
                for theirs, ours in (("key", "k"), ("query", "q"), ("value", "v"))
                for kind in LINEAR
            },
            "lin_skip.weight": "linear.weight",
            "bias": "b",
        },
    ),
    "maximum": (
        ("x = linear(max[j in N](x[j]), d) + linear(x, d, bias = false)",),
        lambda: pyg.SAGEConv(4, 4, aggr="max"),
        {"lin_l.weight": "linear.weight", "lin_l.bias": "linear.bias", "lin_r.weight": "linear_2.weight"},
    ),
}


@pytest.mark.parametrize("name", ["everything", "no edges anywhere", "all undirected", "first and last without edges"])
@pytest.mark.parametrize("kind", CONVOLUTIONS)
def test_convolutions_of_pyg(kind, name):
    lines, peer, names = CONVOLUTIONS[kind]
    case = of_layer(*lines)
    batch = data(case, name)
    encode, weights = linear(case, "input.encode")
    x = encode(batch.x)
    for at in range(2):
        conv = peer().double()
        weights |= copy(case, f"layers.{at}", conv, names)
        x = conv(x, batch.edge_index)
    head, own = linear(case, "output.linear")
    assert_equal(case, head(x), weights | own, batch)


@pytest.mark.parametrize("name", ["everything", "no edges anywhere", "all undirected"])
def test_batches_of_pyg_are_packed_as_the_reference_reads_them(name):
    from archspec.equal.batch import packed
    from archspec.runtime.batch import as_batch

    case = of_file("gin", True)
    ours, theirs = packed(case.graphs(name)), as_batch(data(case, name))
    assert torch.equal(ours.x, theirs.x)
    assert torch.equal(ours.node_ptr, theirs.node_ptr)
    assert torch.equal(ours.N.ptr, theirs.N.ptr)
    assert torch.equal(ours.N.index, theirs.N.index)
