"""What does not depend on j leaves the sum over j: `sum[j in N](w[i] * x[j])` is `w * sum[j in N](x[j])`.

What could be infinite at a node without pairs, whose sum is 0, stays inside.

Non-goals: max and min, where the sign of the factor matters; sums of several terms.
"""

from dataclasses import replace

from archspec.ir.nodes import Node, Program
from archspec.ir.rules import Mismatch, combine
from archspec.ir.types import NODE, IndexSet, reduced
from archspec.passes.finite import safe
from archspec.passes.rewrite import bottom_up, each_section

LINEAR = ("sum", "mean")
PER_ROW = ("sum", "mean", "max", "min", "std", "logsumexp")


def factor(program: Program) -> Program:
    """Factors without j moved out of sums and means."""
    return each_section(program, lambda section: bottom_up(section, factored))


def factored(node: Node) -> Node:
    """`w * sum(x)` for `sum(w * x)`, and `sum(x) / w` for `sum(x / w)`; repeated until nothing leaves."""
    if node.op in PER_ROW and node.operands[0].op == "gather_source":
        return without_j_at_all(node)
    if node.op not in LINEAR or node.operands[0].op not in ("mul", "div"):
        return node
    body = node.operands[0]
    sides = (1,) if body.op == "div" else (0, 1)
    for side in sides:
        outer, rest = without_j(body.operands[side]), body.operands[1 - side]
        if outer is not None and rest.type.domain == body.type.domain:
            return moved_out(node, body, outer, rest, side)
    return node


def without_j_at_all(node: Node) -> Node:
    """A reduction over k of what depends on i and k alone, per node, then read at i; of one over j the node itself."""
    over = node["over"]
    if not isinstance(over, IndexSet) or over.third is None:
        return node
    type, inner = replace(node.type, domain=NODE), (("over", over.third),)
    per_node = Node(node.op, node.operands[0].operands, type, node.span, inner)
    return Node("gather_target", (per_node,), node.type, node.span, (("over", over.pairs),))


def without_j(node: Node) -> Node | None:
    """The value as it is outside the reduction: per node, per graph or constant; None where it depends on j."""
    if node.op == "gather_target":
        return node.operands[0]
    return node if node.type.domain.kind == "constant" else None


def moved_out(node: Node, body: Node, outer: Node, rest: Node, side: int) -> Node:
    """The reduction of the rest, combined with what left it."""
    inner = factored(
        replace(node, operands=(rest,), type=replace(rest.type, domain=reduced(rest.type.domain)), name="")
    )
    operands = (outer, inner) if side == 0 else (inner, outer)
    try:
        result = combine([operand.type for operand in operands])
    except Mismatch:
        return node
    moved = Node(body.op, operands, result, node.span)
    unknown = Node("state", (), inner.type, node.span)  # the sum itself is as finite as it was
    checked = replace(moved, operands=tuple(unknown if operand is inner else operand for operand in operands))
    return moved if result.axes == node.type.axes and safe(node["over"], checked) else node
