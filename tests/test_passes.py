"""What each pass rewrites and what it leaves alone, and which forms a plan takes."""

from collections.abc import Callable, Mapping

import pytest

from archspec.check.checker import check
from archspec.equal.compare import compare
from archspec.ir.nodes import Program, Section
from archspec.ir.printer import expression, labels
from archspec.passes.optimise import PASSES, optimise
from archspec.pipeline import build
from archspec.reference import initial_weights
from archspec.syntax.load import load_library, parse_spec
from tests.checking import FACTS, spec_text
from tests.graphs import batch
from tests.rewrites import ROWS

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


REWRITES = [
    pytest.param(name, lines, expected, id=f"{name}: {'; '.join(lines)}")
    for name, rows in ROWS.items()
    for lines, expected in rows.items()
]


@pytest.mark.parametrize(("name", "lines", "expected"), REWRITES)
def test_pass(name: str, lines: tuple[str, ...], expected: list[str]) -> None:
    assert after(name, *lines) == expected


@pytest.mark.parametrize("name", BY_NAME)
def test_a_pass_has_nothing_to_do_after_itself(name: str) -> None:
    for rows in ROWS.values():
        for lines in rows:
            assert after(f"{name} {name}", *lines) == after(name, *lines)


@pytest.mark.parametrize("name", BY_NAME)
def test_a_pass_leaves_the_program_it_is_given_alone(name: str) -> None:
    for rows in ROWS.values():
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
