"""Neighbour sums, weighted neighbour sums and softmax attention become single operations; a mean is a sum over a count.

Non-goals: choosing how they are computed (schedule does); gates as wide as the values, which stay per pair.
"""

from dataclasses import dataclass, replace

from archspec.ir.nodes import Node, Program, Section
from archspec.ir.types import ALL, CONSTANT, NODE, IndexSet, Type, pair
from archspec.passes.finite import safe
from archspec.passes.rewrite import bottom_up, each_section, users


@dataclass(frozen=True)
class Logits:
    """The argument of a softmax taken apart: scale * q[i] @ k[j] + bias."""

    query: Node
    key: Node
    scale: float = 1.0
    bias: Node | None = None


def fuse(program: Program) -> Program:
    """Sums over pairs replaced by the fused operations they are."""
    return each_section(program, fuse_section)


def fuse_apart(program: Program) -> Program:
    """The same, but every softmax stays, as if it were used elsewhere too: for those who look at its weights."""
    return each_section(program, lambda section: fuse_section(section, softmax=1))


def fuse_section(section: Section, softmax: int = 0) -> Section:
    """Match every sum first, then the products that are left; a softmax that is used elsewhere too stays.

    `softmax`: how many users every softmax has apart from those in the section.
    """
    used = users(section)
    used.update({id(node): softmax for node in section.nodes if node.op == "softmax"})
    summed = bottom_up(section, lambda node: REDUCED[node.op](node, used) if node.op in REDUCED else node)
    return bottom_up(summed, lambda node: multiplied(node) if node.op == "inner" else node)


def multiplied(node: Node) -> Node:
    """`q[i] @ k[j]` without a row per pair for q and k."""
    logits = product(node)
    over = node.type.domain.over
    if logits is None or over is None or over.third or len(node.type.axes) > 1:
        return node
    query, key = logits.query, logits.key
    finite = safe(over, query, key)
    same = query.type.axes == key.type.axes and node.type.axes == key.type.axes[:-1]
    if not same or not finite:
        return node
    return Node("pair_product", (query, key), node.type, node.span, (("over", over),))


def fused(node: Node, used: dict[int, int]) -> Node:
    """The fused form of a sum over j, or the sum."""
    body, over = node.operands[0], node["over"]
    if isinstance(over, IndexSet) and over.third:
        return matrix_product(node, over)
    if body.op == "gather_source":
        return one("neighbour_sum", node, body.operands)
    if body.op == "mul":
        for weight, value in (body.operands, body.operands[::-1]):
            if value.op == "gather_source" and weight.type.domain.kind == "pair" and spreads(weight, value):
                return weighted(node, weight, value.operands[0], used)
    return node


def averaged(node: Node, used: dict[int, int]) -> Node:
    """`sum[j in S](…) / maximum(sum[j in S](1), 1)` where that sum has a fused form, else the mean."""
    total = fused(replace(node, op="sum", name=""), used)
    if total.op == "sum":
        return node
    over = node["over"]
    assert isinstance(over, IndexSet)
    number = Type(CONSTANT)
    unit = Node("constant", (), number, node.span, (("value", 1),))
    counted = over.third or over
    ones = Node("spread", (unit,), replace(number, domain=pair(counted)), node.span, (("over", counted),))
    count = Node("sum", (ones,), replace(number, domain=NODE), node.span, (("over", counted),))
    least = Node("maximum", (count, unit), count.type, node.span)
    if over.pairs:
        type = replace(number, domain=pair(over.pairs))
        least = Node("gather_target", (least,), type, node.span, (("over", over.pairs),))
    return Node("div", (total, least), node.type, node.span)


def matrix_product(node: Node, over: IndexSet) -> Node:
    """The sum over all k of r[i,k] * s[k,j] as a product of matrices, read on the pairs (i, j) that are asked for."""
    body = node.operands[0]
    sides = {operand.op: operand.operands[0] for operand in body.operands} if body.op == "mul" else {}
    if over.third != ALL or set(sides) != {"gather_source", "gather_cross"} or over.pairs is None:
        return node
    factors = (sides["gather_source"], sides["gather_cross"])
    if not safe(over.pairs, *factors):
        return node
    type, name = replace(node.type, domain=pair(ALL)), node.name if over.pairs == ALL else ""
    whole = Node("pair_matmul", factors, type, node.span, (("over", ALL),), name=name)
    return whole if over.pairs == ALL else Node("restrict", (whole,), node.type, node.span, (("over", over.pairs),))


REDUCED = {"sum": fused, "mean": averaged}


def one(op: str, node: Node, operands: tuple[Node, ...], **attributes: object) -> Node:
    """A fused node in the place of a sum; dense forms multiply by 0 what is not in the set, so it must be finite."""
    if not safe(node["over"], *(operand for operand in operands if operand.type.domain == NODE)):
        return node
    return Node(op, operands, node.type, node.span, (("over", node["over"]), *attributes.items()))


def spreads(weight: Node, value: Node) -> bool:
    """Whether each weight counts for many features: its axes are fewer than the value's, and lead them."""
    axes = weight.type.axes
    return len(axes) <= 1 and len(axes) < max(1, len(value.type.axes)) and axes == value.type.axes[: len(axes)]


def weighted(node: Node, weight: Node, value: Node, used: dict[int, int]) -> Node:
    """Attention where the weights are a softmax of products, else a weighted sum."""
    logits = taken_apart(weight.operands[0]) if weight.op == "softmax" and used[id(weight)] == 1 else None
    if logits is None or value.type.domain != NODE or not fits(logits, weight, value):
        return one("weighted_sum", node, (weight, value))
    bias = () if logits.bias is None else (logits.bias,)
    return one("attention", node, (logits.query, logits.key, value, *bias), scale=logits.scale)


def fits(logits: Logits, weight: Node, value: Node) -> bool:
    """Query, key and value have the axes (heads, …) or one axis; the bias, if any, those of the weights."""
    heads = weight.type.axes
    parts = (logits.query, logits.key, value)
    return (
        all(len(part.type.axes) == len(heads) + 1 and part.type.axes[: len(heads)] == heads for part in parts)
        and logits.query.type.axes == logits.key.type.axes
        and (logits.bias is None or logits.bias.type.axes == heads)
    )


def taken_apart(node: Node) -> Logits | None:
    """Read logits as scale * q[i] @ k[j] + bias; None where they are something else."""
    if node.op == "inner":
        return product(node)
    if node.op in ("mul", "div") and node.operands[1].op == "constant":
        return scaled(node.operands[0], float(node.operands[1]["value"]), node.op)  # type: ignore[arg-type]
    if node.op == "mul" and node.operands[0].op == "constant":
        return scaled(node.operands[1], float(node.operands[0]["value"]), node.op)  # type: ignore[arg-type]
    if node.op == "add":
        return biased(node)
    return None


def product(node: Node) -> Logits | None:
    """`q[i] @ k[j]`, either way round."""
    by_op = {operand.op: operand.operands[0] for operand in node.operands if operand.operands}
    if set(by_op) != {"gather_target", "gather_source"}:
        return None
    return Logits(by_op["gather_target"], by_op["gather_source"])


def scaled(inner: Node, factor: float, op: str) -> Logits | None:
    """A product times or over a number."""
    logits = taken_apart(inner)
    if logits is None or logits.bias is not None:
        return None
    return Logits(logits.query, logits.key, logits.scale * factor if op == "mul" else logits.scale / factor)


def biased(node: Node) -> Logits | None:
    """Products plus a bias per pair."""
    for term, bias in (node.operands, node.operands[::-1]):
        logits = taken_apart(term)
        if logits is not None and logits.bias is None and bias.type.domain.kind == "pair":
            return Logits(logits.query, logits.key, logits.scale, bias)
    return None
