"""The costs of one spec put together: every definition or operation, the whole, and the memory of a step."""

from dataclasses import dataclass

from archspec.cost.breakdown import Key, Part, formulas, numbers, parts
from archspec.cost.definitions import Places
from archspec.cost.extent import Extent, of_facts
from archspec.cost.figures import Figures, runs
from archspec.cost.memory import Memory, memory
from archspec.cost.symbols import Symbols
from archspec.facts import Facts
from archspec.ir.nodes import Node, Program
from archspec.passes.schedule import BATCH, Plan
from archspec.syntax.spec import Spec


@dataclass(frozen=True)
class Line:
    """What one definition or operation costs in the whole model."""

    name: str
    figures: Figures
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


def bill(spec: Spec, program: Program, plan: Plan, facts: Facts | None, by: str = "definition") -> Bill:
    """The costs of a spec, lines in the order of the model.

    `by` is a row of KEYS. Raises SpecError E0311 where a size is not known without a data set.
    """
    extent = of_facts(facts, graphs_of(spec, facts))
    step = memory(plan, extent)
    found = parts(program, runs(plan, extent), KEYS[by](spec))
    lines = (Line(name, numbers(several, extent), tuple(several)) for name, several in found.items())
    costly = tuple(line for line in lines if line.figures != Figures())
    return Bill(spec, program, facts, extent, costly, step, memory(plan, extent, training=False))


def graphs_of(spec: Spec, facts: Facts | None) -> float:
    """Graphs of a training batch, on average where it is sized by nodes."""
    size = spec.settings.data.batch_size if spec.settings.data else BATCH
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
