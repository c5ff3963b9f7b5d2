"""The terms a normal form is made of: operations on other terms, without names.

Equal terms are one. Weights, and draws of chance, are *marks*: which terms have the same one counts, what it is called
does not.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from archspec.ir.nodes import Node
from archspec.ir.ops import OPERATIONS
from archspec.ir.types import IndexSet, Type

Label = tuple[object, ...]
"""How an operand goes in: its place, where its axes are among the result's, its coefficient; equal for those that may
change places."""

Operands = tuple[tuple[Label, int], ...]


@dataclass(frozen=True)
class Term:
    """An operation on other terms, by their numbers; `facts` are its options and its type without names of axes."""

    op: str
    facts: tuple[object, ...]
    operands: Operands = ()
    marks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Mark:
    """What is known of the weights of a call, or of a draw of chance, before it is seen where it is used."""

    kind: object
    begins: object
    """The values it begins with, and which of them do not train."""
    said: object
    """Of those, what `parameters:` says."""


@dataclass
class Form:
    """Terms, operands before users; `roots` are the prediction and the penalty."""

    terms: list[Term] = field(default_factory=list)
    roots: dict[str, int] = field(default_factory=dict)
    marks: dict[str, Mark] = field(default_factory=dict)
    numbers: dict[Term, int] = field(default_factory=dict)

    def add(self, term: Term) -> int:
        """The number of a term; equal ones have one."""
        if term not in self.numbers:
            self.numbers[term] = len(self.terms)
            self.terms.append(term)
        return self.numbers[term]

    def reached(self) -> list[int]:
        """The terms that the roots need, operands first."""
        wanted = set(self.roots.values())
        for number in range(len(self.terms) - 1, -1, -1):
            if number in wanted:
                wanted.update(operand for _, operand in self.terms[number].operands)
        return sorted(wanted)


@dataclass(frozen=True)
class Scaled:
    """A number times a term."""

    factor: float
    term: int


@dataclass
class Instance:
    """One section in its place: what its nodes and the sets it decides on have come to."""

    form: Form
    path: str
    place: int
    sets: Mapping[IndexSet, Node]
    values: dict[int, Scaled] = field(default_factory=dict)

    def scaled(self, node: Node) -> Scaled:
        """What a node has come to."""
        return self.values[id(node)]

    def whole(self, node: Node) -> int:
        """The same as one term, its factor included."""
        return self.of_scaled(self.scaled(node), node.type)

    def of_scaled(self, value: Scaled, type: Type) -> int:
        """A number times a term as one term."""
        if value.factor == 1:
            return value.term
        facts, conditions = self.facts_of(type)
        term = self.form.terms[value.term]
        if term.op == "+":
            parts = [(label, inner) for label, inner in term.operands if label[0] != "decides"]
            multiples = [((rounded(value.factor * times), *rest), inner) for (times, *rest), inner in parts]  # type: ignore[operator]
            return self.form.add(Term("+", facts, (*sorted(multiples, key=repr), *conditions)))
        layout = tuple(range(len(type.axes)))
        return self.form.add(Term("+", facts, (((rounded(value.factor), layout), value.term), *conditions)))

    def facts_of(self, *things: object) -> tuple[tuple[object, ...], Operands]:
        """Types and options without names, and what decides on the sets in them as further operands."""
        conditions: list[int] = []
        facts = tuple(self.nameless(thing, conditions) for thing in things)
        return facts, tuple((("decides", at), term) for at, term in enumerate(conditions))

    def nameless(self, thing: object, conditions: list[int]) -> object:
        """A type, set or option as plain values."""
        if isinstance(thing, Type):
            sizes = tuple(axis.size if axis.size is not None else axis.name for axis in thing.axes)
            return (thing.domain.kind, self.nameless(thing.domain.over, conditions), sizes, thing.entries)
        if not isinstance(thing, IndexSet):
            return thing
        if thing.decided:
            conditions.append(self.whole(self.sets[thing]))
        inner = (self.nameless(one, conditions) for one in (thing.base, thing.pairs, thing.third))
        return (thing.name, thing.k, *inner)


def rounded(number: float) -> float:
    """A number up to what folding constants in another order may change."""
    return float(f"{number:.14g}")


def is_plain(number: float) -> bool:
    """Whether a number may become a factor: 0, infinity and what is no number stay where they are."""
    return math.isfinite(number) and number != 0


def options(node: Node) -> Iterable[tuple[str, object]]:
    """The options of a node but for what a parameter begins at, which its mark knows."""
    return (one for one in node.attributes if (node.op, one[0]) != ("parameter", "init"))


def is_elementwise(node: Node) -> bool:
    """Whether axes of operands meet those of the result by name."""
    return OPERATIONS[node.op].elementwise or node.op == "fill"
