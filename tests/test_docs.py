"""The documentation says what is: its examples compile, what it calls absent is refused, its tables are up to date."""

import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
import textwrap
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import ModuleType

import click
import pytest

from archspec.commands.main import main
from archspec.cost.parameters import parameters
from archspec.diagnostics import SpecError, render
from archspec.facts import TABLE
from archspec.notation.diagram import diagram
from archspec.notation.svg import svg
from archspec.pipeline import compile_spec
from archspec.syntax.load import load_spec
from archspec.syntax.mistakes import MISTAKES
from archspec.syntax.settings import CODES, MISSING, UNKNOWN, WRONG
from tests.parity.test_notebook import ATTENTIONS as DENSE
from tests.test_layers import ROWS

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*(ROOT / "docs").glob("*.md"), ROOT / "README.md"])

BLOCK = re.compile(
    r"(?:<!-- test: (?P<test>.+?) -->\n)?^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE
)


@dataclass(frozen=True)
class Block:
    """A block of a page, the comment before it that says how it is tested, and the block behind it."""

    page: str
    line: int
    test: str
    language: str
    text: str
    after: str = ""

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def blocks(path: Path) -> list[Block]:
    text = path.read_text(encoding="utf-8")
    found = list(BLOCK.finditer(text))
    after = [one["text"] for one in found[1:]] + [""] * bool(found)
    return [
        Block(
            path.name, text[: one.start("text")].count("\n") + 1, one["test"] or "", one["language"], one["text"], then
        )
        for one, then in zip(found, after, strict=True)
    ]


BLOCKS = [block for page in PAGES for block in blocks(page)]


def marked(*kinds: str) -> list[Block]:
    return [block for block in BLOCKS if block.test.startswith(kinds)]


HEAD = """\
name: host
model:
  sizes: {d: 8, heads: 2, c: d / heads}
  input: |
    x = encode(x, d)
  stack: 2 * layer
  output: linear(x, out)
  where:
"""
DATA = "data: {name: pattern}\n"


def hosted(text: str, kind: str) -> str:
    """A whole spec around a part of one."""
    if kind == "where":
        return HEAD + textwrap.indent(text, " " * 4) + DATA
    if kind == "input":
        return hosted("x = x", "body").replace("    x = encode(x, d)\n", textwrap.indent(text, " " * 4))
    if kind == "section":
        return hosted("x = x", "body") + text
    assert kind == "body", kind
    return hosted("layer: |\n" + textwrap.indent(text.strip("\n") + "\n", "  "), "where")


def codes(text: str, folder: Path) -> list[str]:
    """The codes of everything that is wrong with a spec."""
    path = folder / "spec.yaml"
    path.write_text(text, encoding="utf-8")
    try:
        compile_spec(load_spec(path))
    except SpecError as error:
        return [one.code for one in error.diagnostics]
    return []


@pytest.mark.parametrize("block", marked("spec", "where", "body", "section"), ids=str)
def test_examples_compile(block: Block, tmp_path: Path) -> None:
    text = block.text if block.test == "spec" else hosted(block.text, block.test)
    assert codes(text, tmp_path) == []


@pytest.mark.parametrize("block", marked("error"), ids=str)
def test_examples_of_mistakes_are_refused(block: Block, tmp_path: Path) -> None:
    assert set(codes(hosted(block.text, "body"), tmp_path)) == {block.test.split()[1]}


@pytest.mark.parametrize("block", marked("columns"), ids=str)
def test_examples_of_columns_compile_where_the_data_has_them(block: Block, tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text(hosted(block.text, "input"), encoding="utf-8")
    facts = replace(TABLE["pattern"], letters=(4, 3, 5), edge_letters=(2, 3))
    with_states = compile_spec(load_spec(path), facts)
    assert sum(node.op == "embed" for node in with_states.program.input.nodes) >= 4


@pytest.mark.parametrize("block", marked("parameters"), ids=str)
def test_names_of_weights(block: Block, tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text(hosted(block.text, "where"), encoding="utf-8")
    names = [name for name in parameters(compile_spec(load_spec(path)).program) if name.startswith("layers.0.")]
    assert names == block.after.split()


@pytest.mark.parametrize("block", marked("message"), ids=str)
def test_messages_are_printed_as_shown(block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("spec.yaml").write_text(hosted(block.text, "where"), encoding="utf-8")
    with pytest.raises(SpecError) as caught:
        compile_spec(load_spec("spec.yaml"))
    assert render(caught.value.diagnostics) == block.after.rstrip("\n")


def test_every_example_of_the_language_says_how_it_is_tested() -> None:
    untested = [
        block
        for block, before in zip(BLOCKS, [None, *BLOCKS], strict=False)
        if block.page == "language.md" and not block.test and not (before and before.test in ("parameters", "message"))
    ]
    assert [str(block) for block in untested if block.text not in library_text()] == []
    kinds = {block.test.split()[0] for block in BLOCKS if block.test}
    assert kinds == {"spec", "where", "body", "section", "error", "parameters", "message", "columns"}


@cache
def library_text() -> str:
    return "\n".join(file.read_text(encoding="utf-8") for file in (ROOT / "archspec" / "library").glob("*.yaml"))


# tables made from the code


@cache
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_generated_parts_are_up_to_date(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert generator().fresh(text) == text, "run `python docs/generate.py`"


@pytest.mark.parametrize("picture", sorted((ROOT / "docs" / "pictures").glob("*.svg")), ids=lambda one: one.stem)
def test_pictures_are_up_to_date_and_shown(picture: Path) -> None:
    assert picture.read_text(encoding="utf-8") == svg(diagram(load_spec(picture.stem))), "run `python docs/generate.py`"
    assert any(f"](pictures/{picture.name})" in page.read_text(encoding="utf-8") for page in PAGES)


def test_the_listing_has_the_order_of_the_layers() -> None:
    assert tuple(name.removesuffix(".py") for name in generator().ORDER) == ROWS


def test_a_stale_part_is_seen() -> None:
    page = (ROOT / "docs" / "language.md").read_text(encoding="utf-8")
    assert generator().fresh(page.replace("| max(x, 0) |", "| max(x, 1) |")) == page


# error codes

CODE = re.compile(r"\bE0\d{3}\b")
LISTED = re.compile(r"^\| (E0\d{3}) \|", re.MULTILINE)


def codes_in_use() -> set[str]:
    """Codes in the text of the program, and those put together from a section and a kind of mistake in its settings."""
    sources = [path for path in (ROOT / "archspec").rglob("*.py")]
    written = {code for path in sources for code in CODE.findall(path.read_text(encoding="utf-8"))}
    return written | {section + kind for section in ("E00", *CODES.values()) for kind in (UNKNOWN, MISSING, WRONG)}


def listed_codes() -> list[str]:
    return LISTED.findall((ROOT / "docs" / "errors.md").read_text(encoding="utf-8"))


def test_every_error_code_is_listed_once() -> None:
    listed = listed_codes()
    assert sorted(codes_in_use() - set(listed)) == []
    assert sorted(code for code in set(listed) if listed.count(code) > 1) == []


def test_no_listed_code_is_out_of_use() -> None:
    assert sorted(set(listed_codes()) - codes_in_use()) == []


def test_codes_are_found() -> None:
    assert {"E0001", "E0101", "E0304", "E0401", "E0601", "E0631"} <= codes_in_use()
    assert set(MISTAKES) <= set(listed_codes())


# adding a primitive, as docs/architecture.md has it

ADDITION = re.compile(r"<!-- add to (\w+) -->\n *```python\n(.*?)^ *```", re.DOTALL | re.MULTILINE)

CHECKED = """
from archspec.equal.module import agreement
from archspec.pipeline import compile_spec
from archspec.notation.diagram import diagram
from archspec.notation.svg import svg
from archspec.syntax.load import load_spec
spec = load_spec("spec.yaml")
assert "softshrink" in compile_spec(spec).code
print(agreement(spec))
"""


def test_a_primitive_is_two_rows(tmp_path: Path) -> None:
    additions = ADDITION.findall((ROOT / "docs" / "architecture.md").read_text(encoding="utf-8"))
    assert len(additions) == 2
    shutil.copytree(ROOT / "archspec", tmp_path / "archspec", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "spec.yaml").write_text(hosted("x = x + softshrink(2 * x, 0.1)", "body"), encoding="utf-8")
    before = in_copy(tmp_path)
    assert "unknown name `softshrink`" in before.stderr
    for table, row in additions:
        add_row(tmp_path / "archspec", table, row)
    after = in_copy(tmp_path)
    assert after.returncode == 0, after.stderr
    assert "equal the reference" in after.stdout


def add_row(package: Path, table: str, row: str) -> None:
    """Put a row at the top of the one table of that name."""
    start = re.compile(rf"^{table}\b.* = [({{]\n", re.MULTILINE)
    [path] = [path for path in package.rglob("*.py") if start.search(path.read_text(encoding="utf-8"))]
    text = path.read_text(encoding="utf-8")
    path.write_text(start.sub(lambda found: f"{found[0]}    {row.strip()},\n", text), encoding="utf-8")


def in_copy(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", CHECKED],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


# links and commands

LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]*)(?:#([^)\s]*))?\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def anchors(path: Path) -> set[str]:
    headings = HEADING.findall(path.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    prose = re.sub(
        r"^ *```.*?^ *```|`[^`\n]*`|<!--.*?-->", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE
    )
    for target, anchor in LINK.findall(prose):
        if "://" in target:
            continue
        path = page if not target else page.parent / target
        assert path.exists(), target
        assert not anchor or anchor in anchors(path), f"{target}#{anchor}"


def shown_commands() -> list[str]:
    """Every call of archspec in a block of a shell or on a console."""
    lines = [line for block in BLOCKS if block.language in ("sh", "bash", "console") for line in block.text.split("\n")]
    calls = [call.strip().removeprefix("$ ") for line in lines for call in line.partition("  #")[0].split("&&")]
    return sorted({call for call in calls if call.startswith("archspec ")})


@pytest.mark.parametrize("call", shown_commands())
def test_commands_that_are_shown_exist(call: str) -> None:
    name, *arguments = shlex.split(call)[1:]
    if name.startswith("--"):
        assert name in [option for parameter in main.params for option in parameter.opts] + ["--help"]
        return
    command = main.get_command(click.Context(main), name)
    assert command is not None, f"there is no command {name}"
    command.make_context(name, arguments)  # unknown options and missing arguments raise


def test_commands_are_shown() -> None:
    assert any("train" in call for call in shown_commands())


@pytest.mark.parametrize("path", sorted((ROOT / "docs" / "examples").glob("*.yaml")), ids=lambda path: path.stem)
def test_examples_agree_with_the_reference(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main.main(["check", str(path)], standalone_mode=False)
    assert "ok, 834 parameters, outputs and gradients equal the reference's" in capsys.readouterr().out


def test_the_page_of_specs_names_every_spec_with_a_dense_partner() -> None:
    page = (ROOT / "docs" / "specs.md").read_text(encoding="utf-8")
    assert [name for name in DENSE if f"`{name}`" not in page and f"[{name}]" not in page] == []
