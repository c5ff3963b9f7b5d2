"""Costs as formulas: the sizes of a batch as symbols of sympy, which is imported when the first formula is asked for.

n are the nodes of a graph, m its edges, n² and n³ its pairs and triples; sizes go by the names the spec gives them.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

from archspec.ir.formula import Formula, Term
from archspec.ir.nodes import Node
from archspec.ir.types import ALL, Axis, Domain, IndexSet, Type

if TYPE_CHECKING:
    from sympy import Expr

OPERATORS: Mapping[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "**": operator.pow,
}
"""What the operators of formulas do to expressions."""

SUPERSCRIPT = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


@cache
def symbol(name: str) -> Any:
    """A positive quantity."""
    from sympy import Symbol

    return Symbol(name, positive=True)


class Symbols:
    """Sizes as symbols, for one graph; `taken` are the names of the spec's sizes, which n and m give way to."""

    def __init__(self, taken: Sequence[str] = ()):
        self.n, self.m, self.layers = (symbol(short if short not in taken else long) for short, long in NAMES)

    def pairs(self, over: IndexSet) -> Any:
        """Pairs of an index set; of sets whose size the graph alone knows a symbol."""
        if over.name == "triples" and over.pairs and over.third:
            both = over.pairs == over.third == ALL
            return self.n**3 if both else self.pairs(over.pairs) * self.pairs(over.third) / self.n
        if over.base is not None:
            return self.made_from(over, self.pairs(over.base))
        return {"members": self.n, "V": self.n**2, "N": self.m, "N + i": self.m + self.n}.get(
            over.name, self.numbered(over)
        )

    def numbered(self, over: IndexSet) -> Any:
        """Pairs of reach(k), expander(k) and of targets."""
        return {"reach": symbol(f"r{over.k}") if over.k else self.n, "expander": over.k * self.n}.get(
            over.name, symbol("t")
        )

    def made_from(self, over: IndexSet, pairs: Any) -> Any:
        """Pairs of a set made from one of so many; of a condition, as a plan guesses, half of them."""
        inside = over.base is not None and over.base.reflexive
        more = {"+ i": self.n, "- i": -self.n if inside else 0}
        return pairs + more[over.name] if over.name in more else pairs / 2

    def rows(self, domain: Domain) -> Any:
        """Rows of a value."""
        if domain.over is not None:
            return self.pairs(domain.over)
        return self.n if domain.kind == "node" else 1

    def width(self, axes: Sequence[Axis]) -> Any:
        """Entries of a row."""
        product: Any = 1
        for axis in axes:
            product *= expression(axis.term)
        return product

    def cubes(self) -> Any:
        """Triples of nodes."""
        return self.n**3

    def sized(self, node: Node) -> Node:
        """The node whose axes are formulas, and so the shapes of its weights."""
        operands = tuple(replace(one, type=symbolic(one.type), operands=()) for one in node.operands)
        return replace(node, type=symbolic(node.type), operands=operands)


NAMES = (("n", "nodes"), ("m", "edges"), ("L", "layers"))
"""Symbols for what is no size of a spec, and what they are called where a size has that name."""


def symbolic(type: Type) -> Type:
    """The type with formulas for sizes."""
    return replace(type, axes=tuple(Axis(axis.name, expression(axis.term)) for axis in type.axes))


def expression(term: Term) -> Any:
    """A formula of sizes as an expression."""
    if isinstance(term, Formula):
        return OPERATORS[term.op](expression(term.left), expression(term.right))
    if isinstance(term, str):
        return symbol(term)
    from sympy import nsimplify

    return nsimplify(term)


def text(found: Expr | float) -> str:
    """`4·d²·n + 2·d·m`: expanded within, what is common to all terms in front."""
    from sympy import collect, expand, factor_terms, sympify

    whole = expand(sympify(found))
    front = symbol("L") if symbol("L") in whole.free_symbols else symbol("layers")
    parts = collect(whole, front, evaluate=False)
    terms = [factor_terms(inner) * outer if inner.is_Add else inner * outer for outer, inner in ordered(parts)]
    return plain(" + ".join(map(str, terms)) if terms else "0")


def ordered(parts: Mapping[Any, Any]) -> list[tuple[Any, Any]]:
    """What is multiplied with the number of layers first."""
    return sorted(parts.items(), key=lambda one: str(one[0]), reverse=True)


def plain(written: str) -> str:
    """Powers as superscripts, products as dots."""
    raised = re.sub(r"\*\*(\d+)", lambda power: power[1].translate(SUPERSCRIPT), written)
    return raised.replace("*", "·").replace("+ -", "- ")
