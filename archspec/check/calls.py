"""Calls: definitions and lambdas expanded where they are called, and what only looks like a function."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from archspec.check import structure
from archspec.check.foreign import call_foreign, foreign
from archspec.check.indices import NUMBERED, REDUCTIONS, numbered
from archspec.check.lists import aggregate, each, layers
from archspec.check.primitives import call_primitive
from archspec.check.reading import bare
from archspec.check.sets import drop
from archspec.check.sharing import LAMBDA, shared, tied
from archspec.check.statements import named_after, run
from archspec.check.suggest import nearest
from archspec.check.values import (
    HIDDEN,
    TOO_DEEP,
    Foreign,
    Frame,
    Function,
    Naming,
    Primitive,
    Value,
    broken,
    is_broken,
)
from archspec.ir.nodes import Node, shared_path
from archspec.source import Span
from archspec.syntax import tree

DEEPEST = 60
"""Calls inside calls at most: more is an endless expansion, or might as well be one."""


def call(expression: tree.Call, frame: Frame) -> Value:
    """The value of any call."""
    plain = expression.function.id if isinstance(expression.function, tree.Name) else ""
    if plain in BUILT_IN and plain not in frame.locals:
        value = BUILT_IN[plain](expression, replace(frame, alone=""))
        return value if isinstance(value, Node) and value.operands else bare(expression, value, frame)
    function = frame.value(expression.function)
    if isinstance(function, Primitive):
        return call_primitive(function, expression, frame)
    if isinstance(function, Function):
        return call_function(function, expression, frame)
    if isinstance(function, Foreign):
        return call_foreign(function, expression, frame)
    if not is_broken(function):
        cure = "multiply with `*`, read a field at an index with `[j]`"
        at = expression.function.span
        frame.error("E0206", at, f"`{at.text}` is not a function", help=cure)
    return broken(expression.span)


def call_function(function: Function, expression: tree.Call, frame: Frame) -> Value:
    """Bind the arguments and expand the body in a frame of its own."""
    endless = frame.world.endless
    if TOO_DEEP in endless or (function.closure is None and function.definition in endless):
        return broken(expression.span)
    if len(frame.calls) > DEEPEST:
        endless.add(TOO_DEEP)
        message = f"calls inside calls are more than {DEEPEST} deep"
        return frame.error("E0204", expression.span, message, help="use `stack` to repeat a block")
    if not function.body.result:
        return frame.error(
            "E0210",
            expression.span,
            f"`{function.name}` ends in an assignment: it is a block, not a function",
            help="use it in `stack`, or end it with a value",
        )
    given = given_arguments(function, expression, frame)
    if given is None:
        return broken(expression.span)
    inner = called_frame(function, frame)
    bind(function.parameters, given, inner)
    value = run(function.body, inner)
    read = any(isinstance(one, Node) and one.type.domain.kind == "pair" for one in given.values())
    return value if read else bare(expression, value, frame)


def called_frame(function: Function, frame: Frame) -> Frame:
    """What a function sees: for a lambda the names where it is written; never its caller's."""
    closure = function.closure
    return Frame(
        frame.world,
        frame.place,
        naming_of(function, frame),
        dict(closure.locals) if closure else {},
        sees_states=bool(closure and closure.sees_states),
        inside=frame.inside,
        calls=(*frame.calls, function.name),
    )


def naming_of(function: Function, frame: Frame) -> Naming:
    """Below which name the weights of a call go: a lambda's are its caller's, a shared function's the model's."""
    if function.shared:
        return Naming(shared_path(function.name))
    return frame.naming if function.name == LAMBDA else frame.naming.below(function.name)


def given_arguments(function: Function, expression: tree.Call, frame: Frame) -> dict[str, Value] | None:
    """Values of the arguments that a call gives, by their names; None when a problem was reported."""
    formals, given = function.parameters, expression.arguments
    positional = [argument for argument in given if argument.name is None]
    bound = {formal.name: argument.value for formal, argument in zip(formals, positional, strict=False)}
    wrong = positional[len(formals) :]
    for argument in (one for one in given if one.name is not None):
        if argument.name in bound or argument.name not in [formal.name for formal in formals]:
            wrong.append(argument)
        else:
            bound[argument.name] = argument.value
    missing = [one.name for one in formals if one.name not in bound and one.default is None]
    if wrong or missing:
        report_arguments(function, expression, wrong, missing, frame)
        return None
    return {formal.name: frame.value(bound[formal.name]) for formal in formals if formal.name in bound}


def bind(formals: tuple[tree.Parameter, ...], given: Mapping[str, Value], inner: Frame) -> None:
    """Fill a function's frame with its arguments; a default sees those before it."""
    for formal in formals:
        if formal.name in given:
            inner.locals[formal.name] = given[formal.name]
        elif formal.default is not None:
            plain = replace(inner.whole(), sees_states=False)
            inner.locals[formal.name] = inner.world.evaluate(formal.default, named_after(formal, formal.default, plain))


def report_arguments(
    function: Function, expression: tree.Call, wrong: list[tree.Argument], missing: list[str], frame: Frame
) -> None:
    """One problem for a call that does not fit its heading."""
    heading = ", ".join(one.name + (" = …" if one.default else "") for one in function.parameters)
    said = f"`{function.name}({heading})`" if function.closure is None else f"the function `({heading}) => …`"
    if missing:
        many = f"the argument{'s' * (len(missing) > 1)} {', '.join(missing)}"
        frame.error("E0203", expression.span, f"{said} needs {many}", help=f"it takes {heading}")
    formals = [one.name for one in function.parameters]
    for argument in wrong:
        message, cure = f"{said} has no place for this argument", f"it takes {heading or 'none'}"
        if argument.name in formals:
            message, cure = f"the argument {argument.name} is given twice", "remove one"
        elif argument.name:
            cure = nearest(argument.name, formals) or cure
        frame.error("E0203", argument.span, message, help=cure)


BUILT_IN: Mapping[str, Callable[[tree.Call, Frame], Value]] = {
    **dict.fromkeys(("sum", "mean", "max", "min"), aggregate),
    "each": each,
    "layers": layers,
    "shared": shared,
    "tied": tied,
    "pyg": foreign,
    "python": foreign,
    **dict.fromkeys(NUMBERED, numbered),
    "drop": drop,
    **dict.fromkeys(structure.LISTED, structure.listed),
    "laplacian_pe": structure.laplacian_pe,
}
"""Calls that are forms of the language and no functions: they take lists, functions or sets."""

MAKERS = ("shared", "pyg", "python")
"""Those of them that make functions."""

FORMS = frozenset((*BUILT_IN, *REDUCTIONS))
"""Every word that is taken by such a form."""


def pipe(expression: tree.Pipe, frame: Frame) -> Value:
    """`x -> f -> g(d)` is `g(f(x), d)`."""
    plain = replace(frame, alone="")
    value, at = plain.value(expression.value), expression.value.span
    for stage in expression.stages:
        last = stage is expression.stages[-1]
        inner = (frame if last else plain).also(HIDDEN, value)
        value, at = call(piped(stage, at), inner), at.to(stage.span)
        if is_broken(value):
            return value
    return value


def piped(stage: tree.Expr, at: Span) -> tree.Call:
    """One stage as a call whose first argument is the value that comes in."""
    first = tree.Argument(at, None, tree.Name(at, HIDDEN))
    if isinstance(stage, tree.Call) and not makes_function(stage):
        return tree.Call(stage.span, stage.function, (first, *stage.arguments))
    return tree.Call(stage.span, stage, (first,))


def makes_function(stage: tree.Call) -> bool:
    """Whether a stage is a form that makes a function, such as `shared(mlp)`, and is called with what comes in."""
    return isinstance(stage.function, tree.Name) and stage.function.id in MAKERS


def lambda_(expression: tree.Lambda, frame: Frame) -> Value:
    """`h => f(h)`: sees the locals and states where it is written, as they are there, but no indices."""
    parameters = tuple(tree.Parameter(name.span, name.id) for name in expression.parameters)
    body = tree.Body(expression.body.span, (), (expression.body,))
    seen = {**(frame.place.states if frame.sees_states else {}), **frame.locals}
    return Function(LAMBDA, parameters, body, closure=replace(frame.whole(), locals=seen))
