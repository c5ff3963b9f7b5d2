"""Tree → canonical text: `parse(print(t)) == t`, with as few parentheses as the grammar allows.

One function for every form of the tree; the table of levels mirrors the order of the rules in `equation.lark`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from archspec.syntax import tree
from archspec.syntax.numbers import number_text

PIPE, CHOICE, OR, AND, NOT, COMPARE, RANGE, SUM, PRODUCT, SIGNED, POWER, POSTFIX, ATOM = range(13)
"""How tightly a form binds, loosest first; an operand that binds less tightly than its place needs parentheses."""

OPERATORS = {
    "or": (OR, OR, AND),
    "and": (AND, AND, NOT),
    **dict.fromkeys(("<", "<=", ">", ">=", "==", "!="), (COMPARE, RANGE, RANGE)),
    **dict.fromkeys("+-", (SUM, SUM, PRODUCT)),
    **dict.fromkeys("*/@", (PRODUCT, PRODUCT, SIGNED)),
    "**": (POWER, POSTFIX, SIGNED),
}
"""A binary operator: its own level, and those its left and right operands need."""


@dataclass(frozen=True)
class Verbatim(tree.Node):
    """A text that is printed as it stands, in the place of an expression of that level."""

    level: int
    text: str


def print_body(body: tree.Body) -> str:
    """The lines of a body."""
    lines = [print_statement(statement) for statement in body.statements]
    if body.result:
        lines.append(print_values(body.result, first=not lines))
    return "\n".join(lines)


def print_statement(statement: tree.Assign) -> str:
    """`q, k = f(x)`."""
    return f"{', '.join(map(print_target, statement.targets))} = {print_values(statement.values)}"


def print_target(target: tree.Target) -> str:
    """`h`, `a[i, j in V]`."""
    if target.over is None:
        return target.name
    return f"{target.name}[{', '.join(index.id for index in target.indices)} in {print_expression(target.over)}]"


def print_values(values: tuple[tree.Expr, ...], first: bool = True) -> str:
    """`q, k`; a later line of a body may not begin with a sign, which would continue the line above."""
    texts = [print_expression(value) for value in values]
    if not first and texts[0].startswith("-"):
        texts[0] = f"({texts[0]})"
    return ", ".join(texts)


def print_expression(expr: tree.Expr | Verbatim, level: int = PIPE) -> str:
    """An expression, in parentheses if it binds less tightly than its place needs."""
    own, text = PRINTERS[type(expr)](expr)
    return f"({text})" if own < level else text


def print_heading(heading: tree.Heading) -> str:
    """`mlp(h)`, `pre_norm(x, f, norm = layer_norm)`, `eps`."""
    if heading.parameters is None:
        return heading.name
    return f"{heading.name}({', '.join(map(print_parameter, heading.parameters))})"


def print_parameter(parameter: tree.Parameter) -> str:
    """`h`, `norm = layer_norm`."""
    default = "" if parameter.default is None else f" = {print_expression(parameter.default)}"
    return parameter.name + default


def print_stack(stage: tree.Stage, level: int = PIPE) -> str:
    """`local -> 2 * (a -> b) -> global`."""
    if isinstance(stage, tree.Chain):
        text = " -> ".join(print_stack(one, CHOICE) for one in stage.stages)
        return f"({text})" if level > PIPE else text
    if isinstance(stage, tree.Repeat):
        text = f"{print_expression(stage.count, PRODUCT)} * {print_stack(stage.stage, SIGNED)}"
        return f"({text})" if level > PRODUCT else text
    if isinstance(stage, tree.Call) and is_tied(stage):
        return f"tied({print_stack(stage.arguments[0].value)})"  # type: ignore[arg-type]
    return print_expression(stage)


def is_tied(stage: tree.Call) -> bool:
    """Whether a call in a stack is `tied(…)`, whose argument is a stage."""
    return isinstance(stage.function, tree.Name) and stage.function.id == "tied"


def _literal(expr: tree.Literal) -> tuple[int, str]:
    if isinstance(expr.value, bool):
        return ATOM, "true" if expr.value else "false"
    if isinstance(expr.value, str):
        return ATOM, f"'{expr.value}'" if '"' in expr.value else f'"{expr.value}"'
    return ATOM, number_text(expr.value)


def _name(expr: tree.Name) -> tuple[int, str]:
    return ATOM, expr.id


def _unary(expr: tree.Unary) -> tuple[int, str]:
    if expr.op == "not":
        return NOT, f"not {print_expression(expr.operand, NOT)}"
    return SIGNED, f"-{print_expression(expr.operand, SIGNED)}"


def _binary(expr: tree.Binary) -> tuple[int, str]:
    own, left, right = OPERATORS[expr.op]
    return own, f"{print_expression(expr.left, left)} {expr.op} {print_expression(expr.right, right)}"


def _choice(expr: tree.Choice) -> tuple[int, str]:
    text = f"{print_expression(expr.then, OR)} if {print_expression(expr.condition, OR)}"
    return CHOICE, text if expr.otherwise is None else f"{text} else {print_expression(expr.otherwise, CHOICE)}"


def _call(expr: tree.Call) -> tuple[int, str]:
    function = print_expression(expr.function, POSTFIX)
    if isinstance(expr.function, tree.Index):  # without parentheses it would be the index of a reduction
        function = f"({function})"
    return POSTFIX, f"{function}({', '.join(map(_argument, expr.arguments))})"


def _argument(argument: tree.Argument) -> str:
    name = "" if argument.name is None else f"{argument.name} = "
    return name + print_expression(argument.value)


def _index(expr: tree.Index) -> tuple[int, str]:
    return POSTFIX, f"{print_expression(expr.value, POSTFIX)}[{','.join(index.id for index in expr.indices)}]"


def _reduce(expr: tree.Reduce) -> tuple[int, str]:
    over = "" if expr.over is None else f" in {print_expression(expr.over)}"
    return POSTFIX, f"{expr.op.id}[{expr.index.id}{over}]({print_expression(expr.body)})"


def _pipe(expr: tree.Pipe) -> tuple[int, str]:
    return PIPE, " -> ".join([print_expression(expr.value, CHOICE), *map(print_pipe_stage, expr.stages)])


def print_pipe_stage(stage: tree.Expr) -> str:
    """A name or a call as it is, any other function in parentheses."""
    text = print_expression(stage)
    return text if isinstance(stage, tree.Name | tree.Call) else f"({text})"


def _lambda(expr: tree.Lambda) -> tuple[int, str]:
    names = ", ".join(parameter.id for parameter in expr.parameters)
    return PIPE, f"{names if len(expr.parameters) == 1 else f'({names})'} => {print_expression(expr.body)}"


def _range(expr: tree.Range) -> tuple[int, str]:
    return RANGE, f"{print_expression(expr.first, SUM)}..{print_expression(expr.last, SUM)}"


def _sequence(expr: tree.Sequence) -> tuple[int, str]:
    items = ", ".join(print_expression(item) for item in expr.items)
    return ATOM, f"({items},)" if len(expr.items) == 1 else f"({items})"


def _verbatim(expr: Verbatim) -> tuple[int, str]:
    return expr.level, expr.text


PRINTERS: dict[type, Callable[[Any], tuple[int, str]]] = {
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
    Verbatim: _verbatim,
}
"""The level and the text of every form."""
