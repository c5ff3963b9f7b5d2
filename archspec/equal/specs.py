"""Whether two specs compute the same: proved, agreed on graphs, or different; what `archspec equal` runs.

Proved where both have one normal form. Else the weights of one are given to the other, by name, then by role, then in
whatever way fits; outputs, and gradients of all weights that both have, are compared in float64, in training and in
evaluation, on small odd graphs such as the data set may hold. Weights that `parameters:` sets keep the values it says,
those that only one spec has stay as they begin.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import torch
from torch import Tensor

from archspec.compare.same import by_shape, same, with_beginnings
from archspec.diagnostics import Diagnostic, SpecError
from archspec.equal.assignments import Assignment, assignments
from archspec.equal.compare import Result, differences, is_statistic, of_module
from archspec.equal.differences import Difference, Differences
from archspec.equal.odd import graphs_for
from archspec.equal.separate import Separation, Sides, equations, separation, worst
from archspec.facts import Facts
from archspec.ir.settings import initial
from archspec.pipeline import Built, build, compile_spec, facts_of
from archspec.reference import Graph, initial_weights
from archspec.syntax.spec import Spec

Weights = Mapping[str, Tensor]

QUICK = 3
"""Graphs on which assignments of weights are tried."""


@dataclass(frozen=True, repr=False)
class Verdict:
    """How strong it is, and what was found, in lines."""

    kind: Literal["proved", "agreed", "different"]
    told: str
    notes: tuple[str, ...] = ()
    evidence: Mapping[str, Any] = field(default_factory=dict)
    """What it rests on, as plain data."""

    def __bool__(self) -> bool:
        return self.kind != "different"

    def __str__(self) -> str:
        return "\n  ".join((f"{self.kind}: {self.told}", *self.notes))

    __repr__ = __str__


def verdict(spec: Spec, other: Spec) -> Verdict:
    """Whether two specs compute the same. Raises SpecError for one that does not compile, and E0311 where only running
    them could tell and the first names no data set."""
    facts = facts_of(spec) or facts_of(other)
    first, second = (compile_spec(one, facts).program for one in (spec, other))
    if (mapping := same(first, second, by_shape)) is not None:
        many = sum(not name.startswith("draw ") for name in mapping)
        begin = () if same(first, second, with_beginnings) is not None else ("note: they begin at other values",)
        return Verdict("proved", f"one normal form, with the weights of {many} calls", begin, {"calls": many})
    if facts is None:
        message = "only with a data set is it known whether two specs compute the same"
        raise SpecError([Diagnostic("E0311", message, help="add a `data:` section, such as `data: {name: pattern}`")])
    return run((spec, other), facts)


def run(specs: tuple[Spec, Spec], facts: Facts) -> Verdict:
    """What running both says."""
    first, second = (built_with_seed(one, facts) for one in specs)
    graphs = graphs_for(facts)
    tried = 0
    pairs: list[Pair] = []
    for assignment in assignments(first.program, second.program):
        tried += 1
        pair = Pair(first, second, assignment)
        pairs.append(pair)
        if pair.compared(graphs[:QUICK], True).ok():
            found = [pair.compared(graphs, training) for training in (True, False)]
            if all(one.ok() for one in found):
                return pair.agreed(found, len(graphs), tried)
    return pairs[0].different(graphs, facts, tried)


def built_with_seed(spec: Spec, facts: Facts) -> Built:
    """A built spec whose weights are the same every time."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return build(spec, facts)


class Pair:
    """Two built specs, and which weights of the first are which of the second."""

    def __init__(self, first: Built, second: Built, assignment: Assignment):
        self.built = (first, second)
        self.names = self.tensors(assignment)
        mine = initial_weights(first.program)
        shared = {name: mine[name] for name in self.names}
        self.weights: tuple[Weights, Weights] = (
            {**first.module.double().state_dict(), **shared},
            {**second.module.double().state_dict(), **{self.names[name]: one for name, one in shared.items()}},
        )

    def tensors(self, assignment: Assignment) -> Mapping[str, str]:
        """The tensors of the first that are those of the second: none that `parameters:` of either sets."""
        mine, theirs = (initial_weights(one.program) for one in self.built)
        said, also = (initial(one.program.settings) for one in self.built)
        found = {}
        for call, partner in assignment.items():
            for name in mine:
                other = partner + name.removeprefix(call)
                inside = name == call or name.startswith(f"{call}.")
                if inside and other in theirs and name not in said and other not in also:
                    found[name] = other
        return {name: other for name, other in found.items() if mine[name].shape == theirs[other].shape}

    def results(self, graphs: Sequence[Graph], training: bool) -> tuple[Result, Result]:
        """What both give, and the gradients that both have, by their names in the first."""
        ours, theirs = (
            of_module(one.module, graphs, weights, training)
            for one, weights in zip(self.built, self.weights, strict=True)
        )
        back = {other: name for name, other in self.names.items()}
        turned = {back.get(name, f"only {name}"): one for name, one in theirs.gradients.items() if not of_data(name)}
        turned |= {name: one for name, one in theirs.gradients.items() if of_data(name)}
        both = ours.gradients.keys() & turned.keys()
        return (
            replace(ours, gradients={name: one for name, one in ours.gradients.items() if name in both}),
            replace(theirs, gradients={name: turned[name] for name in both}),
        )

    def compared(self, graphs: Sequence[Graph], training: bool) -> Differences:
        """How far apart they are."""
        return differences(*self.results(graphs, training))

    def agreed(self, found: Sequence[Differences], graphs: int, tried: int) -> Verdict:
        """That they agree, and how well that was looked into."""
        furthest = max(one.worst for one in found)
        many = sum(not is_statistic(name) for name in self.names)
        told = f"outputs and gradients of {many} weights on {graphs} graphs up to {furthest:.0e}"
        notes = (*self.renamed(tried), *self.alone())
        return Verdict("agreed", told, notes, {"graphs": graphs, "weights": many, "largest": furthest})

    def different(self, graphs: Sequence[Graph], facts: Facts, tried: int) -> Verdict:
        """That they differ: on which graph, and in which equation first."""
        sides = Sides(tuple(one.program for one in self.built), self.weights)  # type: ignore[arg-type]
        found = separation(self.compared, graphs, facts)
        searched = [f"note: so they do with the {tried} ways of assigning weights that were tried"] if tried > 1 else []
        if not found:
            batch = next(one for training in (False, True) if not (one := self.compared(graphs, training)).ok())
            told = f"on {len(graphs)} graphs in one batch, though on none alone: {worst(batch)}"
            return Verdict("different", told, (*searched, *self.alone()), {"tensor": tensor(worst(batch))})
        *smaller, best = found
        first = list(equations(sides, best.graph, best.training))
        notes = [f"first in {name}: {path}: {equation}" for name, path, equation in first]
        notes += [f"note: slightly already {one}" for one in smaller]
        places = [{"spec": name, "path": path, "equation": equation} for name, path, equation in first]
        evidence = {**separated(best), "first": places, "smallest": separated(found[0])}
        return Verdict("different", str(best), (*notes, *searched, *self.alone()), evidence)

    def renamed(self, tried: int) -> Iterable[str]:
        """The weights that go by other names."""
        others = {aside(name): aside(other) for name, other in self.names.items() if name != other}
        if others:
            shown = ", ".join(f"{name} as {other}" for name, other in others.items())
            yield f"note: with {shown}" + (f" (of {tried} ways tried)" if tried > 1 else "")

    def alone(self) -> Iterable[str]:
        """The weights that only one of them has or sets, those of all block instances together."""
        for one, shared in zip(self.built, (self.names.keys(), set(self.names.values())), strict=True):
            own = [name for name in initial_weights(one.program) if name not in shared and not is_statistic(name)]
            if names := dict.fromkeys(map(aside, own)):
                yield f"note: only {one.program.name} has or sets {', '.join(names)}"


def separated(one: Separation) -> Mapping[str, Any]:
    """A graph that separates two specs, as plain data; an edge is [j, i] for j→i."""
    graph = {"nodes": one.graph.nodes, "edges": [[j, i] for i, j in one.graph.edges]}
    return {"graph": graph, "mode": one.mode, "tensor": tensor(one.tensor)}


def tensor(one: Difference) -> Mapping[str, Any]:
    """How far a tensor is off, as plain data."""
    return {"kind": one.kind, "name": one.name, "off_by": one.absolute, "of": one.scale}


def aside(name: str) -> str:
    """A name for all block instances."""
    return re.sub(r"^layers\.\d+\.", "layers.*.", name)


def of_data(name: str) -> bool:
    """Whether a gradient is by features, not by a weight."""
    return name.startswith("of ")
