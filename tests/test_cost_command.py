"""`archspec cost` as someone meets it."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.test_command_line import call

TEXT = """
name: small
model:
  sizes: {d: 8}
  input: x = encode(x, d)
  stack: 2 * layer
  output: linear(x, out)
  where:
    layer: x = x + sum[j in N](x[j]) -> linear(2 * d) -> relu -> linear(d)
data: {name: pattern, batch_size: 10}
"""


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What it prints."""
    assert call("cost", *arguments) == 0
    return capsys.readouterr().out


def costs(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    """What it says to tools."""
    found: dict[str, Any] = json.loads(said(capsys, *arguments, "--format", "json"))
    return found


@pytest.fixture
def small(tmp_path: Path) -> str:
    """A spec file."""
    path = tmp_path / "small.yaml"
    path.write_text(TEXT)
    return str(path)


def test_lines_add_up_and_are_sorted_by_share(capsys: pytest.CaptureFixture[str]) -> None:
    for by in ("definition", "operation"):
        found = costs(capsys, "gps", "--by", by, "--sort", "kept")
        for name, value in found["total"].items():
            assert sum(line[name] for line in found["lines"]) == pytest.approx(value)
        kept = [line["kept"] for line in found["lines"]]
        assert kept == sorted(kept, reverse=True)
        assert found["total"]["parameters"] == 423_717


def test_figures_of_a_small_spec_by_hand(small: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = costs(capsys, small, "--sort", "model")
    nodes, edges = found["batch"]["nodes"], found["batch"]["edges"]
    assert nodes == pytest.approx(1157.16)
    _, layer, output = found["lines"]
    assert layer["parameters"] == 2 * (8 * 16 + 16 + 16 * 8 + 8)
    # two products, the neighbour sum, a relu and a residual
    assert layer["flops"] == pytest.approx(2 * (2 * 2 * 8 * 16 * nodes + 2 * 8 * edges + 16 * nodes + 8 * nodes))
    assert layer["formulas"]["flops"] == "L·d·(8·d·n + 2·m + 3·n)"
    assert output["formulas"]["parameters"] == "out·(d + 1)"


def test_text_and_markdown(small: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys, small)
    assert "L = 2 layers, d = 8, out = 2" in text
    assert "for one graph of n nodes and m edges" in text
    markdown = said(capsys, small, "--format", "markdown")
    assert re.search(r"\| layer \| \d+ % \| 560 \|", markdown)


def test_another_form_costs_otherwise(capsys: pytest.CaptureFixture[str]) -> None:
    plain, dense = costs(capsys, "gin"), costs(capsys, "gin", "--backend", "neighbour_sum=dense")
    assert dense["total"]["flops"] > plain["total"]["flops"]
    assert dense["total"]["parameters"] == plain["total"]["parameters"]


def test_modules_made_elsewhere_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text(TEXT.replace("sum[j in N](x[j])", 'pyg("GATConv", axes = d)(x)'))
    assert "not counted: weights of pyg(GATConv)" in said(capsys, str(path))


def test_mistakes(small: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("cost", "gim", "--format", "json") == 1
    assert json.loads(capsys.readouterr().err)[0]["code"] == "E0001"
    assert call("cost") == 1
    assert "missing argument 'SPEC'" in capsys.readouterr().err
    assert call("cost", "gin", "--sort", "flopz") == 1
    assert "write `flops`" in capsys.readouterr().err
    without = tmp_path / "without.yaml"
    without.write_text(TEXT.partition("data:")[0])
    assert call("cost", str(without)) == 1
    assert "E0311" in capsys.readouterr().err


def test_a_data_set_that_was_not_read_yet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("cost", "gin", "--set", "data.name=Airports", "--set", f"data.options.name={tmp_path.name}") == 1
    assert "read it once: `archspec data Airports`" in capsys.readouterr().err


def test_sizes_may_have_the_names_of_symbols(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text(TEXT.replace("{d: 8}", "{d: 8, n: d, L: 2}").replace("2 * layer", "L * layer"))
    text = said(capsys, str(path))
    assert "for one graph of nodes nodes and m edges; layers = 2 layers" in text
