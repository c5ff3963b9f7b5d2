"""The equations a module was made from: where each parameter and each value of them stands, and the values by name."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from archspec.emit.source import source
from archspec.facts import Facts
from archspec.ir.nodes import Node, Program, Section, full_name
from archspec.ir.ops import RANDOM, weights_of
from archspec.passes.optimise import APART, PASSES, optimise
from archspec.passes.schedule import schedule
from archspec.source import Span
from archspec.syntax import tree
from archspec.train.health.record import Place

Wanted = Callable[[Node, str], bool]
"""Whether a value is to be looked at: its node, and the name it would have."""

MOST_PAIRS = 2**22
"""Pairs of a graph's nodes at most for which the weights of attention over all of them are written out."""

UNSEEN = ("constant", "parameter", "data", "state", "spread", "chance")
"""Operations whose values are no news: leaves, and constants as rows."""


@dataclass(frozen=True)
class Equations:
    """A checked program and the definitions it was expanded from."""

    program: Program
    definitions: tuple[tree.Definition, ...]
    """Those of the spec and of the library."""
    facts: Facts

    @cached_property
    def parameters(self) -> dict[str, Place]:
        """Where every weight stands, by its name in `state_dict`; modules that archspec did not write by their path."""
        found: dict[str, Place] = {}
        for path, section in self.program.sections():
            for node in section.nodes:
                names = [node.path] if node.op == "foreign" else [name for name, _ in weights_of(node)]
                found |= {full_name(path, name): self.place(node, section) for name in names}
        return found

    def parameter(self, name: str) -> Place | None:
        """Where a weight stands."""
        whole = name
        while name and name not in self.parameters:
            name = name.rpartition(".")[0]
        return self.parameters.get(whole) or self.parameters.get(name)

    @property
    def blocks(self) -> dict[str, str]:
        """The definition of every part of the model, by its path: `layers.0` is a `layer`."""
        return {path: section.title.lower() for path, section in self.program.sections()}

    def place(self, node: Node, section: Section) -> Place:
        """Where a node stands: in the innermost definition around it, else in its section's own text."""
        span = node.span
        line = " ".join(span.source.line(span.line).split())
        around = [one for one in self.definitions if holds(one.span, span)]
        inner = min(around, key=lambda one: one.span.end - one.span.start, default=None)
        definition = inner.heading.name if inner else section.title.lower()
        return {"definition": definition, "path": span.source.path, "line": span.line, "text": line}

    @cached_property
    def apart(self) -> Program:
        """The program as it is computed, but with the weights of attention as values where they are not too many."""
        few = self.facts.max_nodes**2 <= MOST_PAIRS
        return optimise(self.program, passes=APART if few else PASSES)

    def text(self, wanted: Wanted) -> tuple[str, dict[str, Place]]:
        """The source of a module that shows the wanted values to `see` as it goes, and where each stands."""
        plan = schedule(self.apart, self.facts)
        seen: dict[int, str] = {}
        places: dict[str, Place] = {}
        names: dict[int, dict[int, str]] = {}
        for path, section in self.apart.sections():
            if id(section) not in names:
                names[id(section)] = dict(self.names(section))
            for node in section.nodes:
                name = names[id(section)].get(id(node))
                if name and wanted(node, full := f"{path}.{name}"):
                    seen[id(node)] = name
                    places[full] = {**self.place(node, section), "kind": node.op}
        return source(replace(plan, seen=seen)), places

    def operands(self) -> dict[str, tuple[str, ...]]:
        """The values that every value is computed from, by name; states as they were made last."""
        found: dict[str, tuple[str, ...]] = {}
        made: dict[str, str] = {}
        for path, section in self.apart.sections():
            names = {key: f"{path}.{name}" for key, name in self.names(section)}
            names |= {id(node): made.get(str(node["name"]), "") for node in section.inputs}
            for node in section.nodes:
                if visible(node):
                    found[names[id(node)]] = tuple(names.get(id(one), one.path) for one in node.operands)
            made |= {state: names.get(id(value), "") for state, value in section.results}
        return found

    @cached_property
    def draws(self) -> bool:
        """Whether random numbers are drawn when it is computed."""
        drawing = (*RANDOM, "laplacian_pe")
        return any(node.op in drawing for _, section in self.program.sections() for node in section.nodes)

    def names(self, section: Section) -> Iterator[tuple[int, str]]:
        """A name for every value that can be looked at, by its identity: `gate.v`, `mlp.relu`, `mlp.relu_2`."""
        taken: dict[str, int] = {}
        states = {name for name, _ in section.results}
        for node in section.nodes:
            if not visible(node):
                continue
            definition = self.place(node, section)["definition"]
            own = node.name or node.op
            stem = own if node.name in states or definition == section.title.lower() else f"{definition}.{own}"
            taken[stem] = taken.get(stem, 0) + 1
            yield id(node), stem if taken[stem] == 1 else f"{stem}_{taken[stem]}"


def visible(node: Node) -> bool:
    """Whether a node has numbers that are news; the number of pairs, a sum of ones, has none."""
    counted = node.op == "sum" and node.operands[0].op == "spread"
    return node.type.entries == "number" and node.op not in UNSEEN and not counted


def holds(outer: Span, inner: Span) -> bool:
    """Whether a span lies within another."""
    return outer.source == inner.source and outer.start <= inner.start and inner.end <= outer.end
