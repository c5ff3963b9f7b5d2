"""What differs between two specs, and how `archspec diff` shows it."""

import pytest
from click.testing import CliRunner

from archspec.commands.diff import DIFFERENT, above, beside, command
from archspec.compare.difference import Difference, WeightChange, differences, merged
from archspec.pipeline import compile_spec
from archspec.syntax.load import load_spec, parse_spec
from tests.checking import spec_text

LAYER = "h = linear(x, d)\nx = x + relu(h)"


def between(old: dict[str, str], new: dict[str, str]) -> Difference:
    """The difference of two specs made of parts."""
    specs = [parse_spec(spec_text(**parts), "test.yaml") for parts in (old, new)]
    programs = [compile_spec(spec).program for spec in specs]
    return differences(specs[0], specs[1], (programs[0], programs[1]))


def shown(*arguments: str, columns: int = 160) -> str:
    """What the command prints."""
    result = CliRunner().invoke(command, arguments, env={"COLUMNS": str(columns)}, catch_exceptions=False)
    assert result.exit_code in (0, DIFFERENT)
    return result.output


CHANGES: dict[str, tuple[dict[str, str], dict[str, str], list[tuple[str, str]]]] = {
    "nothing": ({"layer": LAYER}, {"layer": LAYER}, []),
    "spaces": ({"layer": "x = x+1"}, {"layer": "x = x  + 1   # more"}, []),
    "a size": ({}, {"sizes": "{d: 8, heads: 4, c: d/heads}"}, [("~", "model.sizes.heads")]),
    "a size more": ({}, {"sizes": "{d: 8, n: 2, heads: 2, c: d/heads}"}, [("+", "model.sizes.n")]),
    "the parts": (
        {},
        {"input": "x = 2 * encode(x, d)", "stack": "3 * layer", "output": "linear(x, out) / 2"},
        [("~", "model.input"), ("~", "model.stack"), ("~", "model.output")],
    ),
    "definitions": (
        {"layer": "x = f(g(x))", "where": "f(h): relu(h)\ng(h): h + 1"},
        {"layer": "x = f(e_(x))", "where": "f(h): tanh(h)\ne_(h): h + 1"},
        [("~", "model.where.layer"), ("~", "model.where.f"), ("+", "model.where.e_"), ("-", "model.where.g")],
    ),
    "arguments": (
        {"layer": "x = f(x)", "where": "f(h): h"},
        {"layer": "x = f(x)", "where": "f(h, k = 1): h"},
        [("~", "model.where.f")],
    ),
    "the data": ({}, {"data": "{name: pattern, batch_size: 8}"}, [("~", "data.batch_size")]),
}


@pytest.mark.parametrize("title", CHANGES)
def test_changes(title: str) -> None:
    old, new, expected = CHANGES[title]
    found = between(old, new)
    assert [(change.sign, change.path) for change in found.changes] == expected
    assert bool(found) == bool(expected)


def test_differences_are_the_same_backwards_with_signs_turned() -> None:
    turned = {"+": "-", "-": "+", "~": "~"}
    for old, new, _ in CHANGES.values():
        there, back = between(old, new), between(new, old)
        assert {(turned[one.sign], one.path, one.new, one.old) for one in there.changes} == {
            (one.sign, one.path, one.old, one.new) for one in back.changes
        }
        assert there.parameters
        assert there.parameters == (back.parameters or ())[::-1]


SAME_FUNCTION = {
    "another name": ({"layer": LAYER}, {"layer": LAYER.replace("h", "g")}, True),
    "a definition": ({"layer": LAYER}, {"layer": "x = x + relu(f(x))", "where": "f(h): linear(h, d)"}, True),
    "other brackets": ({"layer": "x = (x + 1) + 2"}, {"layer": "x = x + (1 + 2)"}, False),
    "another function": ({"layer": LAYER}, {"layer": LAYER.replace("relu", "tanh")}, False),
    "another option": ({"layer": LAYER}, {"layer": LAYER.replace("d)", "d, bias = false)")}, False),
    "another number": ({"layer": "x = x + 1"}, {"layer": "x = x + 2"}, False),
    "another set": ({"layer": "x = sum[j in N](x[j])"}, {"layer": "x = sum[j in V](x[j])"}, False),
    "another initial value": ({"layer": "x = x + scalar(0)"}, {"layer": "x = x + scalar(1)"}, False),
}


@pytest.mark.parametrize("title", SAME_FUNCTION)
def test_same_function(title: str) -> None:
    old, new, same = SAME_FUNCTION[title]
    assert between(old, new).same_function == same


def test_weights() -> None:
    found = between(
        {"layer": LAYER}, {"layer": LAYER.replace("linear(x, d)", "linear(x, d, bias = false) * scalar(1)")}
    )
    assert found.weights == (
        WeightChange("layers.*.h.weight", (8, 8), -2),
        WeightChange("layers.*.h.bias", (8,), -2),
        WeightChange("layers.*.linear.weight", (8, 8), 2),
        WeightChange("layers.*.scalar", (), 2),
    )
    assert found.parameters
    assert sum(change.parameters for change in found.weights) == found.parameters[1] - found.parameters[0] == 2 - 16


def test_shipped_specs_differ_as_their_names_say() -> None:
    specs = [load_spec("gin"), load_spec("gin_norms_off")]
    programs = [compile_spec(spec).program for spec in specs]
    found = differences(specs[0], specs[1], (programs[0], programs[1]))
    assert [(change.sign, change.path) for change in found.changes] == [
        ("~", "model.where.inner"),
        ("~", "model.where.between"),
    ]
    assert {change.name.split(".")[-2] for change in found.weights} == {"inner", "between"}


def test_keys_are_merged_in_order() -> None:
    assert merged(["a", "b", "c"], ["a", "x", "y", "c", "z"]) == ["a", "x", "y", "b", "c", "z"]
    assert merged([], ["a", "b"]) == ["a", "b"]
    assert merged(["b"], ["a", "b"]) == ["a", "b"]


def test_lines_beside_each_other() -> None:
    old, new = ["a", "b", "c"], ["a", "x", "y", "c"]
    assert list(beside(old, new)) == [
        ((" ", "a"), (" ", "a")),
        (("-", "b"), ("+", "x")),
        ((" ", ""), ("+", "y")),
        ((" ", "c"), (" ", "c")),
    ]
    assert list(above(old, new)) == [(" ", "a"), ("-", "b"), ("+", "x"), ("+", "y"), (" ", "c")]


def test_side_by_side_where_there_is_room() -> None:
    wide, narrow = (shown("gin", "position_gating", columns=columns) for columns in (120, 60))
    assert "-   h = (1 + eps) * x + sum[j in N](x[j]) │ +   x = pre_norm(x, gate)\n" in wide
    assert "│" not in narrow
    assert "    -   h = (1 + eps) * x + sum[j in N](x[j])\n" in narrow


def test_summary() -> None:
    assert shown("gin", "gin_inner_off").splitlines()[-1] == (
        "0 added, 1 changed, 0 removed; parameters 100,884 → 100,004 (-880)"
    )
    assert shown("gin", "gin").splitlines()[-1] == "no difference; 100,884 parameters, no change"


def test_overrides_hold_for_both() -> None:
    text = shown("gin", "gin_inner_off", "--set", "model.sizes.d=10", "--set", "model.stack=1 * layer")
    assert "(-20)" in text.splitlines()[-1]
    assert "model.stack" not in text


def test_without_data_the_number_of_parameters_is_open() -> None:
    found = between({"data": ""}, {"data": "", "layer": "x = 2 * x"})
    assert found.parameters is None
    assert [change.path for change in found.changes] == ["model.where.layer"]


def test_exit_code() -> None:
    runner = CliRunner()
    assert runner.invoke(command, ["gin", "gin", "--exit-code"]).exit_code == 0
    assert runner.invoke(command, ["gin", "gin_inner_off", "--exit-code"]).exit_code == DIFFERENT
    assert runner.invoke(command, ["gin", "gin_inner_off"]).exit_code == 0
