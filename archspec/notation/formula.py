"""What mathematics looks like: a few forms of formulas, which the printers beside this write each in its own way."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["variable", "function", "number", "sign", "words"]


@dataclass(frozen=True)
class Symbol:
    """One symbol: a variable (one letter, slanted), a name (upright), a number, a sign between others, or words."""

    text: str
    kind: Kind


@dataclass(frozen=True)
class Row:
    """Formulas side by side."""

    items: tuple["Formula", ...]


@dataclass(frozen=True)
class Below:
    """A formula with an index."""

    base: "Formula"
    index: "Formula"


@dataclass(frozen=True)
class Above:
    """A formula with an exponent."""

    base: "Formula"
    exponent: "Formula"


@dataclass(frozen=True)
class Under:
    """A large operator with what it ranges over: ∑ under which stands j ∈ N."""

    operator: Symbol
    range: "Formula"


@dataclass(frozen=True)
class Fraction:
    """One formula over another."""

    top: "Formula"
    bottom: "Formula"


@dataclass(frozen=True)
class Root:
    """A square root."""

    inside: "Formula"


@dataclass(frozen=True)
class Fenced:
    """A formula between two brackets, which grow with it."""

    left: str
    inside: "Formula"
    right: str


@dataclass(frozen=True)
class Cases:
    """Values, each with its condition, after a brace."""

    rows: tuple[tuple["Formula", "Formula"], ...]


Formula = Symbol | Row | Below | Above | Under | Fraction | Root | Fenced | Cases


def row(*items: Formula) -> Formula:
    """Formulas side by side, rows within rows made flat."""
    flat = [one for item in items for one in (item.items if isinstance(item, Row) else (item,))]
    return flat[0] if len(flat) == 1 else Row(tuple(flat))


def sign(text: str) -> Symbol:
    """A sign between others."""
    return Symbol(text, "sign")


def words(text: str) -> Symbol:
    """Words within a formula."""
    return Symbol(text, "words")
