"""Expressions to values: one function for each form of the tree, in a table."""

import operator
from collections.abc import Callable, Mapping
from typing import Any

from archspec.check.build import as_node, combine
from archspec.check.calls import call, lambda_, pipe
from archspec.check.conditions import choice, logic, negation
from archspec.check.indices import index, reduce, with_or_without_self
from archspec.check.lookup import name
from archspec.check.sets import conditional
from archspec.check.values import Frame, Listing, Size, Value, broken, is_broken, number_of
from archspec.ir.formula import Formula
from archspec.ir.types import Axis, IndexSet
from archspec.syntax import tree

OPERATORS: Mapping[str, tuple[str, Callable[[Any, Any], Any]]] = {
    "+": ("add", operator.add),
    "-": ("sub", operator.sub),
    "*": ("mul", operator.mul),
    "/": ("div", operator.truediv),
    "**": ("pow", operator.pow),
    "<": ("lt", operator.lt),
    "<=": ("le", operator.le),
    ">": ("gt", operator.gt),
    ">=": ("ge", operator.ge),
    "==": ("eq", operator.eq),
    "!=": ("ne", operator.ne),
}
"""Operators of the language: the row of the IR, and what they do to numbers known already."""

LONGEST_LIST = 10_000
"""Numbers in a range at most: more is a slip of the pen."""


def evaluate(expression: tree.Expr, frame: Frame) -> Value:
    """The value of an expression."""
    return FORMS_OF_TREE[type(expression)](expression, frame)


def literal(expression: tree.Literal, frame: Frame) -> Value:
    """A number, truth value or text."""
    return expression.value


def unary(expression: tree.Unary, frame: Frame) -> Value:
    """`-x`, `not c`."""
    value = frame.value(expression.operand)
    if expression.op == "not":
        return negation(expression, value, frame)
    number = number_of(value)
    if number is not None and not isinstance(number, bool):
        return -number
    return combine("neg", [(expression.operand, as_node(value, expression.operand, frame))], expression.span, frame)


def binary(expression: tree.Binary, frame: Frame) -> Value:
    """Operators: settled at once on numbers, on sets, else an operation."""
    if expression.op in ("and", "or"):
        return logic(expression, frame)
    left = frame.value(expression.left)
    if isinstance(left, IndexSet):
        return with_or_without_self(expression, frame, left)
    right = frame.value(expression.right)
    if (settled := arithmetic(expression, left, right, frame)) is not None:
        return settled
    parts = [
        (expression.left, as_node(left, expression.left, frame)),
        (expression.right, as_node(right, expression.right, frame)),
    ]
    op = "inner" if expression.op == "@" else OPERATORS[expression.op][0]
    return combine(op, parts, expression.span, frame)


def arithmetic(expression: tree.Binary, left: Value, right: Value, frame: Frame) -> Value | None:
    """The result on two numbers or texts known already; None where it must wait."""
    known = [side if isinstance(side, str) else number_of(side) for side in (left, right)]
    plain = not any(isinstance(side, str | bool) for side in known)
    if None in known or expression.op == "@" or not (plain or expression.op in ("==", "!=")):
        return None
    try:
        return as_size(settled(expression.op, *known), expression.op, left, right)
    except OverflowError:
        return frame.error("E0309", expression.span, "the result is too large", help="write smaller numbers")
    except ZeroDivisionError:
        return frame.error("E0309", expression.span, "a division by 0", help="divide by another number")
    except ValueError:
        return frame.error(
            "E0309", expression.span, "the result is no real number", help="take the root of one from 0 on"
        )


LARGEST = 2**53
"""Whole numbers beyond this are kept as floating-point numbers, as torch would."""


def settled(op: str, left: Any, right: Any) -> Value:
    """An operator on two numbers: whole numbers stay whole where they can. Raises ArithmeticError or ValueError."""
    if op == "**" and isinstance(left, int) and right > 53:
        left = float(left)
    result = OPERATORS[op][1](left, right)
    if isinstance(result, complex):
        raise ValueError
    if isinstance(result, bool | str):
        return result
    if op == "/" and float(result).is_integer() and abs(result) <= LARGEST:
        return int(result)
    return float(result) if abs(result) > LARGEST else result


def as_size(result: Value, op: str, left: Value, right: Value) -> Value:
    """A whole number computed from sizes is a size without a name, which knows its formula."""
    if type(result) is not int or result < 1 or not any(isinstance(side, Size) for side in (left, right)):
        return result
    left_term, right_term = (side.axis.term if isinstance(side, Size) else number_of(side) for side in (left, right))
    return Size(Axis("", result, Formula(op, left_term, right_term)))  # type: ignore[arg-type]


def chosen(expression: tree.Choice, frame: Frame) -> Value:
    """`a if c else b` chooses a value, `S if c` members of a set."""
    return conditional(expression, frame) if expression.otherwise is None else choice(expression, frame)


def sequence(expression: tree.Sequence, frame: Frame) -> Value:
    """`(0, 2, 5)`."""
    return Listing(tuple(frame.value(item) for item in expression.items))


def integers(expression: tree.Range, frame: Frame) -> Value:
    """`0..4`, both ends included."""
    ends = [frame.value(end) for end in (expression.first, expression.last)]
    if any(map(is_broken, ends)):
        return broken(expression.span)
    first, last = map(number_of, ends)
    if type(first) is not int or type(last) is not int or not 0 <= last - first <= LONGEST_LIST:
        message = "a range goes up from one whole number to another"
        return frame.error("E0301", expression.span, message, help="such as `0..4`")
    return Listing(tuple(range(first, last + 1)))


FORMS_OF_TREE: Mapping[type, Callable[[Any, Frame], Value]] = {
    tree.Literal: literal,
    tree.Name: name,
    tree.Unary: unary,
    tree.Binary: binary,
    tree.Choice: chosen,
    tree.Call: call,
    tree.Index: index,
    tree.Reduce: reduce,
    tree.Pipe: pipe,
    tree.Lambda: lambda_,
    tree.Range: integers,
    tree.Sequence: sequence,
}
