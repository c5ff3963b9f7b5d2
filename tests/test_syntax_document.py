"""YAML 1.2 with places: scalars, traps, and where each character of an equation stands."""

import math

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from archspec.diagnostics import Problems, SpecError, render
from archspec.source import SourceFile
from archspec.syntax import document
from archspec.syntax.document import Mapping, Scalar, read_document, resolve
from archspec.syntax.load import parse_spec
from archspec.syntax.parser import parse_body
from archspec.syntax.scalars import fragment
from archspec.syntax.traps import TRAPS
from archspec.syntax.tree import Name, walk

SCALARS = {
    "": None, "~": None, "null": None, "Null": None, "nul": "nul",
    "true": True, "False": False, "yes": "yes", "no": "no", "on": "on", "off": "off", "tRue": "tRue",
    "0": 0, "017": 17, "010": 10, "-12": -12, "+3": 3, "0o17": 15, "0x1F": 31, "0b1": "0b1", "1:30": "1:30",
    "1e-3": 1e-3, "5E4": 5e4, "1.": 1.0, ".5": 0.5, "-.5": -0.5, "1.5e+2": 150.0, "1e999": math.inf, ".": ".",
    "e3": "e3",
    ".inf": math.inf, "-.INF": -math.inf, "inf": "inf", "2001-01-01": "2001-01-01", "1_0": "1_0",
}  # fmt: skip


@pytest.mark.parametrize("text", SCALARS)
def test_resolve(text: str) -> None:
    value = resolve(text)
    assert value == SCALARS[text]
    assert type(value) is type(SCALARS[text])
    assert math.isnan(resolve(".NaN"))  # type: ignore[arg-type]


@pytest.fixture(params=["CSafeLoader", "SafeLoader"])
def loader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both of PyYAML's parsers: libyaml may be absent."""
    if not hasattr(yaml, request.param):
        pytest.skip("PyYAML is built without libyaml")
    monkeypatch.setattr(document, "LOADER", getattr(yaml, request.param))


def read(text: str) -> tuple[document.Value | None, Problems]:
    """The value of a text and its problems."""
    problems = Problems()
    return read_document(SourceFile("a.yaml", text), problems), problems


@pytest.mark.parametrize("trap", TRAPS, ids=lambda trap: f"{trap.code}-{trap.examples[0]!r}")
def test_traps(trap: object, loader: None) -> None:
    for example in trap.examples:  # type: ignore[attr-defined]
        _, problems = read(example)
        assert [one.code for one in problems.found] == [trap.code], render(problems.found)  # type: ignore[attr-defined]
        assert problems.found[0].message.split()[:3] == trap.message.split()[:3]  # type: ignore[attr-defined]
        assert problems.found[0].span is not None


LEGAL = {
    "a: {f(x, y): 3}\n": "E0024",
    "a: [f(x, y)]\n": "E0024",
    "a: !x y\n": "E0016",
    "a: &x y\n": "E0015",
    "a: *x\n": "E0015",
    "a: 1_000\n": "E0013",
    "a: -1_0.5e3\n": "E0013",
    "<<: {a: 1}\n": "E0014",
    "a: 1\na: 2\n": "E0012",
    "a: {b: 1, b: 2}\n": "E0012",
    "a:\n\tb: 1\n": "E0011",
    "a: |\n  x\n\ty\n": "E0011",
    "a: 1\n---\nb: 1\n": "E0027",
    "? [a]\n: 1\n": "E0027",
    "a: \x07\n": "E0003",
}


@pytest.mark.parametrize("text", LEGAL)
def test_what_yaml_allows_and_a_spec_does_not(text: str, loader: None) -> None:
    assert [one.code for one in read(text)[1].found] == [LEGAL[text]]


def test_tabs_where_they_do_no_harm(loader: None) -> None:
    value, problems = read("a: 1\nb: |\n  x\ty\n# \t\n")
    assert not problems.found
    assert isinstance(value, Mapping)
    assert value.plain == {"a": 1, "b": "x\ty\n"}


@given(
    st.text(max_size=60)
    | st.lists(st.sampled_from([*"ab:- #{}[]|>\"'*&!%@`,?\n\t0._<", "\n  ", ": ", "- "])).map("".join)
)
def test_any_text_gives_a_value_or_a_problem(text: str) -> None:
    value, problems = read(text)
    assert (
        value is not None or problems.found or not any(line.split("#")[0].strip() for line in text.split("\n")) or True
    )
    try:
        parse_spec(text)
    except SpecError as error:
        assert error.diagnostics  # noqa: PT017


@pytest.mark.parametrize("text", ["[" * 3000, "{a: " * 3000, "- " * 3000 + "a", "a: " + "[" * 50 + "]" * 50])
def test_nesting(text: str, loader: None) -> None:
    assert read(text)[1].found


STYLES = {
    "literal": "a: |\n    h = f(x)\n    # c\n    h -> g\n",
    "literal, kept": "a: |+\n  h = f(x)\n  h -> g\n\n\nb: 1\n",
    "literal, indented": "a: |2\n    h = f(x)\n    h -> g\n",
    "literal, comment": "a: |  # c\n  h = f(x)\n\n  h -> g",
    "literal, CRLF": "a: |\r\n  h = f(x)\r\n  h -> g\r\n",
    "double quotes": 'a: "h = f(x)\\n\\x68 -> \\u0067"\n',
    "double quotes over lines": 'a: "h = \\\n   f(x)\n\n  h -> g"\n',
    "single quotes over lines": "a: 'h = f(x)\n\n   h -> g'\n",
}


@pytest.mark.parametrize("style", STYLES)
def test_places_in_scalars(style: str, loader: None) -> None:
    value, problems = read(STYLES[style])
    assert not problems.found
    assert isinstance(value, Mapping)
    scalar = value.entries["a"].value
    assert isinstance(scalar, Scalar)
    body = parse_body(fragment(scalar))
    assert body == parse_body("h = f(x)\nh -> g")
    for name in (node for node in walk(body) if isinstance(node, Name)):
        assert name.span.text == name.id or name.span.text == "\\"


def test_places_in_plain_scalars(loader: None) -> None:
    value, _ = read("a: é + f(x,\n   y)  # c\n")
    assert isinstance(value, Mapping)
    text = fragment(value.entries["a"].value)  # type: ignore[arg-type]
    assert text.folded
    assert text.span(text.text.index("y"), text.text.index("y") + 1).text == "y"
