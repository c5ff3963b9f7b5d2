"""Forecasts of memory and time against what was made: `python benchmarks/cost.py steps|epochs > results/cost.md`.

A forecast of a step knows how many nodes, edges and pairs its batch has and what this machine takes for every kernel
(`archspec cost --calibrate`), for which no spec was run but `gin`, on batches of tiny graphs. Times are those of the
processor, with one thread, so that other programs on the machine count less; a step of `gin` is made beside every spec
to show how much they do. Memory is what torch's allocator gives while a step is made, beside weights and what the
optimiser holds.

A forecast of an epoch is the figure that `archspec cost` prints, which knows no more than the averages of the data set.
It stands beside the second and third epoch of a run with records, scores of validation and test, and checkpoints.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import torch

from archspec.commands.opening import assemble, completed
from archspec.cost.bill import bill
from archspec.cost.extent import Extent, of_facts
from archspec.cost.figures import runs
from archspec.cost.machine import known
from archspec.cost.memory import memory
from archspec.cost.time import step
from archspec.data.batching import Indices
from archspec.pipeline import compile_spec, facts_of
from archspec.runtime import malloc
from archspec.syntax.load import load_spec
from archspec.train import device
from archspec.train.display import Silent
from archspec.train.engine import Engine
from archspec.train.folder import RunFolder
from archspec.train.run import Machine, start
from archspec.train.structure import prepared
from archspec.train.tally import Tally
from tests.compiling import WHOLE
from tests.measuring import peak_bytes

STEPS = 6
MOST = 1.2e9
"""Bytes of activations at most: batches are made smaller until they fit."""

LEFT_OUT = ("colouring_pairs", "gin")
"""The spec that was used to fit, and one whose data set does not say how many pairs it lists."""

LOOKED_AT = (
    *("appnp", "ckgconv", "content_attention", "edge_bias_transformer", "egt"),
    *("exphormer", "gated_gcn", "gcnii", "gin_sigmoid_eps", "gine", "grit"),
)
"""Specs from whose steps it was found out what the forecast left out or had wrong; all others count by themselves."""

EPOCHS = (
    *("content_attention", "gat", "gcn", "gine", "gps", "graph_sage"),
    *("graph_transformer", "jumping_knowledge", "position_attention", "position_gating"),
)
"""Specs of which epochs are made."""

GRAPHS = 160
"""Of every split of those."""


class Row(NamedTuple):
    """What was forecast and what was made."""

    name: str
    batch: int
    data: str
    planned: Sequence[float]
    """Seconds forecast of every step."""
    seconds: Sequence[float]
    expected: float
    """Bytes forecast."""
    memory: float
    beside: float
    """Seconds of the step of `gin` made beside it, over their first."""

    @property
    def time(self) -> float:
        """Forecast over made, the median of the steps."""
        return statistics.median(one / other for one, other in zip(self.planned, self.seconds, strict=True))


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

    def extents(self) -> list[Extent]:
        """The sizes of its batches."""
        return [self.extent(graphs) for graphs in self.graphs]

    def extent(self, graphs: Indices) -> Extent:
        """The sizes of a batch."""
        sizes = self.train.packed.sizes[graphs].astype(float)
        nodes, squared, cubed = (float((sizes**power).sum()) for power in (1, 2, 3))
        return Extent(len(graphs), nodes, float(len(self.train.batch(graphs).N)), squared, cubed)

    def step(self, number: int) -> None:
        """Cut a batch and train on it."""
        self.engine.step(self.train.batch(self.graphs[number]), number, self.tally)

    def seconds(self) -> list[float]:
        """What every step took but the first, in which there are looks at values and memory is new."""
        times = []
        for number in range(len(self.graphs)):
            began = time.process_time()
            self.step(number)
            times.append(time.process_time() - began)
        return times[1:]

    def memory(self) -> float:
        """Bytes of a step at the peak, the mean over some."""
        return statistics.mean(peak_bytes(lambda number=number: self.step(number)) for number in MEMORY)


MEMORY = (1, 2)
"""The steps whose memory is measured."""


def forecast(name: str, extent: Extent) -> tuple[float, float]:
    """Seconds and bytes of a step on a batch of this size."""
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
        beside, made = statistics.median(reference.seconds()) / first, maker.seconds()
        planned = [forecast(name, extent) for extent in maker.extents()]
        expected = statistics.mean(planned[number][1] for number in MEMORY)
        data, times = maker.engine.task.data.name, [seconds for seconds, _ in planned[1:]]
        found.append(Row(name, batch, data, times, made, expected, maker.memory(), beside))
        print(line(found[-1]), file=sys.stderr, flush=True)
    return found


def line(row: Row) -> str:
    """A row of the table."""
    name = f"{row.name}{' *' * (row.name in LOOKED_AT)}"
    times = f"{1e3 * statistics.median(row.planned):.1f} | {1e3 * statistics.median(row.seconds):.1f} | {row.time:.2f}"
    sizes = f"{row.expected / 1e6:.1f} | {row.memory / 1e6:.1f} | {row.expected / row.memory:.2f}"
    return f"| {name} | {row.data} | {row.batch} | {times} | {row.beside:.2f} | {sizes} |"


def within(ratios: Sequence[float], share: float) -> str:
    """How many forecasts are so near."""
    return f"{sum(abs(ratio - 1) <= share for ratio in ratios)} of {len(ratios)} within {100 * share:.0f} %"


def told(what: str, ratios: Sequence[float]) -> str:
    """How near forecasts of one thing are."""
    return f"{what}: {within(ratios, 0.2)}, {within(ratios, 0.1)}, median ratio {statistics.median(ratios):.2f}."


def report(found: Sequence[Row]) -> str:
    """The table and what it says."""
    apart = [row.time for row in found if row.name not in LOOKED_AT]
    looked = [row.time for row in found if row.name in LOOKED_AT]
    head = "| spec | data | graphs | ms forecast | ms made | ratio | gin beside | MB forecast | MB made | ratio |"
    return "\n".join(
        [
            f"Forecasts of a step of training, {known().name}; see `benchmarks/cost.py`.",
            "",
            *([told("Time, specs that were never looked at", apart)] if apart else []),
            *([told("Time, specs that were looked at (*)", looked)] if looked else []),
            told("Memory", [row.expected / row.memory for row in found]),
            "",
            head,
            "| --- | --- |" + " ---: |" * 8,
            *map(line, found),
        ]
    )


class Clock:
    """Notes the time of the processor after every epoch of a run."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def follow(self, folder: RunFolder, say: Callable[[str], None]) -> "Clock":
        """Itself, as what follows the run."""
        return self

    def epoch(self) -> None:
        """An epoch is recorded."""
        self.times.append(time.process_time())

    def close(self) -> None:
        """The run is over."""


def epochs(name: str) -> tuple[float, float]:
    """Seconds of an epoch, forecast and made: the mean of two after the first."""
    given = [
        f"data.limit={GRAPHS}",
        "data.batch_size=32",
        "train.epochs=3",
        "train.test_every=1",
        "train.schedule={name: constant}",
    ]
    spec = completed(load_spec(name, given), None, Silent())
    compiled = compile_spec(spec)
    planned = bill(spec, compiled.program, compiled.plan, facts_of(spec)).epoch
    task = prepared(assemble(spec, None, Silent()), None, Silent(), ["train", "val", "test"])
    clock = Clock()
    with tempfile.TemporaryDirectory() as folder:
        start(task, Path(folder) / "run", Machine(device.choose("cpu"), "tuned"), Silent(), {}, clock.follow)
    assert planned is not None
    return planned, (clock.times[-1] - clock.times[0]) / (len(clock.times) - 1)


def report_of_epochs(names: Sequence[str]) -> str:
    """A table of epochs and what it says."""
    found = {}
    for name in names:
        found[name] = epochs(name)
        print(name, *found[name], file=sys.stderr, flush=True)
    ratios = {name: planned / made for name, (planned, made) in found.items()}
    return "\n".join(
        [
            f"Forecasts of an epoch of {GRAPHS} graphs and scores of as many twice, {known().name}.",
            "",
            told("Time", [*ratios.values()]),
            "",
            "| spec | s forecast | s made | ratio |",
            "| --- | ---: | ---: | ---: |",
            *(f"| {name} | {one:.2f} | {other:.2f} | {ratios[name]:.2f} |" for name, (one, other) in found.items()),
        ]
    )


REPORTS: dict[str, tuple[Callable[[Sequence[str]], str], Sequence[str]]] = {
    "steps": (lambda names: report(rows(names)), [name for name in WHOLE if name not in LEFT_OUT]),
    "epochs": (report_of_epochs, EPOCHS),
}
"""What can be reported, and of which specs."""


if __name__ == "__main__":
    torch.set_num_threads(1)
    malloc.tune()
    what, *names = sys.argv[1:] or ["steps"]
    function, usual = REPORTS[what]
    print(function(names or usual))
