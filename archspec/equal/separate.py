"""Where two specs part: the smallest graph on which they clearly differ, and the first value that only one has.

Clearly means by a thousandth of what the tensor holds. Where they do so on no graph, it is the smallest on which they
differ at all.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from archspec.equal.compare import without_dropout
from archspec.equal.differences import Difference, Differences
from archspec.equal.finite import described
from archspec.equal.odd import smallest_first
from archspec.facts import Facts
from archspec.ir.nodes import Node, Program
from archspec.ir.types import CONSTANT
from archspec.reference import Graph
from archspec.reference.call import Value
from archspec.reference.evaluate import below, evaluate_section
from archspec.reference.foreign import NoReference

Compared = Callable[[Sequence[Graph], bool], Differences]

MODES = ((False, "evaluation"), (True, "training"))

EDGES = 6
"""Edges that are listed at most."""

CLEAR = 1e-3
"""The share of a tensor's largest entry by which two specs differ clearly."""

LONGEST = 90
"""Characters of an equation that are shown."""


@dataclass(frozen=True)
class Sides:
    """Both programs, each with the weights it was run with."""

    programs: tuple[Program, Program]
    weights: tuple[Mapping[str, Tensor], Mapping[str, Tensor]]


@dataclass(frozen=True)
class Separation:
    """One graph on which two specs differ, in one mode, and the tensor that says it best."""

    graph: Graph
    training: bool
    tensor: Difference
    share: float
    """How far it is off, in its own largest entry."""

    @property
    def mode(self) -> str:
        """Its name."""
        return dict(MODES)[self.training]

    def __str__(self) -> str:
        return f"on {in_words(self.graph)}, in {self.mode}: {self.tensor}"


def separation(compared: Compared, graphs: Sequence[Graph], facts: Facts) -> tuple[Separation, ...]:
    """The smallest graph on which they differ at all, then the smallest on which they clearly do if that is another.

    Nothing where no graph alone tells them apart.
    """
    smallest: Separation | None = None
    for graph in smallest_first(facts, graphs):
        here = max(
            (one for training, _ in MODES if (one := separated(compared, graph, training))), key=share, default=None
        )
        smallest = smallest or here
        if smallest and here and here.share >= CLEAR:
            return (here,) if here is smallest else (smallest, here)
    return (smallest,) if smallest else ()


def separated(compared: Compared, graph: Graph, training: bool) -> Separation | None:
    """How a graph tells them apart in a mode, if it does."""
    found = compared([graph], training)
    if found.ok():
        return None
    tensor = worst(found)
    return Separation(graph, training, tensor, found.relative(tensor))


def share(one: Separation) -> float:
    """A sorting key."""
    return one.share


def worst(found: Differences) -> Difference:
    """An output where one differs clearly, else a gradient that does, else an output where one differs at all."""
    wrong = found.beyond()
    return min(wrong, key=lambda one: (found.relative(one) < CLEAR, one.kind != "output"))


def in_words(graph: Graph) -> str:
    """The graph, with its edges where they are few."""
    listed = ", ".join(f"{j}→{i}" for i, j in graph.edges)
    return described(graph) + (f" ({listed})" if 0 < len(graph.edges) <= EDGES else "")


def equations(sides: Sides, graph: Graph, training: bool) -> Iterator[tuple[str, str, str]]:
    """The first value of each spec that the other has nowhere: the spec, the path of the section, the equation."""
    try:
        first, second = (
            list(values(program, weights, graph, training))
            for program, weights in zip(sides.programs, sides.weights, strict=True)
        )
    except NoReference:
        return
    for program, mine, theirs in ((sides.programs[0], first, second), (sides.programs[1], second, first)):
        known = [value for _, _, value in theirs]
        for path, node, value in mine:
            if (
                node.op not in READING
                and node.type.domain != CONSTANT
                and not any(equal(value, other) for other in known)
            ):
                yield program.name, path, text(node)
                break


READING = ("gather_source", "gather_target", "gather_cross", "restrict", "spread", "transpose")
"""Operations that only read a value elsewhere."""


def values(
    program: Program, weights: Mapping[str, Tensor], graph: Graph, training: bool
) -> Iterator[tuple[str, Node, Tensor]]:
    """Every value of a program on a graph, in order, with the path of its section."""
    history: list[Mapping[str, Value]] = []
    for path, section in without_dropout(program).sections():
        whole = replace(section, results=tuple((str(at), node) for at, node in enumerate(section.nodes)))
        found = evaluate_section(whole, below(weights, path), [graph], training, history)
        by_node = {id(node): found[str(at)] for at, node in enumerate(section.nodes)}
        yield from ((path, node, by_node[id(node)][0].detach()) for node in section.nodes)
        states = {name: by_node[id(node)] for name, node in section.results}
        history.append({**(history[-1] if history else {}), **states})


def equal(one: Tensor, other: Tensor) -> bool:
    """Whether two values are the same up to rounding and up to how their axes are cut."""
    if one.numel() != other.numel() or one.dtype != other.dtype:
        return False
    return torch.allclose(one.double().flatten(), other.double().flatten(), 1e-8, 1e-12, equal_nan=True)


def text(node: Node) -> str:
    """The equation of a value, on one line."""
    written = " ".join(node.span.text.split())
    named = f"{node.name} = {written}" if node.name and not written.startswith(f"{node.name} =") else written
    return named if len(named) <= LONGEST else f"{named[: LONGEST - 2]} …"
