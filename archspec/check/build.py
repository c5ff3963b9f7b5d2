"""Making nodes: types from the table's rules, constants from numbers, problems from mismatches."""

from collections.abc import Sequence

from archspec.check.values import (
    HIDDEN,
    Foreign,
    Frame,
    Function,
    Listing,
    Primitive,
    Size,
    Value,
    are_categories,
    broken,
    is_broken,
    number_of,
)
from archspec.ir.nodes import Node
from archspec.ir.ops import OPERATIONS
from archspec.ir.rules import Mismatch, numbers
from archspec.ir.types import CONSTANT, GRAPH, MEMBERS, NODE, Axis, IndexSet, Type
from archspec.source import Span
from archspec.syntax import tree


def constant(value: float, span: Span) -> Node:
    """A number as a node."""
    return Node("constant", (), Type(CONSTANT), span, (("value", value),))


KINDS: tuple[tuple[type | tuple[type, ...], str, str], ...] = (
    ((Function, Primitive, Foreign), "a function", "call it: `{0}(…)`"),
    (IndexSet, "an index set", "use it under a reduction: `sum[j in {0}](…)`"),
    (Listing, "a list of values", "`sum`, `mean`, `max` or `concat` makes one value of it"),
    (str, "a text", "write a number or a name"),
)
"""What is no number and no field: kinds of values, what they are called, what to write instead."""


def as_node(value: Value, at: tree.Expr, frame: Frame) -> Node:
    """A value as an operand; functions, sets, lists and texts are none."""
    if isinstance(value, Node):
        return value
    if isinstance(value, bool):
        cure = f"choose numbers: `1 if {at.span.text} else 0`"
        return frame.error("E0307", at.span, "a truth value stands where a number is needed", help=cure)
    number = number_of(value)
    if number is not None:
        return constant(number, at.span)
    if isinstance(value, Size):
        return frame.error(
            "E0311",
            at.span,
            f"the size {value.axis.name} is not known without a data set",
            help="add a `data:` section",
        )
    if are_categories(value):
        message = "several columns of categories stand where a value is needed"
        return frame.error("E0206", at.span, message, help=f"make one value of them: `encode({at.span.text}, d)`")
    kind, cure = next((kind, cure) for types, kind, cure in KINDS if isinstance(value, types))
    shown = at.span.text if isinstance(at, tree.Name) else "…"
    return frame.error("E0206", at.span, f"{kind} stands where a value is needed", help=cure.format(shown))


def make(
    op: str,
    operands: Sequence[Node],
    span: Span,
    frame: Frame,
    *,
    axes: tuple[Axis, ...] = (),
    path: str = "",
    **attributes: object,
) -> Node:
    """A node typed by its row's rule; a mismatch is reported at the span and gives a broken value.

    A value per graph beside values on nodes or pairs is spread over those.
    """
    if any(map(is_broken, operands)):
        return broken(span)
    operands = beside(operands, span)
    try:
        result = OPERATIONS[op].rule([operand.type for operand in operands], axes, attributes)
    except Mismatch as wrong:
        return frame.error(wrong.code, span, wrong.message, notes=wrong.notes, help=wrong.help)
    return Node(op, tuple(operands), result, span, tuple(attributes.items()), path)


def beside(operands: Sequence[Node], span: Span) -> Sequence[Node]:
    """The operands, those per graph spread over the nodes or pairs that others live on."""
    domains = [operand.type.domain for operand in operands]
    where = next((domain for domain in domains if domain.kind in ("node", "pair")), None)
    if where is None or GRAPH not in domains:
        return operands
    return [spread(one, where.over, span) if one.type.domain == GRAPH else one for one in operands]


def spread(value: Node, over: IndexSet | None, span: Span) -> Node:
    """A value without rows of its own on the pairs of a set; on the nodes of its graph where there is no set."""
    if value.type.domain == CONSTANT:
        return apply("spread", value, over or MEMBERS, span)
    on_nodes = apply("gather_target", value, MEMBERS, span)
    if over in (None, MEMBERS):
        return on_nodes
    assert over is not None
    on_pairs = apply("gather_target", on_nodes, over.pairs or over, span)
    return apply("gather_target", on_pairs, over, span) if over.pairs else on_pairs


def apply(op: str, operand: Node, over: object, span: Span) -> Node:
    """An operation that brings one value to the pairs of a set."""
    return Node(op, (operand,), OPERATIONS[op].rule([operand.type], (), {"over": over}), span, (("over", over),))


def combine(op: str, parts: Sequence[tuple[tree.Expr, Node]], span: Span, frame: Frame) -> Node:
    """An elementwise operation of the text; a problem of one operand is shown at that operand, with its cure."""
    operands = [node for _, node in parts]
    if any(map(is_broken, operands)):
        return broken(span)
    calculated = () if op in LOGIC else parts[op == "where" :]
    return no_numbers(calculated, frame) or clash(op, parts, frame) or make(op, operands, span, frame)


LOGIC = ("and", "or", "not")
"""Operations on truth values."""


def no_numbers(parts: Sequence[tuple[tree.Expr, Node]], frame: Frame) -> Node | None:
    """Categories or truth values to calculate with: None where there are none."""
    for at, node in parts:
        try:
            numbers(node.type)
        except Mismatch as wrong:
            label = "a category" if node.type.entries == "category" else "a truth value"
            return frame.error(wrong.code, at.span, wrong.message, label=label, help=wrong.help)
    return None


WORDS = {"add": "add", "sub": "subtract", "mul": "multiply", "div": "divide", "pow": "raise", "inner": "multiply"}


def clash(op: str, parts: Sequence[tuple[tree.Expr, Node]], frame: Frame) -> Node | None:
    """Values that live in different places: None where there are none."""
    by_domain = {
        value.type.domain: (at, value) for at, value in reversed(parts) if value.type.domain.kind != "constant"
    }
    on_pairs = [found for domain, found in by_domain.items() if domain.kind == "pair"]
    if NODE in by_domain and on_pairs:
        return node_beside_pair(op, parts, by_domain[NODE], on_pairs[-1], frame)
    return two_sets(op, on_pairs, frame) if len(on_pairs) > 1 else None


def two_sets(op: str, found: Sequence[tuple[tree.Expr, Node]], frame: Frame) -> Node:
    """Values on the pairs of two sets: the larger is read on the smaller, inside a reduction over that."""
    sets = [value.type.domain.over for _, value in found]
    small, large = (0, 1) if sets[0] and sets[1] and sets[0].within(sets[1]) else (1, 0)
    at, value = found[large]
    message = f"cannot {WORDS.get(op, 'combine')} a value {found[small][1].type.domain} and one {value.type.domain}"
    cure = f"read it where the other is, under `[i, j in {sets[small]}]`: `{indexed(at, 'i,j')}`"
    return frame.error("E0304", at.span, message, label=str(value.type), help=cure)


def node_beside_pair(
    op: str,
    parts: Sequence[tuple[tree.Expr, Node]],
    per_node: tuple[tree.Expr, Node],
    per_pair: tuple[tree.Expr, Node],
    frame: Frame,
) -> Node:
    """A per-node value beside one on pairs: index it inside a reduction, reduce the pairs outside."""
    (node_at, node), (pair_at, pair) = per_node, per_pair
    where = str(pair.type.domain).replace("per ", "per-", 1)
    message = f"cannot {WORDS.get(op, 'combine')} a per-node and a {where} value"
    if frame.binding:
        i, j = frame.binding.target, frame.binding.source
        return frame.error(
            "E0304",
            node_at.span,
            message,
            label=str(node.type),
            notes=(f"two indices are in force here, {i} and {j}",),
            help=f"write `{indexed(node_at, i)}` or `{indexed(node_at, j)}`",
        )
    side = "left" if node_at is parts[0][0] else "right"
    return frame.error(
        "E0304",
        pair_at.span,
        message,
        label=str(pair.type),
        notes=(f"the {side} side is per node",) if len(parts) == 2 else (f"`{node_at.span.text}` is per node",),
        help=f"reduce it over the neighbours first: `sum[j in {pair.type.domain.over}]({indexed(pair_at, 'i,j')})`",
    )


def under_two_indices(expression: tree.Expr, value: Node, j: str, frame: Frame) -> Node:
    """A per-node value where a value per pair is needed."""
    return frame.error(
        "E0303",
        expression.span,
        "a per-node value stands under two indices",
        label=str(value.type),
        help=f"say which node is meant: `{indexed(expression, j)}` or `{indexed(expression, 'i')}`",
    )


def indexed(expression: tree.Expr, indices: str) -> str:
    """The text of an expression read at indices: `x[j]`, `relu(e[i,j])`."""
    written = expression.span.text
    if isinstance(expression, tree.Call) and len(expression.arguments) == 1:
        inner = expression.arguments[0].value
        if isinstance(inner, tree.Name) and inner.id != HIDDEN:
            return f"{expression.function.span.text}({inner.id}[{indices}])"
    simple = isinstance(expression, tree.Name | tree.Call)
    return f"{written}[{indices}]" if simple else f"({written})[{indices}]"
