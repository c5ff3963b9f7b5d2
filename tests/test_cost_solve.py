"""The width that fits a budget: the largest that does, by trying all."""

from pathlib import Path

import pytest

from archspec.cost.parameters import count
from archspec.cost.solve import budget_of, solve
from archspec.diagnostics import SpecError
from archspec.pipeline import compile_spec
from archspec.syntax.load import load_spec
from tests.test_command_line import call


def parameters(name: str, value: int) -> int | None:
    """Parameters at a width; None where it does not compile."""
    try:
        return count(compile_spec(load_spec(name, [f"model.sizes.d={value}"])).program)
    except SpecError:
        return None


@pytest.mark.parametrize(("name", "budget"), [("gin", 2_000), ("content_attention", 15_000)])
def test_no_other_width_fits_better(name: str, budget: int) -> None:
    found = solve(load_spec(name), "d", budget)
    every = {value: parameters(name, value) for value in range(1, found.value + 2 * found.step + 1)}
    within = [value for value, taken in every.items() if taken is not None and taken <= budget]
    assert found.value == max(within)
    assert (found.parameters, found.above) == (every[found.value], every[found.value + found.step])


def test_published_widths() -> None:
    """GIN's budgets: 4 layers of 110 are 100,884 parameters, 16 of 124 are 508,574."""
    assert solve(load_spec("gin"), "d", 101_000).value == 110
    assert solve(load_spec("gin", ["model.stack=16 * layer"]), "d", 510_000).value == 124


@pytest.mark.parametrize(("text", "number"), [("100k", 100_000), ("1.5M", 1_500_000), ("100_000", 100_000), ("7", 7)])
def test_budgets(text: str, number: int) -> None:
    assert budget_of(text) == number


WRONG = {
    ("gin", "--budget", "100k", "--solve", "dd"): "E0047 the spec has no size dd (write `d`)",
    ("gin", "--budget", "20", "--solve", "d"): "E0047 d = 1 already takes 59 parameters",
    ("gat", "--budget", "100k", "--solve", "c"): "E0047 the size c is computed from others",
    ("content_attention", "--budget", "1M", "--solve", "heads"): "E0047 the parameters do not grow",
    ("gin", "--budget", "lots", "--solve", "d"): "E0044 `--budget lots` is no number",
    ("gin", "--budget", "0", "--solve", "d"): "E0044 `--budget 0` is no number",
    ("gin", "--budget", "100k"): "E0044 `--budget` is alone",
    ("gin", "--solve", "d"): "E0044 `--solve` is alone",
}


@pytest.mark.parametrize("arguments", WRONG, ids=" ".join)
def test_mistakes(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert call("--format", "concise", "cost", *arguments) == 1
    assert WRONG[arguments] in capsys.readouterr().err


def test_what_is_printed_can_be_given_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("cost", "content_attention", "--budget", "100k", "--solve", "d") == 0
    said = capsys.readouterr().out
    assert "in steps of 8" in said
    override = said.rpartition("`--set ")[2].partition("`")[0]
    assert call("cost", "content_attention", "--set", override) == 0
