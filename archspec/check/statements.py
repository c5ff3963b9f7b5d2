"""Statements: values named in order; in a block, states updated."""

from collections.abc import Sequence
from dataclasses import replace

from archspec.check.build import as_node, spread, under_two_indices
from archspec.check.indices import index_set
from archspec.check.values import Binding, Frame, Listing, Value, as_columns, broken, is_broken
from archspec.ir.nodes import Node
from archspec.syntax import tree


def run(body: tree.Body, frame: Frame) -> Value:
    """The value of a function's body; several results are a list."""
    for statement in body.statements:
        for target, value in assigned(statement, frame):
            frame.locals[target.name] = value
    results = tuple(frame.value(expression) for expression in body.result)
    return results[0] if len(results) == 1 else Listing(results)


def run_block(body: tree.Body, frame: Frame) -> tuple[str, ...]:
    """Update the states a block assigns, in order; returns their names. Anything else it assigns is local."""
    changed: dict[str, None] = {}
    states = frame.world.states
    for statement in body.statements:
        for target, value in assigned(statement, frame, states):
            if target.name in states:
                frame.place.states[target.name] = value
                changed[target.name] = None
            else:
                frame.locals[target.name] = value
    return tuple(changed)


def assigned(
    statement: tree.Assign, frame: Frame, states: frozenset[str] = frozenset()
) -> list[tuple[tree.Target, Value]]:
    """Every target with its value; all values are computed before any name changes."""
    targets = statement.targets
    if len(targets) == len(statement.values):
        pairs = zip(targets, statement.values, strict=True)
        return [(target, one_value(target, value, frame, states)) for target, value in pairs]
    results = unpacked(statement, frame)
    return [
        (target, named(target, as_state(value, target, frame) if target.name in states else value))
        for target, value in zip(targets, results, strict=True)
    ]


def as_state(value: Value, target: tree.Target, frame: Frame) -> Node:
    """One of several results, for a state."""
    return as_node(value, tree.Name(target.span, target.name), frame)


def unpacked(statement: tree.Assign, frame: Frame) -> Sequence[Value]:
    """The several results of one call."""
    value = frame.value(statement.values[0]) if len(statement.values) == 1 else None
    value = None if value is None else as_columns(value, frame, len(statement.targets))
    if isinstance(value, Listing) and len(value.items) == len(statement.targets):
        return value.items
    if value is None or not is_broken(value):
        found = len(value.items) if isinstance(value, Listing) else len(statement.values)
        message = f"{len(statement.targets)} names for {found} value{'s' * (found != 1)}"
        frame.error("E0212", statement.span, message, help="give every value a name")
    return [broken(statement.span)] * len(statement.targets)


def one_value(target: tree.Target, expression: tree.Expr, frame: Frame, states: frozenset[str]) -> Value:
    """The value of one target; a state is a field, a local may be anything."""
    if target.name in states:
        found = per_pair(target, expression, frame) if target.indices else frame.value(expression)
        return named(target, as_node(found, expression, frame))
    where = named_after(target, expression, frame)
    if target.indices:
        return named(target, per_pair(target, expression, where))
    return named(target, frame.world.evaluate(expression, where))


def named_after(target: tree.Target | tree.Parameter, expression: tree.Expr, frame: Frame) -> Frame:
    """Where an expression is evaluated that is a local's value: a call that stands alone names its weights after it."""
    alone = target.name if isinstance(expression, tree.Call | tree.Pipe) else ""
    return replace(frame, alone=alone)


def named(target: tree.Target, value: Value) -> Value:
    """Tell a node the name it has in the text, the first time it gets one."""
    if isinstance(value, Node) and not value.name and value.op not in ("state", "parameter", "data"):
        value.name = target.name
    return value


def per_pair(target: tree.Target, expression: tree.Expr, frame: Frame) -> Value:
    """`a[i, j in S] = …`: the value on every pair of S."""
    names = [name.id for name in target.indices]
    if len(names) != 2 or names[0] != "i" or target.over is None:
        return frame.error(
            "E0213",
            target.span,
            "a left-hand side is indexed `[i, j in S]`",
            help=f"write `{target.name}[i, j in N] = …`",
        )
    over = index_set(target.over, names[1], frame)
    if over is None:
        return broken(target.span)
    bound = replace(frame, binding=Binding("i", names[1], over))
    value = as_node(bound.world.evaluate(expression, bound), expression, frame)
    kind = value.type.domain.kind
    if is_broken(value):
        return value
    if kind in ("constant", "graph"):
        return spread(value, over, expression.span)
    if kind == "node":
        return under_two_indices(expression, value, names[1], frame)
    if value.type.domain.over != over:
        return frame.error(
            "E0305",
            expression.span,
            f"the value is {value.type.domain}, not per pair in {over}",
            label=str(value.type),
            help=f"write `{target.name}[i, {names[1]} in {value.type.domain.over}] = …`",
        )
    return value
