"""Values per graph: read-outs, states, norms and predictions; compiled code agrees with the reference."""

from dataclasses import replace

import pytest

from archspec.equal.compare import compare
from archspec.facts import Facts
from archspec.ir.nodes import Node
from archspec.syntax.load import parse_spec
from tests.checking import program
from tests.compiling import NUMBERS, Case, of_spec

GRAPHS: Facts = replace(NUMBERS, task="graph regression", out=3)
"""Numbers per node, and labels per graph."""

SPEC = """
name: test
model:
  sizes: {{d: 4, heads: 2, c: d / heads}}
  input: |
    x = encode(x, d)
    g = vector(d, 0)
  stack: 2 * layer
  output: {output}
  where:
    layer: |
{body}
"""
"""Two states, of which g becomes one per graph."""


def of(*lines: str, output: str = "linear(x, out)", facts: Facts = NUMBERS, **backend: str) -> Case:
    """Two layers with these lines as their body."""
    body = "\n".join(f"      {line}" for line in lines)
    return of_spec(parse_spec(SPEC.format(body=body, output=output)), facts, **backend)


PER_GRAPH = {
    "sum[i in V](x[i])": "(d)",
    "mean[i in V](x)": "(d)",
    "max[i in V](linear(x, heads)[i])": "(heads)",
    "min[i in V](linear(x)[i])": "scalar",
    "sum[i in V](1)": "scalar",
    "sum[i in V](vector(c, 1))": "(c)",
    "mean[i in V](sum[j in N](x[i] * x[j]))": "(d)",
    "linear(mean[i in V](x[i]), heads, c)": "(heads, c)",
    "batch_norm(sum[i in V](x[i])) + vector(d, 1)": "(d)",
    "mean[i in V](x[i]) @ max[i in V](x[i])": "scalar",
    "concat(mean[i in V](x[i]), max[i in V](x[i]), 1)": "(17)",
    "sum[i in V](spread_out(x)[i] * x[i])": "(d)",
}
"""Expressions over x, per node with axes (d), and the axes of their value."""


def value(expression: str) -> Node:
    """The state h as this expression."""
    where = "spread_out(y): y - mean[i in V](y[i])"
    made = program(input="x = encode(x, d)\nh = x", stack="layer", layer=f"h = {expression}", where=where)
    return dict(made.layers[0].results)["h"]


@pytest.mark.parametrize("expression", PER_GRAPH)
def test_per_graph(expression: str) -> None:
    axes = PER_GRAPH[expression]
    assert str(value(expression).type) == f"per graph, {axes if axes == 'scalar' else f'axes {axes}'}"


EQUATIONS = {
    "read-outs of every kind": (
        "g = sum[i in V](x[i]) / 9 + mean[i in V](tanh(x)) + max[i in V](x[i]) * min[i in V](x[i])",
        "x = x + tanh(linear(g, d))",
    ),
    "spread and logsumexp of the nodes": (
        "g = std[i in V](x[i]) + logsumexp[i in V](linear(x, d)[i] - x[i])",
        "x = tanh(x + g)",
    ),
    "a virtual node": (
        "g = g + tanh(linear(mean[i in V](x[i]), d))",
        "x = x + sum[j in N](relu(x[j] + g)) / 3 + linear(g, d)",
    ),
    "softmax over nodes": (
        "a = softmax[i in V](linear(x, heads)[i])",
        "v = linear(x, heads, c)",
        "g = sum[i in V](a[i] * v[i]) -> linear(d)",
        "x = tanh(x + g)",
    ),
    "softmax over nodes, of a whole field": ("x = x + 3 * softmax[i in V](x)",),
    "pairs inside": (
        "e[i, j in N] = x[i] * x[j]",
        "g = tanh(sum[i in V](sum[j in N](e[i, j])) + mean[i in V](max[j in reach(2)](x[j] - x[i])))",
        "x = x + g",
    ),
    "beside two indices": (
        "g = mean[i in V](x[i])",
        "b[i, j in V] = g",
        "a = softmax[j in V](x[j] @ g)",
        "x = x + mean[j in N](tanh(x[j] - g) * linear(g)) + mean[j in V](b[i, j] * a[i, j] + g) + sum[j in N](g)",
    ),
    "norms": (
        "g = batch_norm(mean[i in V](x[i])) + layer_norm(max[i in V](x[i])) + rms_norm(sum[i in V](x[i]))",
        "x = graph_norm(x + g)",
    ),
    "conditions": (
        "m = mean[i in V](x[i])",
        "g = m if linear(m) > 0 else -m / 2",
        "x = x + (tanh(g) if x > m else (x if m > 0 else g))",
    ),
    "joined with nodes, pairs and constants": (
        "g = mean[i in V](x[i])",
        "h = linear(concat(x, g, 1), d) + maximum(x, g) + view(linear(g, heads, c), d)",
        "p = sum[j in N](linear(concat(x[j], g, x[i]), d)) / 4",
        "x = tanh(h + p + mean[j in V](concat(x[i] @ x[j], g) -> linear(d)))",
    ),
    "centred and scaled by hand": (
        "m = mean[i in V](x[i])",
        "s = mean[i in V]((x[i] - m) ** 2)",
        "x = (x - m) / sqrt(s + 0.1)",
    ),
    "attention biased by the graph": (
        "q, k, v = linear(x, heads, c), linear(x, heads, c), linear(x, heads, c)",
        "b = linear(sum[i in V](x[i]) / 5, heads)",
        "a = softmax[j in V](q[i] @ k[j] / sqrt(c) * b)",
        "x = x + linear(sum[j](a[i, j] * v[j]), d)",
    ),
    "a constant read out": ("g = sum[i in V](1) * vector(d, 1) + mean[i in V](scalar(2))", "x = tanh(x * g / 9)"),
    "a state that goes back to constant": ("g = vector(d, 1)", "x = x + g"),
}


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("name", EQUATIONS)
def test_equations_agree_with_the_reference(name: str, training: bool) -> None:
    case = of(*EQUATIONS[name])
    found = compare(case.built.module, case.built.program, case.graphs("everything"), case.weights, training)
    assert found.ok(), f"{found}\n{case.built.code}"


OUTPUTS = (
    "mean[i in V](x[i]) -> linear(out)",
    "sum[i in V](linear(x, out))",
    "concat(g, max[i in V](x[i])) -> linear(d) -> relu -> linear(out)",
    "sum(each(layers(x), h => linear(mean[i in V](h[i]), out)))",
    "linear(sum(layers(g)), out) + linear(concat(layers(g)), out)",
)


@pytest.mark.parametrize("output", OUTPUTS)
def test_predictions_per_graph(output: str) -> None:
    case = of(*EQUATIONS["a virtual node"], output=output, facts=GRAPHS)
    graphs = case.graphs("everything")
    found = compare(case.built.module, case.built.program, graphs, case.weights, training=True)
    assert found.ok(), f"{found}\n{case.built.code}"
    assert case.built.program.output.results[0][1].type.domain.kind == "graph"
