"""Expressions to values: one function for each form of the tree, in a table."""

import operator
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from archspec.check.build import as_node, combine
from archspec.check.calls import FORMS, call, lambda_, pipe
from archspec.check.indices import SETS, index, reduce, with_self
from archspec.check.primitives import SPECIAL
from archspec.check.statements import run
from archspec.check.suggest import nearest
from archspec.check.values import Frame, Function, Listing, Primitive, Size, Value, is_broken, number_of
from archspec.ir.nodes import Node
from archspec.ir.ops import PRIMITIVES
from archspec.ir.types import NODE, Axis, IndexSet, Type
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

GRAPH_NAMES = ("degree", "distance", "pos", "e")
DATA_NAMES = ("x", "depth", "out", "letters", *GRAPH_NAMES)
"""Names that come from the data, the graph and the stack."""

LATER_SETS = ("targets",)


def evaluate(expression: tree.Expr, frame: Frame) -> Value:
    """The value of an expression."""
    return FORMS_OF_TREE[type(expression)](expression, frame)


def literal(expression: tree.Literal, frame: Frame) -> Value:
    """A number, truth value or text."""
    return expression.value


def name(expression: tree.Name, frame: Frame) -> Value:
    """What a name stands for here: locals, states, definitions, sizes, data, primitives, sets."""
    wanted, found = expression.id, look_up(expression.id, frame)
    if found is not None:
        return found
    for table in (from_spec, from_data, from_language):
        value = table(expression, frame)
        if value is not None:
            return value
    return unknown(wanted, expression, frame)


def look_up(wanted: str, frame: Frame | None) -> Value | None:
    """A local, here or where the lambda around it was written; a state where states are seen."""
    place, sees = frame.place if frame else None, False
    while frame is not None:
        sees = sees or frame.sees_states
        if wanted in frame.locals:
            return frame.locals[wanted]
        frame = frame.outer
    return place.states.get(wanted) if sees and place else None


def from_spec(expression: tree.Name, frame: Frame) -> Value | None:
    """A size or a definition."""
    if expression.id in frame.world.sizes:
        return frame.world.sizes[expression.id]
    definition = frame.world.definition(expression.id)
    return None if definition is None else defined(definition, frame)


def defined(definition: tree.Definition, frame: Frame) -> Value:
    """A function, or the one value per section of a definition without arguments."""
    heading = definition.heading
    if heading.parameters is not None:
        return Function(heading.name, heading.parameters, definition.body)
    if not definition.body.result:
        return Function(heading.name, (), definition.body)
    if heading.name not in frame.place.once:
        frame.place.once[heading.name] = value_once(definition, frame)
    return frame.place.once[heading.name]


def value_once(definition: tree.Definition, frame: Frame) -> Value:
    """The value of `eps: scalar(0)`, named after the definition; another name of a function keeps its new name."""
    heading, body = definition.heading, definition.body
    if heading.name in frame.calls:
        return frame.error("E0204", heading.span, f"the definition is about itself: {heading.name}")
    plain = (tree.Call, tree.Pipe, tree.Name)
    alone = not body.statements and len(body.result) == 1 and isinstance(body.result[0], plain)
    naming = frame.place.naming if alone else frame.place.naming.below(heading.name)
    inner = Frame(frame.world, frame.place, naming, calls=(*frame.calls, heading.name))
    value = evaluate(body.result[0], replace(inner, alone=heading.name)) if alone else run(body, inner)
    return replace(value, name=heading.name) if isinstance(value, Function | Primitive) else value


def from_data(expression: tree.Name, frame: Frame) -> Value | None:
    """Raw features, the depth, degrees, and the sizes the data set knows."""
    facts = frame.world.facts
    if expression.id == "x":
        return raw_features(expression, frame)
    if expression.id == "depth":
        return depth(expression, frame)
    if expression.id in ("out", "letters"):
        return Size(Axis(expression.id, getattr(facts, expression.id) if facts else None))
    if expression.id == "degree":
        ones = tree.Reduce(
            expression.span,
            tree.Name(expression.span, "sum"),
            tree.Name(expression.span, "j"),
            tree.Name(expression.span, "N"),
            tree.Literal(expression.span, 1),
        )
        return reduce(ones, frame.whole())
    if expression.id in GRAPH_NAMES:
        return frame.unsupported(expression.span, f"`{expression.id}`")
    return None


def raw_features(expression: tree.Name, frame: Frame) -> Value:
    """`x` as the data has it: categories or numbers per node; in `input` alone."""
    if not frame.place.raw:
        where = (
            "functions see their arguments only"
            if "x" in frame.world.states
            else "the data's x is readable in `input` alone"
        )
        return frame.error(
            "E0201", expression.span, "`x` is not known here", notes=(where,), help="hand it over as an argument"
        )
    facts = frame.world.facts
    if facts and facts.letters is None and facts.features is not None:
        return Node("data", (), Type(NODE, (Axis("", facts.features),)), expression.span, (("name", "x"),))
    letters = facts.letters if facts else None
    return Node("data", (), Type(NODE, (), "category", letters), expression.span, (("name", "x"),))


def depth(expression: tree.Name, frame: Frame) -> Value:
    """The number, from 1, of the block instance."""
    if frame.place.depth is None:
        return frame.error("E0211", expression.span, "`depth` is known in the blocks of `stack` only")
    frame.place.depth_read = True
    return frame.place.depth


def from_language(expression: tree.Name, frame: Frame) -> Value | None:
    """A primitive or an index set."""
    wanted = expression.id
    if wanted in SPECIAL:
        return Primitive(wanted, None, wanted)
    if wanted in PRIMITIVES:
        return Primitive(wanted, PRIMITIVES[wanted])
    if wanted in LATER_SETS:
        return frame.unsupported(expression.span, f"the index set {wanted}")
    return SETS.get(wanted)


def unknown(wanted: str, expression: tree.Name, frame: Frame) -> Value:
    """A name nobody gave; a state is not seen by functions."""
    if wanted in frame.world.states:
        return frame.error(
            "E0201",
            expression.span,
            f"the state {wanted} is not seen here",
            notes=("a function sees its arguments and the definitions",),
            help=f"hand it over as an argument: `({wanted})`",
        )
    if wanted in FORMS:
        return frame.error("E0206", expression.span, f"`{wanted}` is no value", help=f"call it: `{wanted}(…)`")
    if wanted == "i":
        return frame.error("E0207", expression.span, "the index i is no value", help="read a field at it: `x[i]`")
    return frame.error("E0201", expression.span, f"unknown name `{wanted}`", help=nearest(wanted, known_names(frame)))


def known_names(frame: Frame | None) -> set[str]:
    """Every name that can be meant here."""
    found: set[str] = set()
    if frame is not None:
        world = frame.world
        found = {*world.sizes, *world.definitions, *world.library, *PRIMITIVES, *SPECIAL, *FORMS, *SETS, *DATA_NAMES}
        found |= frame.world.states if frame.sees_states else set()
    while frame is not None:
        found |= set(frame.locals)
        frame = frame.outer
    return found - {"·"}


def unary(expression: tree.Unary, frame: Frame) -> Value:
    """`-x`, `not c`."""
    value = frame.value(expression.operand)
    number = number_of(value)
    if number is not None:
        return not number if expression.op == "not" else -number
    if expression.op == "not" and not is_broken(value):
        return frame.unsupported(expression.span, "`not` of a condition that is only known in training")
    return combine("neg", [(expression.operand, as_node(value, expression.operand, frame))], expression.span, frame)


def binary(expression: tree.Binary, frame: Frame) -> Value:
    """Operators: settled at once on numbers, on sets, else an operation."""
    if expression.op in ("and", "or"):
        return logic(expression, frame)
    left = frame.value(expression.left)
    if isinstance(left, IndexSet):
        return with_self(expression, frame, left)
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
    if None in known or expression.op == "@":
        return None
    try:
        result = OPERATORS[expression.op][1](*known)
    except (ArithmeticError, TypeError, ValueError) as wrong:
        return frame.error("E0309", expression.span, f"this cannot be computed: {str(wrong).lower()}")
    if isinstance(result, complex):
        return frame.error("E0309", expression.span, "this cannot be computed: the result is not a real number")
    return int(result) if isinstance(result, float) and result.is_integer() and expression.op == "/" else result


def logic(expression: tree.Binary, frame: Frame) -> Value:
    """`and`, `or` of conditions known already."""
    values = [frame.value(side) for side in (expression.left, expression.right)]
    numbers = [number_of(value) for value in values]
    if None in numbers:
        if any(map(is_broken, values)):
            return next(value for value in values if is_broken(value))
        return frame.unsupported(expression.span, f"`{expression.op}` of conditions that are only known in training")
    return all(numbers) if expression.op == "and" else any(numbers)


def choice(expression: tree.Choice, frame: Frame) -> Value:
    """`a if c else b`: one of them where c is known, else entry by entry."""
    if expression.otherwise is None:
        return frame.unsupported(expression.span, "an index set with a condition", "sets: N, V, N + i, reach(k)")
    condition = frame.value(expression.condition)
    known = number_of(condition)
    if known is not None:
        return frame.value(expression.then if known else expression.otherwise)
    parts = [
        (part, as_node(value, part, frame))
        for part, value in (
            (expression.condition, condition),
            *((part, frame.value(part)) for part in (expression.then, expression.otherwise)),
        )
    ]
    return combine("where", parts, expression.span, frame)


def sequence(expression: tree.Sequence, frame: Frame) -> Value:
    """`(0, 2, 5)`."""
    return Listing(tuple(frame.value(item) for item in expression.items))


def integers(expression: tree.Range, frame: Frame) -> Value:
    """`0..4`, both ends included."""
    ends = [number_of(frame.value(end)) for end in (expression.first, expression.last)]
    if not all(isinstance(end, int) for end in ends) or abs(int(ends[1] or 0) - int(ends[0] or 0)) > 10_000:
        return frame.error(
            "E0301", expression.span, "a range goes from one whole number to another", help="such as `0..4`"
        )
    return Listing(tuple(range(int(ends[0] or 0), int(ends[1] or 0) + 1)))


FORMS_OF_TREE: Mapping[type, Callable[[Any, Frame], Value]] = {
    tree.Literal: literal,
    tree.Name: name,
    tree.Unary: unary,
    tree.Binary: binary,
    tree.Choice: choice,
    tree.Call: call,
    tree.Index: index,
    tree.Reduce: reduce,
    tree.Pipe: pipe,
    tree.Lambda: lambda_,
    tree.Range: integers,
    tree.Sequence: sequence,
}
