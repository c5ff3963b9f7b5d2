"""Which values are surely finite, with finite derivatives, as long as states and weights are.

A pass that computes something for nodes no pair reads, or multiplies the sum of no pairs, must not bring an infinity or
a NaN that the text never computes: `sum[j in N](x[j] / degree[j])` reads no node without edges.

Non-goals: overflow, and weights that happen to be 0 under a division: those break the pairs that are read as well.
"""

from collections.abc import Sequence
from enum import IntEnum

from archspec.ir.infinite import infinities
from archspec.ir.nodes import Node, in_order
from archspec.ir.types import ALL, IndexSet


class Sign(IntEnum):
    """What is known of all entries of a value."""

    ANY = 0
    NOT_NEGATIVE = 1
    POSITIVE = 2


PARTIAL = {"div": 1, "reciprocal": 0, "log": 0, "log1p": 0, "sqrt": 0, "rsqrt": 0}
"""Operations that are undefined or not smooth at some numbers, and the operand to look at."""

POSITIVE = ("exp", "sigmoid", "softplus")
NOT_NEGATIVE = (
    *("adjacency", "distance", "hops", "walk", "rwse"),
    *("relu", "relu6", "square", "abs", "std", "softmax", "hardsigmoid"),
)
KEEP = (
    *("gather_source", "gather_target", "gather_cross", "transpose", "restrict", "spread"),
    *("view", "detach", "sqrt", "rsqrt", "reciprocal"),
)
REDUCTIONS = ("sum", "mean", "max", "min")


def finite(*nodes: Node) -> bool:
    """Whether all these values are finite for all nodes of a graph, whatever the states."""
    signs: dict[int, Sign] = {}
    for node in in_order(nodes):
        operands = [signs[id(operand)] for operand in node.operands]
        if not total(node, operands):
            return False
        signs[id(node)] = sign(node, operands)
    return True


def safe(over: object, *nodes: Node) -> bool:
    """Whether these values may be computed for every node (or pair), though only the pairs of a set are asked for.

    Every node is the i and the j of some pair where it is one of its own members; a graph may be without members. Every
    pair is one of some triple where i and j may be any nodes and k is never missing. A value that is infinite where no
    way leads never may: a dense form multiplies by 0 what is not in the set.
    """
    assert isinstance(over, IndexSet)
    everything = over.reflexive if over.third is None else over.pairs == ALL and over.third.reflexive
    return bounded(nodes) and (everything or finite(*nodes))


def bounded(nodes: Sequence[Node]) -> bool:
    """Whether no infinite `distance` is left in these values."""
    seen = {id(node): held for node, held in infinities(nodes)}
    held = [seen.get(id(node)) for node in nodes]
    return all(one is not None and not one.signs for one in held)


def total(node: Node, operands: Sequence[Sign]) -> bool:
    """Whether an operation gives finite numbers and derivatives for all finite operands of these signs."""
    if node.op == "pow":
        exponent = node.operands[1]
        return operands[0] == Sign.POSITIVE or (exponent.op == "constant" and exponent["value"] in (1, 2, 3, 4))
    if node.op == "foreign":
        return False  # nobody knows
    if node.op not in PARTIAL:
        return True
    at = PARTIAL[node.op]
    if node.operands[at].type.domain.kind == "constant":
        return node.operands[at].get("value") != 0
    return operands[at] >= (Sign.NOT_NEGATIVE if node.op == "log1p" else Sign.POSITIVE)


def sign(node: Node, operands: Sequence[Sign]) -> Sign:
    """What is known of a value from what is known of its operands."""
    if node.op == "constant":
        value = float(node["value"])  # type: ignore[arg-type]
        return Sign(Sign.POSITIVE if value > 0 else value == 0)
    if node.op in POSITIVE:
        return Sign.POSITIVE
    if node.op in NOT_NEGATIVE or (node.op == "pow" and node.operands[1].get("value") in (2, 4)):
        return Sign.NOT_NEGATIVE
    if node.op in REDUCTIONS:  # 0 over no pairs
        return min(operands[0], Sign.NOT_NEGATIVE)
    if node.op == "maximum" or (node.op == "add" and min(operands) > Sign.ANY):
        return max(operands)
    return min(operands) if node.op in (*KEEP, "mul", "div", "minimum") else Sign.ANY
