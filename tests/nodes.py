"""Nodes of the IR made by hand, for tests that need no text of a spec."""

from collections.abc import Mapping

import torch
from torch import Tensor

from archspec.ir.nodes import Node, Section
from archspec.ir.ops import OPERATIONS
from archspec.ir.types import CONSTANT, NEIGHBOURS, NODE, Axis, IndexSet, Type
from archspec.reference import Graph
from archspec.reference.evaluate import evaluate_section
from archspec.source import SourceFile, Span

SPAN = Span(SourceFile("test", ""), 0, 0)


def leaf(op: str, type: Type, path: str = "", **attributes: object) -> Node:
    return Node(op, (), type, SPAN, tuple(attributes.items()), path)


def node_input(*axes: Axis) -> Node:
    return leaf("data", Type(NODE, axes), name="x")


def state(name: str, *axes: Axis, layer: int | None = None) -> Node:
    return leaf("state", Type(NODE, axes), name=name, layer=layer)


def parameter(path: str, *axes: Axis) -> Node:
    return leaf("parameter", Type(CONSTANT, axes), path, init=0.0)


def number(value: float) -> Node:
    return leaf("constant", Type(CONSTANT), value=value)


def make(op: str, *operands: Node, axes: tuple[Axis, ...] = (), path: str = "", **attributes: object) -> Node:
    """A node typed by its row's rule."""
    type = OPERATIONS[op].rule([operand.type for operand in operands], axes, attributes)
    return Node(op, operands, type, SPAN, tuple(attributes.items()), path)


def fused(op: str, *operands: Node, axes: tuple[Axis, ...] = (), **attributes: object) -> Node:
    """A node per node of an operation that has no type rule."""
    return Node(op, operands, Type(NODE, axes), SPAN, tuple(attributes.items()))


def source(x: Node, over: IndexSet = NEIGHBOURS) -> Node:
    return make("gather_source", x, over=over)


def target(x: Node, over: IndexSet = NEIGHBOURS) -> Node:
    return make("gather_target", x, over=over)


def value(
    node: Node, graphs: list[Graph] | Graph, weights: Mapping[str, Tensor] | None = None, training: bool = False
) -> Tensor:
    """The node's value by the reference, the rows of all graphs one after the other."""
    graphs = [graphs] if isinstance(graphs, Graph) else graphs
    return torch.cat(evaluate_section(Section("test", (("", node),)), weights or {}, graphs, training)[""])


def doubles(*values: object) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)
