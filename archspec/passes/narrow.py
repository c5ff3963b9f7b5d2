"""A value read on a smaller set is computed there: `linear(walk(1..4))[i,j]` under `j in N` is of those pairs alone.

Non-goals: what several readers need, which is computed once, on the larger set; norms over rows, softmax, dropout.
"""

from collections import Counter
from dataclasses import replace
from typing import cast

from archspec.ir.nodes import Node, Program, Section
from archspec.ir.ops import STRUCTURE
from archspec.ir.types import CONSTANT, IndexSet
from archspec.passes.hoist import ROW_BY_ROW
from archspec.passes.rewrite import bottom_up, each_section, users


def narrow(program: Program) -> Program:
    """Restrictions moved before the operations they follow."""
    return each_section(program, narrow_section)


def narrow_section(section: Section) -> Section:
    """Every restriction of a value that nothing else reads."""
    used = users(section)

    def narrowed(node: Node) -> Node:
        result = moved(node, node.operands[0], used) if node.op == "restrict" else node
        return node if result.op == "restrict" else result

    return bottom_up(section, narrowed)


def moved(restriction: Node, value: Node, used: Counter[int]) -> Node:
    """The value on the restriction's set: its operands restricted, down to what has to be restricted itself."""
    if value.type.domain.kind == "constant":
        return value
    here = replace(value.type, domain=restriction.type.domain)
    if value.op in FROM_GRAPH and value.get("over") is None and not cast(IndexSet, restriction["over"]).conditional:
        return replace(value, type=here, attributes=(*value.attributes, *restriction.attributes))
    if used[id(value)] == 1 and value.op in FROM_ELSEWHERE:
        return replace(value, type=here, attributes=restriction.attributes)
    if used[id(value)] == 1 and value.op in ROW_BY_ROW and all(goes_with(one, value) for one in value.operands):
        operands = tuple(moved(restriction, operand, used) for operand in value.operands)
        return replace(value, operands=operands, type=here)
    return Node("restrict", (value,), here, restriction.span, restriction.attributes)


FROM_GRAPH = frozenset(row.name for row in STRUCTURE)
"""What the graph alone gives, which is kept with the pairs it was asked for."""

FROM_ELSEWHERE = ("gather_source", "gather_target", "spread")
"""Operations that bring what lives elsewhere to a set, and may bring it to a smaller one at once."""


def goes_with(operand: Node, value: Node) -> bool:
    """Whether an operand lives on the pairs of its user, or is a constant."""
    return operand.type.domain in (value.type.domain, CONSTANT)
