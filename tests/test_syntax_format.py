"""`archspec fmt`: canonical equations, everything else untouched."""

import os
import stat
from pathlib import Path

import click
import pytest
import yaml
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from archspec.commands.fmt import command
from archspec.commands.main import Commands
from archspec.diagnostics import SpecError
from archspec.source import SourceFile
from archspec.syntax import format as formatter
from archspec.syntax import tree
from archspec.syntax.format import all_comments, format_text, read_equations
from archspec.syntax.printer import print_body
from tests.trees import bodies

UGLY = """# top
name: f   # trailing
model:
  sizes: {d: 64, c: d/4}   # sizes
  input: x = encode(x,d)  # comment
  stack: 4*layer
  output:   linear( x,out )
  where:
    # before
    layer: |   # header
      # own line
      h = (x)+sum[ j in N ](x[j])   # trailing


      y = f(x,   # inner
            2)
      z = h -> linear(d, some_long_argument = 1) -> batch_norm -> relu -> linear(d, other = 2) -> relu # long
      x = x
         + y
      # the end
    f( x , n=3 ): x
      -> relu
    "g(x)": 'relu(  x  )'
    k: .5
    minus: |
      a=3
      (-a)
data: {name:   pattern}
"""

NEAT = """# top
name: f   # trailing
model:
  sizes: {d: 64, c: d / 4}   # sizes
  input: x = encode(x, d)  # comment
  stack: 4 * layer
  output:   linear(x, out)
  where:
    # before
    layer: |   # header
      # own line
      h = x + sum[j in N](x[j])  # trailing

      y = f(x,   # inner
            2)
      z = h
        -> linear(d, some_long_argument = 1)
        -> batch_norm
        -> relu
        -> linear(d, other = 2)
        -> relu  # long
      x = x + y
      # the end
    f(x, n = 3): x -> relu
    "g(x)": 'relu(x)'
    k: 0.5
    minus: |
      a = 3
      (-a)
data: {name:   pattern}
"""


def formatted(text: str) -> str:
    """The new text."""
    return format_text(SourceFile("a.yaml", text))


def test_format() -> None:
    assert formatted(UGLY) == NEAT
    assert formatted(NEAT) == NEAT


def test_line_breaks_of_other_systems_stay() -> None:
    assert formatted(UGLY.replace("\n", "\r\n")) == NEAT.replace("\n", "\r\n")


comments = st.sampled_from(("", "", "  # a", "#b", "  # ε: [x"))
spaces = st.sampled_from(("", "\n", "\n\n", "      # own\n", "\n      # own\n\n"))


@settings(max_examples=12)
@given(bodies(), st.lists(comments, min_size=4, max_size=4), st.lists(spaces, min_size=5, max_size=5))
def test_blocks_keep_meaning_and_comments(body: tree.Body, behind: list[str], above: list[str]) -> None:
    lines = [f"      {line}{comment}\n" for line, comment in zip(print_body(body).split("\n"), behind, strict=False)]
    block = "".join(space + line for space, line in zip(above, lines, strict=False)) + above[-1]
    text = f"model:\n  where:\n    f: |\n{block}    g: x\n"
    new = formatted(text)
    assert formatted(new) == new
    old, neat = SourceFile("a", text), SourceFile("a", new)
    assert (
        read_equations(neat)[1]
        == read_equations(old)[1]
        == [*read_equations(old)[1][:1], body, *read_equations(old)[1][2:]]
    )
    assert all_comments(neat) == all_comments(old)


def test_what_would_change_the_file_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A planted fault in the printer: the file stays as it is, and fmt says so."""
    monkeypatch.setattr(formatter, "print_statement", lambda statement: "h = wrong")
    file = tmp_path / "a.yaml"
    file.write_text(UGLY)
    with pytest.raises(SpecError, match="E0051"):
        CliRunner().invoke(command, [str(file)], catch_exceptions=False)
    assert file.read_text() == UGLY


def test_lost_comments_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A planted fault: comments on a line of their own are dropped."""
    keep = formatter.pieces
    monkeypatch.setattr(
        formatter, "pieces", lambda *given: [one for one in keep(*given) if "own line" not in one.lines[0]]
    )
    with pytest.raises(SpecError, match="E0051"):
        formatted(UGLY)


def test_command(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_bytes("\ufeff".encode() + UGLY.encode())
    os.chmod(file, 0o640)
    (tmp_path / "link.yaml").symlink_to(file)
    with pytest.raises(SpecError, match=r"a.yaml:4:3: E0050"):
        CliRunner().invoke(command, ["--check", str(file)], catch_exceptions=False)
    assert CliRunner().invoke(command, [str(tmp_path / "link.yaml")]).output.startswith("formatted ")
    assert file.read_bytes() == "\ufeff".encode() + NEAT.encode()
    assert (tmp_path / "link.yaml").is_symlink()
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert CliRunner().invoke(command, ["--check", str(tmp_path)]).output == "already in canonical form\n"
    assert sorted(one.name for one in tmp_path.iterdir()) == ["a.yaml", "link.yaml"]


def test_problems_of_several_files_are_told_together(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.yaml").write_text("model:\n  stack: 4 *\n")
    with pytest.raises(SpecError) as caught:
        CliRunner().invoke(command, [str(tmp_path), str(tmp_path / "absent.yaml")], catch_exceptions=False)
    assert [one.code for one in caught.value.diagnostics] == ["E0120", "E0001", "E0120"] or len(
        caught.value.diagnostics
    ) == 3


@pytest.mark.parametrize("folder", ["specs", "archspec/library"])
def test_what_comes_with_archspec_is_canonical(folder: str) -> None:
    for file in (Path(__file__).parent.parent / folder).glob("*.yaml"):
        assert formatted(file.read_text()) == file.read_text()


def test_the_hooks_for_pre_commit_name_commands() -> None:
    text = (Path(__file__).parent.parent / ".pre-commit-hooks.yaml").read_text(encoding="utf-8")
    hooks = yaml.safe_load(text)
    assert [hook["id"] for hook in hooks] == ["archspec-fmt", "archspec-check"]
    for hook in hooks:
        program, name, *options = hook["entry"].split()
        assert program == "archspec"
        known = Commands().get_command(click.Context(click.Command("archspec")), name)
        assert known is not None
        assert set(options) <= {one for parameter in known.params for one in parameter.opts}
