"""Costs against torch: FLOPs by its counter, parameters by `state_dict`, formulas by their numbers and by hand."""

from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given, settings

from archspec.cost import table
from archspec.cost.breakdown import formulas, numbers, parts, times
from archspec.cost.definitions import Places
from archspec.cost.extent import Extent
from archspec.cost.figures import Figures, Run, runs
from archspec.cost.symbols import Symbols, symbol, text
from archspec.ir.nodes import Program
from archspec.passes.schedule import shape_of
from archspec.pipeline import build, compile_spec, facts_of
from archspec.runtime import aggregate, sparse
from archspec.syntax.load import load_spec, parse_spec
from tests.compiling import WHOLE, smaller
from tests.drawing import PROGRAMS
from tests.drawing import Program as Drawn
from tests.measuring import counted_flops, extent_of, random_batch

SIZES = (6, 9, 7)
BATCHED = [name for name in WHOLE if name != "colouring_pairs"]
"""Specs but for the one of listed pairs, which `random_batch` does not list."""


def dense(run: Run) -> float:
    """FLOPs of dense products on the way there."""
    return 2 * run.cost.dense(run.at)


def counted(name: str) -> tuple[list[Run], int, int]:
    """What a spec runs, and what torch counts: forward, forward and back."""
    first = load_spec(name)
    spec = load_spec(name, [one for one in smaller(first) if one.startswith("model.stack")])
    facts = facts_of(spec)
    assert facts is not None
    built, batch = build(spec), random_batch(facts, SIZES)
    module: Any = built.module
    module(batch)
    there = counted_flops(lambda: module(batch))
    and_back = counted_flops(lambda: module(batch).square().sum().backward())
    return runs(built.plan, extent_of(batch)), there, and_back


@pytest.mark.parametrize("name", BATCHED)
def test_flops_of_dense_products_are_those_torch_counts(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exactly; sparse products, which torch would count as dense, are kept from its counter."""
    for module in (sparse, aggregate):
        monkeypatch.setattr(module, "has_csr", lambda x: False)
    ran, there, and_back = counted(name)
    assert sum(map(dense, ran)) == there > 0
    assert there + sum(dense(run) * run.cost.grows(run.at) for run in ran if run.reached) == and_back


def test_a_wrong_count_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = replace(table.COSTS["linear"][""], grows=lambda at: 2)
    monkeypatch.setattr(table, "COSTS", {**table.COSTS, "linear": {"": wrong}})
    ran, there, and_back = counted("gat")
    assert there + sum(dense(run) * run.cost.grows(run.at) for run in ran if run.reached) != and_back


def average_graph(name: str) -> Extent:
    """One graph as large as those of a spec's data set are on average."""
    shape = shape_of(facts_of(load_spec(name)))
    return Extent(1, shape.nodes, shape.edges, shape.nodes**2, shape.nodes**3)


def known(name: str, symbols: Symbols) -> dict[Any, float]:
    """What the symbols of a spec's formulas stand for."""
    return known_in(compile_spec(load_spec(name)).plan.program, average_graph(name), symbols)


def known_in(program: Program, extent: Extent, symbols: Symbols) -> dict[Any, float]:
    """What the symbols stand for that the formulas of a program may have."""
    axes = [axis for _, section in program.sections() for node in section.nodes for axis in node.type.axes]
    sizes = {symbol(axis.name): float(axis.size or 0) for axis in axes if axis.name}
    reached = {symbol(f"r{k}"): extent.shape.reached(k) for k in range(1, 10)}
    graph = {symbols.n: extent.nodes, symbols.m: extent.edges, symbols.layers: float(len(program.layers))}
    return {**sizes, **reached, **graph, symbol("t"): extent.edges}


def number(formula: Any, values: dict[Any, float]) -> float:
    """A formula with numbers for its symbols."""
    return float(formula.subs(values)) if hasattr(formula, "subs") else formula


@pytest.mark.parametrize("name", WHOLE)
def test_formulas_give_the_numbers(name: str) -> None:
    spec, extent = load_spec(name), average_graph(name)
    compiled, symbols = compile_spec(spec), Symbols([*spec.sizes])
    found = parts(compiled.program, runs(compiled.plan, extent), Places(spec).definition)
    values = known(name, symbols)
    assert "" not in found
    for key, several in found.items():
        formula, figures = formulas(several, symbols, len(compiled.program.layers)), numbers(several, extent)
        for field in fields(Figures):
            written = number(getattr(formula, field.name), values)
            assert written == pytest.approx(getattr(figures, field.name), rel=1e-9), (key, field.name)


@pytest.mark.parametrize("name", WHOLE)
def test_parameters_of_definitions_are_those_of_the_module(name: str) -> None:
    spec = load_spec(name)
    built = build(spec)
    found = parts(built.program, (), Places(spec).definition)
    extent = average_graph(name)
    assert sum(numbers(several, extent).parameters for several in found.values()) == sum(
        one.numel() for one in built.module.parameters()
    )


@pytest.mark.parametrize(
    ("name", "times"), [("edge_bias_transformer", "1"), ("edge_bias_transformer_every_layer", "L")]
)
def test_weights_are_those_counted_by_hand(name: str, times: str) -> None:
    """8e²·l + L(4d² + 8d²), biases, norms and ends left aside: the terms of second degree in d and e."""
    spec = load_spec(name)
    compiled, symbols = compile_spec(spec), Symbols([*spec.sizes])
    found = parts(compiled.program, (), Places(spec).definition)
    d, e = symbol("d"), symbol("dp")
    layers = len(compiled.program.layers)
    by_hand = {"pair_mlp": 8 * e**2 * (symbols.layers if times == "L" else 1), "attend": 4 * d**2 * symbols.layers}
    by_hand["mlp"] = 8 * d**2 * symbols.layers
    for key, expected in by_hand.items():
        formula = formulas(found[key], symbols, layers).parameters.expand()
        assert sum(term for term in formula.args if term.as_poly(d, e).total_degree() == 2) == expected


def test_texts_of_formulas() -> None:
    n, d, layers = symbol("n"), symbol("d"), symbol("L")
    assert text(layers * d**2 * 2 + layers * d + n * d + n) == "L·d·(2·d + 1) + n·(d + 1)"
    assert text(0) == "0"
    assert text(d**12 - n) == "d¹² - n"


def test_each_of_several_layers_is_counted_by_the_symbol() -> None:
    symbols = Symbols(["L"])
    assert symbols.layers == symbol("layers")
    assert times([1, 2, 3], symbols, 3) == symbols.layers
    assert times([0, 1, 2, 3, 3], symbols, 3) == symbols.layers + 2
    assert times([1, 2], symbols, 3) == 2


@settings(max_examples=8)
@given(PROGRAMS)
def test_formulas_of_random_programs_give_the_numbers(drawn: Drawn) -> None:
    """Whatever index sets and operations there are; every operation stands in some definition."""
    text_of_spec, facts = drawn
    spec = parse_spec(text_of_spec, "random.yaml")
    compiled, symbols = compile_spec(spec, facts), Symbols([*spec.sizes])
    shape = shape_of(facts)
    extent = Extent(1, shape.nodes, shape.edges, shape.nodes**2, shape.nodes**3)
    found = parts(compiled.program, runs(compiled.plan, extent), Places(spec).definition)
    values = known_in(compiled.plan.program, extent, symbols)
    for key, several in found.items():
        formula, figures = formulas(several, symbols, len(compiled.program.layers)), numbers(several, extent)
        for field in fields(Figures):
            written = number(getattr(formula, field.name), values)
            assert written == pytest.approx(getattr(figures, field.name), rel=1e-9), (key, field.name)
