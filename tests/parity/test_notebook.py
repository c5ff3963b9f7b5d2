"""The notebook's layers against dense PyTorch, graph by graph: n × n matrices, the stack of the powers of a random
walk, masks of minus infinity, products of matrices. Outputs and all gradients.
"""

from collections.abc import Callable, Mapping, Sequence
from math import inf

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from archspec.equal.compare import differences, differentiated, fresh, is_statistic, of_module
from archspec.equal.differences import Differences
from archspec.reference import Graph
from tests.compiling import of_file

HEADS = 2

Weights = Mapping[str, Tensor]


def walks(graph: Graph) -> Tensor:
    """[n, n, 5]: the powers 0 to 4 of P = D⁻¹A; a row of zeros stays zero."""
    adjacency = torch.zeros(graph.nodes, graph.nodes, dtype=torch.float64)
    for i, j in graph.edges:
        adjacency[i, j] = 0 if i == j else 1
    steps = adjacency / adjacency.sum(1, keepdim=True).clamp(min=1)
    return torch.stack([torch.linalg.matrix_power(steps, k) for k in range(5)], dim=2)


def distances(graph: Graph) -> Tensor:
    """[n, n, 5]: one-hot at the first power with an entry that is not 0, else all zero."""
    there = walks(graph) != 0
    return (there & (there.cumsum(2) == 1)).double()


def linear(h: Tensor, weights: Weights, name: str) -> Tensor:
    """W h + b."""
    return F.linear(h, weights[f"{name}.weight"], weights[f"{name}.bias"])


def heads(h: Tensor, weights: Weights, name: str) -> Tensor:
    """W h + b as [n, heads, c]."""
    return linear(h, weights, name).unflatten(-1, (HEADS, -1))


def mixed(a: Tensor, h: Tensor, weights: Weights) -> Tensor:
    """Σ_j a[i, j] v[j] and the output map, of weights [n, n, heads]."""
    return linear(torch.einsum("ijh,jhc->ihc", a, heads(h, weights, "v")).flatten(1), weights, "linear")


def masked(logits: Tensor, stack: Tensor, value: float | Tensor = -inf) -> Tensor:
    """The logits, with another value where the stack is all zero."""
    return torch.where((stack == 0).all(2, keepdim=True), value, logits)


def content(h: Tensor, weights: Weights) -> Tensor:
    """Scaled dot products [n, n, heads]."""
    q, k = heads(h, weights, "q"), heads(h, weights, "k")
    return torch.einsum("ihc,jhc->ijh", q, k) / q.shape[2] ** 0.5


def pair_features(graph: Graph, whole: Weights) -> Tensor:
    """E ← FFN(E), once."""
    features = linear(linear(distances(graph), whole, "input.linear"), whole, "input.pair_mlp.linear").relu()
    return linear(features, whole, "input.pair_mlp.linear_2")


def products(graph: Graph, weights: Weights, whole: Weights, einsum: str) -> Tensor:
    """(E w₁)(E w₂) per head, the second transposed or not."""
    features = pair_features(graph, whole)
    return torch.einsum(einsum, linear(features, weights, "r"), linear(features, weights, "s"))


def gauss(m: Tensor) -> Tensor:
    """Mean 0 and deviation 1 over j."""
    return (m - m.mean(1, keepdim=True)) / (m.var(1, correction=0, keepdim=True) + 1e-5).sqrt()


def bias(graph: Graph, weights: Weights) -> Tensor:
    """w · stack + b with distance encoding."""
    return linear(distances(graph), weights, "b")


CLUSTER, PATH = "ikh,jkh->ijh", "ikh,kjh->ijh"

Attention = Callable[[Tensor, Graph, Weights, Weights], Tensor]
"""From the nodes of a graph [n, d], the graph, the weights of the attention and those of the model to [n, n, heads]."""

ATTENTIONS: Mapping[str, Attention] = {
    "position_attention": lambda h, graph, w, whole: masked(bias(graph, w), distances(graph)).softmax(1),
    "position_attention_unreachable": lambda h, graph, w, whole: masked(
        bias(graph, w), distances(graph), w["unreachable"]
    ).softmax(1),
    "position_gating_hops": lambda h, graph, w, whole: masked(bias(graph, w), distances(graph)).sigmoid(),
    "position_gating_walk": lambda h, graph, w, whole: masked(linear(walks(graph), w, "b"), walks(graph)).sigmoid(),
    "content_attention": lambda h, graph, w, whole: content(h, w).softmax(1),
    "content_distance": lambda h, graph, w, whole: (content(h, w) + bias(graph, w)).softmax(1),
    "edge_bias_transformer": lambda h, graph, w, whole: (
        content(h, w) + linear(pair_features(graph, whole), w, "b")
    ).softmax(1),
    "path_attention": lambda h, graph, w, whole: products(graph, w, whole, PATH).softmax(1),
    "cluster_attention": lambda h, graph, w, whole: products(graph, w, whole, CLUSTER).softmax(1),
    "cluster_attention_relu": lambda h, graph, w, whole: products(graph, w, whole, CLUSTER).relu(),
    "cluster_attention_gauss": lambda h, graph, w, whole: gauss(products(graph, w, whole, CLUSTER)),
}


def below(weights: Weights, prefix: str) -> dict[str, Tensor]:
    """The weights whose names begin with a path, without it."""
    return {name.removeprefix(prefix): one for name, one in weights.items() if name.startswith(prefix)}


def predicted(attention: Attention, graphs: Sequence[Graph], whole: Weights) -> Tensor:
    """Two norm-first layers of attention and an MLP with a batch norm in training, then a linear map."""
    sizes = [graph.nodes for graph in graphs]
    x = linear(torch.cat([graph.x for graph in graphs]), whole, "input.encode")
    for layer in ("layers.0.", "layers.1."):
        own = below(whole, layer)
        part = next(name.split(".")[1] for name in own if name.endswith(".v.weight"))
        weights = {**below(own, f"pre_norm.{part}."), **own}
        rows = normed(x, own, "pre_norm").split(sizes)
        x = x + torch.cat(
            [mixed(attention(h, graph, weights, whole), h, weights) for h, graph in zip(rows, graphs, strict=True)]
        )
        h = linear(normed(x, own, "pre_norm_2"), own, "pre_norm_2.mlp.linear")
        norm = below(own, "pre_norm_2.mlp.batch_norm.")
        h = F.batch_norm(h, None, None, norm["weight"], norm["bias"], training=True).relu()
        x = x + linear(h, own, "pre_norm_2.mlp.linear_2")
    return linear(x, whole, "output.linear")


def normed(x: Tensor, own: Weights, name: str) -> Tensor:
    """The layer norm at the head of a residual."""
    norm = below(own, f"{name}.layer_norm.")
    return F.layer_norm(x, x.shape[1:], norm["weight"], norm["bias"])


def apart(name: str, batch: str, attention: Attention) -> Differences:
    """How far a spec is from dense layers with its weights."""
    case = of_file(name, numeric=True)
    leaves = {weight: fresh(value) for weight, value in case.weights.items()}
    trained = {weight: leaf for weight, leaf in leaves.items() if not is_statistic(weight)}
    graphs = case.graphs(batch)
    for graph in graphs:
        graph.x.requires_grad_()
    wanted = differentiated(predicted(attention, graphs, leaves), torch.tensor(0.0), trained, graphs)
    return differences(of_module(case.built.module, case.graphs(batch), case.weights, training=True), wanted)


@pytest.mark.parametrize("batch", ["everything", "all undirected"])
@pytest.mark.parametrize("name", ATTENTIONS)
def test_is_the_dense_layer(name: str, batch: str) -> None:
    found = apart(name, batch, ATTENTIONS[name])
    assert found.ok(), str(found)


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("path_attention", "cluster_attention"),
        ("position_attention", "position_gating_hops"),
        ("position_gating_hops", "position_gating_walk"),
        ("content_attention", "edge_bias_transformer"),
    ],
)
def test_another_layer_is_told(name: str, other: str) -> None:
    """The weights of one architecture in the place of the other's."""
    assert not apart(other, "everything", ATTENTIONS[name]).ok()
