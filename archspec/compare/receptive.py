"""How far a prediction sees: from how many steps away the features of another node can reach it.

Per layer, what is gathered over N comes from 1 step away, over reach(k) from k, over V from the whole graph. What the
structure of the graph gives (degrees, distances, walks) is no feature of a node, and statistics of a batch are no way
from node to node: neither counts.
"""

from collections.abc import Mapping
from math import inf

from archspec.ir.nodes import Node, Program
from archspec.ir.sets import MEMBERS, IndexSet

Field = float
"""Steps; infinite for the whole graph."""


def receptive_field(program: Program) -> Field | None:
    """Steps from which the features of a node can reach the prediction of another.

    None where a module that archspec did not write has a part.
    """
    if any(node.op == "foreign" for _, section in program.sections() for node in section.nodes):
        return None
    states: dict[str, Field] = {}
    history: list[Mapping[str, Field]] = []
    for path, section in program.sections():
        fields: dict[int, Field] = {}
        for node in section.nodes:
            fields[id(node)] = field_of(node, fields, states, history)
        if path == "output":
            return max((fields[id(value)] for _, value in section.results), default=0)
        if path != "penalty":
            states = {**states, **{name: fields[id(value)] for name, value in section.results}}
            history.append(states)
    raise AssertionError("a program ends in its output")


def field_of(
    node: Node, fields: Mapping[int, Field], states: Mapping[str, Field], history: list[Mapping[str, Field]]
) -> Field:
    """How far a value sees, given how far its operands do."""
    if node.op == "state":
        layer = node["layer"]
        known = history[layer] if isinstance(layer, int) else states
        return known.get(str(node["name"]), NOTHING)
    inside = max((fields[id(operand)] for operand in node.operands), default=0 if node.op == "data" else NOTHING)
    return inside + way(node)


NOTHING = -inf
"""A value that no feature of a node has a part in."""


def way(node: Node) -> Field:
    """How far away an operation reads: at j, at k of a triple, at all nodes of the graph."""
    over = node.get("over")
    if not isinstance(over, IndexSet):
        return 0
    if over == MEMBERS:
        return inf if node.op not in ("gather_target", "gather_source", "spread") else 0
    if node.op == "gather_cross" or (node.op == "gather_source" and node.operands[0].type.domain.kind == "node"):
        return steps(over.third or over)
    return steps(over) if node.op == "transpose" else 0


def steps(over: IndexSet) -> Field:
    """How far j can be from i."""
    if over.base is not None:
        return steps(over.base)
    return {"N": 1, "N + i": 1, "reach": over.k}.get(over.name, inf)
