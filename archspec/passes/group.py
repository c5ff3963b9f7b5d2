"""Factors under a sum that are narrower than x[j] meet each other first: `w[i,j] * x[j] / s[i,j]` is `(w / s) * x[j]`.

What is left is one weight per pair times x[j], which has a fused form and no row of x's width per pair.

Non-goals: products of several wide values; sums of several terms.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from archspec.ir.nodes import Node, Program
from archspec.ir.rules import combine
from archspec.ir.types import CONSTANT, Type
from archspec.passes.fuse import spreads
from archspec.passes.rewrite import bottom_up, each_section


@dataclass(frozen=True)
class Factor:
    """A part of a product: multiplied, or divided by."""

    value: Node
    below: bool = False


def group(program: Program) -> Program:
    """Products under sums and means regrouped."""
    return each_section(program, lambda section: bottom_up(section, grouped))


def grouped(node: Node) -> Node:
    """The reduction of one weight times x[j], where the product under it is that."""
    if node.op not in ("sum", "mean") or node.operands[0].op not in ("mul", "div"):
        return node
    body = node.operands[0]
    factors = list(factors_of(body))
    wide = [one for one in factors if one.value.op == "gather_source" and not one.below]
    value = max(wide, key=lambda one: len(one.value.type.axes), default=None)
    rest = [one for one in factors if one is not value]
    if value is None or not all(narrow(one.value, value.value) for one in rest):
        return node
    return replace(node, operands=(Node("mul", (product(rest, body), value.value), body.type, body.span),))


def factors_of(node: Node, below: bool = False) -> Iterator[Factor]:
    """The factors of nested products and quotients, in the order of the text."""
    if node.op not in ("mul", "div"):
        yield Factor(node, below)
        return
    left, right = node.operands
    yield from factors_of(left, below)
    yield from factors_of(right, below != (node.op == "div"))


def narrow(weight: Node, value: Node) -> bool:
    """Whether a factor is a number, or counts for many features of the value."""
    return weight.type == Type(CONSTANT) or (weight.type.domain == value.type.domain and spreads(weight, value))


def product(factors: list[Factor], body: Node) -> Node:
    """The factors multiplied, those below the line last."""
    above = [one.value for one in factors if not one.below]
    unit = Node("constant", (), Type(CONSTANT), body.span, (("value", 1),))
    result = above[0] if above else unit
    for op, others in (("mul", above[1:]), ("div", [one.value for one in factors if one.below])):
        for other in others:
            result = Node(op, (result, other), combine([result.type, other.type]), body.span)
    return result
