"""Expressions to values: one function for each form of the tree, in a table."""

import operator
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any

from archspec.check.build import as_node, combine
from archspec.check.calls import FORMS, call, lambda_, pipe
from archspec.check.indices import KNOWN, SETS, index, reduce, with_self
from archspec.check.primitives import SPECIAL
from archspec.check.statements import run
from archspec.check.suggest import nearest
from archspec.check.values import (
    HIDDEN,
    Frame,
    Function,
    Listing,
    Naming,
    Primitive,
    Size,
    Value,
    broken,
    is_broken,
    number_of,
)
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

LONGEST_LIST = 10_000


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


def look_up(wanted: str, frame: Frame) -> Value | None:
    """A local, which hides nothing else; a state in a section's own text."""
    if wanted in frame.locals:
        return frame.locals[wanted]
    return frame.place.states.get(wanted) if frame.sees_states else None


def from_spec(expression: tree.Name, frame: Frame) -> Value | None:
    """A size or a definition."""
    if expression.id in frame.world.sizes:
        return frame.world.sizes[expression.id]
    definition = frame.world.definition(expression.id)
    return None if definition is None else defined(definition, frame)


def defined(definition: tree.Definition, frame: Frame) -> Value:
    """A function, or the one value per section of a definition without arguments."""
    heading = definition.heading
    if heading.name in frame.world.endless:
        return broken(heading.span)
    if heading.parameters is not None or not definition.body.result:
        return Function(heading.name, heading.parameters or (), definition.body, definition=heading.name)
    if heading.name not in frame.place.once:
        frame.place.once[heading.name] = value_once(definition, frame)
    return frame.place.once[heading.name]


def value_once(definition: tree.Definition, frame: Frame) -> Value:
    """The value of `eps: scalar(0)`, named after the definition; another name of a function keeps its new name."""
    heading, body = definition.heading, definition.body
    alone = not body.statements and len(body.result) == 1 and isinstance(body.result[0], tree.Call | tree.Pipe)
    naming = frame.place.naming if alone else Naming(heading.name)
    inner = Frame(frame.world, frame.place, naming, calls=frame.calls)
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
    if not frame.place.raw or not frame.sees_states:
        return unknown("x", expression, frame)
    facts = frame.world.facts
    if facts and facts.letters is None and facts.features is not None:
        return Node("data", (), Type(NODE, (Axis("", facts.features),)), expression.span, (("name", "x"),))
    letters = facts.letters if facts else None
    return Node("data", (), Type(NODE, (), "category", letters), expression.span, (("name", "x"),))


def depth(expression: tree.Name, frame: Frame) -> Value:
    """The number, from 1, of the block instance."""
    if frame.place.depth is None:
        return frame.error(
            "E0211", expression.span, "`depth` is known in the blocks of `stack` only", help="write a number"
        )
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


def unknown(wanted: str, expression: tree.Name, frame: Frame, known: Collection[str] = ()) -> Value:
    """A name that means nothing here, with what would cure it; reported once a place."""
    cure, notes = "", ("a definition sees its arguments and the other definitions",)
    if any(one.code == "E0201" and one.span == expression.span for one in frame.world.problems.found):
        return broken(expression.span)
    if wanted in frame.world.states:
        message = f"the state {wanted} is not seen here"
        cure = f"hand it over: write `({wanted})` behind its name, in the heading and in calls"
    elif wanted == "x":
        message = "the data's x is readable in `input` alone"
        cure = "make a state of it in `input`: `x = encode(x, d)`"
    elif wanted in FORMS:
        return frame.error("E0206", expression.span, f"`{wanted}` is no value", help=f"call it: `{wanted}(…)`")
    elif wanted == "i":
        return frame.error("E0207", expression.span, "the index i is no value", help="read a field at it: `x[i]`")
    else:
        known = known or known_names(frame)
        message, cure = f"unknown name `{wanted}`", nearest(wanted, known) or f"known here: {own_names(known, frame)}"
    return frame.error(
        "E0201", expression.span, message, notes=notes if wanted in frame.world.states else (), help=cure
    )


LANGUAGE = frozenset((*PRIMITIVES, *SPECIAL, *FORMS, *SETS, *LATER_SETS, *DATA_NAMES))
"""Names that mean something in every spec."""


def known_names(frame: Frame) -> set[str]:
    """Every name that can be meant here."""
    world = frame.world
    states = world.states if frame.sees_states else ()
    return {*world.sizes, *world.definitions, *world.library, *states, *frame.locals, *LANGUAGE} - {HIDDEN}


def own_names(known: Collection[str], frame: Frame) -> str:
    """The names a spec gave, some of them where they are many."""
    names = sorted(set(known) - LANGUAGE - (set(frame.world.library) - set(frame.world.definitions)) - {"i"})
    return ", ".join(names[:8]) + (", …" if len(names) > 8 else "")


def unary(expression: tree.Unary, frame: Frame) -> Value:
    """`-x`, `not c`."""
    value = frame.value(expression.operand)
    if expression.op == "not":
        settled = condition(value, expression.operand, "not", frame)
        return settled if settled is None or isinstance(settled, Node) else not settled
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
    plain = not any(isinstance(side, str | bool) for side in known)
    if None in known or expression.op == "@" or not (plain or expression.op in ("==", "!=")):
        return None
    try:
        return settled(expression.op, *known)
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


def condition(value: Value, at: tree.Expr, word: str, frame: Frame) -> bool | Node:
    """A condition known already; a problem where it is known in training only, or a number."""
    if isinstance(value, bool):
        return value
    if is_broken(value):
        return broken(at.span)
    if isinstance(value, Node) and value.type.entries == "flag":
        return frame.unsupported(at.span, f"`{word}` of a condition that is known in training only")
    return frame.error("E0307", at.span, "the condition is no truth value", help="compare it: `… > 0`")


def logic(expression: tree.Binary, frame: Frame) -> Value:
    """`and`, `or` of conditions known already; the right side counts only where the left does not settle it."""
    left = condition(frame.value(expression.left), expression.left, expression.op, frame)
    if isinstance(left, Node) or left == (expression.op == "or"):
        return left
    return condition(frame.value(expression.right), expression.right, expression.op, frame)


def choice(expression: tree.Choice, frame: Frame) -> Value:
    """`a if c else b`: one of them where c is known, else entry by entry."""
    if expression.otherwise is None:
        return frame.unsupported(expression.span, "an index set with a condition", f"sets: {KNOWN}")
    decided = frame.value(expression.condition)
    if isinstance(decided, bool):
        return frame.value(expression.then if decided else expression.otherwise)
    if number_of(decided) is not None:
        return condition(decided, expression.condition, "if", frame)
    parts = [
        (part, as_node(value, part, frame))
        for part, value in (
            (expression.condition, decided),
            *((part, frame.value(part)) for part in (expression.then, expression.otherwise)),
        )
    ]
    return combine("where", parts, expression.span, frame)


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
    tree.Choice: choice,
    tree.Call: call,
    tree.Index: index,
    tree.Reduce: reduce,
    tree.Pipe: pipe,
    tree.Lambda: lambda_,
    tree.Range: integers,
    tree.Sequence: sequence,
}
