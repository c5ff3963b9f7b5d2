"""How problems are collected, sorted and printed."""

import json
import textwrap

import pytest

from archspec.diagnostics import SHOWN, WIDTH, Diagnostic, Problems, SpecError, render
from archspec.source import SourceFile, Span

SOURCE = SourceFile("gine.yaml", "name: gine\nlayer: |\n  y = x + relu(e)\n\tz = 1\nlast")


def at(part: str, source: SourceFile = SOURCE) -> Span:
    start = source.text.index(part)
    return Span(source, start, start + len(part))


def shown(text: str) -> str:
    return textwrap.dedent(text).strip("\n")


def test_pretty() -> None:
    problem = Diagnostic(
        "E0304", "cannot add", at("relu(e)"), "per edge, axes (d)", ("the left side is per node",), "reduce it first"
    )
    assert render([problem]) == shown("""
        error[E0304]: cannot add
         --> gine.yaml:3:11
          |
        3 |   y = x + relu(e)
          |           ^^^^^^^ per edge, axes (d)
          = note: the left side is per node
          = help: reduce it first
    """)


def test_numbers_of_lines_make_room() -> None:
    source = SourceFile("s.yaml", "\n" * 99 + "x = y")
    assert render([Diagnostic("E0201", "unknown", at("y", source))]) == shown("""
        error[E0201]: unknown
           --> s.yaml:100:5
            |
        100 | x = y
            |     ^
    """)


def test_tabs_keep_the_carets_in_place() -> None:
    assert "4 | \tz = 1\n  | \t^" in render([Diagnostic("E0011", "a tab", at("z"))])


@pytest.mark.parametrize(("part", "carets"), [("x + relu(e)\n\tz", 11), ("last", 4)])
def test_carets_end_with_the_line(part: str, carets: int) -> None:
    lines = render([Diagnostic("E0100", "wrong", at(part))]).splitlines()
    assert lines[-1].count("^") == carets


def test_an_empty_place_has_one_caret() -> None:
    assert "^" in render([Diagnostic("E0100", "wrong", Span(SOURCE, len(SOURCE.text), len(SOURCE.text)))])


def test_a_file_that_is_not_there() -> None:
    problem = Diagnostic("E0001", "there is no such file", path="gim.yaml", help="write `gin.yaml`")
    assert render([problem]) == "error[E0001]: there is no such file\n --> gim.yaml\n = help: write `gin.yaml`"
    assert render([problem], "concise") == "gim.yaml: E0001 there is no such file (write `gin.yaml`)"


@pytest.mark.parametrize("start", [0, 10, 150, 399, 500, 793])
def test_long_lines_are_cut_around_the_place(start: int) -> None:
    text = "".join(f"{number:<10}" for number in range(80))
    source = SourceFile("s.yaml", text)
    lines = render([Diagnostic("E0100", "wrong", Span(source, start, start + 7))]).splitlines()
    line, carets = lines[-2].partition("| ")[2], lines[-1].partition("| ")[2]
    assert len(line) <= WIDTH + 2
    first = carets.index("^")
    assert carets.count("^") == 7
    assert line[first : first + 7] == text[start : start + 7]


def test_a_long_place_in_a_long_line() -> None:
    source = SourceFile("s.yaml", "x" * 1000)
    lines = render([Diagnostic("E0100", "wrong", Span(source, 0, 1000))]).splitlines()
    assert max(map(len, lines)) < WIDTH + 10


def test_concise() -> None:
    assert render([Diagnostic("E0201", "unknown name `relo`", at("relu"), help="write `relu`")], "concise") == (
        "gine.yaml:3:11: E0201 unknown name `relo` (write `relu`)"
    )
    assert render([Diagnostic("E0601", "no such option")], "concise") == "E0601 no such option"


def test_json() -> None:
    [problem] = json.loads(render([Diagnostic("E0201", "unknown", at("relu(e)"), "label", ("note",), "help")], "json"))
    assert problem == {
        "severity": "error",
        "code": "E0201",
        "message": "unknown",
        "path": "gine.yaml",
        "line": 3,
        "column": 11,
        "end_line": 3,
        "end_column": 18,
        "label": "label",
        "notes": ["note"],
        "help": "help",
    }


def test_problems_are_sorted_by_place_and_counted() -> None:
    source = SourceFile("s.yaml", "x" * 50)
    problems = [Diagnostic("E0100", f"problem {place}", Span(source, place, place + 1)) for place in range(13, 0, -1)]
    lines = render(problems, "concise").splitlines()
    assert lines[0] == "s.yaml:1:2: E0100 problem 1"
    assert len(lines) == SHOWN + 1
    assert lines[-1] == "… and 3 more"
    assert len(json.loads(render(problems, "json"))) == 13


def test_files_come_one_after_the_other() -> None:
    one, two = (SourceFile(name, "xy") for name in ("a.yaml", "b.yaml"))
    found = [Diagnostic("E0100", "wrong", Span(source, place, 2)) for place in (1, 0) for source in (two, one)]
    lines = render(found, "concise").splitlines()
    assert [line[:10] for line in lines] == ["a.yaml:1:1", "a.yaml:1:2", "b.yaml:1:1", "b.yaml:1:2"]


def test_collecting() -> None:
    problems = Problems()
    problems.finish()
    for _ in range(2):
        problems.error("E0201", at("relu"), "unknown name", help="write `relu`")
    problems.error("E0202", at("y = x"), "taken")
    with pytest.raises(SpecError) as caught:
        problems.finish()
    assert [one.code for one in caught.value.diagnostics] == ["E0202", "E0201"]
    assert "gine.yaml:3:3: E0202 taken" in str(caught.value)


def test_spans() -> None:
    assert at("relu(e)").text == "relu(e)"
    assert (at("name").line, at("name").column) == (1, 1)
    assert at("y = x").to(at("relu")).text == "y = x + relu"
    assert SourceFile("s", "a\r\nb").line(1) == "a"
    assert SourceFile("s", "").line(1) == ""
