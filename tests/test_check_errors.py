"""Every row of `mistakes.txt` is reported as it says, where it says.

A row is a spec, given by those of its parts that are not as usual, with the place of each problem between « and »; then
a line for every problem. `pytest --update-golden` rewrites those lines.
"""

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from archspec.check.torch_names import TORCH_NAMES
from archspec.diagnostics import Diagnostic, SpecError, render
from tests.checking import compiled, spec_text
from tests.golden.compare import updating

TABLE = Path(__file__).parent / "mistakes.txt"
ARROW = "-> "


@dataclass(frozen=True)
class Mistake:
    """A row: the spec with its marks, the lines of its problems, and the line of the table it begins in."""

    parts: tuple[tuple[str, str], ...]
    problems: tuple[str, ...]
    line: int

    def __str__(self) -> str:
        return f"{self.problems[0].split()[0]}-{self.line}" if self.problems else f"line {self.line}"


def mistakes() -> Iterator[Mistake]:
    """The rows of the table: paragraphs that are no heading."""
    line = 1
    for paragraph in TABLE.read_text(encoding="utf-8").split("\n\n"):
        lines = paragraph.strip("\n").split("\n")
        if not lines[0].startswith("#"):
            parts: dict[str, list[str]] = {}
            for name, _, text in (one.partition(": ") for one in lines if not one.startswith(ARROW)):
                parts.setdefault(name.rstrip(":"), []).append(text)
            problems = tuple(one.removeprefix(ARROW) for one in lines if one.startswith(ARROW))
            yield Mistake(tuple((name, "\n".join(texts)) for name, texts in parts.items()), problems, line)
        line += len(paragraph.split("\n")) + 1


def found(mistake: Mistake) -> tuple[list[Diagnostic], list[tuple[int, int]]]:
    """The problems of a row's spec, and the places between its marks."""
    text = spec_text(**dict(mistake.parts))
    places, opened = [], []
    for at, character in enumerate(text):
        before = at - text.count("«", 0, at) - text.count("»", 0, at)
        if character == "«":
            opened.append(before)
        elif character == "»":
            places.append((opened.pop(), before))
    plain = {name: part.replace("«", "").replace("»", "") for name, part in mistake.parts}
    with pytest.raises(SpecError) as caught:
        compiled(**plain)
    return list(caught.value.diagnostics), places


def said(problem: Diagnostic) -> str:
    """A problem as the table has it."""
    return f"{problem.code} {problem.message}" + (f" ({problem.help})" if problem.help else "")


ROWS = list(mistakes())


@pytest.mark.parametrize("mistake", ROWS, ids=str)
def test_message(mistake: Mistake, request: pytest.FixtureRequest) -> None:
    problems, places = found(mistake)
    lines = tuple(said(one) for one in problems)
    if updating(request.config) and lines != mistake.problems:
        rewrite(mistake, lines)
        return
    assert lines == mistake.problems
    assert sorted({(one.span.start, one.span.end) for one in problems if one.span}) == sorted(places)
    for one in problems:
        assert one.help
        assert not one.message.endswith(".")
        assert one.message[0] == one.message[0].lower()


def rewrite(mistake: Mistake, problems: tuple[str, ...]) -> None:
    """Put other problems behind a row's spec; rows are told apart by their specs."""
    spec = "".join(f"{name}: {line}".rstrip() + "\n" for name, text in mistake.parts for line in text.split("\n"))
    old, new = (spec + "".join(f"{ARROW}{one}\n" for one in lines) for lines in (mistake.problems, problems))
    TABLE.write_text(TABLE.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")


def test_every_code_of_the_checker_has_a_row() -> None:
    tested = {problem[:5] for mistake in ROWS for problem in mistake.problems}
    package = Path(__file__).parents[1] / "archspec"
    sources = [path for folder in ("check", "ir") for path in (package / folder).glob("*.py")]
    used = {code for path in sources for code in re.findall(r'"(E0[2-5]\d\d)"', path.read_text(encoding="utf-8"))}
    assert tested == used - {"E0300"}  # which only a bug can cause


def test_example_of_the_language_page() -> None:
    text = render(
        problems_of(
            sizes="{d: 8}",
            input="x = encode(x, d)\ne = x",
            layer="e[i, j in N] = x[i] * x[j]\ny = x + relu(e)\nx = y",
        )
    )
    assert text == textwrap.dedent("""\
        error[E0304]: cannot add a per-node and a per-edge value
          --> test.yaml:12:15
           |
        12 |       y = x + relu(e)
           |               ^^^^^^^ per edge, axes (d)
           = note: the left side is per node
           = help: reduce it over the neighbours first: `sum[j in N](relu(e[i,j]))`""")


def problems_of(**parts: str) -> tuple[Diagnostic, ...]:
    """What is wrong with a spec of these parts."""
    with pytest.raises(SpecError) as caught:
        compiled(**parts)
    return caught.value.diagnostics


def test_several_problems_are_found_at_once_and_sorted() -> None:
    found = problems_of(
        sizes="{d: 8, c: dd/2}",
        stack="2 * layer -> lyer",
        layer="h = rellu(x)\nx = x + sum[j in N](x)\nx = linear(x, 0.5)",
        where="unused(h): linear(h, width)",
        output="linear(y, out)",
    )
    assert [one.span.line for one in found if one.span] == [3, 5, 6, 9, 10, 11, 12]
    assert [one.code for one in found] == ["E0201", "E0201", "E0201", "E0201", "E0303", "E0301", "E0201"]


def test_what_follows_from_a_problem_is_not_reported() -> None:
    [problem] = problems_of(
        stack="4 * layer", layer="h = linear(x, unknown_size)\nx = x + mlp(h) @ h", where="mlp(h): relu(h) + 1"
    )
    assert problem.message == "unknown name `unknown_size`"


def test_names_of_torch_modules_are_all_known() -> None:
    from torch import nn

    public = {name for name in (*dir(nn.Module), *nn.Module.__annotations__) if not name.startswith("_")}
    assert public <= TORCH_NAMES
