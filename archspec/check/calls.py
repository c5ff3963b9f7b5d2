"""Calls: definitions and lambdas expanded where they are called, lists, and what only looks like a function."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from archspec.check.build import as_node, make
from archspec.check.indices import REDUCTIONS, reach
from archspec.check.primitives import call_primitive
from archspec.check.statements import run
from archspec.check.suggest import nearest
from archspec.check.values import (
    Frame,
    Function,
    Listing,
    Primitive,
    Value,
    broken,
    is_broken,
)
from archspec.syntax import tree

DEEPEST = 100
"""Calls inside calls at most; only an endless expansion gets there."""

LATER = ("fill", "drop", "std", "logsumexp", "shared", "tied", "pyg", "python", "average", "hops", "walk")
LATER_CALLS = (*LATER, "rwse", "laplacian_pe")
"""Words of the language that are refused, not misread."""


def call(expression: tree.Call, frame: Frame) -> Value:
    """The value of any call."""
    plain = expression.function.id if isinstance(expression.function, tree.Name) else ""
    if plain in BUILT_IN and plain not in frame.locals:
        return BUILT_IN[plain](expression, replace(frame, alone=""))
    if plain in LATER_CALLS and not frame.world.definition(plain) and plain not in frame.locals:
        return frame.unsupported(expression.span, f"`{plain}`")
    function = frame.value(expression.function)
    if isinstance(function, Primitive):
        return call_primitive(function, expression, frame)
    if isinstance(function, Function):
        return call_function(function, expression, frame)
    if not is_broken(function):
        frame.error("E0206", expression.function.span, f"`{expression.function.span.text}` is not a function")
    return broken(expression.span)


def call_function(function: Function, expression: tree.Call, frame: Frame) -> Value:
    """Bind the arguments and expand the body in a frame of its own."""
    if (function.closure is None and function.name in frame.calls) or len(frame.calls) > DEEPEST:
        chain = (
            " → ".join((*frame.calls[frame.calls.index(function.name) :], function.name))
            if function.name in frame.calls
            else function.name
        )
        return frame.error(
            "E0204", expression.span, f"the definition calls itself: {chain}", help="use `stack` to repeat a block"
        )
    arguments = bind_arguments(function, expression, frame)
    if arguments is None:
        return broken(expression.span)
    inner = called_frame(function, arguments, frame)
    if not function.body.result:
        return frame.error(
            "E0210",
            expression.span,
            f"`{function.name}` ends in an assignment: it is a block, not a function",
            help="use it in `stack`, or end it with a value",
        )
    return run(function.body, inner)


def called_frame(function: Function, arguments: dict[str, Value], frame: Frame) -> Frame:
    """What a function sees: its arguments, and for a lambda the names where it is written; never the caller's."""
    closure = function.closure
    return Frame(
        frame.world,
        frame.place,
        frame.naming if closure else frame.naming.below(function.name),
        arguments,
        outer=closure,
        sees_states=bool(closure and closure.sees_states),
        inside=frame.inside,
        calls=frame.calls if closure else (*frame.calls, function.name),
    )


def bind_arguments(function: Function, expression: tree.Call, frame: Frame) -> dict[str, Value] | None:
    """Values of the formal arguments, in the order of the heading; None when a problem was reported."""
    formals, given = function.parameters, expression.arguments
    positional = [argument for argument in given if argument.name is None]
    bound = {formal.name: argument.value for formal, argument in zip(formals, positional, strict=False)}
    wrong = [argument.span for argument in positional[len(formals) :]]
    for argument in (one for one in given if one.name is not None):
        if argument.name in bound or argument.name not in [formal.name for formal in formals]:
            wrong.append(argument.span)
        else:
            bound[argument.name] = argument.value
    missing = [one.name for one in formals if one.name not in bound and one.default is None]
    if wrong or missing:
        report_arguments(function, expression, wrong, missing, frame)
        return None
    plain = replace(frame, alone="")
    values: dict[str, Value] = {}
    for formal in formals:
        default = replace(plain.whole(), locals=dict(values), outer=function.closure, sees_states=False)
        source, where = (bound[formal.name], plain) if formal.name in bound else (formal.default, default)
        assert source is not None
        values[formal.name] = where.value(source)
    return values


def report_arguments(function: Function, expression: tree.Call, wrong: list, missing: list[str], frame: Frame) -> None:
    """One problem for a call that does not fit its heading."""
    heading = ", ".join(one.name + (" = …" if one.default else "") for one in function.parameters)
    said = f"`{function.name}({heading})`"
    if missing:
        frame.error("E0203", expression.span, f"{said} needs the argument {missing[0]}", help=f"it takes {heading}")
    for span in wrong:
        named = span.text.partition("=")[0].strip() if "=" in span.text else ""
        cure = nearest(named, [one.name for one in function.parameters]) if named else ""
        frame.error(
            "E0203", span, f"{said} has no place for this argument", help=cure or f"it takes {heading or 'none'}"
        )


def aggregate(expression: tree.Call, frame: Frame) -> Value:
    """`sum`, `mean`, `max`, `min` of a list of values, such as `layers(x)`."""
    op = expression.function.span.text
    items = listing(expression, frame, f"`{op}` of a value needs an index set", f"write `{op}[j in N](x[j])`")
    if items is None:
        return broken(expression.span)
    nodes = [as_node(item, expression, frame) for item in items]
    total = nodes[0]
    for node in nodes[1:]:
        total = make(
            {"sum": "add", "mean": "add", "max": "maximum", "min": "minimum"}[op], [total, node], expression.span, frame
        )
    if op == "mean":
        count = as_node(len(nodes), expression, frame)
        total = make("div", [total, count], expression.span, frame)
    return total


def listing(expression: tree.Call, frame: Frame, message: str, cure: str) -> tuple[Value, ...] | None:
    """The items of the one list a call is given."""
    if len(expression.arguments) == 1 and expression.arguments[0].name is None:
        value = frame.value(expression.arguments[0].value)
        if isinstance(value, Listing) and value.items:
            return value.items
        if is_broken(value):
            return None
    frame.error("E0203", expression.span, message, help=cure)
    return None


def each(expression: tree.Call, frame: Frame) -> Value:
    """`each(layers(x), h => linear(h, out))`: a function of every item, with weights of its own for each."""
    if len(expression.arguments) != 2:
        return frame.error(
            "E0203",
            expression.span,
            "`each` takes a list and a function",
            help="`each(layers(x), h => linear(h, out))`",
        )
    first, second = (argument.value for argument in expression.arguments)
    items = frame.value(first)
    if is_broken(items):
        return items
    if not isinstance(items, Listing):
        return frame.error("E0203", first.span, "`each` needs a list", help="such as `layers(x)`")
    return Listing(tuple(apply_to(second, item, frame) for item in items.items))


def apply_to(function: tree.Expr, item: Value, frame: Frame) -> Value:
    """A function expression called with a value that has no name in the text."""
    hidden = tree.Name(function.span, "·")
    inner = replace(frame, locals={**frame.locals, "·": item})
    return inner.value(tree.Call(function.span, function, (tree.Argument(function.span, None, hidden),)))


def layers(expression: tree.Call, frame: Frame) -> Value:
    """`layers(x)`: the state after the input and after every block instance."""
    argument = expression.arguments[0].value if len(expression.arguments) == 1 else None
    if not isinstance(argument, tree.Name) or argument.id not in frame.world.states:
        return frame.error(
            "E0203",
            expression.span,
            "`layers` takes the name of a state",
            help=f"one of {', '.join(sorted(frame.world.states))}",
        )
    if argument.id not in frame.place.history:
        return frame.error(
            "E0211", expression.span, "`layers` may be used in `output` only", help="move it to `output`"
        )
    return Listing(frame.place.history[argument.id])


BUILT_IN: Mapping[str, Callable[[tree.Call, Frame], Value]] = {
    **dict.fromkeys(("sum", "mean", "max", "min"), aggregate),
    "each": each,
    "layers": layers,
    "reach": reach,
}
"""Calls that are forms of the language and no functions: they take lists, functions or sets."""

FORMS = frozenset((*BUILT_IN, *REDUCTIONS, *LATER_CALLS))
"""Every word that is taken by such a form."""


def pipe(expression: tree.Pipe, frame: Frame) -> Value:
    """`x -> f -> g(d)` is `g(f(x), d)`."""
    value = replace(frame, alone="").value(expression.value)
    for stage in expression.stages:
        last = stage is expression.stages[-1]
        value = piped(
            value, stage, replace(frame, locals={**frame.locals, "·": value}, alone=frame.alone if last else "")
        )
        if is_broken(value):
            return value
    return value


def piped(value: Value, stage: tree.Expr, frame: Frame) -> Value:
    """One stage: the value becomes the first argument."""
    first = tree.Argument(stage.span, None, tree.Name(stage.span, "·"))
    if isinstance(stage, tree.Call):
        return call(tree.Call(stage.span, stage.function, (first, *stage.arguments)), frame)
    return call(tree.Call(stage.span, stage, (first,)), frame)


def lambda_(expression: tree.Lambda, frame: Frame) -> Value:
    """`h => f(h)`: sees the locals and states where it is written, but no indices."""
    parameters = tuple(tree.Parameter(name.span, name.id) for name in expression.parameters)
    body = tree.Body(expression.body.span, (), (expression.body,))
    return Function("=>", parameters, body, closure=frame.whole())
