"""`shared(f)` and `tied(4 * layer)`: calls and block instances that have one set of weights."""

from collections.abc import Sequence
from dataclasses import replace

from archspec.check.values import Foreign, Frame, Function, Primitive, Value, broken, is_broken
from archspec.diagnostics import Problems
from archspec.ir.nodes import Node, Program, Section, is_shared
from archspec.ir.ops import weights_of
from archspec.ir.printer import section_text
from archspec.ir.types import Type
from archspec.ir.weights import width
from archspec.source import Span
from archspec.syntax import tree

LAMBDA = "=>"
"""The name of a function that has none."""


def shared(expression: tree.Call, frame: Frame) -> Value:
    """The function with weights that all its calls in the model have in common."""
    arguments = expression.arguments
    value = frame.value(arguments[0].value) if len(arguments) == 1 and arguments[0].name is None else None
    if value is not None and is_broken(value):
        return broken(expression.span)
    if not isinstance(value, Function | Primitive | Foreign) or value.name == LAMBDA:
        cure = "such as `shared(mlp)(x)`, with `mlp(h): …` in `where`"
        return frame.error("E0203", expression.span, "`shared` takes the name of a function", help=cure)
    return replace(value, shared=True)


def tied(expression: tree.Call, frame: Frame) -> Value:
    """A word of `stack` where a value is needed."""
    message = "`tied` may be used in `stack` only"
    return frame.error("E0211", expression.span, message, help="for a function's weights there is `shared(f)`")


def check_shared(program: Program, problems: Problems) -> None:
    """Report calls of a shared function that would need weights of different shapes or with different beginnings."""
    first: dict[str, Node] = {}
    for section in {id(section): section for _, section in program.sections()}.values():
        for node in section.nodes:
            if is_shared(node.path) and differ(first.setdefault(node.path, node), node):
                other = first[node.path]
                problems.error(
                    "E0506",
                    node.span,
                    f"calls of one shared function need different weights at `{node.path}`",
                    notes=(f"here {in_words(node)}, in line {other.span.line} {in_words(other)}",),
                    help="hand it values of equal axes, or give each a name: `f1: shared(f)`, `f2: shared(f)`",
                )


def differ(one: Node, other: Node) -> bool:
    """Whether two nodes under one name cannot have the same weights."""
    return one.op != other.op or weights_of(one) != weights_of(other) or made_of(one) != made_of(other)


def made_of(node: Node) -> object:
    """What a module that archspec did not write is made with."""
    if node.op != "foreign":
        return None
    return node.attributes, node.type.axes, [width(operand.type) for operand in node.operands]


def in_words(node: Node) -> str:
    """`weight (8, 4), bias (8,)`, and the number a parameter begins at."""
    shapes = [f"{name.rpartition('.')[2]} {weight.shape}" for name, weight in weights_of(node)]
    return ", ".join(shapes) + (f" from {node['init']}" if node.op == "parameter" else "") or node.op


def check_tied(
    layers: Sequence[Section], owners: Sequence[int], places: Sequence[Span], problems: Problems
) -> tuple[Section, ...]:
    """The block instances, those that do the same with the same weights made one; repeats that cannot are reported."""
    found = []
    for section, owner, span in zip(layers, owners, places, strict=True):
        first = layers[owner]
        one = section is first or same(section, first)
        if not one:
            not_the_same(section, first, span, problems)
        found.append(first if one else section)
    return tuple(found)


def same(section: Section, first: Section) -> bool:
    """Whether two sections do the same with the same weights, or a problem of one was reported."""
    if any(is_broken(value) for one in (section, first) for _, value in one.results):
        return True
    return section is first or text_of(section) == text_of(first)


def text_of(section: Section) -> str:
    """Everything a section does."""
    return section_text("", section, lambda node: "")


def not_the_same(section: Section, first: Section, span: Span, problems: Problems) -> None:
    """Report a repeat with other weights, or in which a state has other axes; it may read another `depth`."""
    mine, others = weights_in(section), weights_in(first)
    cure = "keep the axes of the states as they are, or leave out `tied`"
    if mine != others:
        name = next(name for name in (*mine, *others) if mine.get(name) != others.get(name))
        was, now = (one.get(name, "absent") for one in (others, mine))
        what = f"the repeats of `tied` need different weights: `{name}` is {was} in the first, {now} in a later one"
        problems.error("E0507", span, what, help=cure)
    elif (types := changed_state(section, first)) is not None:
        what = (
            f"the repeats of `tied` do not do the same: a state is {types[0]} in the first, {types[1]} in a later one"
        )
        problems.error("E0507", span, what, help=cure)


def changed_state(section: Section, first: Section) -> tuple[Type, Type] | None:
    """A state's type in both, where one differs."""
    before = {node["name"]: node.type for node in first.inputs}
    now = {node["name"]: node.type for node in section.inputs}
    return next(((before[name], now[name]) for name in before if now.get(name, before[name]) != before[name]), None)


def weights_in(section: Section) -> dict[str, str]:
    """The weights of a section: their shapes, and the numbers that parameters begin at."""
    return {
        name: f"{weight.shape}" + (f" from {weight.start}" if node.op == "parameter" else "")
        for node in section.nodes
        for name, weight in weights_of(node)
    }
