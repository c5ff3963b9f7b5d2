"""What a run would take, from a few real steps: `archspec train --dry-run`."""

import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby, islice

import numpy as np
import torch
from torch import nn

from archspec.data.batching import in_order
from archspec.data.load import DataSet
from archspec.data.split import Split
from archspec.runtime.batch import Batch
from archspec.train import memory
from archspec.train.batches import lines
from archspec.train.display import clock
from archspec.train.engine import Engine
from archspec.train.tally import Tally

WARM, MEASURED = 2, 5
MEGABYTE = 2**20


@dataclass(frozen=True)
class Estimate:
    """Figures of a few steps."""

    step: float
    """Seconds of a step of training, the median."""
    score: float
    """Seconds of a batch of evaluation, the median."""
    epoch: float
    """Seconds of an epoch, validation and (averaged) test included."""
    memory: float
    """Bytes at the peak."""


def estimate(engine: Engine) -> Estimate:
    """Make a few steps and evaluate a few batches; the weights of the module are spent afterwards."""
    task, settings = engine.task, engine.settings
    val, graphs = task.data.val, engine.sampler.epoch(0)
    tally = Tally(engine.kind)
    engine.collect(islice(task.data.train.batches(graphs), WARM))
    engine.module.train()
    step = timed(task.data.train.batches(graphs), lambda batch: engine.step(batch, 0, tally))
    engine.module.eval()
    with torch.no_grad():
        score = timed(val.batches(in_order(val, engine.eval_size)), engine.measure)
    rounds = {"val": 1.0, "test": 1 / settings.test_every if settings.test_every else 0.0}
    scoring = sum(part * len(in_order(task.data.splits[name], engine.eval_size)) for name, part in rounds.items())
    return Estimate(step, score, engine.steps * step + scoring * score, peak_memory(engine.device))


def timed(batches: Iterator[Batch], work: Callable[[Batch], object]) -> float:
    """The median time of cutting a batch and working on it, the first ones aside if there are enough."""
    times = []
    for _ in range(WARM + MEASURED):
        began = time.perf_counter()
        batch = next(batches, None)
        if batch is None:
            break
        work(batch)
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        times.append(time.perf_counter() - began)
    return statistics.median(times[WARM:] or times)


def peak_memory(device: torch.device) -> float:
    """Bytes at the peak so far: on a GPU those of tensors, else those of the process."""
    if device.type == "cuda":
        return float(torch.cuda.max_memory_allocated(device))
    kept = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return float(kept if sys.platform == "darwin" else kept * 1024)


def report(engine: Engine) -> list[str]:
    """Data, parameters, memory and time, as lines."""
    data, batches = engine.task.data, engine.steps
    room = memory.free(engine.device, 1)
    memory.check_step(engine.task, room)
    found = estimate(engine)
    what = "of the whole process" if engine.device.type == "cpu" else "of tensors on the GPU"
    epochs = engine.settings.epochs
    return [
        *data_lines(data),
        *(f"  {line}" for line in lines(engine)),
        "",
        *parameter_lines(engine.module),
        "",
        f"memory: about {found.memory / MEGABYTE:,.0f} MB at the peak, {what}",
        *(f"        {line}" for line in memory.lines(engine.task, room)),
        f"time: about {1000 * found.step:.0f} ms a step, {batches} steps an epoch",
        f"      {found.epoch:.1f} s an epoch with scores, at most {clock(found.epoch * epochs)} for {epochs} epochs",
        f"(estimated from {MEASURED} steps and {MEASURED} batches of evaluation on {engine.device})",
    ]


def data_lines(data: DataSet) -> list[str]:
    """Sizes of the splits and how frequent each class is."""
    lines = [f"data set {data.name}"]
    lines += [f"  {name:<6}{split_line(split)}" for name, split in data.splits.items()]
    return [*lines, f"  {label_line(data)}"]


def label_line(data: DataSet) -> str:
    """How frequent each class is, or what the numbers are like."""
    y, facts = data.train.labels, data.facts
    if y.ndim == 1:
        counts = np.bincount(y, minlength=facts.out)
        shares = ", ".join(f"{label}: {100 * count / len(y):.1f} %" for label, count in enumerate(counts))
        return f"classes of the training {facts.level}s: {shares}"
    if facts.kind == "multi-label":
        return f"{facts.out} answers of yes or no a {facts.level}, in training {100 * np.nanmean(y):.1f} % yes"
    return f"in training mean {np.nanmean(y):.4g}, standard deviation {np.nanstd(y):.4g}"


def split_line(split: Split) -> str:
    """Graphs, nodes, edges."""
    graphs = len(split)
    if split.packed.mask is not None:
        rows, level = len(split.packed.y), split.packed.level
        nodes = "" if level == "node" else f" {split.nodes:,} nodes and"
        return f"{len(split.labels):>7,} of {rows:,} {level}s of one graph with{nodes} {split.edges:,} directed edges"
    return (
        f"{graphs:>7,} graphs, {split.nodes / graphs:>6.1f} nodes and {split.edges / graphs:>8.1f} directed edges each"
    )


def parameter_lines(module: nn.Module) -> list[str]:
    """Parameters by section, layers of equal size together."""
    counts: dict[str, int] = {}
    for name, parameter in module.named_parameters():
        counts[section(name)] = counts.get(section(name), 0) + parameter.numel()
    frozen = sum(one.numel() for one in module.parameters() if not one.requires_grad)
    total = f"{sum(counts.values()):,} parameters" + (f", {frozen:,} of them frozen" if frozen else "")
    return [total, *(f"  {line}" for line in gathered(counts.items()))]


def section(name: str) -> str:
    """The part of the model a parameter is in: `layers.2` of `layers.2.mlp.linear.weight`, else the first word."""
    words = name.split(".")
    return ".".join(words[:2]) if words[0] == "layers" else words[0]


def gathered(counts: Iterable[tuple[str, int]]) -> Iterator[str]:
    """One line for neighbouring sections of the same kind and size."""
    for (_kind, count), group in groupby(counts, key=lambda one: (one[0].split(".")[0], one[1])):
        names = [name for name, _ in group]
        if len(names) == 1:
            yield f"{names[0]:<22}{count:>10,}"
        else:
            yield f"{names[0] + ' … ' + names[-1]:<22}{count:>10,} each, {count * len(names):,} in all"
