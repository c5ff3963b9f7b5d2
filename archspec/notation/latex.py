r"""Formulas → LaTeX for `amsmath`, in math mode."""

from typing import Any

from archspec.notation.formula import Above, Below, Cases, Fenced, Formula, Fraction, Root, Row, Symbol, Under
from archspec.notation.names import GREEK

LETTERS = {"∞": r"\infty"} | {
    letter: rf"\{'varepsilon' if name == 'epsilon' else name}"
    for name, letter in GREEK.items()
    if name not in ("eps", "lam", "inf")
}

SIGNS = {
    "−": "-", "·": r"\cdot", "×": r"\times", "∈": r"\in", "→": r"\to", "←": r"\leftarrow", "↦": r"\mapsto", "≤": r"\le",
    "≥": r"\ge", "≠": r"\ne", "∨": r"\lor", "∧": r"\land", "¬": r"\lnot", "∑": r"\sum", "…": r"\ldots",
    "⟨": r"\langle", "⟩": r"\rangle", "{": r"\{", ",": r",\,",
}  # fmt: skip

SPECIAL = str.maketrans({one: rf"\{one}" for one in "_#$%&{}"})


def latex(formula: Formula) -> str:
    """A formula as text of LaTeX's math mode."""
    return TEXTS[type(formula)](formula)


def symbol(one: Symbol) -> str:
    """A symbol by its command."""
    if one.kind == "sign":
        return SIGNS.get(one.text, one.text)
    if one.kind == "variable":
        return LETTERS.get(one.text, one.text)
    if one.kind == "function":
        return rf"\operatorname{{{one.text.translate(SPECIAL)}}}"
    if one.kind == "words" and one.text != "…":
        return rf"\text{{{one.text.translate(SPECIAL)}}}"
    return one.text.replace("−", "-").replace("…", r"\ldots")


def fenced(one: Fenced) -> str:
    """Brackets that grow with what they hold."""
    left, right = (SIGNS.get(bracket, bracket) for bracket in (one.left, one.right))
    return rf"\left{left} {latex(one.inside)} \right{right}"


def under(one: Under) -> str:
    """The operator with its range below."""
    operator = (
        symbol(one.operator)
        if one.operator.kind == "sign"
        else rf"\operatorname*{{{one.operator.text.translate(SPECIAL)}}}"
    )
    return rf"{operator}_{{{latex(one.range)}}}"


def cases(one: Cases) -> str:
    """The environment `cases`."""
    rows = r" \\ ".join(f"{latex(value)} & {latex(when)}" for value, when in one.rows)
    return rf"\begin{{cases}} {rows} \end{{cases}}"


TEXTS: dict[type, Any] = {
    Symbol: symbol,
    Row: lambda one: " ".join(map(latex, one.items)),
    Below: lambda one: f"{{{latex(one.base)}}}_{{{latex(one.index)}}}",
    Above: lambda one: f"{{{latex(one.base)}}}^{{{latex(one.exponent)}}}",
    Under: under,
    Fraction: lambda one: rf"\frac{{{latex(one.top)}}}{{{latex(one.bottom)}}}",
    Root: lambda one: rf"\sqrt{{{latex(one.inside)}}}",
    Fenced: fenced,
    Cases: cases,
}
"""How every form is written."""
