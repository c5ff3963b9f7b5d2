"""Before the first step: the memory that the largest batch takes, from the plan, and whether there is as much.

The forecast is that of `archspec.cost.memory`: numbers alive at the peak of a step. It leaves out what the process
takes beside them and what an allocator wastes, so a batch that is refused does not fit; one that just fits may not.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch

from archspec.cost.extent import Extent
from archspec.cost.memory import memory
from archspec.data.batching import BatchSampler, BatchSize, Indices, batch_size, in_order
from archspec.data.split import Split
from archspec.diagnostics import Diagnostic, SpecError
from archspec.ir.nodes import Program
from archspec.ir.sets import IndexSet
from archspec.passes.schedule import Plan
from archspec.structure.memory import available
from archspec.train.task import Task

GUESSED = {"reach", "if", "drop", "targets"}
"""Sets whose pairs are not known before a batch is cut; what is forecast from a guess refuses nothing."""

SHARE: dict[object, float] = {32: 1.0, 64: 2.0, "bf16": 0.5}
"""Bytes of a number beside those of single precision, at the least."""


SURE = 1.1
"""A forecast that is so much more than there is tells that a batch cannot fit: forecasts are up to 8 % too high."""


@dataclass(frozen=True)
class Forecast:
    """What the largest batch of a key's size takes at the peak of its step."""

    key: str
    size: BatchSize
    taken: float
    """Bytes."""
    graphs: int
    """In that batch."""


def forecasts(task: Task) -> Iterator[Forecast]:
    """Of training, and of scoring, which keeps nothing for a gradient."""
    if task.plan is not None:
        yield of_training(task, task.plan, task.batch_size)
        yield max((of_scoring(task, task.plan, split) for split in (task.data.val, task.data.test)), key=taken)


def taken(forecast: Forecast) -> float:
    """Its bytes."""
    return forecast.taken


def of_training(task: Task, plan: Plan, size: BatchSize) -> Forecast:
    """The largest batch of the first epoch; those of others are like it."""
    split = task.data.train
    batches = BatchSampler(split, size, task.buckets, task.train.seed).epoch(0)
    return largest(plan, split, batches, task, Forecast("data.batch_size", size, 0, 0), True)


def of_scoring(task: Task, plan: Plan, split: Split, size: BatchSize | None = None) -> Forecast:
    """The largest batch of a split."""
    size = size or batch_size(task.train.eval_batch_size)
    return largest(plan, split, in_order(split, size), task, Forecast("train.eval_batch_size", size, 0, 0), False)


def largest(plan: Plan, split: Split, batches: list[Indices], task: Task, about: Forecast, training: bool) -> Forecast:
    """The batch that takes the most: one of those with the most nodes, edges or pairs of nodes."""
    sizes = split.packed.sizes.astype(np.int64)
    parts = np.stack([sizes, np.diff(split.edge_ptr), sizes**2, sizes**3], 1)
    sums = np.stack([parts[one].sum(0) for one in batches])  # [batches, 4]
    found = [about]
    for place in sorted(set(sums.argmax(0)[:3].tolist())):
        extent = Extent(len(batches[place]), *map(float, sums[place]))
        found.append(
            Forecast(
                about.key,
                about.size,
                SHARE[task.train.precision] * memory(plan, extent, training).total,
                len(batches[place]),
            )
        )
    return max(found, key=taken)


def free(device: torch.device, processes: int) -> float:
    """Bytes that each process on this machine can have."""
    if device.type == "cuda":
        return float(torch.cuda.mem_get_info(device)[0])
    return available() / processes


def check_step(task: Task, room: float) -> None:
    """E0006 with the size of a batch that would fit, where one does not."""
    for one in forecasts(task):
        if one.taken > SURE * room and task.plan is not None and not guesses(task.plan.program):
            raise SpecError([refused(task, one, room)])


def guesses(program: Program) -> bool:
    """Whether the number of pairs of a set is a guess."""
    sets = (node.get("over") for _, section in program.sections() for node in section.nodes)
    return any(one.name in GUESSED for over in sets if isinstance(over, IndexSet) for one in over.chain)


def refused(task: Task, forecast: Forecast, room: float) -> Diagnostic:
    """The error."""
    key, size = forecast.key, forecast.size
    section, name = key.split(".")
    what = "training" if section == "data" else "scoring"
    message = f"{what} needs about {gigabytes(forecast.taken)} for its largest batch, and {gigabytes(room)} are free"
    fits = fitting(task, forecast, room)
    cure = "make a size in `model.sizes` smaller: not even the smallest batch fits"
    if fits:
        cure = f"at most {fits:,} {size.unit} fit: `--set {key}={written(fits, size.unit)}`"
    note = f"of {forecast.graphs:,} graphs; values, gradients and what the gradient keeps, forecast from the plan"
    return Diagnostic("E0006", message, task.place(section, name), notes=(note,), help=cure)


def written(most: int, unit: str) -> str:
    """A size as the settings have it."""
    return str(most) if unit == "graphs" else f"'{most} nodes'"


def fitting(task: Task, forecast: Forecast, room: float) -> int:
    """The largest size whose forecast fits, 0 if none does."""
    low, high = 0, forecast.size.most
    fits = measure(task, forecast)
    while high - low > max(1, low // 50):
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) <= room else (low, middle)
    return low


def measure(task: Task, forecast: Forecast) -> Callable[[int], float]:
    """What batches of another size take."""
    plan, unit = task.plan, forecast.size.unit
    assert plan is not None
    if forecast.key == "data.batch_size":
        return lambda most: of_training(task, plan, BatchSize(most, unit)).taken
    splits = (task.data.val, task.data.test)
    return lambda most: max(of_scoring(task, plan, split, BatchSize(most, unit)).taken for split in splits)


def gigabytes(number: float) -> str:
    """Bytes for people."""
    return f"{number / 1e9:,.1f} GB" if number >= 1e8 else f"{number / 1e6:,.1f} MB"


def lines(task: Task, room: float) -> Iterator[str]:
    """What is forecast, for `--dry-run`."""
    for one in forecasts(task):
        what = "a step of training" if one.key == "data.batch_size" else "a batch of scoring"
        guess = ", pairs of a set guessed" if task.plan and guesses(task.plan.program) else ""
        yield f"forecast: {gigabytes(one.taken)} for {what}, {one.graphs:,} graphs{guess}; {gigabytes(room)} are free"
