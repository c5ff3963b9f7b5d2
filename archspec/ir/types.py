"""What a value is: where it lives (its domain), its feature axes, and what kind of thing its entries are."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from archspec.ir.formula import Formula, Term
from archspec.ir.sets import ALL, ITSELF, MEMBERS, NEIGHBOURS, NEIGHBOURS_AND_SELF, TARGETS, IndexSet

__all__ = [
    "ALL",
    "CONSTANT",
    "EDGE",
    "ERROR",
    "GRAPH",
    "ITSELF",
    "MEMBERS",
    "NEIGHBOURS",
    "NEIGHBOURS_AND_SELF",
    "NODE",
    "TARGETS",
    "Axis",
    "Domain",
    "IndexSet",
    "Kind",
    "Type",
    "fits",
    "free",
    "pair",
    "places",
    "reduced",
    "rows_of",
    "set_of",
]

Kind = Literal["constant", "graph", "node", "pair"]


@dataclass(frozen=True)
class Domain:
    """Where a value lives: one for all graphs, one per graph, per node, or per pair (i, j) of an index set."""

    kind: Kind
    over: IndexSet | None = None

    def __str__(self) -> str:
        if self.over is None:
            return {"constant": "constant", "graph": "per graph", "node": "per node"}[self.kind]
        if self.over.name == "triples":
            return f"per triple in {self.over}"
        return "per edge" if self.over == NEIGHBOURS else f"per pair in {self.over}"


CONSTANT = Domain("constant")
GRAPH = Domain("graph")
NODE = Domain("node")
EDGE = Domain("pair", NEIGHBOURS)


def pair(over: IndexSet) -> Domain:
    """The domain of the pairs (i, j) with j in a set."""
    return Domain("pair", over)


def rows_of(over: IndexSet) -> Domain:
    """Where a value with a row for every pair of a set lives: a node is the pair of its graph and itself."""
    return NODE if over == MEMBERS else pair(over)


def reduced(domain: Domain) -> Domain:
    """Where a reduction of such a value comes out: from triples to pairs, from pairs to nodes, from nodes to graphs."""
    if domain.over is not None and domain.over.pairs is not None:
        return pair(domain.over.pairs)
    return GRAPH if domain == NODE else NODE


def set_of(domain: Domain) -> IndexSet | None:
    """The set with a row for every pair of which a value lives there; None for a value that has no such rows."""
    return MEMBERS if domain == NODE else domain.over


@dataclass(frozen=True)
class Axis:
    """A feature axis; its name comes from `sizes`, or is "" where the text gives a number or an expression alone.

    An unknown size (`out` of a spec without data) is None.
    """

    name: str
    size: int | None
    formula: Formula | str | None = field(default=None, compare=False, repr=False)
    """How the text computes it from other sizes, if it does."""

    @property
    def term(self) -> Term:
        """The formula, else the name, else the number."""
        return self.formula or self.name or self.size or 0

    def matches(self, other: "Axis") -> bool:
        """Same name, or at least one without a name and the same size; an unknown size may be any."""
        if self.name and other.name:
            return self.name == other.name
        return None in (self.size, other.size) or self.size == other.size

    def __str__(self) -> str:
        return self.name or str(self.size)


def places(own: Sequence[Axis], among: Sequence[Axis]) -> list[int | None]:
    """Where each axis stands among others, each place once: equal names first, then, in order, equal sizes."""
    found: list[int | None] = [None] * len(own)
    for exact in (True, False):
        for at, axis in enumerate(own):
            if found[at] is None:
                found[at] = next((place for place in free(among, found) if fits(axis, among[place], exact)), None)
    return found


def free(among: Sequence[Axis], found: Sequence[int | None]) -> Iterator[int]:
    """The places nobody has yet."""
    return (place for place in range(len(among)) if place not in found)


def fits(axis: Axis, other: Axis, exact: bool) -> bool:
    """Whether two axes are one: by name, or where one has none by size."""
    return bool(axis.name) and axis.name == other.name if exact else axis.matches(other)


@dataclass(frozen=True)
class Type:
    """A value's domain, axes and entries: numbers, truth values, or categories out of `letters` many."""

    domain: Domain
    axes: tuple[Axis, ...] = ()
    entries: Literal["number", "flag", "category", "error"] = "number"
    letters: int | None = field(default=None)

    def __str__(self) -> str:
        if self.entries == "error":
            return "unknown"
        shape = f"axes ({', '.join(map(str, self.axes))})" if self.axes else "scalar"
        return f"{self.domain}, {shape}"


ERROR = Type(CONSTANT, (), "error")
"""The type of what was already reported; whatever is computed from it has this type too and is not reported again."""
