"""The costs of one spec put together: every definition or operation, the whole, and the memory of a step."""

from collections import defaultdict
from dataclasses import dataclass

from archspec.cost.breakdown import Key, Part, formulas, numbers, parts
from archspec.cost.definitions import Places
from archspec.cost.extent import Extent, of_facts
from archspec.cost.figures import Figures, runs
from archspec.cost.machine import Machine, known
from archspec.cost.memory import Memory, memory
from archspec.cost.symbols import Symbols
from archspec.cost.time import Step, seconds, step
from archspec.facts import Facts
from archspec.ir.nodes import Node, Program
from archspec.passes.schedule import BATCH, Plan
from archspec.syntax.spec import Spec


@dataclass(frozen=True)
class Line:
    """What one definition or operation costs in the whole model."""

    name: str
    figures: Figures
    seconds: float
    """Of a step of training, forward and back."""
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Bill:
    """What a model costs, for a batch of graphs like those of its data set on average."""

    spec: Spec
    program: Program
    facts: Facts | None
    extent: Extent
    lines: tuple[Line, ...]
    training: Memory
    inference: Memory
    machine: Machine
    time: Step

    @property
    def epoch(self) -> float | None:
        """Seconds of an epoch and its scores; None where no data set says how many graphs there are."""
        if self.facts is None or self.spec.settings.data is None:
            return None
        train, most = self.spec.settings.train, self.spec.settings.data.limit
        graphs = {split: min(count, most or count) for split, count in self.facts.graphs.items()}
        scored = graphs_of(train.eval_batch_size, self.facts)
        rounds = graphs["val"] + (graphs["test"] / train.test_every if train.test_every else 0)
        once = scored / self.extent.graphs * (self.time.cut + self.time.forward)
        return graphs["train"] / self.extent.graphs * self.time.training + rounds / scored * once

    @property
    def total(self) -> Figures:
        """All lines together."""
        return sum((line.figures for line in self.lines), Figures())

    @property
    def layers(self) -> int:
        """Block instances."""
        return len(self.program.layers)

    @property
    def symbols(self) -> Symbols:
        """What formulas are written in."""
        return Symbols([*self.spec.sizes])

    @property
    def named_sizes(self) -> dict[str, int]:
        """The sizes that formulas are written in, as they occur in the plan."""
        axes = [axis for _, section in self.program.sections() for node in section.nodes for axis in node.type.axes]
        named = {axis.name: axis.size or 0 for axis in axes if axis.name and axis.formula is None}
        order = [*self.spec.sizes, *named]
        return {name: named[name] for name in dict.fromkeys(order) if name in named}

    def formulas(self, line: Line) -> Figures:
        """The figures of a line as formulas for one graph."""
        return formulas(line.parts, self.symbols, self.layers)


def bill(
    spec: Spec,
    program: Program,
    plan: Plan,
    facts: Facts | None,
    by: str = "definition",
    machine: Machine | None = None,
) -> Bill:
    """The costs of a spec, lines in the order of the model.

    `by` is a row of KEYS; times are of this machine if none is given. Raises SpecError E0311 where a size is not known
    without a data set.
    """
    extent = of_facts(facts, graphs_of(spec.settings.data.batch_size if spec.settings.data else BATCH, facts))
    used, ran, key = machine or known(), runs(plan, extent), KEYS[by](spec)
    times: dict[str, float] = defaultdict(float)
    for run in ran:
        times[key(run.node)] += sum(seconds(run, used))
    found = parts(program, ran, key)
    lines = (Line(name, numbers(several, extent), times[name], tuple(several)) for name, several in found.items())
    costly = tuple(line for line in lines if line.figures != Figures())
    training, inference = memory(plan, extent), memory(plan, extent, training=False)
    return Bill(spec, program, facts, extent, costly, training, inference, used, step(plan, ran, extent, used))


def graphs_of(size: int | str, facts: Facts | None) -> float:
    """Graphs of a batch, on average where it is sized by nodes."""
    if isinstance(size, int):
        return min(size, facts.graphs["train"]) if facts else size
    return max(1.0, int(size.partition(" ")[0]) / facts.nodes) if facts else BATCH


def by_definition(spec: Spec) -> Key:
    """The definition that an operation is written in."""
    return Places(spec).definition


def by_operation(spec: Spec) -> Key:
    """The operation itself."""
    return operation


def operation(node: Node) -> str:
    """A part of a linear map counts as one."""
    return {"linear_part": "linear"}.get(node.op, node.op)


KEYS = {"definition": by_definition, "operation": by_operation}
"""What costs can be told by."""
