"""What a model asks of the graphs alone, computed once for its data set before it is trained."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from archspec.data.cache import folder
from archspec.data.structure import Demand, structured
from archspec.ir.nodes import Node, Program
from archspec.ir.ops import STRUCTURE
from archspec.ir.sets import IndexSet
from archspec.train.device import bits
from archspec.train.display import Display
from archspec.train.task import Task

NAMES = frozenset(row.name for row in STRUCTURE)


def demands(program: Program) -> tuple[Demand, ...]:
    """What the operations and sets of a program need, each once."""
    return tuple(dict.fromkeys(found for _, section in program.sections() for found in of_section(section.nodes)))


def of_section(nodes: Iterable[Node]) -> Iterator[Demand]:
    """What the operations and sets of a section need."""
    for node in nodes:
        over = node.get("over")
        if isinstance(over, IndexSet):
            yield from (Demand("reach", (one.k,)) for one in over.chain if one.name == "reach" and one.k > 0)
        if node.op in NAMES:
            numbers, count = cast(tuple[int, ...], node.get("numbers") or ()), cast(int | None, node.get("count"))
            yield Demand(node.op, numbers if count is None else (count,))


def prepared(
    task: Task, directory: Path | None, display: Display, splits: Sequence[str] = ("train", "val", "test")
) -> Task:
    """The task with splits whose batches hold what the module demands, computed and kept if they are not there yet."""
    precision, kept = bits(task.train), folder(directory)
    try:
        ready: dict[str, Any] = {
            name: structured(task.data.splits[name], task.demands, precision, kept, display.say, display.load)
            for name in splits
        }
    finally:
        display.stop()
    return replace(task, data=replace(task.data, **ready))
