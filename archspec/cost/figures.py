"""What every operation of a plan costs in a step, one entry for each time it is run."""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, fields, replace

from archspec.cost.counting import At, Cost
from archspec.cost.extent import Sizes
from archspec.cost.memory import BYTES, Done, Step
from archspec.ir.nodes import Node
from archspec.passes.schedule import Plan


@dataclass(frozen=True)
class Figures:
    """Costs that add up: of one operation, of a definition, of a model."""

    parameters: float = 0
    """Numbers that train."""
    flops: float = 0
    """Of a forward pass."""
    backward: float = 0
    """FLOPs of the backward pass."""
    moved: float = 0
    """Bytes read and written in a forward pass, if nothing stays in a cache."""
    kept: float = 0
    """Bytes that the gradient keeps until the backward pass."""

    def __add__(self, other: "Figures") -> "Figures":
        return Figures(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(self)))


@dataclass(frozen=True)
class Run:
    """One operation as it is run in a section, with what of its making is kept for the gradient."""

    instance: int
    at: At
    cost: Cost
    keeps_result: bool
    keeps_extra: bool
    reached: bool
    """Whether a gradient comes to its result."""
    added: float
    """Numbers of gradients that are added to others on the way back."""

    @property
    def node(self) -> Node:
        """The operation."""
        return self.at.node

    def figures(self, sizes: Sizes) -> Figures:
        """Its costs at these sizes, weights left aside."""
        at, cost = replace(self.at, sizes=sizes), self.cost
        products, others = 2 * (cost.dense(at) + cost.sparse(at)), cost.entry(at)
        kept = (cost.made(at) if self.keeps_result else 0) + (cost.extra(at) if self.keeps_extra else 0)
        backward = products * cost.grows(at) + others * max(at.gradients, int(at.trains)) if self.reached else 0
        return Figures(0, products + others, backward, BYTES * cost.moved(at), BYTES * kept)


def runs(plan: Plan, sizes: Sizes) -> list[Run]:
    """Every operation in the order in which it is run; states, which cost nothing, left out."""
    step = Step(plan, sizes, True)
    step.run()
    kept = {key for done in step.done for key in done.kept}
    return [of_done(done, kept) for done in step.done]


def of_done(done: Done, kept: set[Hashable]) -> Run:
    """What was run."""
    instance: int = done.value.key[0]  # type: ignore[index]
    return Run(
        instance,
        done.at,
        done.cost,
        done.value.key in kept,
        ("extra", done.value.key) in kept,
        done.reached,
        done.added,
    )


def total(plan: Plan, sizes: Sizes) -> Figures:
    """All operations of a step together, weights left aside."""
    return sum(each(plan, sizes), Figures())


def each(plan: Plan, sizes: Sizes) -> Iterator[Figures]:
    """The costs of every operation."""
    return (run.figures(sizes) for run in runs(plan, sizes))


UNITS = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def short(value: float) -> str:
    """`1.84 G`, three digits."""
    for unit, letter in UNITS:
        if value >= unit:
            return f"{value / unit:.3g} {letter}"
    return f"{value:.3g}"
