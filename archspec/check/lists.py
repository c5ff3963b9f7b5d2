"""Lists: `layers(x)`, `each`, and the value that `sum`, `mean`, `max`, `min` make of a list."""

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from archspec.check.build import as_node, make
from archspec.check.values import HIDDEN, Frame, Listing, Value, as_columns, broken, is_broken, number_of
from archspec.ir.nodes import Node
from archspec.syntax import tree

FOLDS: Mapping[str, tuple[str, Callable[[Any, Any], Any], str]] = {
    "sum": ("add", operator.add, "`a + b` adds two values"),
    "mean": ("add", operator.add, "`(a + b) / 2` is the mean of two values"),
    "max": ("maximum", max, "`maximum(a, b)` is the larger of two values"),
    "min": ("minimum", min, "`minimum(a, b)` is the smaller of two values"),
}
"""What brings two items of a list together: the row of the IR, the function on numbers, and a hint for two values."""


def aggregate(expression: tree.Call, frame: Frame) -> Value:
    """`sum`, `mean`, `max`, `min` of a list of values, such as `layers(x)`."""
    assert isinstance(expression.function, tree.Name)
    items = listing(expression, expression.function.id, frame)
    if items is None:
        return broken(expression.span)
    op, settle, _ = FOLDS[expression.function.id]
    numbers = [number_of(item) for item in items]
    total: Value
    if None not in numbers and not any(isinstance(number, bool) for number in numbers):
        total = numbers[0]  # type: ignore[assignment]
        for number in numbers[1:]:
            total = settle(total, number)
        return total / len(numbers) if expression.function.id == "mean" else total  # type: ignore[operator]
    nodes = [as_node(item, expression.arguments[0].value, frame) for item in items]
    if (places := apart(nodes)) is not None:
        message = f"the items of the list live in different places: {' and '.join(places)}"
        cure = "let the state live in one place in every layer, and name what lives elsewhere"
        return frame.error("E0304", expression.span, message, help=cure)
    total = nodes[0]
    for node in nodes[1:]:
        total = make(op, [total, node], expression.span, frame)
    if expression.function.id == "mean":
        total = make("div", [total, as_node(len(nodes), expression, frame)], expression.span, frame)
    return total


def apart(nodes: Sequence[Node]) -> list[str] | None:
    """The domains of items that do not go together; None where they do. Constants and graph values go with any."""
    found = sorted({str(node.type.domain) for node in nodes if node.type.domain.kind not in ("constant", "graph")})
    return found if len(found) > 1 and not any(map(is_broken, nodes)) else None


def listing(expression: tree.Call, op: str, frame: Frame) -> tuple[Value, ...] | None:
    """The items of the one list a call is given."""
    arguments = expression.arguments
    cure = f"over nodes: `{op}[j in N](x[j])`"
    if len(arguments) == 1 and arguments[0].name is None:
        value = frame.value(arguments[0].value)
        if isinstance(value, Listing):
            return value.items
        if is_broken(value):
            return None
    elif len(arguments) == 2:
        cure = FOLDS[op][2]
    frame.error("E0203", expression.span, f"`{op}` needs an index set, or a list such as `layers(x)`", help=cure)
    return None


def each(expression: tree.Call, frame: Frame) -> Value:
    """`each(layers(x), h => linear(h, out))`: a function of every item, with weights of its own for each."""
    arguments = expression.arguments
    if len(arguments) != 2 or any(argument.name for argument in arguments):
        message = "`each` takes a list and a function"
        return frame.error("E0203", expression.span, message, help="such as `each(layers(x), h => linear(h, out))`")
    items = as_columns(frame.value(arguments[0].value), frame)
    if is_broken(items):
        return items
    if not isinstance(items, Listing):
        return frame.error("E0203", arguments[0].span, "`each` needs a list", help="such as `layers(x)`")
    return Listing(tuple(applied(arguments, item, frame) for item in items.items))


def applied(arguments: tuple[tree.Argument, ...], item: Value, frame: Frame) -> Value:
    """The function called with an item, which has no name in the text."""
    items, function = arguments
    first = tree.Argument(items.span, None, tree.Name(items.span, HIDDEN))
    inner = frame.also(HIDDEN, item)
    return inner.value(tree.Call(function.span, function.value, (first,)))


def layers(expression: tree.Call, frame: Frame) -> Value:
    """`layers(x)`: the state after the input and after every block instance."""
    argument = expression.arguments[0].value if len(expression.arguments) == 1 else None
    if not isinstance(argument, tree.Name) or argument.id not in frame.world.states:
        cure = f"one of {', '.join(sorted(frame.world.states))}"
        return frame.error("E0203", expression.span, "`layers` takes the name of a state", help=cure)
    if argument.id not in frame.place.history or not frame.sees_states:
        message = "`layers` may be used in `output` and `penalty` only"
        return frame.error("E0211", expression.span, message, help="move it to `output`")
    return Listing(frame.place.history[argument.id])
