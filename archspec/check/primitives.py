"""Calls of primitives: arguments bound to the row's formals, weights named after the text."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import reduce

from archspec.check.averages import average
from archspec.check.build import as_node, clash, make, no_numbers
from archspec.check.suggest import nearest
from archspec.check.values import (
    HIDDEN,
    Frame,
    Listing,
    Primitive,
    Size,
    Value,
    are_categories,
    broken,
    is_broken,
    number_of,
)
from archspec.ir.nodes import Node, is_shared, shared_path
from archspec.ir.ops import NORMS, OPERATIONS, PRIMITIVES, REQUIRED, Formal, Operation
from archspec.ir.rules import Mismatch, once
from archspec.ir.types import CONSTANT, Axis, Type
from archspec.syntax import tree

Bound = dict[str, list[tree.Expr]]


def bind(name: str, formals: Sequence[Formal], call: tree.Call, frame: Frame) -> Bound | None:
    """Which expressions each formal gets; None when a problem was reported."""
    positional = [argument for argument in call.arguments if argument.name is None]
    bound: Bound = {formal.name: [] for formal in formals}
    for formal in formals:
        take = len(positional) if formal.kind in ("axes", "values") else 1
        bound[formal.name], positional = [one.value for one in positional[:take]], positional[take:]
    for extra in positional:
        frame.error(
            "E0203", extra.span, f"`{name}` takes fewer arguments", help=f"it is written `{signature(name, formals)}`"
        )
    named = [argument for argument in call.arguments if argument.name is not None]
    if positional or not all([keyword(name, argument, formals, bound, frame) for argument in named]):
        return None
    for formal in formals:
        if formal.default is REQUIRED and not bound[formal.name]:
            message = f"`{name}` needs the argument {formal.name}"
            frame.error("E0203", call.span, message, help=f"it is written `{signature(name, formals)}`")
            return None
    return bound


def keyword(name: str, argument: tree.Argument, formals: Sequence[Formal], bound: Bound, frame: Frame) -> bool:
    """Bind `bias = false`; False when there is no such argument or it is given already."""
    known = [formal.name for formal in formals]
    if argument.name not in known:
        message = f"`{name}` has no argument {argument.name}"
        frame.error(
            "E0203", argument.span, message, help=nearest(argument.name or "", known) or f"it has {', '.join(known)}"
        )
        return False
    if bound[argument.name]:
        frame.error("E0203", argument.span, f"the argument {argument.name} is given twice", help="remove one")
        return False
    bound[argument.name].append(argument.value)
    return True


def signature(name: str, formals: Sequence[Formal]) -> str:
    """`linear(x, axes…, bias = true)`."""
    return f"{name}({', '.join(map(formal_text, formals))})"


def formal_text(formal: Formal) -> str:
    """`bias = true`, `axes…`, `x`."""
    if formal.kind in ("axes", "values"):
        return f"{formal.name}…"
    if formal.default is REQUIRED or formal.default is None:
        return formal.name
    return f"{formal.name} = {str(formal.default).lower()}"


def axis(expression: tree.Expr, frame: Frame) -> Axis | None:
    """An axis by the name of a size, or by a number alone."""
    value = frame.value(expression)
    if isinstance(value, Size):
        return value.axis
    if is_broken(value):
        return None
    number = number_of(value)
    if number is None or isinstance(number, bool):
        frame.error(
            "E0301", expression.span, "an axis is a name from `sizes` or a whole number", help="such as `linear(x, d)`"
        )
        return None
    if not float(number).is_integer() or number < 1:
        frame.error(
            "E0301", expression.span, f"an axis cannot have the size {number}", help="it is a whole number from 1 on"
        )
        return None
    return Axis("", int(number))


def option(formal: Formal, expressions: Sequence[tree.Expr], frame: Frame) -> object:
    """The value of a compile-time option; None stands for an absent one without default."""
    if not expressions:
        return formal.default
    value = frame.value(expressions[0])
    number = number_of(value)
    wanted = bool if formal.kind == "flag" else int | float
    if number is None or not isinstance(number, wanted) or (formal.kind == "number" and isinstance(number, bool)):
        if not is_broken(value):
            kind = "true or false" if formal.kind == "flag" else "a number known before training"
            shown = "true" if formal.kind == "flag" else "0.5"
            frame.error(
                "E0301", expressions[0].span, f"{formal.name} must be {kind}", help=f"such as `{formal.name} = {shown}`"
            )
        return formal.default
    return number


def call_primitive(function: Primitive, call: tree.Call, frame: Frame) -> Value:
    """The value of a call of a primitive."""
    if function.shared:
        frame = replace(frame, alone=shared_path(function.name))
    if function.special:
        return SPECIAL[function.special](function, call, frame)
    row = PRIMITIVES[function.row.name] if function.row else PRIMITIVES[function.name]
    assert row.arguments is not None
    bound = bind(function.name, row.arguments, call, frame)
    return apply(function.name, row, row.arguments, bound, call, frame) if bound is not None else broken(call.span)


def apply(name: str, row: Operation, formals: Sequence[Formal], bound: Bound, call: tree.Call, frame: Frame) -> Node:
    """Operands, axes and options evaluated, then the node made."""
    parts = [one for formal in formals for one in values(formal, bound[formal.name], frame)]
    operands = [operand for _, operand in parts]
    axes = [axis(one, frame) for formal in formals if formal.kind == "axes" for one in bound[formal.name]]
    options = {one.name: option(one, bound[one.name], frame) for one in formals if one.kind in ("number", "flag")}
    if any(map(is_broken, operands)) or None in axes:
        return broken(call.span)
    if row.name in NORMS and frame.inside and any(one.type.domain.kind == "pair" for one in operands):
        return weighs_by_degree(name, call, frame)
    if problem := refused(row, options, operands, call, frame):
        return problem
    if problem := (None if row.name == "embed" else no_numbers(parts, frame)) or clash(row.name, parts, frame):
        return problem
    path = weight_path(name, row, frame)
    return make(row.name, operands, call.span, frame, axes=tuple(one for one in axes if one), path=path, **options)


def values(formal: Formal, expressions: Sequence[tree.Expr], frame: Frame) -> list[tuple[tree.Expr, Node]]:
    """The operands of one formal and where they stand; where it takes many, a list stands for all in it."""
    if formal.kind not in ("value", "values"):
        return []
    found: list[tuple[tree.Expr, Node]] = []
    for expression in expressions:
        value = frame.value(expression)
        many = isinstance(value, Listing) and formal.kind == "values"
        items = value.items if many and isinstance(value, Listing) else (value,)
        found += [(expression, as_node(item, expression, frame)) for item in items]
    return found


def weight_path(name: str, row: Operation, frame: Frame) -> str:
    """The path of a call's weights: the local it alone is assigned to, else the name it is called by."""
    if row.weights is OPERATIONS["relu"].weights:
        return ""
    return path_of(name, frame)


def path_of(name: str, frame: Frame) -> str:
    """A path that nothing else here has, unless it is that of a shared function."""
    return frame.alone if is_shared(frame.alone) else frame.naming.fresh(frame.alone or name)


def weighs_by_degree(name: str, call: tree.Call, frame: Frame) -> Node:
    """`batch_norm(x[j])` under a sum would count a node once per neighbour."""
    cure = "name the value on a line above, and apply it there"
    inner = call.arguments[0].value
    if isinstance(inner, tree.Index):
        rest = "".join(f", {argument.span.text}" for argument in call.arguments[1:])
        indices = ", ".join(one.id for one in inner.indices)
        cure = f"apply it to the whole field: `{name}({inner.value.span.text}{rest})[{indices}]`"
    return frame.error("E0308", call.span, f"`{name}` inside a reduction would weight nodes by their degree", help=cure)


def refused(
    row: Operation, options: dict[str, object], operands: list[Node], call: tree.Call, frame: Frame
) -> Node | None:
    """Option values that make no sense; fills in the size of an embedding."""
    p = options.get("p")
    if isinstance(p, int | float) and not 0 <= p < 1:
        message = f"a probability of {p} is not in [0, 1)"
        return frame.error("E0301", call.span, message, help="such as `dropout(x, 0.1)`")
    size = options.get("size")
    if row.name == "category" and (type(size) is not int or size < 1):
        return frame.error(
            "E0301", call.span, f"{size} is no number of categories", help="such as `category(degree, 9)`"
        )
    if row.name != "embed":
        return None
    size, letters = options["size"], operands[0].type.letters
    if size is not None and (type(size) is not int or size < (letters or 1)):
        few = type(size) is int and letters
        message = f"{size} rows are too few for {letters} categories" if few else f"{size} is no number of rows"
        return frame.error("E0301", call.span, message, help="leave `size` out")
    options["size"] = letters if size is None else size
    return None


def encode(function: Primitive, call: tree.Call, frame: Frame) -> Value:
    """An embedding for categories, linear for numbers; of several columns of categories the sum of their embeddings."""
    formals = (Formal("x", "value"), Formal("axes", "axes", ()))
    bound = bind(function.name, formals, call, frame)
    if bound is None:
        return broken(call.span)
    value = frame.value(bound["x"][0])
    if not (isinstance(value, Listing) and are_categories(value)):
        return encoded(function, as_node(value, bound["x"][0], frame), bound, call, frame)
    if is_shared(frame.alone):
        message = "the columns of categories cannot share one embedding"
        return frame.error("E0301", call.span, message, help="write `encode` without `shared`")
    columns = [encoded(function, as_node(one, bound["x"][0], frame), bound, call, frame) for one in value.items]
    return reduce(lambda total, column: make("add", [total, column], call.span, frame), columns)


def encoded(function: Primitive, operand: Node, bound: Bound, call: tree.Call, frame: Frame) -> Node:
    """The encoding of one value."""
    if is_broken(operand):
        return operand
    row = PRIMITIVES["embed" if operand.type.entries == "category" else "linear"]
    assert row.arguments is not None
    missing: Bound = {formal.name: [] for formal in row.arguments if formal.name not in bound}
    known: Bound = {**bound, **missing, "x": [tree.Name(bound["x"][0].span, HIDDEN)]}
    return apply(function.name, row, row.arguments, known, call, frame.also(HIDDEN, operand))


def identity(function: Primitive, call: tree.Call, frame: Frame) -> Value:
    """What it is given."""
    bound = bind(function.name, (Formal("x", "value"),), call, frame)
    return frame.value(bound["x"][0]) if bound is not None else broken(call.span)


def parameter(function: Primitive, call: tree.Call, frame: Frame) -> Value:
    """`scalar(init)`, `vector(d, init)`, `matrix(a, b)`, `tensor(a, b, c)`: a learnable constant."""
    names = PARAMETERS[function.special]
    formals = (*(Formal(name, "value") for name in names), Formal("init", "number", None if names[1:] else REQUIRED))
    bound = bind(function.name, formals, call, frame)
    axes = [axis(bound[name][0], frame) for name in names] if bound is not None else [None]
    if bound is None or None in axes:
        return broken(call.span)
    init = option(formals[-1], bound["init"], frame)
    kept = tuple(one for one in axes if one)
    if init is REQUIRED:
        return broken(call.span)
    try:
        once(kept)
    except Mismatch as wrong:
        return frame.error(wrong.code, call.span, str(wrong), help=wrong.help)
    path, start = path_of(function.name, frame), FAN_IN if init is None else init
    return Node("parameter", (), Type(CONSTANT, kept), call.span, (("init", start),), path)


def averaged(function: Primitive, call: tree.Call, frame: Frame) -> Value:
    """`average(degree)`: a statistic of the training set."""
    return average(call, path_of(function.name, frame), frame)


PARAMETERS = {
    "scalar": (),
    "vector": ("axis",),
    "matrix": ("rows", "columns"),
    "tensor": ("first", "second", "third"),
}
"""The axes of learnable constants."""

FAN_IN = "fan_in"
"""How those of several axes start unless a number is given: as the weight of a linear map that reads the last."""

SPECIAL: Mapping[str, Callable[[Primitive, tree.Call, Frame], Value]] = {
    "encode": encode,
    "identity": identity,
    **dict.fromkeys(PARAMETERS, parameter),
    "average": averaged,
}
"""Primitives that the checker turns into other operations."""
