"""Fused operations, by what they stand for: each is written out in plain operations, which the table carries out."""

from collections.abc import Callable

from archspec.ir.nodes import Node
from archspec.ir.ops import OPERATIONS
from archspec.ir.types import CONSTANT, NEIGHBOURS, IndexSet, Type

Meaning = Callable[..., Node]


def apply(op: str, *operands: Node, **attributes: object) -> Node:
    """A node of that operation, typed by its rule."""
    type = OPERATIONS[op].rule([operand.type for operand in operands], (), attributes)
    return Node(op, operands, type, operands[0].span, tuple(attributes.items()))


def neighbour_sum(node: Node, x: Node) -> Node:
    """sum[j in S](x[j])."""
    return apply("sum", apply("gather_source", x, over=over(node)))


def weighted_sum(node: Node, w: Node, x: Node) -> Node:
    """sum[j in S](w[i,j] * x[j])."""
    return apply("sum", apply("mul", w, apply("gather_source", x, over=over(node))))


def pair_product(node: Node, q: Node, k: Node) -> Node:
    """q[i] @ k[j] for every pair of S."""
    return apply("inner", apply("gather_target", q, over=over(node)), apply("gather_source", k, over=over(node)))


def pair_matmul(node: Node, r: Node, s: Node) -> Node:
    """sum[k in V](r[i,k] * s[k,j])."""
    every = IndexSet("triples", pairs=over(node), third=over(node))
    return apply("sum", apply("mul", apply("gather_source", r, over=every), apply("gather_cross", s, over=every)))


def attention(node: Node, q: Node, k: Node, v: Node, bias: Node | None = None) -> Node:
    """sum[j in S](softmax[j in S](scale * q[i] @ k[j] + bias[i,j]) * v[j])."""
    scale = Node("constant", (), Type(CONSTANT), node.span, (("value", node.get("scale", 1.0)),))
    logits = apply("mul", pair_product(node, q, k), scale)
    shares = apply("softmax", logits if bias is None else apply("add", logits, bias))
    return apply("sum", apply("mul", shares, apply("gather_source", v, over=over(node))))


def over(node: Node) -> IndexSet:
    """The index set of a fused operation."""
    chosen = node.get("over", NEIGHBOURS)
    if not isinstance(chosen, IndexSet):
        raise ValueError(f"{node.op} needs an index set in `over`, not {chosen!r}")
    return chosen


MEANINGS: dict[str, Meaning] = {
    "neighbour_sum": neighbour_sum,
    "weighted_sum": weighted_sum,
    "pair_product": pair_product,
    "pair_matmul": pair_matmul,
    "attention": attention,
}
"""What each fused operation stands for, given its node and its operands."""
