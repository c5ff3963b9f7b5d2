"""What depends on one index only is computed per node, before it is gathered: `linear(x[j])` is `linear(x)[j]`.

What could be infinite at a node that no pair reads stays on the pairs.

Non-goals: norms over rows, whose statistics would change with the rows; dropout; what mixes x[i] and x[j].
"""

from dataclasses import replace

from archspec.ir.nodes import Node, Program
from archspec.ir.ops import OPERATIONS
from archspec.passes.finite import safe
from archspec.passes.rewrite import bottom_up, each_section

GATHERS = ("gather_source", "gather_target", "gather_cross")
TURNED = {"gather_source": "gather_target", "gather_target": "gather_source"}

ROW_BY_ROW = frozenset(
    (
        *(name for name, row in OPERATIONS.items() if row.elementwise),
        *("inner", "concat", "view", "linear", "embed", "layer_norm", "rms_norm"),
    )
)
"""Operations whose result in a row depends on that row alone."""


def hoist(program: Program) -> Program:
    """Gathers moved behind the operations they feed."""
    return each_section(program, lambda section: bottom_up(section, hoisted))


def hoisted(node: Node) -> Node:
    """gather(f(x)) for f(gather(x)), where every other operand is a constant or gathered alike."""
    if node.op == "transpose":
        return turned(node)
    if node.op not in ROW_BY_ROW:
        return node
    gathers = [operand for operand in node.operands if operand.op in GATHERS]
    others = [operand for operand in node.operands if operand.op not in GATHERS]
    same = {(gather.op, gather["over"]) for gather in gathers}
    if len(same) != 1 or any(other.type.domain.kind != "constant" for other in others):
        return node
    operands = tuple(operand.operands[0] if operand.op in GATHERS else operand for operand in node.operands)
    domain = gathers[0].operands[0].type.domain
    inside = replace(node, operands=operands, type=replace(node.type, domain=domain))
    if not safe(gathers[0]["over"], inside):
        return node
    return Node(gathers[0].op, (hoisted(inside),), node.type, node.span, gathers[0].attributes)


def turned(node: Node) -> Node:
    """x[j] for x[i] read the other way round, and a value turned twice as it was."""
    [value] = node.operands
    if value.op == "transpose":
        return value.operands[0]
    return replace(value, op=TURNED[value.op], name="") if value.op in TURNED else node
