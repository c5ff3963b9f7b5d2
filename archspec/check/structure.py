"""What the graph alone gives: `distance`, `adjacency`, and `hops`, `walk`, `rwse`, `laplacian_pe` of listed numbers."""

from collections.abc import Mapping
from dataclasses import dataclass

from archspec.check.primitives import axis
from archspec.check.values import Frame, Listing, Value, broken, is_broken, number_of
from archspec.ir.nodes import Node
from archspec.ir.types import ALL, NODE, Axis, Domain, Type, pair
from archspec.syntax import tree

PER_PAIR = ("distance", "adjacency")
"""Names of values on the pairs of V, without features."""

MOST = 256
"""Listed numbers at most, and the largest of them; more would fill the memory before anybody waits for it."""


@dataclass(frozen=True)
class Listed:
    """An encoding with an entry for every listed number: where it lives, what is listed, and how it is written."""

    domain: Domain
    what: str
    example: str


LISTED: Mapping[str, Listed] = {
    "hops": Listed(pair(ALL), "distances", "hops(0..4)"),
    "walk": Listed(pair(ALL), "numbers of steps", "walk(0..4)"),
    "rwse": Listed(NODE, "numbers of steps", "rwse(1..20)"),
}

WORDS = (*LISTED, "laplacian_pe")
"""Words of the language that are called."""


def per_pair(expression: tree.Name) -> Node:
    """`distance` or `adjacency`."""
    return Node(expression.id, (), Type(pair(ALL)), expression.span)


def listed(call: tree.Call, frame: Frame) -> Value:
    """`hops(0..4)` and its kin: an axis without a name, with an entry for every number."""
    assert isinstance(call.function, tree.Name)
    name = call.function.id
    row = LISTED[name]
    value = argument(call, frame, f"`{name}` takes a list of {row.what}", f"such as `{row.example}`")
    if is_broken(value):
        return value
    if not isinstance(value, Listing):
        message = f"`{name}` takes a list of {row.what}"
        return frame.error("E0203", call.arguments[0].span, message, help=f"such as `{row.example}`")
    numbers = tuple(map(number_of, value.items))
    if any(map(is_broken, value.items)):
        return broken(call.span)
    wrong = fault(numbers)
    if wrong:
        message = f"{row.what} of `{name}` {wrong}"
        return frame.error("E0301", call.arguments[0].span, message, help=f"such as `{row.example}`")
    return Node(name, (), Type(row.domain, (Axis("", len(numbers)),)), call.span, (("numbers", numbers),))


def fault(numbers: tuple[int | float | bool | None, ...]) -> str:
    """What is wrong with listed numbers; "" where nothing is."""
    if len(numbers) > MOST:
        return f"are {MOST} at most, not {len(numbers)}"
    for at, number in enumerate(numbers):
        if type(number) is not int or number < 0:
            return f"are whole numbers from 0 on, not {shown(number)}"
        if number > MOST:
            return f"go up to {MOST}, not {number}"
        if number in numbers[:at]:
            return f"are each listed once, {number} is there twice"
    return ""


def shown(number: int | float | bool | None) -> str:
    """A listed value that is not what it should be."""
    return "something else" if number is None else str(number).lower()


def argument(call: tree.Call, frame: Frame, message: str, cure: str) -> Value:
    """The value of the one argument of a call."""
    if len(call.arguments) != 1 or call.arguments[0].name is not None:
        return frame.error("E0203", call.span, message, help=cure)
    return frame.value(call.arguments[0].value)


def laplacian_pe(call: tree.Call, frame: Frame) -> Value:
    """`laplacian_pe(8)`: so many eigenvectors as one axis, which has a name where the number is a size."""
    cure = "such as `laplacian_pe(8)`"
    value = argument(call, frame, "`laplacian_pe` takes the number of eigenvectors", cure)
    if is_broken(value):
        return value
    count = number_of(value)
    if type(count) is not int or not 0 < count <= MOST:
        message = f"the number of eigenvectors is a whole number from 1 to {MOST}"
        return frame.error("E0301", call.arguments[0].span, message, help=cure)
    found = axis(call.arguments[0].value, frame)
    if found is None:
        return broken(call.span)
    return Node("laplacian_pe", (), Type(NODE, (found,)), call.span, (("count", count),))
