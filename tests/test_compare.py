"""What differs between two specs, and how `archspec diff` shows it."""

import json
import os
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from click.testing import CliRunner, Result

from archspec.commands.diff import DIFFERENT, checked, command, terminal_style
from archspec.compare.alike import Aligned
from archspec.compare.definitions import merged
from archspec.compare.difference import Difference, differences
from archspec.compare.markup import pieces, side
from archspec.compare.receptive import receptive_field
from archspec.compare.remarks import in_words
from archspec.compare.shown import COLOUR, PLAIN, text_of
from archspec.compare.sources import Source
from archspec.cost.bill import bill
from archspec.diagnostics import SpecError
from archspec.facts.table import TABLE
from archspec.pipeline import compile_spec
from archspec.reference import Graph, evaluate
from archspec.syntax.load import load_spec, parse_spec
from archspec.syntax.parser import parse_expression
from tests.checking import program, spec_text
from tests.compiling import of_file
from tests.graphs import furnished

LAYER = "h = linear(x, d)\nx = x + relu(h)"


def between(old: dict[str, str], new: dict[str, str]) -> Difference:
    """The difference of two specs made of parts."""
    first, second = (checked(Source("", parse_spec(spec_text(**parts), "test.yaml"))) for parts in (old, new))
    return differences(first, second)


def of_files(old: str, new: str) -> Difference:
    """The difference of two specs that come with archspec."""
    first, second = (checked(Source(name, load_spec(name))) for name in (old, new))
    return differences(first, second)


def invoke(*arguments: str) -> Result:
    """The command, which may not raise."""
    return CliRunner().invoke(command, arguments, catch_exceptions=False)


def shown(*arguments: str) -> str:
    """What the command prints."""
    result = invoke(*arguments)
    assert result.exit_code in (0, DIFFERENT)
    return result.output


MARKS = {
    "batch_norm": {"identity": "[-batch_norm-]{+identity+}"},
    "(1 + eps) * x + y": {"(1 + sigmoid(eps)) * x + y": "(1 + {+sigmoid(+}eps{+)+}) * x + y"},
    "f(x)": {
        "relu(f(x))": "{+relu(+}f(x){+)+}",
        "x + f(x)": "{+x + +}f(x)",
        "-f(x)": "{+-+}f(x)",
        "f(x, 2)": "f(x{+, 2+})",
        "f(2, x)": "f({+2, +}x)",
        "f(x, k = 2)": "f(x{+, k = 2+})",
        "f(x) -> g": "f(x){+ -> g+}",
        "f(x)[j]": "f(x){+[j]+}",
        "f(x) if c else 0": "f(x){+ if c else 0+}",
    },
    "x + f(norm(x))": {"norm(x + f(x))": "{+norm(+}x + f([-norm(-]x[-)-]){+)+}"},
    "h -> linear(d) -> relu -> linear(d)": {
        "h -> linear(d) -> norm -> relu -> linear(d)": "h -> linear(d){+ -> norm+} -> relu -> linear(d)",
        "h -> linear(4 * d) -> linear(d)": "h -> linear({+4 * +}d)[- -> relu-] -> linear(d)",
    },
    "sum[j in N](x[j])": {
        "mean[j in N](x[j])": "[-sum-]{+mean+}[j in N](x[j])",
        "sum[j in N + i](x[j])": "sum[j in N{+ + i+}](x[j])",
        "sum[j in N](a * x[j])": "sum[j in N]({+a * +}x[j])",
    },
    "a + b + c": {
        "c + b + a": "a + b + c",
        "a + c": "a[- + b-] + c",
        "a - b + c": "a[- + b-]{+ - b+} + c",
        "(a + b) * c": "(a + b[- + c-]){+ * c+}",
    },
    "a * (b + c)": {"(c + b) * a": "a * (b + c)", "a * b": "a * (b[- + c-])"},
    "q[i] @ k[j] / sqrt(c)": {"q[i] @ k[j] / sqrt(c) + b[i,j]": "q[i] @ k[j] / sqrt(c){+ + b[i,j]+}"},
    "linear(x, d)": {"linear(x, d, bias = false)": "linear(x, d{+, bias = false+})"},
}


@pytest.mark.parametrize(("old", "new"), [(old, new) for old, row in MARKS.items() for new in row])
def test_marks_inside_an_equation(old: str, new: str) -> None:
    """Both texts can be read back from the marked one, up to the order of sums and products."""
    text = Aligned().pair(parse_expression(old), parse_expression(new)).text
    assert PLAIN.marked(text) == MARKS[old][new]
    assert parse_expression(side(text, "-")) == parse_expression(old)
    assert Aligned().pair(parse_expression(side(text, "+")), parse_expression(new)).cost == 0


@pytest.mark.parametrize(("old", "new"), [(old, new) for old, row in MARKS.items() for new in row])
def test_marks_turn_round(old: str, new: str) -> None:
    there, back = (
        Aligned().pair(parse_expression(old), parse_expression(new)),
        Aligned().pair(parse_expression(new), parse_expression(old)),
    )
    assert there.cost == back.cost
    assert parse_expression(side(back.text, "-")) == parse_expression(new)


REMARKS = {
    ("f(x)", "relu(f(x))"): ["relu(…) around f(x)"],
    ("x + f(norm(x))", "norm(x + f(x))"): ["norm(…) moved: from around x to around x + f(x)"],
    ("h -> a -> b", "h -> b -> a"): ["stage b moved"],
    ("a * x", "x"): ["factor removed: a"],
    ("a", "b"): [],
}


@pytest.mark.parametrize(("old", "new"), REMARKS)
def test_remarks(old: str, new: str) -> None:
    found = list(in_words(Aligned().pair(parse_expression(old), parse_expression(new)).remarks))
    if found == ["stage a moved"]:  # as good
        found = ["stage b moved"]
    assert [one.removeprefix("stage ") for one in found] == [
        one.removeprefix("stage ") for one in REMARKS[old, new]
    ] or (found == ["a moved"] or found == ["b moved"])


CHANGES: dict[str, tuple[dict[str, str], dict[str, str], list[tuple[str, str]]]] = {
    "nothing": ({"layer": LAYER}, {"layer": LAYER}, []),
    "spaces": ({"layer": "x = x+1"}, {"layer": "x = x  + 1   # more"}, []),
    "a size": ({}, {"sizes": "{d: 16, heads: 2, c: d/heads}"}, [("~", "sizes.d")]),
    "a size that nothing needs": ({}, {"sizes": "{d: 8, heads: 4, c: d/heads}"}, []),
    "the parts": (
        {},
        {"input": "x = 2 * encode(x, d)", "stack": "3 * layer", "output": "linear(x, out) / 2"},
        [("~", "input"), ("~", "stack"), ("~", "output")],
    ),
    "definitions": (
        {"layer": "x = f(g(x))", "where": "f(h): relu(h)\ng(h): sin(h)"},
        {"layer": "x = f(cos(x))", "where": "f(h): tanh(h)"},
        [("~", "where.layer"), ("~", "where.f"), ("-", "where.g")],
    ),
    "a definition by another name": (
        {"layer": "x = x + wide(x)", "where": "wide(h): h -> linear(4 * d) -> relu -> linear(d)"},
        {"layer": "x = x + broad(x)", "where": "broad(z): z -> linear(4 * d) -> tanh -> linear(d)"},
        [("~", "where.wide")],
    ),
    "a number beside a name": (
        {"layer": "x = f(x) * 2", "where": "f(h): h -> linear(d) -> relu"},
        {"layer": "x = g(x) * 3", "where": "g(h): h -> linear(d) -> relu"},
        [("~", "where.layer")],
    ),
    "what is only written differently": (
        {"layer": "h = x + 1\nx = f(h)", "where": "f(h): relu(h) * 2"},
        {"layer": "g = 1 + x\nx = f(g)", "where": "f(h): tanh(h) * 2"},
        [("~", "where.f")],
    ),
    "an extracted function beside a change": (
        {"layer": "x = x + relu(linear(x, d))", "output": "linear(x, out)"},
        {"layer": "x = x + f(x)", "where": "f(h): relu(linear(h, d))", "output": "linear(x, out) / 2"},
        [("~", "output")],
    ),
    "a definition of the library": (
        {"layer": "x = mlp(x)"},
        {"layer": "x = mlp(x)", "where": "mlp(h): h -> linear(d) -> relu -> linear(d)"},
        [("~", "where.mlp")],
    ),
    "a definition of the library as it is": (
        {"layer": "x = mlp(x)"},
        {"layer": "x = mlp(x)", "where": "mlp(h): h -> linear(d) -> batch_norm -> relu -> linear(d)"},
        [],
    ),
    "the data": ({}, {"data": "{name: pattern, batch_size: 8}"}, [("~", "batch_size")]),
    "a default said": ({}, {"data": "{name: pattern, batch_size: 32}"}, []),
    "weights set": (
        {"layer": "x = x * scalar(0)"},
        {"layer": "x = x * scalar(0)", "parameters": '"*.scalar": {init: 2}'},
        [("+", "*.scalar.init")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("title", CHANGES)
def test_changes(title: str) -> None:
    old, new, expected = CHANGES[title]
    found = between(old, new)
    assert [(change.sign, change.path) for change in found.all_changes()] == expected
    assert bool(found) == bool(expected)


@pytest.mark.parametrize("title", CHANGES)
def test_differences_are_the_same_backwards_with_signs_turned(title: str) -> None:
    turned = {"+": "-", "-": "+", "~": "~"}
    old, new, _ = CHANGES[title]
    there, back = between(old, new), between(new, old)
    assert there.same_architecture == back.same_architecture
    if not there.renamed:
        assert sorted((turned[one.sign], one.path) for one in there.all_changes()) == sorted(
            (one.sign, one.path) for one in back.all_changes()
        )
    assert [row.numbers for row in there.consequences] == [row.numbers[::-1] for row in back.consequences]


def test_weights_come_go_and_change_but_names_do_not_count() -> None:
    new = LAYER.replace("linear(x, d)", "linear(x, d, bias = false) * scalar(1)")
    found = between({"layer": LAYER}, {"layer": new})
    assert [(one.sign, one.name, one.parameters) for one in found.weights] == [
        ("-", "layers.*.h.bias", -16),
        ("+", "layers.*.scalar", 2),
    ]
    assert sum(one.parameters for one in found.weights) == -14
    assert not of_files("gating_norms", "gating_norm_last").weights
    wider = between({"layer": LAYER}, {"layer": LAYER, "sizes": "{d: 16, heads: 2, c: d/heads}"})
    assert {one.sign for one in wider.weights} == {"~"}
    assert wider.weights[0].shapes == "(3, 8) → (3, 16)"


def test_every_pair_of_specs_adds_up() -> None:
    for old, new in [("gin", "position_gating"), ("gps", "grit"), ("gin_mean", "gat"), ("pna", "egt")]:
        found = of_files(old, new)
        before, after = found.consequences[0].numbers
        assert before is not None
        assert after is not None
        assert sum(one.parameters for one in found.weights) == after - before


def test_keys_are_merged_in_order() -> None:
    assert merged(["a", "b", "c"], ["a", "x", "y", "c", "z"]) == ["a", "x", "y", "b", "c", "z"]
    assert merged([], ["a", "b"]) == ["a", "b"]
    assert merged(["b"], ["a", "b"]) == ["a", "b"]


def test_summary() -> None:
    assert shown("gin", "gin_inner_off").splitlines()[-1] == "0 added, 1 changed, 0 removed"
    assert shown("gin", "gin").splitlines()[-1] == "no architectural difference"
    assert "only written differently" in shown("gin", "gin_norms_on") or "1 changed" not in shown("gin", "gin_norms_on")


def test_programs_that_differ_where_no_definition_shows_it() -> None:
    """The axes of a product are in the order of its left operand, and so the entries of a view of it."""
    body = "x = {} * {} -> view(d)"
    found = between(
        {"layer": body.format("view(x, heads, c)", "matrix(c, heads, 1)")},
        {"layer": body.format("matrix(c, heads, 1)", "view(x, heads, c)")},
    )
    assert found.different
    assert not found
    assert "--level ir" in text_of(found, ("a", "b"))


@pytest.mark.parametrize(("variable", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_colour_is_for_terminals_that_want_it(variable: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr("sys.stdout", SimpleNamespace(isatty=lambda: True))
    assert terminal_style() is COLOUR
    monkeypatch.setenv(variable, value)
    assert terminal_style() is PLAIN
    monkeypatch.delenv(variable)
    monkeypatch.setattr("sys.stdout", SimpleNamespace(isatty=lambda: False))
    assert terminal_style() is PLAIN


def test_two_names_are_needed() -> None:
    for names in ((), ("gin",), ("gin", "gin", "gin")):
        with pytest.raises(SpecError, match="E0044"):
            invoke(*names)


def test_overrides_hold_for_both() -> None:
    text = shown("gin", "gin_inner_off", "--set", "model.sizes.d=10", "--set", "model.stack=1 * layer")
    assert "-20" in text
    assert "stack" not in text


def test_without_data_the_number_of_parameters_is_open() -> None:
    found = between({"data": ""}, {"data": "", "layer": "x = linear(x, d)"})
    assert found.consequences[0].old == "not known"
    assert [change.path for change in found.all_changes()] == ["where.layer"]
    assert not found.weights


def test_exit_code() -> None:
    assert invoke("gin", "gin", "--exit-code").exit_code == 0
    assert invoke("gin", "gin_norms_on", "--exit-code").exit_code == 0
    assert invoke("gin", "gin_inner_off", "--exit-code").exit_code == DIFFERENT == 2
    assert invoke("gin", "gin_inner_off").exit_code == 0


@pytest.mark.parametrize("level", ["text", "ir"])
def test_levels_line_by_line(level: str) -> None:
    text = shown("gin", "gin_inner_off", "--level", level)
    assert ("-    inner: batch_norm\n+    inner: identity" in text) == (level == "text")
    assert ("mlp.inner" in text) == (level == "ir")
    assert shown("gin", "gin", "--level", level) == ""


def test_the_library_is_expanded() -> None:
    assert "norm(…) moved" not in shown("gating_norms", "gating_norm_last")
    text = shown("gating_norms", "gating_norm_last", "--level", "expanded")
    assert "{+norm(+}x + f([-norm(-]x[-)-]){+)+}" in text
    assert "norm(…) moved: from around x to around x + f(x)" in text


def test_json() -> None:
    data = json.loads(shown("gin", "gin_inner_off", "--format", "json"))
    assert data["different"] is True
    [change] = data["changes"]["architecture"]
    assert change["path"] == "where.inner"
    assert change["lines"][0]["old"] == "inner: batch_norm"
    assert data["consequences"]["parameters"]["new"] == 100_004
    assert (
        json.loads(shown("gin", "content_attention", "--format", "json"))["consequences"]["receptive field"]["new"]
        == "inf"
    )


def test_markdown_and_html() -> None:
    markdown = shown("gin", "gin_inner_off", "--format", "markdown")
    assert "```diff\n- inner: batch_norm\n+ inner: identity\n```" in markdown
    assert "| parameters | 100,884 | 100,004 | -880 |" in markdown
    html = shown("gin", "gin_sigmoid_eps", "--format", "html")
    assert "<ins>sigmoid(</ins>eps<ins>)</ins>" in html
    assert "h =&gt; linear(h, out)" in html
    assert "http" not in html


def test_colour_stands_for_brackets() -> None:
    text = text_of(of_files("gin", "gin_inner_off"), ("gin", "gin_inner_off"), COLOUR)
    assert "\033[31;9mbatch_norm\033[0m\033[32;1midentity\033[0m" in text
    assert "[-" not in text
    assert pieces("\1a\2\3b\4c") == [("-", "a"), ("+", "b"), (" ", "c")]


RECEPTIVE = {
    "gin": 2,
    "gin_mean": 2,
    "gated_gcn": 2,
    "edge_conv": 2,
    "position_gating_hops": 8,
    "position_attention": 8,
    "content_attention": float("inf"),
    "gps": float("inf"),
}


@pytest.mark.parametrize("name", RECEPTIVE)
def test_receptive_field(name: str) -> None:
    spec = load_spec(name, ["model.stack=2 * layer"])
    assert receptive_field(compile_spec(spec).program) == RECEPTIVE[name]


@pytest.mark.parametrize(
    "name", ["gin", "gated_gcn", "position_gating_hops", "position_attention", "edge_conv", "gcnii"]
)
def test_receptive_field_is_what_gradients_reach(name: str) -> None:
    """On a long path the prediction of one end depends on exactly the nodes within the field."""
    case = of_file(name, numeric=True)
    nodes, field = 12, receptive_field(case.built.program)
    edges = tuple((i, j) for i in range(nodes) for j in (i - 1, i + 1) if 0 <= j < nodes)
    bare = Graph(torch.randn(nodes, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64), nodes, edges)
    graph = furnished(bare, case.facts, 1)
    x = graph.x.requires_grad_()
    [prediction] = evaluate(case.built.program, case.weights, [graph])
    [gradient] = torch.autograd.grad(prediction[0].sum(), x)
    reached = [node for node in range(nodes) if gradient[node].abs().max() > 0]
    assert reached == list(range(int(min(field or 0, nodes - 1)) + 1))


def test_costs_are_those_of_the_cost_command() -> None:
    rows = {row.name: row for row in of_files("gin", "gin_inner_off").consequences}
    compiled, spec = compile_spec(load_spec("gin")), load_spec("gin")
    found = bill(spec, compiled.program, compiled.plan, TABLE["pattern"])
    assert rows["FLOPs of a step"].numbers[0] == pytest.approx(found.total.flops + found.total.backward)
    assert rows["memory of a step"].numbers[0] == found.training.total


def test_receptive_field_without_features_or_with_modules_of_others() -> None:
    assert receptive_field(program(layer="x = linear(degree, d)")) == float("-inf")
    other = program(layer="x = conv(x)", where='conv: pyg("GCNConv", axes = d)')
    assert receptive_field(other) is None


def test_sources(tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    (run / "spec.yaml").write_text(load_spec("gin_inner_off").text)
    assert "100,884 → 100,004" in shown("gin", os.fspath(run))
    assert shown("specs/gin.yaml", "gin").endswith("no architectural difference\n")
