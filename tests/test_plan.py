"""Which forms a plan takes, and what they cost."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from archspec.diagnostics import SpecError
from archspec.facts.table import Facts
from archspec.ir.nodes import Node, Program, Section, in_order
from archspec.ir.types import ALL, NEIGHBOURS, TARGETS, Axis, IndexSet
from archspec.passes.forms import FORMS
from archspec.passes.optimise import optimise
from archspec.passes.schedule import Choice, Shape, schedule
from tests.checking import FACTS
from tests.nodes import fused, node_input
from tests.test_passes import checked


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
    for over in (NEIGHBOURS, ALL, IndexSet("reach", 2), IndexSet("expander", 4), TARGETS, IndexSet("- i", base=ALL)):
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
