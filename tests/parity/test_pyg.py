"""Layers written as equations against PyG's: outputs and gradients in float64, on odd directed multigraphs."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch
from hypothesis import given
from torch import Tensor, nn
from torch_geometric.data import Batch, Data
from torch_geometric.nn import (
    GATConv,
    GATv2Conv,
    GCNConv,
    GINConv,
    GraphConv,
    ResGatedGraphConv,
    SAGEConv,
    TransformerConv,
)

from archspec import runtime as rt
from tests.compiling import of_layer
from tests.graphs import BATCHES, SHAPES, batches
from tests.test_runtime import make

D, HEADS = 4, 2
C = D // HEADS
QKV = "q, k, v = linear(x, heads, c), linear(x, heads, c), linear(x, heads, c)"


@dataclass(frozen=True)
class Row:
    """A layer's text, PyG's layer, and PyG's weights from ours: a name, or a name and a shape."""

    text: tuple[str, ...]
    theirs: Callable[[], nn.Module]
    weights: dict[str, str | tuple[str, tuple[int, ...]]]

    def copied(self, ours: dict[str, Tensor]) -> dict[str, Tensor]:
        """Tensors by our names under PyG's."""
        sources = {name: (source, None) if isinstance(source, str) else source for name, source in self.weights.items()}
        return {
            name: ours[source] if shape is None else ours[source].view(shape)
            for name, (source, shape) in sources.items()
        }


def linear(theirs: str, ours: str) -> dict[str, str]:
    """Weight and bias of a linear map."""
    return {f"{theirs}.{part}": f"{ours}.{part}" for part in ("weight", "bias")}


ROWS = {
    "GINConv": Row(
        ("eps = scalar(0)", "x = (1 + eps) * x + sum[j in N](x[j]) -> linear(d)"),
        lambda: GINConv(nn.Linear(D, D), train_eps=True),
        {"eps": ("eps", (1,)), **linear("nn", "linear")},
    ),
    "GraphConv": Row(
        ("x = linear(sum[j in N](x[j]), d) + linear(x, d, bias = false)",),
        lambda: GraphConv(D, D),
        linear("lin_rel", "linear") | {"lin_root.weight": "linear_2.weight"},
    ),
    "SAGEConv": Row(
        ("x = linear(mean[j in N](x[j]), d) + linear(x, d, bias = false)",),
        lambda: SAGEConv(D, D),
        linear("lin_l", "linear") | {"lin_r.weight": "linear_2.weight"},
    ),
    "SAGEConv with the maximum": Row(
        ("x = linear(max[j in N](x[j]), d) + linear(x, d, bias = false)",),
        lambda: SAGEConv(D, D, aggr="max"),
        linear("lin_l", "linear") | {"lin_r.weight": "linear_2.weight"},
    ),
    "GCNConv": Row(
        ("s = 1 / sqrt(sum[j in N + i](1))", "x = s * sum[j in N + i](s[j] * x[j]) -> linear(d)"),
        lambda: GCNConv(D, D),
        {"lin.weight": "linear.weight", "bias": "linear.bias"},
    ),
    "GATConv": Row(
        (
            "v = linear(x, heads, c, bias = false)",
            "near, own, shift = matrix(heads, c, 0), matrix(heads, c, 0), vector(d, 0)",
            "a = softmax[j in N + i](leaky_relu(v[i] @ own + v[j] @ near, 0.2))",
            "x = view(sum[j](a[i,j] * v[j]), d) + shift",
        ),
        lambda: GATConv(D, C, heads=HEADS),
        {
            "lin.weight": "v.weight",
            "att_src": ("near", (1, HEADS, C)),
            "att_dst": ("own", (1, HEADS, C)),
            "bias": "shift",
        },
    ),
    "GATv2Conv": Row(
        (
            "left, right = linear(x, heads, c), linear(x, heads, c)",
            "w, shift = matrix(heads, c, 0), vector(d, 0)",
            "a = softmax[j in N + i](leaky_relu(left[j] + right[i], 0.2) @ w)",
            "x = view(sum[j](a[i,j] * left[j]), d) + shift",
        ),
        lambda: GATv2Conv(D, C, heads=HEADS),
        linear("lin_l", "left") | linear("lin_r", "right") | {"att": ("w", (1, HEADS, C)), "bias": "shift"},
    ),
    "TransformerConv": Row(
        (
            QKV,
            "a = softmax[j in N](q[i] @ k[j] / sqrt(c))",
            "x = view(sum[j](a[i,j] * v[j]), d) + linear(x, d)",
        ),
        lambda: TransformerConv(D, C, heads=HEADS),
        linear("lin_query", "q") | linear("lin_key", "k") | linear("lin_value", "v") | linear("lin_skip", "linear"),
    ),
    "ResGatedGraphConv": Row(
        (
            "q, k, v = linear(x, d), linear(x, d), linear(x, d)",
            "x = sum[j in N](sigmoid(k[i] + q[j]) * v[j]) + linear(x, d)",
        ),
        lambda: ResGatedGraphConv(D, D),
        linear("lin_query", "q")
        | linear("lin_key", "k")
        | linear("lin_value", "v")
        | {"lin_skip.weight": "linear.weight", "bias": "linear.bias"},
    ),
}


def shaken(module: nn.Module) -> nn.Module:
    """The module in float64, its parameters drawn anew."""
    for parameter in module.parameters():
        nn.init.normal_(parameter)
    return module.double()


def of_text(row: Row, backend: str) -> nn.Module:
    """The layer compiled from the row's text."""
    return shaken(of_layer(*row.text, backend=backend).built.module.layers[0])


def results(module: nn.Module, run: Callable[[Tensor], Tensor], x: Tensor) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
    """Output, gradient of x and gradients of the parameters, for a fixed cotangent."""
    module.zero_grad()
    x = x.clone().requires_grad_()
    out = run(x)
    torch.manual_seed(0)
    out.backward(torch.randn_like(out))
    return (
        out,
        x.grad,
        {name: torch.zeros_like(one) if one.grad is None else one.grad for name, one in module.named_parameters()},
    )


def assert_same(row: Row, ours: nn.Module, theirs: nn.Module, shapes: list) -> None:
    batch = make(shapes)
    edge_index = torch.stack([batch.N.index, batch.N.target])
    x = torch.randn(batch.nodes, D, dtype=torch.float64)
    out, grad, grads = results(ours, lambda x: ours(batch, x), x)
    their_out, their_grad, their_grads = results(theirs, lambda x: theirs(x, edge_index), x)
    torch.testing.assert_close(out, their_out)
    torch.testing.assert_close(grad, their_grad)
    torch.testing.assert_close(row.copied(grads), their_grads)


def pair(row: Row, backend: str = "") -> tuple[nn.Module, nn.Module]:
    """Both layers with the same weights."""
    ours, theirs = of_text(row, backend), row.theirs().double()
    theirs.load_state_dict(row.copied(ours.state_dict()))
    return ours, theirs


@pytest.mark.parametrize("backend", ["", "csr", "dense", "gather"])
@pytest.mark.parametrize("name", ROWS)
def test_equations_are_the_layer(name, backend):
    row = ROWS[name]
    torch.manual_seed(0)
    ours, theirs = pair(row, backend)
    for shapes in BATCHES.values():
        assert_same(row, ours, theirs, [SHAPES[shape] for shape in shapes])


@given(shapes=batches())
@pytest.mark.parametrize("name", ROWS)
def test_equations_are_the_layer_on_random_multigraphs(name, shapes):
    torch.manual_seed(0)
    assert_same(ROWS[name], *pair(ROWS[name]), shapes)


@pytest.mark.parametrize("name", ROWS)
def test_edges_the_other_way_are_another_layer(name):
    """The comparison finds a layer that follows edges from target to source."""
    row = ROWS[name]
    torch.manual_seed(0)
    ours, theirs = pair(row)
    forward = theirs.forward
    theirs.forward = lambda x, edges: forward(x, edges.flip(0))
    with pytest.raises(AssertionError):
        assert_same(row, ours, theirs, [SHAPES["directed with isolated nodes"]])


@pytest.mark.parametrize("backend", ["", "sdpa", "dense", "gather"])
def test_attention_is_torchs_graph_by_graph(backend):
    torch.manual_seed(0)
    case = of_layer(
        QKV, "a = softmax[j in V](q[i] @ k[j] / sqrt(c))", "x = sum[j](a[i,j] * v[j]) -> linear(d)", backend=backend
    )
    ours, theirs = shaken(case.built.module.layers[0]), nn.MultiheadAttention(D, HEADS, batch_first=True).double()
    weights = ours.state_dict()
    parts = {f"in_proj_{part}": torch.cat([weights[f"{name}.{part}"] for name in "qkv"]) for part in ("weight", "bias")}
    theirs.load_state_dict(parts | {f"out_proj.{part}": weights[f"linear.{part}"] for part in ("weight", "bias")})
    for name in BATCHES:
        batch = make([SHAPES[shape] for shape in BATCHES[name]])

        def graph_by_graph(x, batch=batch):
            return torch.cat([theirs(part, part, part, need_weights=False)[0] for part in x.split(batch.sizes)])

        x = torch.randn(batch.nodes, D, dtype=torch.float64)
        out, grad, grads = results(ours, lambda x, batch=batch: ours(batch, x), x)
        their_out, their_grad, their_grads = results(theirs, graph_by_graph, x)
        torch.testing.assert_close((out, grad), (their_out, their_grad))
        torch.testing.assert_close(
            torch.cat([grads[f"{name}.weight"] for name in "qkv"]), their_grads["in_proj_weight"]
        )
        torch.testing.assert_close(grads["linear.weight"], their_grads["out_proj.weight"])


def test_a_model_takes_pygs_batch():
    case = of_layer(*ROWS["GINConv"].text)
    graphs = [(torch.randn(nodes, 3), torch.tensor([(j, i) for i, j in edges], dtype=torch.int64).view(-1, 2).t())
              for nodes, edges in SHAPES.values()]  # fmt: skip
    theirs = Batch.from_data_list([Data(x=x, edge_index=edges) for x, edges in graphs])
    ours = make(list(SHAPES.values()))
    ours = rt.Batch(theirs.x, ours.node_ptr, ours.N)
    assert torch.equal(case.built.module(theirs), case.built.module(ours))
