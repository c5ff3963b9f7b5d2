"""What each pass rewrites and what it leaves alone, and which forms a plan takes."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

from archspec.check.checker import check
from archspec.diagnostics import SpecError
from archspec.equal.compare import compare
from archspec.facts.table import Facts
from archspec.ir.nodes import Node, Program, Section, in_order
from archspec.ir.printer import expression, labels
from archspec.ir.types import ALL, NEIGHBOURS, Axis, IndexSet
from archspec.passes.forms import FORMS
from archspec.passes.optimise import PASSES, optimise
from archspec.passes.schedule import Choice, Shape, schedule
from archspec.pipeline import build
from archspec.reference import initial_weights
from archspec.syntax.load import load_library, parse_spec
from tests.checking import FACTS, spec_text
from tests.graphs import batch
from tests.nodes import fused, node_input

BY_NAME: Mapping[str, Callable[[Program], Program]] = {one.__name__: one for one in PASSES}


def checked(*lines: str, **parts: str) -> Program:
    """A spec whose one layer has these lines, before any pass."""
    text = spec_text(stack="layer", layer="\n".join(lines), **parts)
    return check(parse_spec(text, "test.yaml"), FACTS, load_library())


def text(section: Section) -> list[str]:
    """The nodes of a section, without types and states."""
    names = labels(section)
    shown = [node for node in section.nodes if node.op not in ("constant", "state")]
    lines = [f"{names[id(node)]} = {expression(node, names)}" for node in shown]
    return [*lines, *(f"{name} ← {names[id(value)]}" for name, value in section.results)]


def after(names: str, *lines: str) -> list[str]:
    """The layer after the named passes."""
    program = checked(*lines)
    for name in names.split():
        program = BY_NAME[name](program)
    return text(program.layers[0])


Rows = Mapping[tuple[str, ...], list[str]]

FOLD: Rows = {
    ("x = x * 1 + (x + 0) / 1",): ["x.2 = add(x, x)", "x ← x.2"],
    ("x = x - 0 + (x ** 1)",): ["x.2 = add(x, x)", "x ← x.2"],
    ("x = x * (sqrt(16) + relu(-1))",): ["x.2 = mul(x, 4.0)", "x ← x.2"],
    ("x = x * maximum(2, 3) * minimum(2, 3)",): ["%1 = mul(x, 3)", "x.2 = mul(%1, 2)", "x ← x.2"],
    # what must stay
    ("x = x * 0",): ["x.2 = mul(x, 0)", "x ← x.2"],
    ("x = 1 / x",): ["x.2 = div(1, x)", "x ← x.2"],
    ("x = 0 - x",): ["x.2 = sub(0, x)", "x ← x.2"],
    ("x = 1 ** x",): ["x.2 = pow(1, x)", "x ← x.2"],
    ("x = x * log(0)",): ["%1 = log(0)", "x.2 = mul(x, %1)", "x ← x.2"],
    ("x = x * sqrt(-1)",): ["%1 = sqrt(-1)", "x.2 = mul(x, %1)", "x ← x.2"],
    ("x = linear(scalar(1) * 1, d) + x",): [
        "scalar = parameter(init=1) {scalar}",
        "%1 = linear(scalar) {linear}",
        "x.2 = add(%1, x)",
        "x ← x.2",
    ],
}

SHARE: Rows = {
    ("x = relu(x) * relu(x)",): ["%1 = relu(x)", "x.2 = mul(%1, %1)", "x ← x.2"],
    ("x = (x + 1) * tanh(x + 1)",): ["%1 = add(x, 1)", "%2 = tanh(%1)", "x.2 = mul(%1, %2)", "x ← x.2"],
    ("x = sum[j in N](x[j]) + sum[j in N](x[j])",): [
        "%1 = gather_source(x, over=N)",
        "%2 = sum(%1, over=N)",
        "x.2 = add(%2, %2)",
        "x ← x.2",
    ],
    # what must stay
    ("x = x - x * 2 + 2 * x",): ["%1 = mul(x, 2)", "%2 = sub(x, %1)", "%3 = mul(2, x)", "x.2 = add(%2, %3)", "x ← x.2"],
    ("x = dropout(x, 0.5) * dropout(x, 0.5)",): [
        "%1 = dropout(x, p=0.5)",
        "%2 = dropout(x, p=0.5)",
        "x.2 = mul(%1, %2)",
        "x ← x.2",
    ],
    ("x = linear(x, d) * linear(x, d)",): [
        "%1 = linear(x) {linear}",
        "%2 = linear(x) {linear_2}",
        "x.2 = mul(%1, %2)",
        "x ← x.2",
    ],
    ("x = sum[j in N](x[j]) + sum[j in V](x[j])",): [
        "%1 = gather_source(x, over=N)",
        "%2 = sum(%1, over=N)",
        "%3 = gather_source(x, over=V)",
        "%4 = sum(%3, over=V)",
        "x.2 = add(%2, %4)",
        "x ← x.2",
    ],
    ("x = elu(x) + elu(x, 2)",): ["%1 = elu(x)", "%2 = elu(x, alpha=2)", "x.2 = add(%1, %2)", "x ← x.2"],
}

HOIST: Rows = {
    ("x = sum[j in N](relu(linear(x[j], d)))",): [
        "%1 = linear(x) {linear}",
        "%2 = relu(%1)",
        "%3 = gather_source(%2, over=N)",
        "x.2 = sum(%3, over=N)",
        "x ← x.2",
    ],
    ("x = sum[j in N](tanh(x[i] - 1) * x[i])",): [
        "%1 = sub(x, 1)",
        "%2 = tanh(%1)",
        "%3 = mul(%2, x)",
        "%4 = gather_target(%3, over=N)",
        "x.2 = sum(%4, over=N)",
        "x ← x.2",
    ],
    ("x = max[j in N](concat(x[j], scalar(1)) -> linear(d))",): [
        "scalar = parameter(init=1) {scalar}",
        "%1 = concat(x, scalar)",
        "%2 = linear(%1) {linear}",
        "%3 = gather_source(%2, over=N)",
        "x.2 = max(%3, over=N)",
        "x ← x.2",
    ],
    # what must stay: rows of one value beside rows of another, and statistics over the rows
    ("x = sum[j in N](tanh(x[i] * x[j]))",): [
        "%1 = gather_target(x, over=N)",
        "%2 = gather_source(x, over=N)",
        "%3 = mul(%1, %2)",
        "%4 = tanh(%3)",
        "x.2 = sum(%4, over=N)",
        "x ← x.2",
    ],
    ("g[i, j in N] = batch_norm(x[j])", "x = sum[j](g[i, j])"): [
        "%1 = gather_source(x, over=N)",
        "g = batch_norm(%1) {g}",
        "x.2 = sum(g, over=N)",
        "x ← x.2",
    ],
    ("g[i, j in N] = dropout(x[j], 0.5)", "x = sum[j](g[i, j])"): [
        "%1 = gather_source(x, over=N)",
        "g = dropout(%1, p=0.5)",
        "x.2 = sum(g, over=N)",
        "x ← x.2",
    ],
}

SPLIT: Rows = {
    ("x = sum[j in N](relu(linear(x[i] - x[j], c))) -> linear(d)",): [
        "%1 = linear_part(x, columns=(0, 8), inputs=8, bias=True, adds_bias=True) {linear}",
        "%2 = gather_target(%1, over=N)",
        "%3 = linear_part(x, columns=(0, 8), inputs=8, bias=True, adds_bias=False) {linear}",
        "%4 = gather_source(%3, over=N)",
        "%5 = sub(%2, %4)",
        "%6 = relu(%5)",
        "%7 = sum(%6, over=N)",
        "x.2 = linear(%7) {linear_2}",
        "x ← x.2",
    ],
    ("x = sum[j in N](linear(concat(x[i], 3, x[i] @ x[j], x[j]), d, bias = false))",): [
        "%1 = linear_part(x, columns=(10, 18), inputs=18, bias=False, adds_bias=False) {linear}",
        "%2 = gather_source(%1, over=N)",
        "%3 = linear_part(x, columns=(0, 8), inputs=18, bias=False, adds_bias=False) {linear}",
        "%4 = gather_target(%3, over=N)",
        "%5 = add(%2, %4)",
        "%6 = gather_target(x, over=N)",
        "%7 = gather_source(x, over=N)",
        "%8 = inner(%6, %7)",
        "%9 = concat(3, %8)",
        "%10 = linear_part(%9, columns=(8, 10), inputs=18, bias=False, adds_bias=False) {linear}",
        "%11 = add(%5, %10)",
        "x.2 = sum(%11, over=N)",
        "x ← x.2",
    ],
    # what must stay: terms with rows of their own, terms whose axes differ, what may be infinite elsewhere
    ("x = sum[j in N](linear(x[i] + x[j] + x[i] * x[j], d))",): [
        "%1 = gather_target(x, over=N)",
        "%2 = gather_source(x, over=N)",
        "%3 = add(%1, %2)",
        "%4 = gather_target(x, over=N)",
        "%5 = gather_source(x, over=N)",
        "%6 = mul(%4, %5)",
        "%7 = add(%3, %6)",
        "%8 = linear(%7) {linear}",
        "x.2 = sum(%8, over=N)",
        "x ← x.2",
    ],
    ("s = linear(x)", "x = sum[j in N](linear(x[i] + s[j], d))"): [
        "%1 = gather_target(x, over=N)",
        "s = linear(x) {s}",
        "%2 = gather_source(s, over=N)",
        "%3 = add(%1, %2)",
        "%4 = linear(%3) {linear}",
        "x.2 = sum(%4, over=N)",
        "x ← x.2",
    ],
    ("s = log(x)", "x = sum[j in N](linear(x[i] + s[j], d))"): [
        "%1 = gather_target(x, over=N)",
        "s = log(x)",
        "%2 = gather_source(s, over=N)",
        "%3 = add(%1, %2)",
        "%4 = linear(%3) {linear}",
        "x.2 = sum(%4, over=N)",
        "x ← x.2",
    ],
    ("x = linear(concat(x, x), d)",): ["%1 = concat(x, x)", "x.2 = linear(%1) {linear}", "x ← x.2"],
}

FACTOR: Rows = {
    ("x = sum[j in N](x[i] * x[j] * 2)",): [
        "%1 = gather_source(x, over=N)",
        "%2 = sum(%1, over=N)",
        "%3 = mul(x, %2)",
        "x.2 = mul(%3, 2)",
        "x ← x.2",
    ],
    ("x = mean[j in V](x[j] / 2)",): [
        "%1 = gather_source(x, over=V)",
        "%2 = mean(%1, over=V)",
        "x.2 = div(%2, 2)",
        "x ← x.2",
    ],
    ("x = sum[j in N](vector(d, 1) * x[j])",): [
        "vector = parameter(init=1) {vector}",
        "%1 = gather_source(x, over=N)",
        "%2 = sum(%1, over=N)",
        "x.2 = mul(vector, %2)",
        "x ← x.2",
    ],
    # what must stay: signs turn a maximum, what j is in cannot leave
    ("x = max[j in N](2 * x[j])",): [
        "%1 = gather_source(x, over=N)",
        "%2 = mul(2, %1)",
        "x.2 = max(%2, over=N)",
        "x ← x.2",
    ],
    ("x = sum[j in N](2 / x[j])",): [
        "%1 = gather_source(x, over=N)",
        "%2 = div(2, %1)",
        "x.2 = sum(%2, over=N)",
        "x ← x.2",
    ],
    ("x = sum[j in N](2 + x[j])",): [
        "%1 = gather_source(x, over=N)",
        "%2 = add(2, %1)",
        "x.2 = sum(%2, over=N)",
        "x ← x.2",
    ],
    ("x = sum[j in N](x[j] / linear(x)[i])",): [
        "%1 = gather_source(x, over=N)",
        "%2 = linear(x) {linear}",
        "%3 = gather_target(%2, over=N)",
        "%4 = div(%1, %3)",
        "x.2 = sum(%4, over=N)",
        "x ← x.2",
    ],
}

FUSE: Rows = {
    ("x = sum[j in reach(2)](x[j])",): ["x.2 = neighbour_sum(x, over=reach(2))", "x ← x.2"],
    ("s[i, j in N] = x[i] @ x[j]", "x = sum[j](x[j] * s[i, j])"): [
        "s = pair_product(x, x, over=N)",
        "x.2 = weighted_sum(s, x, over=N)",
        "x ← x.2",
    ],
    ("a = softmax[j in V](2 * (x[i] @ x[j]) / 4)", "x = sum[j](a[i, j] * x[j])"): [
        "x.2 = attention(x, x, x, over=V, scale=0.5)",
        "x ← x.2",
    ],
    ("b[i, j in N] = 1", "a = softmax[j](b[i, j] + x[j] @ x[i])", "x = sum[j](x[j] * a[i, j])"): [
        "b = spread(1, over=N)",
        "x.2 = attention(x, x, x, b, over=N, scale=1.0)",
        "x ← x.2",
    ],
    # what must stay: gates as wide as the values, a softmax that is used elsewhere too, products of x[i] with x[i]
    ("x = sum[j in N](sigmoid(x[i] + x[j]) * x[j])",): [
        "%1 = gather_target(x, over=N)",
        "%2 = gather_source(x, over=N)",
        "%3 = add(%1, %2)",
        "%4 = sigmoid(%3)",
        "%5 = gather_source(x, over=N)",
        "%6 = mul(%4, %5)",
        "x.2 = sum(%6, over=N)",
        "x ← x.2",
    ],
    ("a = softmax[j in V](x[i] @ x[j])", "x = sum[j](a[i, j] * x[j]) + sum[j](a[i, j])"): [
        "%1 = pair_product(x, x, over=V)",
        "a = softmax(%1, over=V)",
        "%2 = weighted_sum(a, x, over=V)",
        "%3 = sum(a, over=V)",
        "x.2 = add(%2, %3)",
        "x ← x.2",
    ],
    ("a = softmax[j in V](x[i] @ x[i])", "x = sum[j](a[i, j] * x[j])"): [
        "%1 = gather_target(x, over=V)",
        "%2 = gather_target(x, over=V)",
        "%3 = inner(%1, %2)",
        "a = softmax(%3, over=V)",
        "x.2 = weighted_sum(a, x, over=V)",
        "x ← x.2",
    ],
    ("x = max[j in N](x[j])",): ["%1 = gather_source(x, over=N)", "x.2 = max(%1, over=N)", "x ← x.2"],
    ("x = mean[j in N](x[j])",): [
        "%1 = neighbour_sum(x, over=N)",
        "%2 = spread(1, over=N)",
        "%3 = sum(%2, over=N)",
        "%4 = maximum(%3, 1)",
        "x.2 = div(%1, %4)",
        "x ← x.2",
    ],
    ("x = mean[j in N](tanh(x[i] + x[j]))",): [
        "%1 = gather_target(x, over=N)",
        "%2 = gather_source(x, over=N)",
        "%3 = add(%1, %2)",
        "%4 = tanh(%3)",
        "x.2 = mean(%4, over=N)",
        "x ← x.2",
    ],
}

GROUP: Rows = {
    ("a[i, j in N] = tanh(x[i] @ x[j])", "x = sum[j](a[i,j] * x[j] / sqrt(degree[i] + 1))"): [
        "%1 = gather_target(x, over=N)",
        "%2 = gather_source(x, over=N)",
        "%3 = inner(%1, %2)",
        "a = tanh(%3)",
        "%4 = spread(1, over=N)",
        "%5 = sum(%4, over=N)",
        "%6 = gather_target(%5, over=N)",
        "%7 = add(%6, 1)",
        "%8 = sqrt(%7)",
        "%9 = div(a, %8)",
        "%10 = gather_source(x, over=N)",
        "%11 = mul(%9, %10)",
        "x.2 = sum(%11, over=N)",
        "x ← x.2",
    ],
    ("x = mean[j in N](x[j] / (1 + x[i] @ x[j]))",): [
        "%1 = gather_target(x, over=N)",
        "%2 = gather_source(x, over=N)",
        "%3 = inner(%1, %2)",
        "%4 = add(1, %3)",
        "%5 = div(1, %4)",
        "%6 = gather_source(x, over=N)",
        "%7 = mul(%5, %6)",
        "x.2 = mean(%7, over=N)",
        "x ← x.2",
    ],
    # what must stay
    ("x = sum[j in N](tanh(x[i] + x[j]) * x[j])",): [
        "%1 = gather_target(x, over=N)",
        "%2 = gather_source(x, over=N)",
        "%3 = add(%1, %2)",
        "%4 = tanh(%3)",
        "%5 = gather_source(x, over=N)",
        "%6 = mul(%4, %5)",
        "x.2 = sum(%6, over=N)",
        "x ← x.2",
    ],
}

NARROWED: Rows = {
    ("x = x + sum[j in N](linear(hops(0..2), d)[i,j] * x[j])",): [
        "%1 = hops(numbers=(0, 1, 2), over=N)",
        "%2 = linear(%1) {linear}",
        "%3 = gather_source(x, over=N)",
        "%4 = mul(%2, %3)",
        "%5 = sum(%4, over=N)",
        "x.2 = add(x, %5)",
        "x ← x.2",
    ],
    ("a[i, j in V] = tanh(x[i] * x[j])", "x = sum[j in N](a[i,j])"): [
        "%1 = gather_target(x, over=N)",
        "%2 = gather_source(x, over=N)",
        "%3 = mul(%1, %2)",
        "a = tanh(%3)",
        "x.2 = sum(a, over=N)",
        "x ← x.2",
    ],
    ("a[i, j in V] = 2", "x = x + sum[j in N](a[i,j])"): [
        "a = spread(2, over=N)",
        "%1 = sum(a, over=N)",
        "x.2 = add(x, %1)",
        "x ← x.2",
    ],
    ("x = x + sum[j in reach(2)]((1 if distance > 2 else adjacency)[i,j] * x[j])",): [
        "%1 = distance(over=reach(2))",
        "%2 = gt(%1, 2)",
        "%3 = adjacency(over=reach(2))",
        "%4 = where(%2, 1, %3)",
        "%5 = gather_source(x, over=reach(2))",
        "%6 = mul(%4, %5)",
        "%7 = sum(%6, over=reach(2))",
        "x.2 = add(x, %7)",
        "x ← x.2",
    ],
    # what must stay
    ("a[i, j in V] = tanh(x[i] * x[j])", "x = sum[j in N](a[i,j]) + sum[j in V](a[i,j])"): [
        "%1 = gather_target(x, over=V)",
        "%2 = gather_source(x, over=V)",
        "%3 = mul(%1, %2)",
        "a = tanh(%3)",
        "%4 = restrict(a, over=N)",
        "%5 = sum(%4, over=N)",
        "%6 = sum(a, over=V)",
        "x.2 = add(%5, %6)",
        "x ← x.2",
    ],
    ("a = softmax[j in V](linear(x)[j])", "x = x + sum[j in N](a[i,j] * x[j])"): [
        "%1 = linear(x) {linear}",
        "%2 = gather_source(%1, over=V)",
        "a = softmax(%2, over=V)",
        "%3 = restrict(a, over=N)",
        "%4 = gather_source(x, over=N)",
        "%5 = mul(%3, %4)",
        "%6 = sum(%5, over=N)",
        "x.2 = add(x, %6)",
        "x ← x.2",
    ],
    ("a = batch_norm(linear(hops(0..2), d))", "x = x + sum[j in N](a[i,j] * x[j])"): [
        "%1 = hops(numbers=(0, 1, 2))",
        "%2 = linear(%1) {linear}",
        "a = batch_norm(%2) {a}",
        "%3 = restrict(a, over=N)",
        "%4 = gather_source(x, over=N)",
        "%5 = mul(%3, %4)",
        "%6 = sum(%5, over=N)",
        "x.2 = add(x, %6)",
        "x ← x.2",
    ],
}

REWRITES = [
    pytest.param(name, lines, expected, id=f"{name}: {'; '.join(lines)}")
    for name, rows in {
        "fold": FOLD,
        "share": SHARE,
        "narrow": NARROWED,
        "hoist": HOIST,
        "split": SPLIT,
        "factor": FACTOR,
        "group": GROUP,
        "fuse": FUSE,
    }.items()
    for lines, expected in rows.items()
]


@pytest.mark.parametrize(("name", "lines", "expected"), REWRITES)
def test_pass(name: str, lines: tuple[str, ...], expected: list[str]) -> None:
    assert after(name, *lines) == expected


@pytest.mark.parametrize("name", BY_NAME)
def test_a_pass_has_nothing_to_do_after_itself(name: str) -> None:
    for rows in (FOLD, SHARE, NARROWED, HOIST, SPLIT, FACTOR, GROUP, FUSE):
        for lines in rows:
            assert after(f"{name} {name}", *lines) == after(name, *lines)


@pytest.mark.parametrize("name", BY_NAME)
def test_a_pass_leaves_the_program_it_is_given_alone(name: str) -> None:
    for rows in (FOLD, SHARE, NARROWED, HOIST, SPLIT, FACTOR, GROUP, FUSE):
        for lines in rows:
            program = checked(*lines)
            before = text(program.layers[0])
            BY_NAME[name](program)
            assert text(program.layers[0]) == before


MAPS = {
    "a difference": "linear(x[i] - x[j], d)",
    "what is taken away first": "linear(-x[j] - x[i] + (1 - x[j]), d)",
    "without bias": "linear(x[i] + x[j], d, bias = false)",
    "several axes": "view(linear(linear(x, heads, c)[i] + linear(x, heads, c)[j], heads, c), d)",
    "to a scalar": "linear(concat(x[i], x[j])) * x[j]",
    "from scalars": "linear(concat(linear(x)[i], 2, linear(x)[j], scalar(1)), d)",
    "parts between": "linear(concat(x[i] * x[j], x[j], x[i] @ x[j], 1, x[i] - x[j]), d)",
    "maps of maps": "linear(concat(x[i], linear(concat(x[j], degree[i]), d)), d)",
    "constants first": "linear(concat(1, vector(c, 1), x[i], x[j]), d)",
}


@pytest.mark.parametrize("over", ["N", "V"])
@pytest.mark.parametrize("title", MAPS)
def test_maps_that_are_taken_apart_agree_with_the_reference(title: str, over: str) -> None:
    built = build(parse_spec(spec_text(layer=f"x = x + tanh(mean[j in {over}](tanh({MAPS[title]})))"), "test.yaml"))
    assert "linear_part" in {node.op for node in built.optimised.layers[0].nodes}
    weights = initial_weights(built.program)
    found = compare(built.module, built.program, batch("everything", letters=3), weights, training=True)
    assert found.ok(), f"{found}\n{built.code}"


def test_together_they_find_sums_of_products() -> None:
    lines = ("q, k = linear(x, heads, c), linear(x, heads, c)", "x = linear(sum[j in N]((2 * q)[i] @ k[j] * k[j]), d)")
    assert after("fold share hoist factor share fuse", *lines) == [
        "q = linear(x) {q}",
        "%1 = mul(2, q)",
        "k = linear(x) {k}",
        "%2 = pair_product(%1, k, over=N)",
        "%3 = weighted_sum(%2, k, over=N)",
        "x.2 = linear(%3) {linear}",
        "x ← x.2",
    ]


def test_every_pass_is_observed_in_order() -> None:
    seen: list[str] = []
    optimise(checked("x = x + 1"), lambda name, program: seen.append(name))
    assert seen == [one.__name__ for one in PASSES]


def test_sections_that_are_one_stay_one() -> None:
    program = check(parse_spec(spec_text(stack="5 * layer"), "test.yaml"), FACTS, load_library())
    assert len({id(section) for section in optimise(program).layers}) == 1


def plan(lines: tuple[str, ...], facts: Facts | None = FACTS, **forced: str) -> dict[str, Choice]:
    """The forms of the fused operations of a layer, by operation."""
    made = schedule(optimise(checked(*lines)), facts, forced)
    nodes = {id(node): node for _, section in made.program.sections() for node in section.nodes}
    return {nodes[key].op: choice for key, choice in made.choices.items()}


SPARSE = replace(FACTS, nodes=23.0, edges=50.0, density=0.09, padding=1.5)
SPARSER = replace(FACTS, nodes=1000.0, edges=3000.0, density=0.003, padding=1.2)
DENSE = replace(FACTS, nodes=60.0, edges=3540.0, density=0.983, padding=1.0)

ATTENTION = ("a = softmax[j in {0}](x[i] @ x[j])", "x = sum[j](a[i, j] * x[j])")
NARROW, WIDE = "x = sum[j in {0}](x[j])", "x = sum[j in {0}](linear(x, d2)[j]) -> linear(d)"

CHOICES: Mapping[str, tuple[tuple[str, ...], str, Facts | None, str]] = {
    "a neighbour sum of sparse graphs is a sparse product": ((NARROW,), "N", SPARSE, "csr"),
    "so it is where nothing is known": ((NARROW,), "N", None, "csr"),
    "of graphs that are nearly complete a dense one": ((WIDE,), "N", DENSE, "dense"),
    "of all nodes too": ((WIDE,), "V", SPARSE, "dense"),
    "attention over all nodes is torch's own": (ATTENTION, "V", SPARSE, "sdpa"),
    "attention over few neighbours goes pair by pair": (ATTENTION, "N", SPARSER, "gather"),
    "attention over most nodes is dense and masked": (ATTENTION, "N", DENSE, "dense"),
}
"""Lines, the set they run over, what graphs are like, and the form of the one fused operation."""


FIGURES = {
    "neighbour_sum": {"csr": 0.13, "dense": 0.05, "gather": 1.4},
    "attention": {"sdpa": 0.25, "dense": 0.3, "gather": 5.8},
}
"""Nanoseconds a pair or a cell and feature that the choices below are made with."""


@pytest.mark.parametrize("title", CHOICES)
def test_choice(title: str, monkeypatch: pytest.MonkeyPatch) -> None:
    lines, over, facts, form = CHOICES[title]
    for op, figures in FIGURES.items():
        forms = tuple(replace(one, nanoseconds={64: figures[one.backend]}) for one in FORMS[op])
        monkeypatch.setitem(FORMS, op, forms)  # type: ignore[arg-type]
    program = optimise(checked(*(line.format(over) for line in lines), sizes="{d: 8, d2: 64}"))
    [choice] = schedule(program, facts, {}).choices.values()
    assert choice.form.backend == form
    assert choice.reason.startswith(form)


@pytest.mark.parametrize("form", [form.backend for form in FORMS["neighbour_sum"]])
def test_forced_form(form: str) -> None:
    choice = plan(("x = sum[j in N](x[j])",), neighbour_sum=form)["neighbour_sum"]
    assert choice.form.backend == form
    assert choice.reason.startswith("forced")


def test_a_forced_form_leaves_alone_what_it_does_not_serve() -> None:
    lines = tuple(one.format("N") for one in ATTENTION)
    assert plan(lines, attention="sdpa")["attention"].form.backend != "sdpa"


@pytest.mark.parametrize("forced", [{"relu": "csr"}, {"attention": "csr"}, {"atention": "dense"}])
def test_forms_that_do_not_exist(forced: dict[str, str]) -> None:
    with pytest.raises(SpecError) as caught:
        schedule(checked("x = x + 1"), FACTS, forced)
    assert caught.value.diagnostics[0].help


@pytest.mark.parametrize("op", FORMS)
def test_costs_grow_with_the_graphs_and_the_features(op: str) -> None:
    for form in FORMS[op]:
        assert form.cost(100, 64) < form.cost(200, 64)
        assert form.cost(100, 16) < form.cost(100, 256)


@pytest.mark.parametrize("op", FORMS)
def test_every_set_has_a_form(op: str) -> None:
    for over in (NEIGHBOURS, ALL, IndexSet("reach", 2), IndexSet("expander", 4), IndexSet("- i", base=ALL)):
        assert any(form.serves(over) for form in FORMS[op]) or (op == "pair_matmul" and over != ALL)


@pytest.mark.parametrize("steps", [0, 1, 2, 3, 1000, 10**12])
def test_pairs_in_reach(steps: int) -> None:
    expected = {0: 4.0, 1: 4.0 + 6, 2: 4 + 6 + 9}.get(steps, 4.0 + 6 + 9 + 13.5)
    assert Shape(nodes=4.0, edges=6.0, squared=32.5).pairs(IndexSet("reach", steps)) == expected
    assert Shape(nodes=4.0, edges=0.0, squared=16.0).pairs(IndexSet("reach", steps)) == 4.0


def test_far_reach_is_planned() -> None:
    assert plan(("x = sum[j in reach(10 ** 9)](x[j])",))["neighbour_sum"]


def test_plans_do_not_depend_on_the_order_of_forms(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = tuple(one.format("V") for one in ATTENTION)
    before = plan(lines)["attention"].form
    monkeypatch.setitem(FORMS, "attention", FORMS["attention"][::-1])  # type: ignore[arg-type]
    assert plan(lines)["attention"].form is before


@pytest.mark.parametrize("over", [NEIGHBOURS, ALL, IndexSet("reach", 2)], ids=str)
def test_a_node_made_by_hand_is_scheduled(over: IndexSet) -> None:
    x = node_input(Axis("d", 8))
    made: Node = fused("neighbour_sum", x, axes=x.type.axes, over=over)
    program = Program("test", Section("Input", (("x", x),)), (), Section("Output", (("", made),)))
    assert set(schedule(program, FACTS).choices) == {id(made)}
    assert made in in_order([made])
