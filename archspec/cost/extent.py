"""How large values are: the rows that a batch gives every domain, and the widths of axes, as numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from archspec.facts import Facts
from archspec.ir.nodes import Node
from archspec.ir.types import ALL, Axis, Domain, IndexSet
from archspec.passes.schedule import Shape, shape_of


class Sizes(Protocol):
    """What costs are computed from; the same arithmetic gives numbers or formulas."""

    def pairs(self, over: IndexSet) -> float:
        """Pairs of an index set."""

    def rows(self, domain: Domain) -> float:
        """Rows of a value."""

    def width(self, axes: Sequence[Axis]) -> float:
        """Entries of a row."""

    def cubes(self) -> float:
        """Triples of nodes of one graph."""

    def sized(self, node: Node) -> Node:
        """The node with axes as large as these sizes have them."""


@dataclass(frozen=True)
class Extent:
    """What a batch holds: graphs, nodes, edges, all pairs Σ n² and all triples Σ n³ of nodes of one graph."""

    graphs: float
    nodes: float
    edges: float
    squared: float
    cubed: float

    def pairs(self, over: IndexSet) -> float:
        """Pairs of an index set; those of reach(k), of conditions and of targets are guessed as a plan guesses them."""
        if over.name == "triples" and over.pairs and over.third:
            both = over.pairs == over.third == ALL
            return self.cubed if both else self.pairs(over.pairs) * self.pairs(over.third) / max(1, self.nodes)
        return self.nodes if over.name == "members" else self.shape.pairs(over)

    @property
    def shape(self) -> Shape:
        """All graphs of the batch as one."""
        return Shape(self.nodes, self.edges, self.squared)

    def rows(self, domain: Domain) -> float:
        """Rows of a value: 1 for a constant."""
        if domain.over is not None:
            return self.pairs(domain.over)
        return {"constant": 1.0, "graph": self.graphs, "node": self.nodes}[domain.kind]

    def width(self, axes: Sequence[Axis]) -> float:
        """Entries of a row; 0 where a size is not known without a data set."""
        product = 1
        for axis in axes:
            product *= axis.size or 0
        return product

    def cubes(self) -> float:
        """Σ n³."""
        return self.cubed

    def sized(self, node: Node) -> Node:
        """The node as it is."""
        return node


def of_facts(facts: Facts | None, graphs: float) -> Extent:
    """So many graphs like those of a data set on average; like molecules where there is none."""
    one = shape_of(facts)
    return Extent(graphs, graphs * one.nodes, graphs * one.edges, graphs * one.squared, graphs * one.squared**1.5)
