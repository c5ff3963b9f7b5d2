"""Conditions: `and`, `or`, `not`, and `a if c else b`; settled at once where they are known, else entry by entry."""

from archspec.check.build import as_node, combine
from archspec.check.values import Frame, Value, broken, is_broken, number_of
from archspec.ir.nodes import Node
from archspec.syntax import tree


def condition(value: Value, at: tree.Expr, frame: Frame) -> bool | Node:
    """A condition known already, or a truth value for every entry; a problem where it is anything else."""
    if isinstance(value, bool):
        return value
    if is_broken(value):
        return broken(at.span)
    if isinstance(value, Node) and value.type.entries == "flag":
        return value
    return frame.error("E0307", at.span, "the condition is no truth value", help="compare it: `… > 0`")


def logic(expression: tree.Binary, frame: Frame) -> Value:
    """`and`, `or`; the right side counts only where the left does not settle it."""
    settling = expression.op == "or"
    left = condition(frame.value(expression.left), expression.left, frame)
    if is_broken(left) or left is settling:
        return left
    right = condition(frame.value(expression.right), expression.right, frame)
    if isinstance(left, bool) or is_broken(right) or right is settling:
        return right
    if isinstance(right, bool):
        return left
    return combine(expression.op, [(expression.left, left), (expression.right, right)], expression.span, frame)


def negation(expression: tree.Unary, value: Value, frame: Frame) -> Value:
    """`not c`."""
    found = condition(value, expression.operand, frame)
    if isinstance(found, bool):
        return not found
    return combine("not", [(expression.operand, found)], expression.span, frame)


def choice(expression: tree.Choice, frame: Frame) -> Value:
    """`a if c else b`: one of them where c is known, else entry by entry."""
    assert expression.otherwise is not None
    decided = frame.value(expression.condition)
    if isinstance(decided, bool):
        return frame.value(expression.then if decided else expression.otherwise)
    if number_of(decided) is not None:
        return condition(decided, expression.condition, frame)
    parts = [
        (part, as_node(value, part, frame))
        for part, value in (
            (expression.condition, decided),
            *((part, frame.value(part)) for part in (expression.then, expression.otherwise)),
        )
    ]
    return combine("where", parts, expression.span, frame)
