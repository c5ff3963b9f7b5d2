"""`pyg("GATConv", axes = d, …)` and `python("package.module:Class", axes = d, …)`: modules that are used as functions.

Nothing is imported here: the class is looked up, made and tried out when the module is built.
"""

import re
from collections.abc import Sequence

from archspec.check.build import as_node, make, no_numbers
from archspec.check.primitives import axis, path_of
from archspec.check.suggest import nearest
from archspec.check.values import Foreign, Frame, Listing, Size, Value, broken, is_broken, number_of
from archspec.ir.nodes import shared_path
from archspec.ir.types import Axis
from archspec.syntax import tree

FORMS = {
    "pyg": (re.compile(r"[A-Za-z_]\w*"), 'such as `pyg("GATConv", axes = d)`'),
    "python": (
        re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*"),
        'such as `python("my.module:Class", axes = d)`',
    ),
}
"""What the text names, and how it is written."""


def foreign(expression: tree.Call, frame: Frame) -> Value:
    """The module as a function: its class by name, the axes of its result, its options."""
    assert isinstance(expression.function, tree.Name)
    kind = expression.function.id
    pattern, example = FORMS[kind]
    positional = [one for one in expression.arguments if one.name is None]
    target = frame.value(positional[0].value) if positional else None
    if len(positional) != 1 or not isinstance(target, str) or not pattern.fullmatch(target):
        what = "a class of torch_geometric.nn" if kind == "pyg" else "a module and a class in it"
        return frame.error("E0203", expression.span, f"`{kind}` takes one text that names {what}", help=example)
    named = {one.name: one.value for one in expression.arguments if one.name is not None}
    if "axes" not in named:
        close = nearest("axes", [name for name in named if name])
        cure = f"write `axes` for `{close[7:-1]}`" if close else example
        return frame.error("E0203", expression.span, f"`{kind}` needs the axes of its result", help=cure)
    axes = axes_of(named.pop("axes"), frame)
    options = [(name, option(name, value, frame)) for name, value in named.items() if name]
    if axes is None or any(value is None for _, value in options):
        return broken(expression.span)
    return Foreign(re.split(r"[.:]", target)[-1], kind, target, axes, tuple(options))


def axes_of(expression: tree.Expr, frame: Frame) -> tuple[Axis, ...] | None:
    """One axis or a list of them; None when a problem was reported."""
    items: Sequence[tree.Expr] = expression.items if isinstance(expression, tree.Sequence) else (expression,)
    found = [axis(item, frame) for item in items]
    return None if None in found else tuple(one for one in found if one)


def option(name: str | None, expression: tree.Expr, frame: Frame) -> object:
    """A number, a text or a truth value; None when a problem was reported."""
    value = frame.value(expression)
    number = number_of(value)
    if number is not None or isinstance(value, str):
        return value if number is None else number
    if not is_broken(value):
        message = f"the option {name} is no number, text or truth value"
        cure = "give the data set: `data: {name: …}`" if isinstance(value, Size) else "write one of those"
        if isinstance(value, Listing):
            cure = "a module of your own may have it as a default: `python(…)`"
        frame.error("E0301", expression.span, message, help=cure)
    return None


def call_foreign(function: Foreign, expression: tree.Call, frame: Frame) -> Value:
    """The module called: fresh weights under the name it is called by, as every call has them."""
    for argument in expression.arguments:
        if argument.name is not None:
            cure = f"options stand where it is made: `{function.kind}(…, {argument.span.text})`"
            return frame.error("E0203", argument.span, f"`{function.name}` takes values only", help=cure)
    parts = [(one.value, as_node(frame.value(one.value), one.value, frame)) for one in expression.arguments]
    if not parts:
        return frame.error("E0203", expression.span, f"`{function.name}` needs a value", help="such as a state: `(x)`")
    if any(is_broken(node) for _, node in parts):
        return broken(expression.span)
    if problem := no_numbers(parts, frame):
        return problem
    path = shared_path(function.name) if function.shared else path_of(function.name, frame)
    return make(
        "foreign",
        [node for _, node in parts],
        expression.span,
        frame,
        axes=function.axes,
        path=path,
        kind=function.kind,
        target=function.target,
        options=function.options,
    )
