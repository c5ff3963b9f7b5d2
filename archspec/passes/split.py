"""Linear maps of x[i] beside x[j] are split over sums and concatenations, so that each part is computed per node.

`linear(x[i] + x[j])` is W x[i] + W x[j] + b, and `linear(concat(x[i], x[j]))` takes some columns of W for each. The
bias is added once. What could be infinite at a node that no pair reads stays on the pairs.

Non-goals: sums with a term that has rows of its own, whose map stays per pair anyway; terms whose axes differ.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from archspec.ir.nodes import Node, Program
from archspec.ir.ops import OPERATIONS
from archspec.ir.weights import width
from archspec.passes.finite import safe
from archspec.passes.hoist import GATHERS
from archspec.passes.rewrite import bottom_up, each_section

SUMS = ("add", "sub")


@dataclass(frozen=True)
class Columns:
    """A value and the columns of the weight that belong to it."""

    value: Node
    start: int
    stop: int


@dataclass(frozen=True)
class Term:
    """A part of the result: its value before it is gathered, how it is gathered if it is, whether it is taken away."""

    value: Node
    gather: Node | None = None
    negative: bool = False


def split(program: Program) -> Program:
    """Linear maps on pairs taken apart."""
    return each_section(program, lambda section: bottom_up(section, parted))


def parted(node: Node) -> Node:
    """The sum of the parts of a linear map, or the map."""
    if node.op != "linear" or node.type.domain.kind != "pair":
        return node
    columns = list(columns_of(node.operands[0]))
    terms = [term for one in columns for term in terms_of(node, one, adds_bias=one is columns[0])]
    gathered = [term for term in terms if term.gather]
    if not gathered or not safe(node.type.domain.over, *(term.value for term in gathered)):
        return node
    return replace(total(list(groups(terms))), name="")


def groups(terms: Sequence[Term]) -> Iterator[Term]:
    """Terms at one index added before they are gathered, constants with the first of them; then those on pairs."""
    constants = [term for term in terms if term.value.type.domain.kind == "constant"]
    for op in GATHERS:
        same = [term for term in terms if term.gather and term.gather.op == op]
        if same:
            negative = all(term.negative for term in (*same, *constants))
            turned = [replace(term, negative=term.negative != negative) for term in (*same, *constants)]
            value, gather = total(turned), same[0].gather
            assert gather is not None
            type = replace(value.type, domain=gather.type.domain)
            yield Term(Node(op, (value,), type, value.span, gather.attributes), negative=negative)
            constants = []
    yield from (term for term in terms if not term.gather and term.value.type.domain.kind == "pair")


def total(terms: Sequence[Term]) -> Node:
    """The sum of terms, those that are taken away last."""
    ordered = sorted(terms, key=lambda term: term.negative)
    first = ordered[0].value
    value = Node("neg", (first,), first.type, first.span) if ordered[0].negative else first
    for term in ordered[1:]:
        type = OPERATIONS["add"].rule([value.type, term.value.type], (), {})
        value = Node("sub" if term.negative else "add", (value, term.value), type, value.span)
    return value


def columns_of(operand: Node) -> Iterator[Columns]:
    """The values that are mapped each by its columns: those of a concatenation, else the operand itself."""
    if operand.op != "concat" or any(len(one.type.axes) > 1 for one in operand.operands):
        yield Columns(operand, 0, width(operand.type))
        return
    start = 0
    for run in runs(operand):
        value = run[0] if len(run) == 1 else concatenated(operand, run)
        yield Columns(value, start, start + width(value.type))
        start += width(value.type)


def runs(operand: Node) -> Iterator[tuple[Node, ...]]:
    """The parts of a concatenation: each that can be mapped per node, and what stands between them together."""
    waiting: tuple[Node, ...] = ()
    for one in operand.operands:
        if not single(one):
            waiting = (*waiting, one)
            continue
        if waiting:
            yield waiting
        yield (one,)
        waiting = ()
    if waiting:
        yield waiting


def concatenated(operand: Node, run: tuple[Node, ...]) -> Node:
    """Some parts of a concatenation as one."""
    types = [one.type for one in run]
    return Node("concat", run, OPERATIONS["concat"].rule(types, (), {}), operand.span)


def single(value: Node) -> bool:
    """Whether a value is made of values at one index each: x[i], x[j], and sums of such with the same axes."""
    if value.op in SUMS:
        return all(single(one) and one.type.axes == value.type.axes for one in value.operands)
    return value.op in GATHERS


def terms_of(node: Node, part: Columns, adds_bias: bool, negative: bool = False) -> Iterator[Term]:
    """The parts of a linear map for some columns: of sums term by term, of gathered values before they are gathered."""
    value = part.value
    if value.op in SUMS and single(value):
        left, right = value.operands
        yield from terms_of(node, replace(part, value=left), adds_bias, negative)
        yield from terms_of(node, replace(part, value=right), False, negative != (value.op == "sub"))
    elif value.op in GATHERS:
        yield Term(mapped(node, replace(part, value=value.operands[0]), adds_bias), value, negative)
    else:
        yield Term(mapped(node, part, adds_bias), negative=negative)


def mapped(node: Node, part: Columns, adds_bias: bool) -> Node:
    """Some columns of a linear map applied to a value."""
    attributes = (
        ("columns", (part.start, part.stop)),
        ("inputs", width(node.operands[0].type)),
        ("bias", bool(node["bias"])),
        ("adds_bias", bool(node["bias"]) and adds_bias),
    )
    type = replace(node.type, domain=part.value.type.domain)
    return Node("linear_part", (part.value,), type, node.span, attributes, node.path)
