"""The parts of an expression: its children in order, what it is without them, and how large it is."""

from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from typing import Any

from archspec.source import SourceFile, Span
from archspec.syntax import tree
from archspec.syntax.printer import PRINTERS, Verbatim, print_expression

NOWHERE = Span(SourceFile("", ""), 0, 0)


def size(node: object) -> int:
    """How many forms and names an expression is made of."""
    if isinstance(node, tuple):
        return sum(map(size, node))
    if not isinstance(node, tree.Node):
        return 0
    known: int | None = node.__dict__.get(SIZE)
    if known is None:
        known = 1 + sum(size(getattr(node, name)) for name in node.__dataclass_fields__ if name != "span")
        node.__dict__[SIZE] = known  # trees never change, and are asked for this over and over
    return known


SIZE = "size of the tree"


def children(expr: tree.Expr | Verbatim) -> Sequence[tree.Expr]:
    """The expressions right under an expression, those in tuples and arguments too."""
    known: Sequence[tree.Expr] | None = expr.__dict__.get(CHILDREN)
    if known is None:
        known = expr.__dict__[CHILDREN] = tuple(found_under(expr))
    return known


CHILDREN = "children of the tree"


def found_under(expr: tree.Expr | Verbatim) -> Iterator[tree.Expr]:
    """The expressions right under an expression, looked for."""
    for name in expr.__dataclass_fields__:
        value = getattr(expr, name)
        for part in value if isinstance(value, tuple) else (value,):
            if is_part(expr, name, part):
                yield part.value if isinstance(part, tree.Argument) else part


def is_part(expr: object, name: str, part: object) -> bool:
    """Whether something in a field is a child: indices and names of parameters are part of the form itself."""
    fixed = (
        (tree.Index, tree.Lambda) if name in ("indices", "parameters") else (tree.Reduce,) if name == "index" else ()
    )
    return isinstance(part, tree.Node) and not isinstance(expr, fixed)


def with_children(expr: tree.Expr, parts: Sequence[tree.Expr | Verbatim]) -> tree.Expr:
    """The expression with other children."""
    rest: Iterator[Any] = iter(parts)

    def put(name: str, value: Any) -> object:
        if isinstance(value, tuple):
            return tuple(put(name, one) for one in value)
        if not is_part(expr, name, value):
            return value
        if isinstance(expr, tree.Reduce) and name == "op":  # a word, which is printed as it stands
            return tree.Name(expr.span, print_expression(next(rest)))
        return replace(value, value=next(rest)) if isinstance(value, tree.Argument) else next(rest)

    changed = {field.name: put(field.name, getattr(expr, field.name)) for field in fields(expr)}
    return replace(expr, **changed)  # type: ignore[arg-type]


def with_child(expr: tree.Expr, at: int, part: Verbatim) -> tree.Expr:
    """The expression with another child in one place."""
    own = children(expr)
    return with_children(expr, [*own[:at], part, *own[at + 1 :]])


def shell(expr: tree.Expr) -> object:
    """An expression but for its children."""
    blank = Verbatim(NOWHERE, 0, "")
    return with_children(expr, [blank] * len(children(expr)))


def level_of(expr: tree.Expr) -> int:
    """How tightly an expression binds."""
    level: int = PRINTERS[type(expr)](expr)[0]
    return level
