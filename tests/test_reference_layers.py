"""The reference's named axes, linear maps, norms, fused operations and whole programs, against hand and torch."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from archspec.ir.nodes import Program, Section
from archspec.ir.types import ALL, CONSTANT, NEIGHBOURS, NEIGHBOURS_AND_SELF, Axis, IndexSet, Type
from archspec.reference import Graph, evaluate, initial_weights
from archspec.reference.axes import align
from archspec.reference.evaluate import below
from tests.graphs import BATCHES, SHAPES, batch, graph
from tests.nodes import (
    doubles,
    fused,
    leaf,
    make,
    node_input,
    number,
    parameter,
    source,
    state,
    target,
    value,
)

D, HEADS, C, FOUR = Axis("d", 4), Axis("heads", 2), Axis("c", 3), Axis("", 4)


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def rows(x: Tensor, *edges: tuple[int, int]) -> Graph:
    return Graph(x, len(x), edges)


@pytest.mark.parametrize(
    ("own", "wanted", "order"),
    [
        ((HEADS, C), (HEADS, C), "rhc->rhc"),
        ((C, HEADS), (HEADS, C), "rch->rhc"),
        ((HEADS,), (HEADS, C), "rh->rh1"),
        ((C,), (HEADS, C), "rc->r1c"),
        ((), (HEADS, C), "r->r11"),
        ((FOUR,), (HEADS, D), "rd->r1d"),
        ((FOUR, HEADS), (HEADS, D), "rdh->rhd"),
        ((FOUR, D), (Axis("e", 4), D), "red->red"),
        ((D, FOUR), (Axis("e", 4), D), "rde->red"),
    ],
)
def test_axes_are_aligned_by_name(own, wanted, order):
    x = drawn(5, *(axis.size for axis in own))
    expected = torch.einsum(order.replace("1", ""), x).reshape(
        5, *(axis.size if letter != "1" else 1 for axis, letter in zip(wanted, order.split("->r")[1], strict=True))
    )
    torch.testing.assert_close(align(x, own, wanted), expected)


def test_axes_that_do_not_occur_are_refused():
    with pytest.raises(ValueError, match="do not all occur"):
        align(drawn(2, 3), (C,), (HEADS, D))


def test_products_combine_by_name():
    x, w = drawn(3, 2, 3), drawn(2, seed=1)
    result = value(make("mul", parameter("w", HEADS), node_input(HEADS, C)), rows(x), {"w": w})
    torch.testing.assert_close(result, x * w[:, None])
    result = value(make("mul", parameter("w", C, HEADS), node_input(HEADS, C)), rows(x), {"w": drawn(3, 2)})
    torch.testing.assert_close(result, torch.einsum("nhc,ch->nch", x, drawn(3, 2)))


def test_inner_products_contract_the_last_axis_of_the_right():
    x, w = drawn(3, 2, 3), drawn(2, 3, seed=1)
    result = value(make("inner", node_input(HEADS, C), parameter("w", HEADS, C)), rows(x), {"w": w})
    torch.testing.assert_close(result, torch.einsum("nhc,hc->nh", x, w))
    result = value(make("inner", node_input(HEADS, C), parameter("w", HEADS)), rows(x), {"w": drawn(2)})
    torch.testing.assert_close(result, torch.einsum("nhc,h->nc", x, drawn(2)))


def test_concat_counts_a_scalar_as_one_and_repeats_constants():
    x = drawn(3, 2)
    joined = make("concat", node_input(HEADS), number(7.0), parameter("w", C))
    result = value(joined, rows(x), {"w": drawn(3)})
    torch.testing.assert_close(result, torch.cat([x, torch.full((3, 1), 7.0), drawn(3).expand(3, 3)], 1).double())
    over_pairs = make("concat", source(node_input(HEADS)), parameter("w", C))
    assert value(over_pairs, rows(x), {"w": drawn(3)}).shape == (0, 5)


def test_view_keeps_the_order_of_entries():
    x = drawn(3, 6)
    result = value(make("view", node_input(Axis("six", 6)), axes=(HEADS, C)), rows(x))
    torch.testing.assert_close(result[:, 1, 0], x[:, 3])


def test_linear_reads_all_axes():
    x, weight, bias = drawn(5, 2, 3), drawn(4, 6, seed=1), drawn(4, seed=2)
    weights = {"mlp.weight": weight, "mlp.bias": bias}
    result = value(make("linear", node_input(HEADS, C), axes=(D,), path="mlp", bias=True), rows(x), weights)
    torch.testing.assert_close(result, F.linear(x.flatten(1), weight, bias))
    plain = value(make("linear", node_input(HEADS, C), axes=(D,), path="mlp", bias=False), rows(x), weights)
    torch.testing.assert_close(plain, F.linear(x.flatten(1), weight))
    to_scalar = make("linear", node_input(HEADS, C), path="mlp", bias=False)
    assert value(to_scalar, rows(x), {"mlp.weight": drawn(1, 6)}).shape == (5,)


def test_embed_picks_rows():
    weight = drawn(3, 4)
    letters = leaf("data", Type(node_input().type.domain, (), "category", 3), name="x")
    result = value(
        make("embed", letters, axes=(D,), path="e", size=3), rows(torch.tensor([2, 0])), {"e.weight": weight}
    )
    torch.testing.assert_close(result, weight[[2, 0]])


@pytest.mark.parametrize("training", [True, False])
def test_batch_norm_over_all_graphs(training):
    graphs = [rows(drawn(3, 2, seed=0)), rows(drawn(4, 2, seed=1))]
    weights = {"weight": drawn(2), "bias": drawn(2, seed=3), "running_mean": drawn(2, seed=4)}
    weights |= {"running_var": doubles(0.7, 2.0), "num_batches_tracked": torch.tensor(3)}
    node = make("batch_norm", node_input(HEADS), path="n")
    result = value(node, graphs, {f"n.{name}": tensor for name, tensor in weights.items()}, training)
    x = torch.cat([one.x for one in graphs])
    mean, variance = weights["running_mean"].clone(), weights["running_var"].clone()
    torch.testing.assert_close(result, F.batch_norm(x, mean, variance, weights["weight"], weights["bias"], training))


@pytest.mark.parametrize("count", [0, 1])
def test_batch_norm_of_no_rows_and_of_one_has_no_nan(count):
    x = drawn(1).requires_grad_()
    scale = doubles(2.0).requires_grad_()
    weights = {"n.weight": scale, "n.bias": doubles(3.0), "n.num_batches_tracked": torch.tensor(0)}
    weights |= {"n.running_mean": doubles(0.0), "n.running_var": doubles(1.0)}
    one = rows(x, *[(0, 0)] * count)
    result = value(make("batch_norm", source(node_input()), path="n"), one, weights, True)
    assert result.tolist() == [3.0] * count
    result.sum().backward()
    assert (scale.grad.item(), x.grad.item()) == (0, 0)


def test_norms_over_features_and_nodes():
    x, scale, bias = drawn(5, 2, 3), drawn(6, seed=1), drawn(6, seed=2)
    weights = {"n.weight": scale, "n.bias": bias, "n.mean_scale": drawn(6, seed=3)}
    layer = value(make("layer_norm", node_input(HEADS, C), path="n"), rows(x), weights)
    torch.testing.assert_close(layer, F.layer_norm(x, (2, 3), scale.view(2, 3), bias.view(2, 3)))
    rms = value(make("rms_norm", node_input(HEADS, C), path="n"), rows(x), weights)
    torch.testing.assert_close(rms, F.rms_norm(x, (2, 3), scale.view(2, 3)))
    per_graph = [rows(x[:2]), rows(x[2:])]
    result = value(make("graph_norm", node_input(HEADS, C), path="n"), per_graph, weights)
    flat = x[2:].flatten(1)
    centred = flat - flat.mean(0) * weights["n.mean_scale"]
    expected = centred / torch.sqrt(centred.square().mean(0) + 1e-5) * scale + bias
    torch.testing.assert_close(result[2:].flatten(1), expected)


def test_dropout_has_a_value_in_evaluation_only():
    node = make("dropout", node_input(), p=0.5)
    assert value(node, rows(doubles(4.0))).tolist() == [4]
    with pytest.raises(ValueError, match="dropout in training"):
        value(node, rows(doubles(4.0)), training=True)
    assert value(make("dropout", node_input(), p=0.0), rows(doubles(4.0)), training=True).tolist() == [4]


SETS = (NEIGHBOURS, NEIGHBOURS_AND_SELF, IndexSet("reach", 2), ALL)


def multiplicity(one: Graph, over: IndexSet) -> Tensor:
    """[n, n]: how often (i, j) is in the set, from powers of the adjacency matrix."""
    adjacency = torch.zeros(one.nodes, one.nodes, dtype=torch.float64)
    for i, j in one.edges:
        adjacency[i, j] += 1
    alone = torch.eye(one.nodes, dtype=torch.float64)
    if over.name == "reach":
        return (torch.linalg.matrix_power(adjacency + alone, over.k) > 0).double()
    without_loops = adjacency * (1 - alone) + alone
    return {"N": adjacency, "N + i": without_loops, "V": torch.ones_like(adjacency)}[over.name]


@pytest.mark.parametrize("over", SETS, ids=str)
def test_neighbour_sum_is_a_matrix_product(over):
    for one in batch("everything", features=4):
        result = value(fused("neighbour_sum", node_input(D), axes=(D,), over=over), one)
        torch.testing.assert_close(result, multiplicity(one, over) @ one.x)


@pytest.mark.parametrize("over", SETS, ids=str)
def test_attention_in_dense_algebra(over):
    """softmax over the pairs is softmax of the logits plus the logarithm of how often each pair occurs."""
    x = node_input(Axis("six", 6))
    q, k, v = (make("linear", x, axes=(HEADS, C), path=path, bias=False) for path in "qkv")
    bias = make("inner", target(x, over), parameter("b", Axis("six", 6)))
    scalar = make("mul", bias, make("spread", number(0.5), over=over))
    node = fused("attention", q, k, v, with_heads(scalar), axes=(HEADS, C), over=over, scale=0.3)
    weights = {f"{path}.weight": drawn(6, 6, seed=at) for at, path in enumerate("qkv")} | {"b": drawn(6), "h": drawn(2)}
    for name in SHAPES:
        one = graph(SHAPES[name], features=6)
        queries, keys, values = (F.linear(one.x, weights[f"{path}.weight"]).view(-1, 2, 3) for path in "qkv")
        logits = 0.3 * torch.einsum("ihc,jhc->hij", queries, keys)
        logits = logits + (0.5 * one.x @ weights["b"])[None, :, None] * weights["h"][:, None, None]
        often = multiplicity(one, over)
        shares = torch.softmax(logits + often.log(), dim=2).nan_to_num(0.0)
        torch.testing.assert_close(value(node, one, weights), torch.einsum("hij,jhc->ihc", shares, values))


def with_heads(scalar):
    return make("mul", scalar, parameter("h", HEADS))


def test_weighted_sums_and_products_of_pairs():
    x = node_input(HEADS, C)
    w = make("mul", target(make("inner", x, parameter("a", C))), source(make("inner", x, parameter("b", C))))
    node = fused("weighted_sum", w, x, axes=(HEADS, C), over=NEIGHBOURS)
    weights = {"a": drawn(3), "b": drawn(3, seed=1)}
    for one in batch("everything"):
        one = Graph(drawn(one.nodes, 2, 3), one.nodes, one.edges)
        a, b = one.x @ weights["a"], one.x @ weights["b"]
        expected = torch.einsum("ij,ih,jh,jhc->ihc", multiplicity(one, NEIGHBOURS), a, b, one.x)
        torch.testing.assert_close(value(node, one, weights), expected)


def program() -> Program:
    """Two layers x + tanh(W sum(x)), then a linear map of the state after 0, 1 and 2 layers."""
    embedded = make("linear", node_input(C), axes=(D,), path="linear", bias=True)
    x = state("x", D)
    summed = fused("neighbour_sum", x, axes=(D,), over=NEIGHBOURS)
    layer = make("add", x, make("tanh", make("linear", summed, axes=(D,), path="linear", bias=False)))
    block = Section("layer", (("x", layer),))
    kept = make("concat", *(state("x", D, layer=at) for at in range(3)))
    output = make("linear", kept, axes=(Axis("out", 2),), path="linear", bias=True)
    return Program("test", Section("input", (("x", embedded),)), (block, block), Section("output", (("", output),)))


@pytest.mark.parametrize("name", BATCHES)
def test_a_program_of_two_layers(name):
    weights = initial_weights(program(), seed=1)
    graphs = batch(name, features=3)
    for one, result in zip(graphs, evaluate(program(), weights, graphs), strict=True):
        x = F.linear(one.x, weights["input.linear.weight"], weights["input.linear.bias"])
        history = [x]
        for layer in range(2):
            summed = multiplicity(one, NEIGHBOURS) @ x
            x = x + torch.tanh(summed @ weights[f"layers.{layer}.linear.weight"].T)
            history.append(x)
        expected = F.linear(torch.cat(history, 1), weights["output.linear.weight"], weights["output.linear.bias"])
        torch.testing.assert_close(result, expected)


def test_weights_of_a_program():
    weights = initial_weights(program())
    shapes = {name: tuple(tensor.shape) for name, tensor in weights.items()}
    assert shapes == {
        "input.linear.weight": (4, 3),
        "input.linear.bias": (4,),
        "layers.0.linear.weight": (4, 4),
        "layers.1.linear.weight": (4, 4),
        "output.linear.weight": (2, 12),
        "output.linear.bias": (2,),
    }
    assert not torch.equal(weights["layers.0.linear.weight"], weights["layers.1.linear.weight"])
    assert torch.equal(weights["output.linear.bias"], initial_weights(program())["output.linear.bias"])
    assert not torch.equal(weights["output.linear.bias"], initial_weights(program(), 1)["output.linear.bias"])


def test_a_missing_weight_is_named():
    with pytest.raises(KeyError, match=r"linear\.weight"):
        evaluate(program(), {}, batch("one node", features=3))


def test_a_constant_prediction_has_a_row_per_node():
    output = Section("output", (("", parameter("w", D)),))
    made = Program("test", Section("input", (("x", node_input(C)),)), (), output)
    (result,) = evaluate(made, {"output.w": drawn(4)}, batch("no edges", features=3))
    torch.testing.assert_close(result, drawn(4).expand(3, 4))
    assert output.results[0][1].type.domain == CONSTANT


def test_weights_below_a_path_are_not_those_of_longer_names():
    assert set(below({"layers.1.w": drawn(1), "layers.10.w": drawn(1)}, "layers.1")) == {"w"}


def test_values_are_held_to_their_types():
    wrong = leaf("data", Type(node_input().type.domain, (D,)), name="x")
    with pytest.raises((ValueError, RuntimeError)):
        value(wrong, rows(drawn(2, 3)))
