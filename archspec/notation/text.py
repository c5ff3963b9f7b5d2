"""Formulas → one line of Unicode each, for a terminal; cases take a line each."""

from collections.abc import Callable
from typing import Any

from archspec.notation.formula import Above, Below, Cases, Fenced, Formula, Fraction, Root, Row, Symbol, Under

LOW = dict(zip("0123456789aehijklmnoprstuvx+-=(),β", "₀₁₂₃₄₅₆₇₈₉ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ₊₋₌₍₎,ᵦ", strict=True))
HIGH = dict(zip("0123456789abcdefghijklmnoprstuvwxyz+-−=()", "⁰¹²³⁴⁵⁶⁷⁸⁹ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻ⁺⁻⁻⁼⁽⁾", strict=True))
"""Letters that Unicode has as an index and as an exponent."""

PRODUCTS = ("·", "×")
"""Signs that bind as tightly as the bar of a fraction."""


def text(formula: Formula) -> str:
    """A formula as text."""
    return TEXTS[type(formula)](formula)


def row(one: Row) -> str:
    """Signs between others have blanks around; a fraction that is a factor stands in brackets."""
    written = ""
    for at, item in enumerate(one.items):
        before, after = one.items[:at], one.items[at + 1 :]
        factor = isinstance(item, Fraction) and (joins(before[-1:]) or joins(after[:1]))
        written += gap(before, item) + (part(item) if factor else text(item))
    return written


def joins(neighbour: tuple[Formula, ...]) -> bool:
    """Whether what stands beside a formula is multiplied with it."""
    return any(not sign_like(one) or (isinstance(one, Symbol) and one.text in PRODUCTS) for one in neighbour)


def gap(before: tuple[Formula, ...], after: Formula) -> str:
    """What stands between a formula and those before it in a row."""
    if not before or is_sign(after, ",") or is_prefix(before):
        return ""
    last = before[-1]
    if isinstance(after, Fenced) and after.left == "(" and not isinstance(last, Fenced) and not sign_like(last):
        return " " if isinstance(last, Symbol) and last.kind == "number" else ""
    words = isinstance(last, Symbol) and last.kind == "words"
    number = isinstance(last, Symbol) and last.kind == "number"
    return "" if words or (number and not sign_like(after)) else " "


def is_prefix(before: tuple[Formula, ...]) -> bool:
    """Whether the last is a sign that belongs to what follows: ¬, or a − with nothing to take away from."""
    negative = is_sign(before[-1], "−") and (len(before) == 1 or sign_like(before[-2]))
    return negative or is_sign(before[-1], "¬")


def sign_like(one: Formula) -> bool:
    """Whether it is a sign or words between others."""
    return isinstance(one, Symbol) and one.kind in ("sign", "words")


def is_sign(one: Formula, what: str) -> bool:
    """Whether it is that sign."""
    return isinstance(one, Symbol) and one.kind == "sign" and one.text == what


def below(one: Below) -> str:
    """An index in small letters where Unicode has them all, else after `_`."""
    base = text(one.base) if isinstance(one.base, Symbol | Above | Fenced) else part(one.base)
    return base + shifted(text(one.index).replace(", ", ","), LOW, "_")


def above(one: Above) -> str:
    """An exponent in small letters where Unicode has them all, else after `^`."""
    return text(one.base) + shifted(text(one.exponent), HIGH, "^")


def shifted(inside: str, letters: dict[str, str], sign: str) -> str:
    """Letters put lower or higher."""
    if all(letter in letters for letter in inside):
        return "".join(letters[letter] for letter in inside)
    return f"{sign}{inside}" if inside.isalnum() else f"{sign}{{{inside}}}"


def under(one: Under) -> str:
    """The operator with its range in brackets: ∑[j ∈ N]."""
    return f"{one.operator.text}[{text(one.range)}]"


def fraction(one: Fraction) -> str:
    """Top / bottom, in brackets where there are several parts."""
    return f"{part(one.top)} / {part(one.bottom)}"


def part(one: Formula) -> str:
    """A formula, in brackets unless it is one symbol or has its own."""
    alone = isinstance(one, Symbol | Below | Above | Fenced | Root) or (
        isinstance(one, Row) and len(one.items) == 2 and isinstance(one.items[1], Fenced)
    )
    return text(one) if alone else f"({text(one)})"


def cases(one: Cases) -> str:
    """Values with their conditions, in braces."""
    return f"{{ {'; '.join(f'{text(value)} {text(when)}' for value, when in one.rows)} }}"


TEXTS: dict[type, Callable[[Any], str]] = {
    Symbol: lambda one: one.text,
    Row: row,
    Below: below,
    Above: above,
    Under: under,
    Fraction: fraction,
    Root: lambda one: f"√{part(one.inside)}",
    Fenced: lambda one: f"{one.left}{text(one.inside)}{one.right}",
    Cases: cases,
}
"""How every form is written."""
