"""Formulas → MathML Core, which browsers show without help and screen readers read."""

from html import escape
from typing import Any

from archspec.notation.formula import Above, Below, Cases, Fenced, Formula, Fraction, Root, Row, Symbol, Under

TAGS = {"variable": "mi", "function": "mi", "number": "mn", "sign": "mo", "words": "mtext"}


def mathml(formula: Formula) -> str:
    """A formula as an element `math`."""
    return f'<math xmlns="http://www.w3.org/1998/Math/MathML" display="block">{element(formula)}</math>'


def element(formula: Formula) -> str:
    """The element of one formula."""
    return ELEMENTS[type(formula)](formula)


def symbol(one: Symbol) -> str:
    """A letter is slanted by itself, a longer name upright; words keep the blanks at their ends."""
    text = escape(one.text, quote=False)
    if one.kind == "words":
        text = text.replace(" ", "\u00a0")  # no-break spaces, which mtext keeps
    return f"<{TAGS[one.kind]}>{text}</{TAGS[one.kind]}>"


def group(*items: Formula) -> str:
    """Items as one."""
    return f"<mrow>{''.join(map(element, items))}</mrow>"


def under(one: Under) -> str:
    """The operator with its range below."""
    sign = f'<mo largeop="true" movablelimits="false">{one.operator.text}</mo>'
    operator = sign if one.operator.kind == "sign" else symbol(one.operator)
    return f"<munder>{operator}{element(one.range)}</munder>"


def fenced(one: Fenced) -> str:
    """Brackets that grow with what they hold."""
    return f'<mrow><mo fence="true">{one.left}</mo>{element(one.inside)}<mo fence="true">{one.right}</mo></mrow>'


def cases(one: Cases) -> str:
    """A table after a brace."""
    rows = "".join(f"<mtr><mtd>{element(value)}</mtd><mtd>{element(when)}</mtd></mtr>" for value, when in one.rows)
    return f'<mrow><mo fence="true">{{</mo><mtable class="cases">{rows}</mtable></mrow>'


ELEMENTS: dict[type, Any] = {
    Symbol: symbol,
    Row: lambda one: group(*one.items),
    Below: lambda one: f"<msub>{element(one.base)}{element(one.index)}</msub>",
    Above: lambda one: f"<msup>{element(one.base)}{element(one.exponent)}</msup>",
    Under: under,
    Fraction: lambda one: f"<mfrac>{element(one.top)}{element(one.bottom)}</mfrac>",
    Root: lambda one: f"<msqrt>{element(one.inside)}</msqrt>",
    Fenced: fenced,
    Cases: cases,
}
"""How every form is written."""
