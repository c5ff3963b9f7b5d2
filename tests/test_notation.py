"""Equations as mathematics: what is written says what the text says, and two equations never look the same."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import get_args
from xml.etree import ElementTree

import pytest
from hypothesis import given

from archspec.notation.document import document, terminal
from archspec.notation.equations import FORMS, expression, stack, statement
from archspec.notation.formula import Formula
from archspec.notation.latex import TEXTS as LATEX
from archspec.notation.latex import latex
from archspec.notation.mathml import mathml
from archspec.notation.spec import formulas
from archspec.notation.text import TEXTS, text
from archspec.source import SourceFile
from archspec.syntax import tree
from archspec.syntax.fragment import Fragment
from archspec.syntax.load import load_spec, shipped_specs
from archspec.syntax.parser import parse_body, parse_expression, parse_stack
from tests.trees import NOWHERE, expressions

ROWS = {
    "x + y - z": "x + y - z",
    "x - (y - z)": r"x - \left( y - z \right)",
    "2 * x": "2 x",
    "x * y": "x y",
    "x * relu(y)": r"x \cdot \operatorname{relu} \left( y \right)",
    "w * (x + y)": r"w \cdot \left( x + y \right)",
    "(1 + eps) * x": r"\left( 1 + \varepsilon \right) x",
    "x * 2": r"x \cdot 2",
    "sigmoid(eps2) * x": r"\sigma \left( {\varepsilon}_{2} \right) x",
    "x / (y + 1)": r"\frac{x}{y + 1}",
    "(x / y) / z": r"\frac{\frac{x}{y}}{z}",
    "x ** 2": "{x}^{2}",
    "(x + y) ** 2": r"{\left( x + y \right)}^{2}",
    "-x ** 2": "- {x}^{2}",
    "(-x) ** 2": r"{\left( - x \right)}^{2}",
    "q @ k": r"\left\langle q ,\, k \right\rangle",
    "sqrt(c)": r"\sqrt{c}",
    "1e-5 * x": r"{10}^{-5} x",
    "sum[j in N](x[j])": r"\sum_{j \in N} {x}_{j}",
    "sum[j in N](x[j] + x[i])": r"\sum_{j \in N} \left( {x}_{j} + {x}_{i} \right)",
    "sum[j in N](x[j]) * w": r"\left( \sum_{j \in N} {x}_{j} \right) w",
    "sum[j in N](w * x[j])": r"\sum_{j \in N} w {x}_{j}",
    "sum[j in N](x[j]) + x": r"\sum_{j \in N} {x}_{j} + x",
    "softmax[j in V](b[i,j])": r"\operatorname*{softmax}_{j \in V} \left( {b}_{i ,\, j} \right)",
    "w_q[j]": "{w}_{q ,\\, j}",
    "x <= 3 and not y": r"x \le 3 \land \lnot y",
    "1 if x < 2 else 0": r"\begin{cases} 1 & \text{if } x < 2 \\ 0 & \text{otherwise} \end{cases}",
    "h => linear(h, d)": r"h \mapsto \operatorname{linear} \left( h ,\, d \right)",
    "h -> linear(2 * d) -> relu": r"h \to \operatorname{linear} \left( 2 d \right) \to \operatorname{relu}",
    "walk(0..4)": r"\operatorname{walk} \left( 0 ,\, \ldots ,\, 4 \right)",
    "batch_norm(x)": r"\operatorname{batch\_norm} \left( x \right)",
}  # fmt: skip


def fragment(text: str) -> Fragment:
    return Fragment(SourceFile("test", text), text)


@pytest.mark.parametrize("text", ROWS)
def test_what_is_written(text: str) -> None:
    assert latex(expression(parse_expression(fragment(text)))) == ROWS[text]


def test_a_state_that_is_renewed_has_an_arrow() -> None:
    first, second = parse_body(fragment("h = x\nx = x + h")).statements
    assert latex(statement(first)) == "h = x"
    assert latex(statement(second)) == r"x \leftarrow x + h"


def test_stacks() -> None:
    written = latex(stack(parse_stack(fragment("a -> 2 * (b -> c)"))))
    assert written == r"a \to 2 \times \left( b \to c \right)"


@pytest.mark.parametrize("name", shipped_specs())
def test_every_spec_is_mathematics(name: str) -> None:
    for _, found in formulas(load_spec(name)):
        for one in found:
            ElementTree.fromstring(mathml(one))  # well-formed, or it raises
            written = latex(one)
            assert written.count("{") == written.count("}")
            assert "\n" not in text(one)


def larger(parts: list[tree.Expr]) -> Iterator[tree.Expr]:
    """Everything that some forms make of parts."""
    j, over = tree.Name(NOWHERE, "j"), tree.Name(NOWHERE, "N")
    for one in parts:
        yield tree.Unary(NOWHERE, "-", one)
        yield tree.Call(NOWHERE, tree.Name(NOWHERE, "f"), (tree.Argument(NOWHERE, None, one),))
        yield tree.Reduce(NOWHERE, tree.Name(NOWHERE, "sum"), j, over, one)
        yield tree.Index(NOWHERE, one, (j,))
    for op, left, right in product(("+", "-", "*", "/", "**", "@"), parts, parts):
        yield tree.Binary(NOWHERE, op, left, right)


def test_two_expressions_never_look_the_same() -> None:
    small: list[tree.Expr] = [tree.Name(NOWHERE, "x"), tree.Name(NOWHERE, "f"), tree.Literal(NOWHERE, 2)]
    medium = [*small, *larger(small)]
    large = [*medium, *larger(medium)]
    for written in (latex, text):
        seen: dict[str, tree.Expr] = {}
        for one in large:
            assert seen.setdefault(written(expression(one)), one) == one
        assert len(seen) > 20_000


@given(expressions)
def test_any_expression_is_mathematics(expr: tree.Expr) -> None:
    ElementTree.fromstring(mathml(expression(expr)))
    assert latex(expression(expr))
    assert text(expression(expr))


UNICODE = {
    "(1 + eps) * x + sum[j in N](x[j])": "(1 + ε) x + ∑[j ∈ N] xⱼ",
    "softmax[j in V](q[i] @ k[j] / sqrt(c))": "softmax[j ∈ V](⟨qᵢ, kⱼ⟩ / √c)",
    "x / (y + 1)": "x / (y + 1)",
    "x / y * z": "(x / y) · z",
    "x / y + z": "x / y + z",
    "(x + y)[j]": "(x + y)ⱼ",
    "-x ** 2 - -x": "−x² − −x",
    "f(-5, 5)": "f(−5, 5)",
    "2 * x": "2x",
    "1 if x < 2 else 0": "{ 1 if x < 2; 0 otherwise }",
}


@pytest.mark.parametrize("given_", UNICODE)
def test_what_a_terminal_shows(given_: str) -> None:
    assert text(expression(parse_expression(fragment(given_)))) == UNICODE[given_]


def test_every_form_has_a_row() -> None:
    assert set(TEXTS) == set(LATEX) == set(get_args(Formula))
    assert set(FORMS) == set(get_args(tree.Expr))


def test_a_document_compiles(tmp_path: Path) -> None:
    program = shutil.which("pdflatex")
    if program is None:
        pytest.skip("there is no pdflatex")
    (tmp_path / "egt.tex").write_text(document(load_spec("egt")), encoding="utf-8")
    command = [program, "-interaction=nonstopmode", "-halt-on-error", "egt.tex"]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize("name", list(shipped_specs()))
def test_documents_are_balanced_and_hold_nothing_that_pdflatex_does_not_know(name: str) -> None:
    written = document(load_spec(name))
    assert [letter for letter in written if not letter.isascii()] == []
    assert len(re.findall(r"\\left\b", written)) == len(re.findall(r"\\right\b", written))
    assert written.count("\\begin{") == written.count("\\end{")
    assert terminal(load_spec(name)).startswith(name)
