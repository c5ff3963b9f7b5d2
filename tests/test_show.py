"""`archspec show`: every stage of a spec as text."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from archspec.check.checker import check
from archspec.commands.show import STAGES, command
from archspec.compare.same import same
from archspec.diagnostics import SpecError
from archspec.facts import with_defaults
from archspec.passes.optimise import PASSES
from archspec.pipeline import compile_spec, facts_of
from archspec.syntax.library import reached
from archspec.syntax.load import load_spec, parse_spec


def shown(*arguments: str) -> str:
    """What the command prints; its problems are raised."""
    result = CliRunner().invoke(command, arguments, catch_exceptions=False, standalone_mode=False)
    return result.output


@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_ends_in_one_line_break(stage: str) -> None:
    text = shown("gin", "--as", stage)
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    assert text == STAGES[stage](load_spec("gin"), {})


def test_spec_is_what_is_shown_without_a_stage_and_reads_back() -> None:
    text, read = shown("gin_norms_off"), load_spec("gin_norms_off")
    again = parse_spec(text)
    assert "extends" not in text
    assert again.text == text
    assert again.settings == with_defaults(read, facts_of(read)).settings


@pytest.mark.parametrize("name", ["gps", "position_gating", "egt", "gin_norms_off"])
def test_expanded_it_needs_nothing_of_the_library_and_is_the_same(name: str) -> None:
    text = shown(name, "--expand")
    alone = parse_spec(text)
    assert text == shown(name, "--expand", "--as", "spec")
    assert not reached(alone)
    facts = facts_of(alone)
    assert same(compile_spec(load_spec(name)).program, check(alone, facts, {}))


def test_overrides() -> None:
    assert "stack: 16 * layer" in shown("gin", "--set", "model.stack=16 * layer")
    assert shown("gin", "--as", "params", "--set", "model.sizes.d=124", "--set", "model.stack=16 * layer").endswith(
        "508,574\n"
    )


def test_tree_names_every_form() -> None:
    text = shown("gin", "--as", "tree")
    assert text.startswith("sizes.d: Literal value=110\ninput: Body\n  statements[0]: Assign\n")
    for form in ("Repeat", "Call", "Lambda", "Reduce", "Index", "Pipe", "Binary op='+'", "Definition"):
        assert f": {form}" in text


def test_ir_shows_names_types_and_weights() -> None:
    text = shown("gin", "--as", "ir")
    assert "layers.0 … layers.3: layer\n" in text
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert "h = add(%2, %4) : per node, axes (d)" in lines
    assert "%5 = linear(h) {mlp.linear} : per node, axes (d)" in lines
    assert "→ x = x.2" in lines


def test_plan_shows_the_form_and_what_the_others_cost() -> None:
    text = shown("gin", "--as", "plan")
    [line] = [line for line in text.splitlines() if "#" in line and "by " in line]
    assert all(f"{form} " in line for form in ("csr", "dense", "gather"))
    assert " ms" in line


def test_form_can_be_forced() -> None:
    assert "by dense: forced" in shown("gin", "--as", "plan", "--backend", "neighbour_sum=dense")
    assert "neighbour_sum_dense(" in shown("gin", "--as", "code", "--backend", "neighbour_sum=dense")


@pytest.mark.parametrize("name", dict.fromkeys(one.__name__ for one in PASSES))
def test_program_after_each_pass(name: str) -> None:
    assert shown("content_attention", "--after", name).startswith("input\n")


def test_passes_change_what_is_shown() -> None:
    assert "gather_source" in shown("gin", "--after", "share")
    assert "gather_source" not in shown("gin", "--after", "fuse")


MISTAKES = {
    ("gin", "--as", "code", "--after", "fuse"): "`--after` shows the program, not `--as code`",
    ("gin", "-o", "no/such/folder/gin.txt"): "there is no folder `no/such/folder`",
    ("gin", "--as", "spec", "--after", "fuse"): "`--after` shows the program, not `--as spec`",
    ("gin", "--detail"): "`--detail` is for a diagram, not for `--as spec`",
    ("gin", "--as", "diagram", "-o", "gin.png"): "a diagram is SVG or DOT, and `gin.png` ends in neither",
    ("gin", "--after", "fuze"): "there is no pass `fuze`",
    ("gin", "--as", "plan", "--backend", "neighbour_sum"): "`--backend neighbour_sum` names no form",
    ("gin", "--as", "plan", "--backend", "neighbour_sum=quick"): "there is no form quick of neighbour_sum",
    ("gin", "--as", "plan", "--backend", "relu=csr"): "relu is no operation with several forms",
}


@pytest.mark.parametrize("arguments", MISTAKES, ids=" ".join)
def test_mistakes(arguments: tuple[str, ...]) -> None:
    with pytest.raises(SpecError) as caught:
        shown(*arguments)
    [problem] = caught.value.diagnostics
    assert problem.message == MISTAKES[arguments]
    assert problem.help


def test_without_data_sizes_are_open(tmp_path: Path) -> None:
    path = tmp_path / "open.yaml"
    text = shown("gin")
    path.write_text(text[: text.index("data:")])
    for stage in ("spec", "tree", "ir", "plan"):
        assert shown(str(path), "--as", stage)
    with pytest.raises(SpecError, match="not known without a data set"):
        shown(str(path), "--as", "code")
    assert compile_spec(load_spec(path)).program.name == "gin"


def test_a_stage_is_written_to_a_file(tmp_path: Path) -> None:
    assert shown("gin", "--as", "latex", "-o", str(tmp_path / "gin.tex")) == ""
    assert (tmp_path / "gin.tex").read_text(encoding="utf-8") == shown("gin", "--as", "latex")


def test_mathematics_in_a_terminal() -> None:
    assert "  h = (1 + ε) x + ∑[j ∈ N] xⱼ\n" in shown("gin", "--as", "math")
