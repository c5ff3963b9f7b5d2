"""Which form every fused operation takes, from what the data set is like and what each form costs.

Non-goals: measuring (the plan is the same on every machine); changing what is computed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from archspec.diagnostics import Diagnostic, SpecError
from archspec.facts import Facts
from archspec.ir.nodes import Node, Program
from archspec.ir.types import IndexSet
from archspec.passes.forms import FORMS, Form, Unit

BATCH = 32
"""Graphs in the batch a plan is costed for."""


@dataclass(frozen=True)
class Shape:
    """What the costs need to know of a graph: nodes, edges and nodes²."""

    nodes: float
    edges: float
    squared: float

    def units(self, unit: Unit, over: IndexSet) -> float:
        """Pairs of a set, or all pairs or triples of nodes, in a graph; graphs are taken to be of one size."""
        return {"V": self.squared, "V³": self.squared**1.5}.get(unit) or self.pairs(over)

    def pairs(self, over: IndexSet) -> float:
        """Pairs of a set in a graph; reach(k) grows by the mean degree each step, up to all."""
        if over.base is not None:
            return self.made_from(over, self.pairs(over.base))
        if over.name == "V":
            return self.squared
        if over.name == "reach":
            return self.reached(over.k)
        if over.name == "expander":
            return min(self.squared - self.nodes, self.nodes * over.k)
        return self.edges + (self.nodes if over.name == "N + i" else 0)

    def made_from(self, over: IndexSet, pairs: float) -> float:
        """Pairs of a set made from one of so many; of a condition nothing is known, so it may hold for half of them."""
        inside = over.base is not None and over.base.reflexive
        more = {"+ i": self.nodes, "- i": -self.nodes * inside}
        return max(0.0, pairs + more[over.name]) if over.name in more else pairs / 2

    def reached(self, steps: int) -> float:
        """Pairs of reach(k)."""
        degree, newest, pairs = self.edges / self.nodes, self.nodes, self.nodes
        for _ in range(steps):
            newest *= degree
            pairs += newest
            if pairs >= self.squared or newest < 1e-3:
                break
        return min(self.squared, pairs)


SPARSE = Shape(nodes=23.0, edges=50.0, squared=560.0)
"""Taken where no data set is named: graphs like molecules."""


@dataclass(frozen=True)
class Choice:
    """The form chosen for a node, and why."""

    form: Form
    reason: str


@dataclass(frozen=True)
class Plan:
    """An optimised program and the form of every fused operation, by the identity of its node."""

    program: Program
    choices: Mapping[int, Choice]
    seen: Mapping[int, str] = field(default_factory=dict)
    """The values that the emitted text shows to `self.see` as it goes, by identity, with their names in the section."""


def shape_of(facts: Facts | None) -> Shape:
    """The graphs a plan is for."""
    if facts is None:
        return SPARSE
    return Shape(facts.nodes, facts.edges, facts.edges / facts.density)


def schedule(program: Program, facts: Facts | None, forced: Mapping[str, str] | None = None) -> Plan:
    """The cheapest form of each fused operation, or the one forced by operation name.

    A forced form that does not serve a set (`sdpa` on N) leaves the choice there. Raises SpecError E0044 where a forced
    form does not exist.
    """
    forced = forced or {}
    check_forced(forced)
    shape = shape_of(facts)
    choices: dict[int, Choice] = {}
    for _, section in program.sections():
        for node in section.nodes:
            if node.op in FORMS and id(node) not in choices:
                choices[id(node)] = choose(node, shape, forced.get(node.op))
    return Plan(program, choices)


def check_forced(forced: Mapping[str, str]) -> None:
    """Every forced form is one of its operation's."""
    for op, backend in forced.items():
        known = [form.backend for form in FORMS.get(op, ())]
        if backend not in known:
            message = f"there is no form {backend} of {op}" if known else f"{op} is no operation with several forms"
            cure = f"one of {', '.join(known or FORMS)}"
            raise SpecError([Diagnostic("E0044", message, help=cure)])


def choose(node: Node, shape: Shape, forced: str | None) -> Choice:
    """The cheapest form that serves the node's set."""
    over = node["over"]
    assert isinstance(over, IndexSet)
    features = width_of(node)
    costs = {
        form: form.cost(shape.units(form.unit, over), features) * BATCH / 1e6
        for form in FORMS[node.op]
        if form.serves(over)
    }
    figures = ", ".join(
        f"{form.backend} {milliseconds(cost)}" for form, cost in sorted(costs.items(), key=lambda item: item[1])
    )
    wanted = [form for form in costs if form.backend == forced]
    if wanted:
        return Choice(wanted[0], f"forced; {figures}")
    return Choice(min(costs, key=lambda form: costs[form]), figures)


def milliseconds(cost: float) -> str:
    """`0.013 ms`, `160 ms`: two digits."""
    digits = f"{cost:.2g}"
    return f"{float(digits):.0f} ms" if cost >= 10 else f"{digits} ms"


def width_of(node: Node) -> int:
    """Features of the widest operand per node; 64 for a size nobody knows."""
    widths = [1]
    for operand in node.operands:
        product = 1
        for axis in operand.type.axes:
            product *= axis.size or 64
        widths.append(product)
    return max(widths)
