"""What a row of the reference table is handed: an operation, the values of its operands, its weights and the graphs.

A value is a list with one tensor [rows, *axes] per graph: a row per node, or per pair in the order of `graph.pairs`;
what is constant, or one per graph, has a single row.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from archspec.ir.nodes import Node
from archspec.ir.ops import OPERATIONS
from archspec.ir.types import MEMBERS, NODE, Domain, IndexSet
from archspec.reference.axes import Axes, align
from archspec.reference.graph import Graph, pairs

Value = list[Tensor]


@dataclass(frozen=True)
class Call:
    """One operation to carry out; `weights` go by their own names, without the path of the node."""

    node: Node
    operands: Sequence[Value]
    weights: Mapping[str, Tensor]
    graphs: Sequence[Graph]
    training: bool = False
    history: Sequence[Mapping[str, Value]] = ()
    """The states after the input and after every block instance so far."""

    def aligned(self, axes: Axes) -> list[tuple[Tensor, ...]]:
        """Per graph, all operands with the axes given."""
        columns = [
            [align(tensor, operand.type.axes, axes) for tensor in value]
            for operand, value in zip(self.node.operands, self.operands, strict=True)
        ]
        return list(zip(*columns, strict=True))

    def option(self, name: str) -> object:
        """A compile-time option: as the node has it, else the default in the table of operations."""
        formals = OPERATIONS[self.node.op].arguments or ()
        return self.node.get(name, next((formal.default for formal in formals if formal.name == name), None))

    def over(self, operand: int | None = None) -> IndexSet:
        """The index set of the result, or of an operand."""
        return set_of((self.node if operand is None else self.node.operands[operand]).type.domain)

    def shaped(self, flat: Tensor) -> Tensor:
        """[rows, …] as [rows, *axes of the result]."""
        return flat.reshape(len(flat), *(axis.size or 0 for axis in self.node.type.axes))


Row = Callable[[Call], Value]


def set_of(domain: Domain) -> IndexSet:
    """The index set of a value per pair; of one per node the members of the graph."""
    if domain == NODE:
        return MEMBERS
    if domain.over is None:
        raise ValueError(f"a value {domain} has no index set")
    return domain.over


def rows_in(domain: Domain, graph: Graph) -> int:
    """How many rows a value has for one graph."""
    if domain.kind == "node":
        return graph.nodes
    return len(pairs(graph, set_of(domain))) if domain.kind == "pair" else 1
