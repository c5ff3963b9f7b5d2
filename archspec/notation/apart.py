"""Functions of functions taken apart: `pre_norm(x, mlp)` becomes `x + mlp(layer_norm(x))` where it is called.

A definition is taken apart where it adds one of its values to what a function that it was handed makes of it, as the
residual connections and the layers of the library do. Non-goals: other calls, which keep their names; checking.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from archspec.syntax import tree

Definitions = Mapping[str, tree.Definition]


def apart(body: tree.Body, definitions: Definitions, known: Collection[str] = ()) -> tree.Body:
    """A body that says the same without those calls; names in `known` are not taken for new values."""
    taken = {*known, *(target.name for one in body.statements for target in one.targets)}
    opened = Opened(definitions, taken)
    for one in body.statements:
        values = tuple(opened.read(value) for value in one.values)
        opened.statements.append(replace(one, values=values))
    result = tuple(opened.read(value) for value in body.result)
    return replace(body, statements=tuple(opened.statements), result=result)


@dataclass
class Opened:
    """A body on its way: statements so far, and names that are in use."""

    definitions: Definitions
    taken: set[str]
    statements: list[tree.Assign] = field(default_factory=list)
    inside: list[str] = field(default_factory=list)
    """The definitions that are being taken apart; one that calls itself is not, though that is an error elsewhere."""

    def read(self, expr: Any) -> Any:
        """An expression; what stands under an index of its own is left as it is."""
        if isinstance(expr, tree.Pipe):
            return self.pipe(expr)
        if isinstance(expr, tree.Call):
            expr = replace(expr, arguments=tuple(replace(one, value=self.read(one.value)) for one in expr.arguments))
            return self.call(expr)
        if isinstance(expr, tree.Binary):
            return replace(expr, left=self.read(expr.left), right=self.read(expr.right))
        return expr

    def pipe(self, expr: tree.Pipe) -> tree.Expr:
        """The stages one by one."""
        value: tree.Expr = self.read(expr.value)
        for stage in expr.stages:
            call = as_call(value, stage)
            opened = self.call(call) if call else None
            if opened is not None and opened is not call:
                value = opened
            elif isinstance(value, tree.Pipe):
                value = replace(value, stages=(*value.stages, stage))
            else:
                value = tree.Pipe(expr.span, value, (stage,))
        return value

    def call(self, call: tree.Call) -> tree.Expr:
        """What a call says, if it is one to be taken apart; else the call itself."""
        one = resolved(call.function, self.definitions)
        given = arguments(one, call) if one is not None and composes(one, self.definitions) else None
        if one is None or given is None or captures(one.body, given) or one.heading.name in self.inside:
            return call
        self.inside.append(one.heading.name)
        opened = self.opened(one, given)
        self.inside.pop()
        return opened

    def opened(self, one: tree.Definition, given: Mapping[str, tree.Expr]) -> tree.Expr:
        """What a definition says with these arguments; its statements become the body's."""
        called = functions(one, self.definitions)
        values = {key: value if key in called else self.kept(key, value, one.body) for key, value in given.items()}
        for statement in one.body.statements:
            made = tuple(self.read(substitute(value, values)) for value in statement.values)
            names = tuple(replace(target, name=self.fresh(target.name)) for target in statement.targets)
            values |= {
                old.name: tree.Name(old.span, new.name) for old, new in zip(statement.targets, names, strict=True)
            }
            self.statements.append(replace(statement, targets=names, values=made))
        return self.read(substitute(one.body.result[0], values))

    def kept(self, key: str, value: tree.Expr, body: tree.Body) -> tree.Expr:
        """A value that is used, or its name where it is more than a name and used several times."""
        uses = sum(isinstance(node, tree.Name) and node.id == key for node in tree.walk(body))
        if uses < 2 or isinstance(value, tree.Name | tree.Literal):
            return value
        made = self.fresh(key)
        self.statements.append(tree.Assign(value.span, (tree.Target(value.span, made),), (value,)))
        return tree.Name(value.span, made)

    def fresh(self, name: str) -> str:
        """A name that is not in use."""
        made = next(one for one in spelt(name) if one not in self.taken)
        self.taken.add(made)
        return made


def spelt(name: str) -> Iterator[str]:
    """`h`, `h2`, `h3` and so on."""
    yield name
    yield from (f"{name}{number}" for number in range(2, 1000))


def as_call(value: tree.Expr, stage: tree.Expr) -> tree.Call | None:
    """A stage of a pipe as a call; None for a function that is written out."""
    first = tree.Argument(value.span, None, value)
    if isinstance(stage, tree.Call):
        return replace(stage, arguments=(first, *stage.arguments))
    return tree.Call(stage.span, stage, (first,)) if isinstance(stage, tree.Name) else None


def resolved(function: tree.Expr, definitions: Definitions) -> tree.Definition | None:
    """The definition with parameters that a name stands for, through its other names."""
    seen: set[str] = set()
    while isinstance(function, tree.Name) and function.id in definitions and function.id not in seen:
        seen.add(function.id)
        one = definitions[function.id]
        if one.heading.parameters is not None:
            return one
        if one.body.statements or len(one.body.result) != 1:
            return None
        function = one.body.result[0]
    return None


def composes(one: tree.Definition, definitions: Definitions, above: tuple[str, ...] = ()) -> bool:
    """Whether a definition is handed a function and adds a value to something, itself or through another such one."""
    if one.heading.name in above or len(one.body.result) != 1 or not functions(one, definitions, above):
        return False
    names = {one.name for one in one.heading.parameters or ()}
    inside = (*above, one.heading.name)
    return any(adds(node, names) or hands_on(node, definitions, inside) for node in tree.walk(one.body))


def adds(node: tree.Node, names: Collection[str]) -> bool:
    """Whether a node is a sum with one of some names."""
    return isinstance(node, tree.Binary) and node.op == "+" and any(
        isinstance(side, tree.Name) and side.id in names for side in (node.left, node.right)
    )  # fmt: skip


def hands_on(node: tree.Node, definitions: Definitions, above: tuple[str, ...]) -> bool:
    """Whether a node calls a definition that composes."""
    inner = resolved(node.function, definitions) if isinstance(node, tree.Call) else None
    return inner is not None and composes(inner, definitions, above)


def functions(one: tree.Definition, definitions: Definitions, above: tuple[str, ...] = ()) -> set[str]:
    """The parameters of a definition that are functions: called, a stage of a pipe, or handed on as one."""
    names = {parameter.name for parameter in one.heading.parameters or ()}
    found: set[str] = set()
    for node in tree.walk(one.body):
        stages = node.stages if isinstance(node, tree.Pipe) else (node,) if isinstance(node, tree.Call) else ()
        for stage in stages:
            call = stage.function if isinstance(stage, tree.Call) else stage
            found |= {call.id} if isinstance(call, tree.Name) else set()
        inner = resolved(node.function, definitions) if isinstance(node, tree.Call) else None
        if isinstance(node, tree.Call) and inner is not None and inner.heading.name not in above:
            passed = arguments(inner, node) or {}
            handed = functions(inner, definitions, (*above, one.heading.name))
            found |= {value.id for key, value in passed.items() if key in handed and isinstance(value, tree.Name)}
    return found & names


def arguments(one: tree.Definition, call: tree.Call) -> dict[str, tree.Expr] | None:
    """What each parameter is in a call; None where that does not fit."""
    formals = one.heading.parameters or ()
    given: dict[str, tree.Expr] = {}
    for at, argument in enumerate(call.arguments):
        key = argument.name or (formals[at].name if at < len(formals) else "")
        given[key] = argument.value
    defaults = {formal.name: formal.default for formal in formals if formal.default is not None}
    whole = {**defaults, **given}
    return whole if set(whole) == {formal.name for formal in formals} else None


def captures(body: tree.Body, given: Mapping[str, tree.Expr]) -> bool:
    """Whether a name that the body binds, such as an index, is free in an argument."""
    bound = {name.id for node in tree.walk(body) for name in binds(node)}
    return any(
        isinstance(node, tree.Name) and node.id in bound for value in given.values() for node in tree.walk(value)
    )


def binds(node: tree.Node) -> tuple[tree.Name, ...]:
    """The names that a node binds."""
    return node.parameters if isinstance(node, tree.Lambda) else (node.index,) if isinstance(node, tree.Reduce) else ()


def substitute(node: Any, values: Mapping[str, tree.Expr]) -> Any:
    """A tree with expressions in the place of names; a function that is written out is applied where it is called."""
    if isinstance(node, tuple):
        return tuple(substitute(one, values) for one in node)
    if isinstance(node, tree.Name):
        return values.get(node.id, node)
    if not isinstance(node, tree.Node):
        return node
    inner = {key: value for key, value in values.items() if key not in {name.id for name in binds(node)}}
    keys = [key for key in node.__dataclass_fields__ if key not in ("span", *FIXED)]
    made = replace(node, **{key: substitute(getattr(node, key), inner) for key in keys})
    if isinstance(made, tree.Call) and isinstance(made.function, tree.Lambda):
        return applied(made.function, [one.value for one in made.arguments])
    if isinstance(made, tree.Pipe) and isinstance(made.stages[0], tree.Lambda) and len(made.stages[0].parameters) == 1:
        value = applied(made.stages[0], [made.value])
        return replace(made, value=value, stages=made.stages[1:]) if len(made.stages) > 1 else value
    return made


FIXED = ("op", "index", "indices", "parameters", "id", "name")
"""Fields that hold names which are bound there, or no names of values."""


def applied(function: tree.Lambda, given: list[tree.Expr]) -> Any:
    """The body of a function with its arguments in it."""
    return substitute(function.body, {one.id: value for one, value in zip(function.parameters, given, strict=False)})
