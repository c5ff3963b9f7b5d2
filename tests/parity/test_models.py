"""Whole models against those made of layers of PyG and torch: copied weights, float64, outputs and gradients.

Batches are PyG's own, of directed odd graphs: self loops, repeated edges, isolated nodes, one node, no edges.
"""

from collections.abc import Mapping

import pytest
import torch
from torch import Tensor, nn
from torch_geometric import nn as pyg
from torch_geometric.data import Batch, Data

from archspec.syntax.load import load_spec
from tests.compiling import NUMBERS, SMALL, Case, of_file, of_spec, smaller
from tests.graphs import BATCHES

D = SMALL["d"]

Names = Mapping[str, str]
"""From a name in the peer to the name below the path here."""


def data(case: Case, name: str) -> Batch:
    """A named batch as PyG's; edge_index holds sources, then targets."""
    graphs = case.graphs(name)
    edges = [torch.tensor(graph.edges, dtype=torch.long).reshape(-1, 2).flip(1).t() for graph in graphs]
    parts = [Data(x=one.x, edge_index=edge, edge_attr=one.e) for one, edge in zip(graphs, edges, strict=True)]
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


FEW = ("everything", "no edges anywhere", "all undirected", "first and last without edges")


@pytest.mark.parametrize("name", FEW)
@pytest.mark.parametrize("mode", ["cat", "max"])
def test_jumping_knowledge_is_pygs(mode, name):
    read = "concat(layers(x))" if mode == "cat" else "max(layers(x))"
    case = of_override("jumping_knowledge", f"model.output=linear({read}, out)")
    batch = data(case, name)
    encode, weights = linear(case, "input.encode")
    states = [encode(batch.x)]
    for at, _ in enumerate(case.built.program.layers):
        conv = pyg.GCNConv(D, D).double()
        weights |= copy(case, f"layers.{at}.gcn.linear", conv, {"lin.weight": "weight", "bias": "bias"})
        states.append(conv(states[-1], batch.edge_index).relu())
    head, own = linear(case, "output.linear")
    assert_equal(case, head(pyg.JumpingKnowledge(mode, D, len(states))(states)), weights | own, batch)


@pytest.mark.parametrize("name", FEW)
def test_the_virtual_node_is_one_of_pygs_layers(name):
    case = of_file("virtual_node", True)
    batch = data(case, name)
    (encode, weights), (bonds, own) = linear(case, "input.encode"), linear(case, "input.encode_2")
    start = nn.Parameter(case.weights["input.vector"].clone())
    weights |= own | {"input.vector": start}
    x, e, v = encode(batch.x), bonds(batch.edge_attr), start.expand(batch.num_graphs, -1)
    for at, _ in enumerate(case.built.program.layers):
        x, v, own = virtual_layer(case, f"layers.{at}", x, e, v, batch)
        weights |= own
    head, own = linear(case, "output.linear")
    assert_equal(case, head(pyg.global_add_pool(x, batch.batch, batch.num_graphs)), weights | own, batch)


def virtual_layer(
    case: Case, path: str, x: Tensor, e: Tensor, v: Tensor, batch: Batch
) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
    """Every node adds its graph's state, whose sum changes the state; then GINEConv."""
    inner, weights = mlp_of(case, f"{path}.mlp")
    gine = pyg.GINEConv(mlp(x.shape[1]), train_eps=True).double()
    names = {f"nn.{at}.{kind}": f"mlp.{own}.{kind}" for at, own in LIBRARY_MLP.items() for kind in LINEAR}
    (first, of_first), (second, of_second) = (norm(case, f"{path}.{one}", BatchNorm) for one in NORMS)
    weights |= copy(case, f"{path}.gine", gine, {"eps": "eps", **names}) | of_first | of_second
    x = x + v[batch.batch]
    v = v + first(inner(v + pyg.global_add_pool(x, batch.batch, batch.num_graphs))).relu()
    return x + second(gine(x, batch.edge_index, e)).relu(), v, weights


NORMS = ("batch_norm", "batch_norm_2")


LIBRARY_MLP = {0: "linear", 1: "batch_norm", 3: "linear_2"}


def mlp(width: int) -> nn.Module:
    """The library's mlp in torch."""
    return nn.Sequential(nn.Linear(width, width), BatchNorm(width), nn.ReLU(), nn.Linear(width, width)).double()


def mlp_of(case: Case, path: str) -> tuple[nn.Module, dict[str, Tensor]]:
    """The same with our weights."""
    peer = mlp(len(case.weights[f"{path}.linear.bias"]))
    names = {f"{at}.{kind}": f"{own}.{kind}" for at, own in LIBRARY_MLP.items() for kind in LINEAR}
    return peer, copy(case, path, peer, names)


def of_override(name: str, override: str) -> Case:
    """A spec that comes with archspec, small, with one thing changed."""
    spec = load_spec(name, [*smaller(load_spec(name)), override])
    return of_spec(spec, NUMBERS)


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
