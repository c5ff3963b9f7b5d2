"""Tree → text: what is printed reads back as the same tree, and stays as it is when printed again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archspec.diagnostics import SpecError
from archspec.syntax import tree
from archspec.syntax.document import resolve
from archspec.syntax.numbers import number_text
from archspec.syntax.parser import parse_body, parse_expression, parse_heading, parse_stack
from archspec.syntax.printer import OPERATORS, print_body, print_expression, print_heading, print_stack
from tests.trees import NOWHERE, bodies, expressions, headings, stages

CANONICAL = {
    "((x))+(y*z)": "x + y * z",
    "(x+y)*z": "(x + y) * z",
    "x-(y-z)": "x - (y - z)",
    "(x**y)**z": "(x ** y) ** z",
    "b[ i,j ]": "b[i,j]",
    "sum[ j in N+i ]( x[j] )": "sum[j in N + i](x[j])",
    "f( x,bias=false )": "f(x, bias = false)",
    "x->f->(h=>h+1)->g(d)": "x -> f -> (h => h + 1) -> g(d)",
    "(x -> f) -> g": "(x -> f) -> g",
    "(a if b else c) if d else e": "(a if b else c) if d else e",
    "0.001": "1e-3",
    "1000000.0": "1e6",
    ".50": "0.5",
    "1e2": "100.0",
    "inf": "inf",
    "'a'": '"a"',
    "(0,2,)": "(0, 2)",
    "(x[j])(y)": "(x[j])(y)",
    "0 .. (K+1)": "0..K + 1",
}


@pytest.mark.parametrize("text", CANONICAL)
def test_canonical(text: str) -> None:
    assert print_expression(parse_expression(text)) == CANONICAL[text]
    assert parse_expression(CANONICAL[text]) == parse_expression(text)


def test_bodies() -> None:
    text = "q,k=f( x )\na[i,j in V]=q[i]\n(-q),k"
    assert print_body(parse_body(text)) == "q, k = f(x)\na[i, j in V] = q[i]\n(-q), k"
    assert print_stack(parse_stack("a->2*(b->c)->tied(3*d)")) == "a -> 2 * (b -> c) -> tied(3 * d)"
    assert print_heading(parse_heading("f( x,n=2 )")) == "f(x, n = 2)"


@given(bodies())
def test_body_round_trip(body: tree.Body) -> None:
    text = print_body(body)
    assert parse_body(text) == body
    assert print_body(parse_body(text)) == text


@given(expressions)
def test_expression_round_trip(expr: tree.Expr) -> None:
    assert parse_expression(print_expression(expr)) == expr


@given(stages)
def test_stack_round_trip(stage: tree.Stage) -> None:
    assert parse_stack(print_stack(stage)) == stage


@given(headings())
def test_heading_round_trip(heading: tree.Heading) -> None:
    assert parse_heading(print_heading(heading)) == heading


@given(st.floats(allow_nan=False))
def test_numbers(value: float) -> None:
    text = number_text(value)
    assert float(text) == value
    assert resolve(text.replace("inf", ".inf")) == value
    assert len(text) <= len(repr(value))


@pytest.mark.parametrize("operator", ["-", "**", "and"])
def test_the_round_trip_would_notice_a_wrong_level(operator: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A planted fault: both operands of an operator at its own level, so that parentheses are lost."""
    own = OPERATORS[operator][0]
    monkeypatch.setitem(OPERATORS, operator, (own, own, own))
    x, y, z = (tree.Name(NOWHERE, one) for one in "xyz")
    left = tree.Binary(NOWHERE, operator, tree.Binary(NOWHERE, operator, x, y), z)
    right = tree.Binary(NOWHERE, operator, x, tree.Binary(NOWHERE, operator, y, z))
    assert any(parse_expression(print_expression(one)) != one for one in (left, right))


def test_what_cannot_be_read_is_not_printed() -> None:
    with pytest.raises(SpecError):
        parse_expression(print_expression(tree.Name(NOWHERE, "")))
