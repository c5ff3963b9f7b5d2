"""Text → tree: every form, its place, the mistakes of the table, and arbitrary text."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from archspec.diagnostics import Diagnostic, SpecError
from archspec.source import SourceFile
from archspec.syntax import tree
from archspec.syntax.fragment import Fragment
from archspec.syntax.mistakes import MISTAKES, UNREADABLE
from archspec.syntax.parser import example_signatures, parse_body, parse_expression, parse_heading, parse_stack
from tests.trees import NOWHERE, texts

READERS: dict[str, Callable[..., Any]] = {
    "body": parse_body,
    "expression": parse_expression,
    "stack": parse_stack,
    "heading": parse_heading,
}


def name(id: str) -> tree.Name:
    """A name nowhere."""
    return tree.Name(NOWHERE, id)


def number(value: float) -> tree.Literal:
    """A number nowhere."""
    return tree.Literal(NOWHERE, value)


def call(function: str, *arguments: tree.Expr) -> tree.Call:
    """A call nowhere."""
    return tree.Call(NOWHERE, name(function), tuple(tree.Argument(NOWHERE, None, one) for one in arguments))


def op(sign: str, left: tree.Expr, right: tree.Expr) -> tree.Binary:
    """An operation nowhere."""
    return tree.Binary(NOWHERE, sign, left, right)


X, Y, Z = name("x"), name("y"), name("z")
J, XJ = name("j"), tree.Index(NOWHERE, X, (name("j"),))

FORMS = {
    "x": X,
    "3": number(3),
    ".5": number(0.5),
    "2.": number(2.0),
    "1e-3": number(1e-3),
    "true": number(True),
    "inf": number(float("inf")),
    "'a b'": tree.Literal(NOWHERE, "a b"),
    "x + y * z": op("+", X, op("*", Y, Z)),
    "x - y - z": op("-", op("-", X, Y), Z),
    "x ** y ** z": op("**", X, op("**", Y, Z)),
    "-x ** 2": tree.Unary(NOWHERE, "-", op("**", X, number(2))),
    "x ** -2": op("**", X, tree.Unary(NOWHERE, "-", number(2))),
    "not x == y and z": op("and", tree.Unary(NOWHERE, "not", op("==", X, Y)), Z),
    "x or y and z": op("or", X, op("and", Y, Z)),
    "x @ y / z": op("/", op("@", X, Y), Z),
    "x if y else z if x else y": tree.Choice(NOWHERE, X, Y, tree.Choice(NOWHERE, Z, X, Y)),
    "x if y <= 3": tree.Choice(NOWHERE, X, op("<=", Y, number(3)), None),
    "x + y -> f": tree.Pipe(NOWHERE, op("+", X, Y), (name("f"),)),
    "x -> f -> (g) -> (h => h) -> k(2)": tree.Pipe(
        NOWHERE, X, (name("f"), name("g"), tree.Lambda(NOWHERE, (name("h"),), name("h")), call("k", number(2)))
    ),
    "h => x -> f": tree.Lambda(NOWHERE, (name("h"),), tree.Pipe(NOWHERE, X, (name("f"),))),
    "(x, y) => z": tree.Lambda(NOWHERE, (X, Y), Z),
    "x[j]": XJ,
    "f(x)[j]": tree.Index(NOWHERE, call("f", X), (J,)),
    "sum[j in N](x[j])": tree.Reduce(NOWHERE, name("sum"), J, name("N"), XJ),
    "sum[j](x[j])": tree.Reduce(NOWHERE, name("sum"), J, None, XJ),
    "sum[j in N + i](x)": tree.Reduce(NOWHERE, name("sum"), J, op("+", name("N"), name("i")), X),
    "softmax[j in V if x](y)[j]": tree.Index(
        NOWHERE, tree.Reduce(NOWHERE, name("softmax"), J, tree.Choice(NOWHERE, name("V"), X, None), Y), (J,)
    ),
    "0..4": tree.Range(NOWHERE, number(0), number(4)),
    "x..y": tree.Range(NOWHERE, X, Y),
    "(0, 2)": tree.Sequence(NOWHERE, (number(0), number(2))),
    "(x,)": tree.Sequence(NOWHERE, (X,)),
    "f(x, n = 2,)": tree.Call(
        NOWHERE, name("f"), (tree.Argument(NOWHERE, None, X), tree.Argument(NOWHERE, "n", number(2)))
    ),
    "f(\n  x\n)": call("f", X),
    "x\n  + y  # comment": op("+", X, Y),
    "x\n# comment\n-> f": tree.Pipe(NOWHERE, X, (name("f"),)),
}


@pytest.mark.parametrize("text", FORMS)
def test_form(text: str) -> None:
    assert parse_expression(text) == FORMS[text]
    assert parse_body(text) == tree.Body(NOWHERE, (), (FORMS[text],))


STACKS = {
    "layer": name("layer"),
    "4 * layer": tree.Repeat(NOWHERE, number(4), name("layer")),
    "2 * 3 * layer": tree.Repeat(NOWHERE, op("*", number(2), number(3)), name("layer")),
    "a -> 2 * (b -> c) -> d(64)": tree.Chain(
        NOWHERE,
        (
            name("a"),
            tree.Repeat(NOWHERE, number(2), tree.Chain(NOWHERE, (name("b"), name("c")))),
            call("d", number(64)),
        ),
    ),
    "tied(4 * layer)": tree.Call(
        NOWHERE,
        name("tied"),
        (tree.Argument(NOWHERE, None, tree.Repeat(NOWHERE, number(4), name("layer"))),),  # type: ignore[arg-type]
    ),
}


@pytest.mark.parametrize("text", STACKS)
def test_stack(text: str) -> None:
    assert parse_stack(text) == STACKS[text]


def test_statements() -> None:
    body = parse_body("q, k = f(x)\na[i, j in V] = q[i]\n\n# comment\na, b = k, q\nb, a")
    first, second, third = body.statements
    assert [target.name for target in first.targets] == ["q", "k"]
    assert second.targets == (tree.Target(NOWHERE, "a", (name("i"), J), name("V")),)
    assert third.values == (name("k"), name("q"))
    assert body.result == (name("b"), name("a"))
    assert parse_body("x = f(x)").result == ()


def test_headings() -> None:
    assert parse_heading("eps") == tree.Heading(NOWHERE, "eps")
    assert parse_heading("f()") == tree.Heading(NOWHERE, "f", ())
    given = tree.Heading(NOWHERE, "f", (tree.Parameter(NOWHERE, "x"), tree.Parameter(NOWHERE, "n", number(2))))
    assert parse_heading("f(x, n = 2)") == given


def test_lines_continue_as_the_language_says() -> None:
    whole = parse_body("h = a + b * f(x, y) -> g\nh")
    assert parse_body("  h = a\n      + b *\n    f(x,\ny)\n  # comment\n  -> g\n\n  h") == whole
    assert parse_body("\th = a + b * f(x, y) -> g\n\th") == whole


def test_spans_are_those_of_the_file() -> None:
    text = "layer: |\r\n    h = f(x,\r\n      y)\r\n    h -> g  # end\r\n"
    start = text.index("    h")
    body = parse_body(Fragment(SourceFile("a.yaml", text), text[start:].rstrip(), start))
    assert body.statements[0].span.text == "h = f(x,\r\n      y)"
    assert body.result[0].span.text == "h -> g"
    assert (body.result[0].span.line, body.result[0].span.column) == (4, 5)
    for node in tree.walk(body):
        if isinstance(node, tree.Name):
            assert node.span.text == node.id


@pytest.mark.parametrize("code", MISTAKES)
def test_mistakes(code: str) -> None:
    row = MISTAKES[code]
    assert row.examples or code == "E0119"
    for example in row.examples:
        with pytest.raises(SpecError) as caught:
            READERS[row.read](example)
        assert code in [one.code for one in caught.value.diagnostics], (example, str(caught.value))
        for one in caught.value.diagnostics:
            assert one.span is not None
            assert not re.search(r"[{}]", one.message.replace("{a}", "").replace("`{`", "").replace("`}`", ""))


def test_every_example_of_what_cannot_be_read_teaches() -> None:
    silent = [example for row in UNREADABLE for example in row.examples if not example_signatures(example, row.read)]
    assert not silent


def test_a_row_without_its_examples_would_be_missed() -> None:
    """The table is what gives the message: a text no example is like gets the general one."""
    with pytest.raises(SpecError) as caught:
        parse_body("a < b < c")
    assert [one.code for one in caught.value.diagnostics] == ["E0127"]


def test_all_statements_are_reported() -> None:
    with pytest.raises(SpecError) as caught:
        parse_body("a = 3 3\nb = f(x)\nc = ; x\nd = 1 +\nf(x) = 2\n- e\nx -> 3")
    codes = [one.code for one in caught.value.diagnostics]
    assert sorted(codes) == ["E0101", "E0105", "E0120", "E0122", "E0140"]


@pytest.mark.parametrize("reader", READERS)
@given(texts)
def test_any_text_gives_a_tree_or_a_diagnostic(reader: str, text: str) -> None:
    for one in problems_of(READERS[reader], text):
        assert one.span is not None
        assert 0 <= one.span.start <= max(len(text), 1)


def problems_of(read: Callable[..., Any], text: str) -> tuple[Diagnostic, ...]:
    """What is wrong with a text; nothing if it can be read."""
    try:
        read(text)
    except SpecError as error:
        return error.diagnostics or pytest.fail("no problem is given")
    return ()


@pytest.mark.parametrize(
    "text",
    ["(" * 10**4, "(" * 1000 + ")" * 1000, "-" * 2000 + "x", "x" + "[j]" * 1000, "x =>" * 1000 + "x", "9" * 10**5,
     " + ".join("x" * 1000), "1e" + "9" * 1000, "x\n" * 1000, "0.." * 1000, "not " * 1000 + "x", "x if " * 1000 + "x",
     "x -> (" * 500 + "x" + ")" * 500, "2 * (" * 500 + "x" + ")" * 500],
    ids=lambda text: f"{text[:6]!r}*{len(text)}",
)  # fmt: skip
def test_absurd_text(text: str) -> None:
    for read in READERS.values():
        with pytest.raises(SpecError):
            read(text)


def test_deep_but_sensible_text() -> None:
    assert parse_expression("(" * 90 + "x" + ")" * 90) == X
    assert parse_expression(" + ".join("x" * 90))


def test_the_language_page_can_be_read() -> None:
    """Every equation of the notebook's architectures, as the page of the language has them."""
    for text in (Path(__file__).parent / "notebook.txt").read_text().split("\n\n"):
        parse_body(text)
