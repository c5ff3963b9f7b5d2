"""Constants: what is computed from numbers alone is computed now; additions of 0 and products with 1 go.

Non-goals: `x * 0`, which is not 0 where x is not finite; anything that would change an axis.
"""

import math
import operator
from collections.abc import Callable, Mapping

from archspec.ir.nodes import Node, Program
from archspec.passes.rewrite import bottom_up, each_section

ARITHMETIC: Mapping[str, Callable[..., float]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
    "pow": operator.pow,
    "neg": operator.neg,
    "maximum": max,
    "minimum": min,
    "relu": lambda x: max(x, 0.0),
    "sigmoid": lambda x: 1 / (1 + math.exp(-x)),
    "tanh": math.tanh,
    "exp": math.exp,
    "log": math.log,
    "log1p": math.log1p,
    "sqrt": math.sqrt,
    "square": lambda x: x * x,
    "abs": abs,
    "reciprocal": lambda x: 1 / x,
}
"""What can be computed on numbers; the rest waits for torch."""

NEUTRAL: Mapping[str, tuple[float | None, float]] = {
    "add": (0.0, 0.0),
    "sub": (None, 0.0),
    "mul": (1.0, 1.0),
    "div": (None, 1.0),
    "pow": (None, 1.0),
}
"""The number that changes nothing on the left and on the right of an operator."""


def fold(program: Program) -> Program:
    """Constants computed, neutral operations gone."""
    return each_section(program, lambda section: bottom_up(section, folded))


def folded(node: Node) -> Node:
    """The node, or what it comes to."""
    numbers = [operand["value"] for operand in node.operands if operand.op == "constant"]
    if node.op in ARITHMETIC and len(numbers) == len(node.operands):
        return computed(node, numbers)
    if node.op in NEUTRAL:
        return without_neutral(node)
    return node


def computed(node: Node, numbers: list[object]) -> Node:
    """A constant, unless the arithmetic fails: then torch gives its own inf or nan at run time."""
    try:
        value = ARITHMETIC[node.op](*numbers)
    except (ArithmeticError, ValueError):
        return node
    if isinstance(value, complex):
        return node
    return Node("constant", (), node.type, node.span, (("value", value),), name=node.name)


def without_neutral(node: Node) -> Node:
    """The other operand where one is neutral and the type stays."""
    for neutral, side, other in zip(NEUTRAL[node.op], node.operands, reversed(node.operands), strict=True):
        if side.op == "constant" and side["value"] == neutral and other.type == node.type:
            return other
    return node
