"""Equal subexpressions are computed once.

Non-goals: dropout, whose every call draws anew; calls with weights of their own, which are never equal.
"""

from archspec.ir.nodes import Node, Program, Section
from archspec.ir.ops import RANDOM
from archspec.passes.rewrite import bottom_up, each_section


def share(program: Program) -> Program:
    """Equal nodes made one."""
    return each_section(program, share_section)


def share_section(section: Section) -> Section:
    """Keep the first of equal nodes, in source order."""
    first: dict[tuple, Node] = {}

    def kept(node: Node) -> Node:
        if node.op in RANDOM:
            return node
        key = (node.op, tuple(map(id, node.operands)), node.attributes, node.path, node.type)
        return first.setdefault(key, node)

    return bottom_up(section, kept)
