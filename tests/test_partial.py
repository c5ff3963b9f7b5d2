"""Divisions by 0, logarithms of 0 and the like at nodes that no pair reads: the text computes none."""

import pytest

from archspec.equal.compare import compare
from archspec.ir.nodes import Node
from archspec.ir.types import CONSTANT, NEIGHBOURS, NODE, Type
from archspec.passes.finite import finite, safe
from tests.compiling import Case, of_layer
from tests.nodes import leaf, make, node_input, number, source

LAYERS = {
    "mean by hand": ("x = tanh(x + sum[j in N](x[j] / degree[i]))",),
    "degree of the source": ("x = tanh(x + sum[j in N](x[j] / sqrt(degree[j])))",),
    "both degrees": ("x = tanh(x + sum[j in N](rsqrt(degree[i]) * rsqrt(degree[j]) * x[j]))",),
    "named factor of i": ("w = rsqrt(degree)", "x = tanh(x + sum[j in N](w[i] * x[j]))"),
    "named factor of j": ("w = rsqrt(degree)", "x = tanh(x + sum[j in N](w[j] * x[j]))"),
    "named value": ("w = 1 / degree", "x = tanh(x + sum[j in N](w[j]))"),
    "logarithm": ("x = tanh(x + mean[j in N](log(degree[j]) * x[j]))",),
    "power": ("x = tanh(x + mean[j in N](degree[j] ** -0.5 * x[j]))",),
    "a square root that starts upright": ("w = relu(degree - 1)", "x = tanh(x + sum[j in N](x[j] * sqrt(1 + w[j])))"),
}


@pytest.mark.parametrize("backend", ["csr", "dense", "gather"])
@pytest.mark.parametrize("name", LAYERS)
def test_nodes_that_no_pair_reads_bring_no_nan(name, backend):
    """Undirected graphs with isolated nodes: every source has a degree."""
    case = of_layer(*LAYERS[name], backend=backend)
    for batch in ("all undirected", "no edges anywhere"):
        found = compare(case.built.module, case.built.program, case.graphs(batch), case.weights, training=True)
        assert found.ok(), f"{found}\n{case.built.code}"


@pytest.mark.parametrize("backend", ["sdpa", "dense", "gather"])
@pytest.mark.parametrize("over", ["N", "V", "reach(2)"])
def test_a_softmax_of_minus_infinities_alone_is_zero(over, backend):
    case = of_layer(
        f"b[i, j in {over}] = 0 if linear(x)[j] > 0 else -inf",
        f"a = softmax[j in {over}](x[i] @ x[j] + b[i, j])",
        "x = tanh(x + sum[j](a[i, j] * x[j]))",
        backend=backend,
    )
    for batch in ("everything", "all undirected"):
        found = compare(case.built.module, case.built.program, case.graphs(batch), case.weights)
        assert found.ok(), f"{found}\n{case.built.code}"


def operations(case: Case) -> set[str]:
    """The operations of the first layer after all passes."""
    return {node.op for node in case.built.optimised.layers[0].nodes}


@pytest.mark.parametrize(
    "line",
    [
        "x = tanh(sum[j in N](x[j] / maximum(degree[j], 1)))",
        "x = tanh(sum[j in N](x[j] * rsqrt(1 + degree[j])))",
        "x = tanh(sum[j in N](x[j] * log(2 + degree[j] ** 2)))",
        "x = tanh(sum[j in N](x[j] / (1 + exp(x[j]))))",
        "x = tanh(sum[j in N + i](x[j] / degree[j]))",
        "x = tanh(sum[j in N](log1p(degree[j]) * x[j]))",
        "x = tanh(sum[j in N](x[j] / 3))",
    ],
)
def test_what_is_surely_finite_is_still_computed_per_node(line):
    found = operations(of_layer(line))
    assert "neighbour_sum" in found
    assert "gather_source" not in found


def node(op: str, *operands: Node) -> Node:
    return make(op, *operands)


X = node_input()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (node("tanh", X), True),
        (node("div", X, X), False),
        (node("div", X, number(2)), True),
        (node("div", X, number(0)), False),
        (node("div", X, number(-2)), True),
        (node("div", X, leaf("parameter", Type(CONSTANT), init=1)), True),
        (node("div", X, node("exp", X)), True),
        (node("div", X, node("relu", X)), False),
        (node("div", X, node("add", node("relu", X), number(1))), True),
        (node("div", X, node("add", X, number(1))), False),
        (node("div", X, node("sub", number(1), X)), False),
        (node("div", X, node("maximum", X, number(0.1))), True),
        (node("div", X, node("minimum", X, number(0.1))), False),
        (node("div", X, node("mul", node("exp", X), node("sigmoid", X))), True),
        (node("sqrt", node("square", X)), False),
        (node("sqrt", node("exp", X)), True),
        (node("log1p", node("abs", X)), True),
        (node("log1p", X), False),
        (node("pow", X, number(2)), True),
        (node("pow", X, number(0.5)), False),
        (node("pow", X, number(-1)), False),
        (node("pow", node("exp", X), X), True),
        (node("div", X, node("sum", source(node("exp", X)))), False),
        (node("log1p", node("sum", source(node("exp", X)))), True),
        (node("tanh", node("log", X)), False),
        (node("log1p", node("std", source(X))), True),
        (node("div", X, node("std", source(node("exp", X)))), False),
        (node("log1p", node("logsumexp", source(node("exp", X)))), False),
    ],
)
def test_finite(value, expected):
    assert finite(value) is expected
    assert safe(NEIGHBOURS, value) is expected
    assert value.type.domain == NODE
