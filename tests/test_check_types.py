"""Domains, axes and index sets of values, by the rules of the language page."""

import pytest

from archspec.ir.nodes import Node, in_order
from tests.checking import compiled, program

INPUT = "x = encode(x, d)\nh = x"


def value(*lines: str, where: str = "", sizes: str = "{d: 8, heads: 2, c: d/heads}") -> Node:
    """The state h as the last of these lines makes it."""
    made = program(input=INPUT, stack="layer", layer="\n".join(lines), where=where, sizes=sizes)
    return dict(made.layers[0].results)["h"]


PER_NODE = {
    "h + 1": "(d)",
    "linear(x, d)": "(d)",
    "linear(x)": "scalar",
    "linear(x, heads, c)": "(heads, c)",
    "linear(x, 2*d)": "(16)",
    "linear(x, d/heads)": "(4)",
    "linear(linear(x, heads, c))": "scalar",
    "x -> linear(c) -> relu": "(c)",
    "view(x, heads, c)": "(heads, c)",
    "view(linear(x, heads, c), d)": "(d)",
    "view(x, 2, 4)": "(2, 4)",
    "embed(category(degree, 9), heads, c)": "(heads, c)",
    "view(x, heads, c) @ tensor(heads, 5, c)": "(heads, 5)",
    "concat(x, x)": "(16)",
    "concat(x, linear(x))": "(9)",
    "concat(linear(x), linear(x), 1)": "(3)",
    "concat(x, vector(c, 0))": "(12)",
    "concat(linear(x, heads, c), linear(x, heads, d))": "(heads, 12)",
    "x @ x": "scalar",
    "x @ vector(d, 1)": "scalar",
    "x @ matrix(c, d, 1)": "(c)",
    "matrix(d, c, 1) @ x": "(c)",
    "linear(x, heads, c) @ linear(x, c)": "(heads)",
    "linear(x, c) @ linear(x, heads, c)": "(heads)",
    "linear(x, heads, c) @ linear(x, heads)": "(c)",
    "linear(x, heads, c) * linear(x, heads)": "(heads, c)",
    "linear(x, c) * linear(x, heads, c)": "(heads, c)",
    "linear(x, c, heads) * linear(x, heads, c)": "(c, heads)",
    "linear(x) * linear(x, heads, c)": "(heads, c)",
    "linear(x, 8) + x": "(d)",
    "x + linear(x, 8)": "(d)",
    "linear(x, 8) + linear(x, 8)": "(8)",
    "linear(x, 8, d) * x": "(8, d)",
    "linear(x, 4, 2) + linear(x, heads, c)": "(c, heads)",
    "x * scalar(1)": "(d)",
    "x * vector(d, 1)": "(d)",
    "x * d": "(d)",
    "x ** 2 / sqrt(d)": "(d)",
    "maximum(x, 0)": "(d)",
    "maximum(0, linear(x))": "scalar",
    "x if x > 0 else 0": "(d)",
    "x if linear(x) > 0 else -x": "(d)",
    "1 if linear(x) > 0 else 0": "scalar",
    "x if c > 2 else linear(x, c)": "(d)",
    "x if c > 2 and not d < 3 or false else linear(x, c)": "(d)",
    "linear(x, c) if c > 4 or d == 4 else x": "(d)",
    "x * (1 if d == 8 else 0)": "(d)",
    "x if x > 0 and linear(x) < 1 or not degree > 2 else 0": "(d)",
    "1 if degree > 2 and linear(x) > 0 else 0": "scalar",
    "1 if c == 4 and degree > 2 else 0": "scalar",
    "x if c > 4 or x > 0 else 0": "(d)",
    "degree": "scalar",
    "x / (1 + degree)": "(d)",
    "batch_norm(x)": "(d)",
    "layer_norm(linear(x, heads, c))": "(heads, c)",
    "x -> graph_norm -> rms_norm -> dropout(0.5)": "(d)",
    "identity(x)": "(d)",
    "x -> identity -> (h => 2 * h)": "(d)",
    "x[i]": "(d)",
    "relu(x)[i] + x": "(d)",
    "sum[j in N](x[j])": "(d)",
    "sum[j in N + i](x[j])": "(d)",
    "mean[j in V](linear(x)[j])": "scalar",
    "max[k in reach(2)](linear(x, heads, c)[k])": "(heads, c)",
    "min[j in N](x[i] - x[j])": "(d)",
    "std[j in N](x[j])": "(d)",
    "logsumexp[j in V](linear(x, heads, c)[j])": "(heads, c)",
    "sum[j in N](1)": "scalar",
    "sum[j in N](scalar(2))": "scalar",
    "sum[j in N](vector(d, 2))": "(d)",
    "sum[j in N](x[i])": "(d)",
    "sum[j in N](x[i] @ x[j] * x[j])": "(d)",
    "sum(0..3) * x": "(d)",
    "max((2, d)) * x": "(d)",
    "linear(x, sum((heads, c)))": "(6)",
    "linear(x, mean((heads, c)) - 1)": "(2)",
}
"""What a value per node comes to: an expression over x, h per node with axes (d), and its axes."""


@pytest.mark.parametrize("expression", PER_NODE)
def test_per_node(expression: str) -> None:
    axes = PER_NODE[expression]
    shape = axes if axes == "scalar" else f"axes {axes}"
    assert str(value(f"h = {expression}").type) == f"per node, {shape}"


CONSTANT = {
    "scalar(0)": "scalar",
    "vector(c, 0)": "axes (c)",
    "matrix(heads, c, 0)": "axes (heads, c)",
    "matrix(heads, c, 0) @ vector(c, 1)": "axes (heads)",
    "tensor(heads, d, c) @ matrix(heads, c)": "axes (heads, d)",
    "depth": "scalar",
    "linear(vector(d, 1), c)": "axes (c)",
    "concat(1, 2, scalar(0))": "axes (3)",
}


@pytest.mark.parametrize("expression", CONSTANT)
def test_constant(expression: str) -> None:
    assert str(value(f"h = {expression}").type) == f"constant, {CONSTANT[expression]}"


PER_PAIR = {
    ("h[i, j in N] = x[j]",): "per edge, axes (d)",
    ("h[i, j in N + i] = x[i] * x[j]",): "per pair in N + i, axes (d)",
    ("h[i, j in V] = 1",): "per pair in V, scalar",
    ("h[i, j in reach(2)] = vector(d, 1)",): "per pair in reach(2), axes (d)",
    ("h[i, k in N] = linear(concat(x[i], x[k]), heads)",): "per edge, axes (heads)",
    ("h = softmax[j in N](linear(x)[j])",): "per edge, scalar",
    ("h = softmax[j in V](x[i] @ x[j])",): "per pair in V, scalar",
    ("h[i, j in N] = softmax[j](x[j])",): "per edge, axes (d)",
    ("a[i, j in V] = x[j]", "h[i, j in N] = a[i, j]"): "per edge, axes (d)",
    ("a[i, j in reach(3)] = x[j]", "h[i, j in reach(1)] = a[i, j]"): "per pair in reach(1), axes (d)",
    ("a[i, j in N] = x[j]", "h = batch_norm(linear(a, c)) + 1"): "per edge, axes (c)",
    ("a[i, j in N] = x[j]", "h = a + relu(a)"): "per edge, axes (d)",
    ("a, b[i, j in N] = x * 2, x[j]", "h = b"): "per edge, axes (d)",
}
"""What a value per pair comes to: lines, the last of which makes the state h."""


@pytest.mark.parametrize("lines", PER_PAIR, ids="; ".join)
def test_per_pair(lines: tuple[str, ...]) -> None:
    assert str(value(*lines).type) == PER_PAIR[lines]


SETS = {
    ("a[i, j in V] = x[j]", "h = sum[j](a[i, j])"): "V",
    ("a[i, j in N] = x[j]", "b[i, j in V] = x[j]", "h = sum[j](a[i, j] * b[i, j])"): "N",
    ("a[i, j in N] = x[j]", "b[i, j in V] = x[j]", "h = sum[j](b[i, j] * a[i, j])"): "N",
    ("a[i, j in N + i] = x[j]", "b[i, j in reach(1)] = x[j]", "h = max[j](b[i, j] * a[i, j])"): "N + i",
    ("a[i, j in reach(2)] = x[j]", "b[i, j in reach(1)] = x[j]", "h = sum[j](b[i, j] * a[i, j])"): "reach(1)",
    ("a = softmax[j in reach(2)](x[j])", "h = sum[j](a[i, j] * x[j])"): "reach(2)",
    ("a = softmax[j in V](x[j])", "h = sum[k](a[i, k] * x[k])"): "V",
    ("h = sum[j in near](x[j])",): "reach(2)",
    ("h = around(x, N + i)",): "N + i",
    ("h = around(x, near)",): "reach(2)",
    ("h = sum[j in V + i](x[j])",): "V",
    ("h = sum[j in reach(heads)](x[j])",): "reach(2)",
    ("h = sum[j in reach(k = 3)](x[j])",): "reach(3)",
}
"""The set that the reduction in the last line runs over."""


@pytest.mark.parametrize("lines", SETS, ids="; ".join)
def test_sets_of_reductions(lines: tuple[str, ...]) -> None:
    made = value(*lines, where="near: reach(2)\naround(h, S): sum[j in S](h[j])")
    [reduction] = [node for node in in_order([made]) if node.op in ("sum", "max")]
    assert str(reduction["over"]) == SETS[lines]


def test_second_name_of_a_size_makes_square_matrices() -> None:
    made = value("h = x @ matrix(d2, d, 1)", sizes="{d: 8, heads: 2, c: 4, d2: d}")
    assert str(made.type) == "per node, axes (d2)"
    assert made.type.axes[0].size == 8


def test_sizes_are_numbers_and_axes() -> None:
    made = value("h = linear(x / n, n)", sizes="{d: 8, n: 2 * d / 2, heads: 2.0, c: n if n > heads else 3}")
    assert str(made.type) == "per node, axes (n)"


def test_category_states_are_encoded_later() -> None:
    made = program(
        input="t = x\nx = encode(t, d)", stack="layer", layer="x = x + encode(t, d)", output="linear(x, out)"
    )
    assert [node.op for node in made.layers[0].nodes] == ["state", "state", "embed", "add"]
    assert made.layers[0].nodes[2]["size"] == 3


def test_numeric_features_are_mapped() -> None:
    from dataclasses import replace

    from archspec.check.checker import check
    from archspec.syntax.load import load_library, parse_spec
    from tests.checking import FACTS, spec_text

    facts = replace(FACTS, letters=None, features=5)
    made = check(parse_spec(spec_text()), facts, load_library())
    assert [str(node.type) for node in made.input.nodes] == ["per node, axes (5)", "per node, axes (d)"]
    assert made.input.nodes[1].op == "linear"


def test_widths_may_change_from_block_to_block() -> None:
    made = program(stack="wide(2*d) -> wide(c) -> wide(d)", where="wide(n): x = linear(x, n)")
    assert [str(section.results[0][1].type.axes[0]) for section in made.layers] == ["16", "c", "d"]


def test_blocks_that_do_the_same_are_one_section() -> None:
    made = program(stack="2 * (layer -> deeper) -> layer", where="deeper: x = x * depth")
    assert [section.title for section in made.layers] == ["layer", "deeper", "layer", "deeper", "layer"]
    first, second, third, fourth, fifth = made.layers
    assert first is third is fifth
    assert second is not fourth


def test_depth_counts_block_instances_from_one() -> None:
    made = program(stack="layer -> 3 * deeper", where="deeper: x = x * depth")
    numbers = [node["value"] for section in made.layers[1:] for node in section.nodes if node.op == "constant"]
    assert numbers == [2, 3, 4]


def test_depth_may_be_handed_to_a_block() -> None:
    made = program(stack="3 * wide(2 ** depth)", where="wide(n): x = linear(x, n)")
    assert [section.results[0][1].type.axes[0].size for section in made.layers] == [2, 4, 8]


def test_no_blocks() -> None:
    assert compiled(stack="0 * layer").program.layers == ()


def test_unknown_sizes_without_data() -> None:
    made = program(data="", layer="x = x + linear(concat(linear(x, out), x), d)")
    assert made.output.results[0][1].type.axes[0].size is None


def test_functions_are_values() -> None:
    where = """
twice(x, f): f(f(x))
norm_of(x, norm = layer_norm): norm(x)
act: gelu
pair(x): x, relu(x)
"""
    lines = (
        "a = twice(x, y => twice(y, act))",
        "b = norm_of(a, norm = identity) + norm_of(a) + norm_of(a, y => y + x)",
        "p, q = pair(b)",
        "f = y => y + p",
        "h = f(q) -> twice(f) -> (y => act(y) * h)",
    )
    made = value(*lines, where=where)
    assert str(made.type) == "per node, axes (d)"
    assert [node.op for node in in_order([made])].count("gelu") == 5


def test_a_lambda_sees_names_as_they_are_where_it_stands() -> None:
    made = value("y = 1", "f = z => z + y + x", "y = 2", "x = x * 3", "h = f(x)")
    [one] = [node for node in in_order([made]) if node.op == "constant" and node["value"] == 1]
    adds = [node for node in in_order([made]) if node.op == "add"]
    assert one in adds[0].operands
    assert adds[1].operands[1].op == "state"


def test_assignments_of_one_line_happen_at_once() -> None:
    made = program(input=INPUT, stack="layer", layer="x, h = h, x + 1")
    results = dict(made.layers[0].results)
    assert results["x"]["name"] == "h"
    assert results["h"].operands[0]["name"] == "x"


def test_states_of_all_layers() -> None:
    made = program(stack="3 * layer", output="linear(concat(layers(x)), out) + linear(max(layers(x)), out)")
    read = [node["layer"] for node in made.output.inputs]
    assert read == [0, 1, 2, 3]


def test_what_a_definition_without_arguments_holds() -> None:
    where = """
eps: scalar(0)
k: 2
near: reach(k)
norm: batch_norm
share: 1 / (1 + degree)
act: relu if k > 1 else tanh
"""
    made = value("h = act(norm(x)) * share * eps + sum[j in near](share[j] * x[j]) * k", where=where)
    operations = [node.op for node in in_order([made])]
    assert "relu" in operations
    assert "tanh" not in operations
    assert operations.count("parameter") == 1
    assert operations.count("sum") == 2


def test_deep_expansions() -> None:
    """As many calls inside each other as there may be, each with as much nesting as the syntax takes."""
    where = "\n".join(f"f{at}(x): {'relu(' * 44}f{at + 1}(x){')' * 44}" for at in range(58)) + "\nf58(x): x"
    made = program(stack="layer", layer="x = f0(x)", where=where)
    assert len(made.layers[0].nodes) == 58 * 44 + 1


def test_many_lines_and_many_blocks() -> None:
    lines = "\n".join(f"h{at} = linear(x, d)\nx = x + h{at}" for at in range(300))
    assert len(program(stack="layer", layer=lines).layers[0].nodes) == 601
    assert len(program(stack="2500 * (2 * (layer -> layer))").layers) == 10_000
