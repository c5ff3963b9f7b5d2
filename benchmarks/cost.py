"""Forecasts of memory and time against steps of training that were made: `python benchmarks/cost.py > results/cost.md`.

A forecast knows how many nodes, edges and pairs the batches have and what this machine takes for every kernel
(`archspec cost --calibrate`), for which no spec was run but `gin`, on batches of tiny graphs. Times are those of the
processor, with one thread, so that other programs on the machine count little; a step of `gin` is made beside every
spec to show how much they do. Memory is what torch's allocator gives while a step is made, beside weights and what the
optimiser holds.
"""

import statistics
import sys
import time
from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple

import torch

from archspec.commands.opening import assemble, completed
from archspec.cost.extent import Extent, of_facts
from archspec.cost.figures import runs
from archspec.cost.machine import known
from archspec.cost.memory import memory
from archspec.cost.time import step
from archspec.pipeline import compile_spec, facts_of
from archspec.runtime import malloc
from archspec.syntax.load import load_spec
from archspec.train import device
from archspec.train.display import Silent
from archspec.train.engine import Engine
from archspec.train.structure import prepared
from archspec.train.tally import Tally
from tests.compiling import WHOLE
from tests.measuring import peak_bytes

STEPS = 6
MOST = 1.2e9
"""Bytes of activations at most: batches are made smaller until they fit."""

LEFT_OUT = ("colouring_pairs", "gin")
"""The spec that was used to fit, and one whose data set does not say how many pairs it lists."""


class Row(NamedTuple):
    """What was forecast and what was made."""

    name: str
    batch: int
    data: str
    planned: float
    """Seconds forecast."""
    seconds: float
    expected: float
    """Bytes forecast."""
    memory: float
    beside: float
    """Seconds of the step of `gin` made beside it, over their first."""


class Maker:
    """Makes steps of a spec on batches of so many graphs."""

    def __init__(self, name: str, batch: int):
        overrides = [f"data.limit={batch * STEPS}", f"data.batch_size={batch}"]
        spec = completed(load_spec(name, overrides), None, Silent())
        task = prepared(assemble(spec, None, Silent()), None, Silent(), ["train"])
        self.engine = Engine(task, device.choose("cpu"))
        self.train, self.tally = task.data.train, Tally(self.engine.kind)
        self.engine.collect(islice(self.train.batches(self.engine.sampler.epoch(0)), 2))
        self.engine.module.train()
        self.graphs = list(islice(self.engine.sampler.epoch(0), STEPS))

    def extent(self) -> Extent:
        """The sizes of its batches on average."""
        sizes = [self.train.packed.sizes[graphs].astype(float) for graphs in self.graphs]
        edges = [float(len(self.train.batch(graphs).N)) for graphs in self.graphs]
        powers = [statistics.mean(float((one**power).sum()) for one in sizes) for power in (1, 2, 3)]
        nodes, squared, cubed = powers
        return Extent(len(self.graphs[0]), nodes, statistics.mean(edges), squared, cubed)

    def step(self, number: int) -> None:
        """Cut a batch and train on it."""
        self.engine.step(self.train.batch(self.graphs[number]), number, self.tally)

    def seconds(self) -> list[float]:
        """What every step took."""
        times = []
        for number in range(len(self.graphs)):
            began = time.process_time()
            self.step(number)
            times.append(time.process_time() - began)
        return times[1:]

    def memory(self) -> float:
        """Bytes of a step at the peak, the mean over some."""
        return statistics.mean(peak_bytes(lambda number=number: self.step(number)) for number in range(2))


def forecast(name: str, extent: Extent) -> tuple[float, float]:
    """Seconds and bytes of a step on batches of these sizes."""
    plan = compile_spec(load_spec(name)).plan
    taken = memory(plan, extent)
    return step(plan, runs(plan, extent), extent, known()).training, taken.activations + taken.batch


def fitting(name: str) -> int:
    """The largest batch whose activations fit."""
    facts, batch = facts_of(load_spec(name)), 32
    while batch > 1 and forecast(name, of_facts(facts, batch))[1] > MOST:
        batch //= 2
    return batch


def rows(names: Sequence[str]) -> list[Row]:
    """Every spec measured."""
    reference = Maker("gin", 32)
    first = statistics.median(reference.seconds())
    found = []
    for name in names:
        batch = fitting(name)
        maker = Maker(name, batch)
        beside = statistics.median(reference.seconds()) / first
        made, (planned, expected) = statistics.median(maker.seconds()), forecast(name, maker.extent())
        data = maker.engine.task.data.name
        found.append(Row(name, batch, data, planned, made, expected, maker.memory(), beside))
        print(line(found[-1]), file=sys.stderr, flush=True)
    return found


def line(row: Row) -> str:
    """A row of the table."""
    times = f"{1e3 * row.planned:.1f} | {1e3 * row.seconds:.1f} | {row.planned / row.seconds:.2f}"
    sizes = f"{row.expected / 1e6:.1f} | {row.memory / 1e6:.1f} | {row.expected / row.memory:.2f}"
    return f"| {row.name} | {row.data} | {row.batch} | {times} | {row.beside:.2f} | {sizes} |"


def within(ratios: Sequence[float], share: float) -> str:
    """How many forecasts are so near."""
    return f"{sum(abs(ratio - 1) <= share for ratio in ratios)} of {len(ratios)} within {100 * share:.0f} %"


def report(found: Sequence[Row]) -> str:
    """The table and what it says."""
    times = [row.planned / row.seconds for row in found]
    fair = [row.planned * row.beside / row.seconds for row in found]
    sizes = [row.expected / row.memory for row in found]
    head = "| spec | data | graphs | ms forecast | ms made | ratio | gin beside | MB forecast | MB made | ratio |"
    return "\n".join(
        [
            f"Forecasts of a step of training, {known().name}; see `benchmarks/cost.py`.",
            "",
            f"Time: {within(times, 0.2)}, {within(times, 0.1)}, median ratio {statistics.median(times):.2f}.",
            f"Time by that of the step of gin beside it: {within(fair, 0.2)}, {within(fair, 0.1)}.",
            f"Memory: {within(sizes, 0.2)}, {within(sizes, 0.1)}, median ratio {statistics.median(sizes):.2f}.",
            "",
            head,
            "| --- | --- |" + " ---: |" * 8,
            *map(line, found),
        ]
    )


if __name__ == "__main__":
    torch.set_num_threads(1)
    malloc.tune()
    print(report(rows(sys.argv[1:] or [name for name in WHOLE if name not in LEFT_OUT])))
