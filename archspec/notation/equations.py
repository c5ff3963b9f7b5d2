"""Trees → formulas, one function for each form of the language.

What is written is what the text says: nothing is expanded, and a value per node has no index where the text has none.
Non-goal: reading it back.
"""

import math
from collections.abc import Callable
from typing import Any

from archspec.notation.formula import (
    Above,
    Below,
    Cases,
    Fenced,
    Formula,
    Fraction,
    Root,
    Row,
    Symbol,
    Under,
    row,
    sign,
    words,
)  # fmt: skip
from archspec.notation.names import function, name
from archspec.syntax import tree

ARROW, CHOICE, OR, AND, NOT, COMPARE, SUM, LARGE, PRODUCT, SIGNED, ATOM = range(11)
"""How tightly a formula binds, loosest first."""

SIGNS = {
    "+": ("+", SUM), "-": ("−", SUM), "or": ("∨", OR), "and": ("∧", AND),
    "<": ("<", COMPARE), "<=": ("≤", COMPARE), ">": (">", COMPARE), ">=": ("≥", COMPARE), "==": ("=", COMPARE),
    "!=": ("≠", COMPARE),
}  # fmt: skip
"""Signs of operators that are written between their operands, and how tightly they bind."""

REDUCTIONS = {"sum": "∑"}
"""Reductions that have a sign of their own; others go by name."""


def definition(heading: tree.Heading, body: tree.Body) -> list[Formula]:
    """The lines of a definition: its heading and `=` before a lone value, else a line for every statement."""
    if not body.statements and len(body.result) == 1:
        return [row(called(heading), sign("="), expression(body.result[0]))]
    return [row(called(heading), sign(":")), *lines(body)] if heading.parameters is not None else lines(body)


def called(heading: tree.Heading) -> Formula:
    """A heading: `mlp(h)`."""
    if heading.parameters is None:
        return function(heading.name)
    formals = [row(name(one.name), sign("="), expression(one.default)) if one.default else name(one.name)
               for one in heading.parameters]  # fmt: skip
    return row(function(heading.name), Fenced("(", listed(formals), ")"))


def lines(body: tree.Body) -> list[Formula]:
    """A line for every statement, and one for the value."""
    found = [statement(one) for one in body.statements]
    return [*found, listed([expression(one) for one in body.result])] if body.result else found


def statement(assign: tree.Assign) -> Formula:
    """`h = …`, or `x ← …` where the new value is made of the old one."""
    read = {one.id for value in assign.values for one in tree.walk(value) if isinstance(one, tree.Name)}
    renewed = any(target.name in read for target in assign.targets)
    targets = listed([target(one) for one in assign.targets])
    return row(targets, sign("←" if renewed else "="), listed([expression(one) for one in assign.values]))


def target(one: tree.Target) -> Formula:
    """`h`, or a with the index i, j ∈ V."""
    if one.over is None:
        return name(one.name)
    index = row(listed([name(index.id) for index in one.indices]), sign("∈"), expression(one.over))
    return Below(name(one.name), index)


def stack(stage: tree.Stage) -> Formula:
    """`4 × layer`, stages joined by arrows."""
    if isinstance(stage, tree.Chain):
        return joined([stack(one) for one in stage.stages], "→")
    if isinstance(stage, tree.Repeat):
        inner = stack(stage.stage)
        inner = Fenced("(", inner, ")") if isinstance(stage.stage, tree.Chain) else inner
        return row(expression(stage.count, PRODUCT), sign("×"), inner)
    if isinstance(stage, tree.Call) and isinstance(stage.function, tree.Name) and stage.function.id == "tied":
        return row(function("tied"), Fenced("(", stack(stage.arguments[0].value), ")"))  # type: ignore[arg-type]
    return expression(stage)


def expression(expr: tree.Expr, level: int = ARROW) -> Formula:
    """A formula, in parentheses where it binds less tightly than its place needs."""
    own, formula = FORMS[type(expr)](expr)
    return Fenced("(", formula, ")") if own < level else formula


def listed(items: list[Formula]) -> Formula:
    """Formulas with commas between."""
    return joined(items, ",")


def joined(items: list[Formula], between: str) -> Formula:
    """Formulas with a sign between."""
    return row(*[one for item in items for one in (sign(between), item)][1:])


def _literal(expr: tree.Literal) -> tuple[int, Formula]:
    if isinstance(expr.value, bool | str):
        return ATOM, words(str(expr.value).lower() if isinstance(expr.value, bool) else f"“{expr.value}”")
    if math.isinf(expr.value):
        return ATOM, Symbol("∞", "variable")
    digits, _, exponent = f"{expr.value:g}".partition("e")
    if not exponent:
        return ATOM, Symbol(digits, "number")
    power = Above(Symbol("10", "number"), Symbol(str(int(exponent)).replace("-", "−"), "number"))
    return (ATOM, power) if digits == "1" else (PRODUCT, row(Symbol(digits, "number"), sign("·"), power))


def _name(expr: tree.Name) -> tuple[int, Formula]:
    return ATOM, name(expr.id)


def _unary(expr: tree.Unary) -> tuple[int, Formula]:
    own, text = (NOT, "¬") if expr.op == "not" else (SIGNED, "−")
    return own, row(sign(text), expression(expr.operand, own))


def _binary(expr: tree.Binary) -> tuple[int, Formula]:
    if expr.op in SIGNS:
        text, own = SIGNS[expr.op]
        return own, row(expression(expr.left, own), sign(text), expression(expr.right, own + 1))
    return OPERATORS[expr.op](expr.left, expr.right)


def _product(left: tree.Expr, right: tree.Expr) -> tuple[int, Formula]:
    one, other = expression(left, PRODUCT), expression(right, SIGNED)
    return PRODUCT, row(one, other) if reads_as_product(one, other) else row(one, sign("·"), other)


def reads_as_product(left: Formula, right: Formula) -> bool:
    """Whether two factors can stand side by side: a number, a letter or brackets, then a letter or brackets.

    A letter before brackets would read as a function.
    """
    return (first_of(right) == "letter" and last_of(left) in ("letter", "number", "fence")) or (
        first_of(right) == "fence" and last_of(left) in ("number", "fence")
    )


def first_of(formula: Formula) -> str:
    """What a formula begins with."""
    if isinstance(formula, Row):
        return "row" if len(formula.items) > 1 and isinstance(formula.items[1], Fenced) else first_of(formula.items[0])
    return what(formula)


def last_of(formula: Formula) -> str:
    """What a formula ends with."""
    return last_of(formula.items[-1]) if isinstance(formula, Row) else what(formula)


def what(formula: Formula) -> str:
    """What a formula is, as far as it can stand beside another one."""
    if isinstance(formula, Below | Above):
        return what(formula.base)
    if isinstance(formula, Fenced):
        return "fence"
    return {"variable": "letter", "number": "number"}.get(formula.kind, "") if isinstance(formula, Symbol) else ""


def _quotient(left: tree.Expr, right: tree.Expr) -> tuple[int, Formula]:
    return ATOM, Fraction(expression(left), expression(right))


def _contraction(left: tree.Expr, right: tree.Expr) -> tuple[int, Formula]:
    return ATOM, Fenced("⟨", listed([expression(left, CHOICE), expression(right, CHOICE)]), "⟩")


def _power(left: tree.Expr, right: tree.Expr) -> tuple[int, Formula]:
    base = expression(left, ATOM)
    return ATOM, Above(Fenced("(", base, ")") if isinstance(base, Above | Fraction | Row) else base, expression(right))


OPERATORS = {"*": _product, "/": _quotient, "@": _contraction, "**": _power}
"""Operators with a form of their own."""


def _choice(expr: tree.Choice) -> tuple[int, Formula]:
    if expr.otherwise is None:
        return CHOICE, row(expression(expr.then, OR), words(" where "), expression(expr.condition, OR))
    rows = [(expression(expr.then, OR), row(words("if "), expression(expr.condition, OR)))]
    last = expr.otherwise
    while isinstance(last, tree.Choice) and last.otherwise is not None:
        rows.append((expression(last.then, OR), row(words("if "), expression(last.condition, OR))))
        last = last.otherwise
    return CHOICE, Cases((*rows, (expression(last, OR), words("otherwise"))))


def _call(expr: tree.Call) -> tuple[int, Formula]:
    arguments = [argument(one) for one in expr.arguments]
    if isinstance(expr.function, tree.Name):
        if expr.function.id == "sqrt" and len(arguments) == 1:
            return ATOM, Root(arguments[0])
        if expr.function.id == "abs" and len(arguments) == 1:
            return ATOM, Fenced("|", arguments[0], "|")
        called = function(expr.function.id)
    else:
        called = expression(expr.function, ATOM)
    return ATOM, row(called, Fenced("(", listed(arguments) if arguments else Row(()), ")"))


def argument(one: tree.Argument) -> Formula:
    """`x`, or `bias = false`."""
    value = expression(one.value)
    return value if one.name is None else row(name(one.name), sign("="), value)


def _index(expr: tree.Index) -> tuple[int, Formula]:
    base, index = expression(expr.value, ATOM), listed([name(one.id) for one in expr.indices])
    if isinstance(base, Below):  # w_q at j has both indices
        return ATOM, Below(base.base, listed([base.index, index]))
    return ATOM, Below(Fenced("(", base, ")") if isinstance(base, Row) else base, index)


def _reduce(expr: tree.Reduce) -> tuple[int, Formula]:
    range = name(expr.index.id)
    if expr.over is not None:
        range = row(range, sign("∈"), expression(expr.over, OR))
    large = REDUCTIONS.get(expr.op.id)
    if large is None:
        under = Under(Symbol(expr.op.id, "function"), range)
        return ATOM, row(under, Fenced("(", expression(expr.body), ")"))
    return LARGE, row(Under(sign(large), range), expression(expr.body, LARGE))


def _pipe(expr: tree.Pipe) -> tuple[int, Formula]:
    return ARROW, joined([expression(expr.value, CHOICE), *(expression(one, CHOICE) for one in expr.stages)], "→")


def _lambda(expr: tree.Lambda) -> tuple[int, Formula]:
    names = listed([name(one.id) for one in expr.parameters])
    formals = names if len(expr.parameters) == 1 else Fenced("(", names, ")")
    return ARROW, row(formals, sign("↦"), expression(expr.body))


def _range(expr: tree.Range) -> tuple[int, Formula]:
    ends = [expression(expr.first, SUM), Symbol("…", "words"), expression(expr.last, SUM)]
    return ATOM, listed(ends)


def _sequence(expr: tree.Sequence) -> tuple[int, Formula]:
    return ATOM, Fenced("(", listed([expression(one) for one in expr.items]), ")")


FORMS: dict[type, Callable[[Any], tuple[int, Formula]]] = {
    tree.Literal: _literal,
    tree.Name: _name,
    tree.Unary: _unary,
    tree.Binary: _binary,
    tree.Choice: _choice,
    tree.Call: _call,
    tree.Index: _index,
    tree.Reduce: _reduce,
    tree.Pipe: _pipe,
    tree.Lambda: _lambda,
    tree.Range: _range,
    tree.Sequence: _sequence,
}
"""How tightly every form binds, and what it looks like."""
