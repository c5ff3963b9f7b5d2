"""Complete training steps on batches of graphs of like size (`data.buckets`) against batches of any sizes.

    python benchmarks/buckets.py [--rounds 5] [-o benchmarks/results/buckets.md]

The same graphs go through the same module, once an epoch, in batches drawn with and without buckets; all take turns in
one process on one thread. Figures are the thread's CPU time for an epoch, ratios are medians of the rounds' ratios.
Attention is computed as a plan has it on a CPU, without padding, and padded to the largest graph of the batch, which is
what a GPU runs (here it is timed on the CPU as well).
"""

import argparse
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path
from statistics import median

import numpy as np
import torch
import torch.nn.functional as F
from start import processor
from step import MOLECULES, PATTERN, ROOT, molecule
from torch import nn

from archspec.data import pattern
from archspec.data.batching import BatchSampler, BatchSize
from archspec.data.packed import joined
from archspec.data.split import Split
from archspec.facts import Facts
from archspec.pipeline import build
from archspec.runtime import attention, malloc
from archspec.syntax.load import load_spec

BUCKETS = (1, 4, 8, 16)
FORMS = {"as on a CPU": attention.attention_dense, "padded": attention.padded_attention}


@dataclass(frozen=True)
class Case:
    """Graphs and the size of batches."""

    name: str
    facts: Facts
    split: Split
    size: int

    def batches(self, buckets: int, epoch: int) -> list[np.ndarray]:
        """Those of an epoch."""
        return BatchSampler(self.split, BatchSize(self.size, "graphs"), buckets, 0).epoch(epoch)

    def wasted(self, buckets: int) -> float:
        """The share of padding where graphs are padded to n × n of the largest in the batch; mean of five epochs."""
        sizes = self.split.packed.sizes.astype(np.int64)
        padded = [sum(len(one) * sizes[one].max() ** 2 for one in self.batches(buckets, epoch)) for epoch in range(5)]
        return 1 - float(np.mean((sizes**2).sum() / np.array(padded)))


def cases() -> Iterator[Case]:
    """PATTERN, and molecules in small and usual batches."""
    yield Case("PATTERN", PATTERN, Split(joined(list(pattern.generate(0, "train", 1024))), True), 32)
    draw = np.random.default_rng(0)
    molecules = Split(joined([molecule(draw) for _ in range(4096)]), True)
    yield Case("molecules", MOLECULES, molecules, 32)
    yield Case("molecules", MOLECULES, molecules, 128)


def epoch(module: nn.Module, split: Split, batches: list[np.ndarray]) -> float:
    """CPU seconds of a training step on every batch."""
    adam = torch.optim.Adam(module.parameters(), lr=1e-4, fused=True)
    start = time.thread_time()
    for graphs in batches:
        batch = split.batch(graphs)
        adam.zero_grad()
        F.cross_entropy(module(batch), batch.y).backward()
        adam.step()
    return time.thread_time() - start


def measured(case: Case, spec: str, form: str, rounds: int) -> dict[int, list[float]]:
    """Seconds of an epoch in every round by buckets, in turn; a short first round only warms up."""
    module = build(load_spec(ROOT / "specs" / f"{spec}.yaml", ["model.stack=2 * layer"]), case.facts).module
    emitted = vars(sys.modules[type(module).__module__])
    if "attention_sdpa" in emitted:
        emitted["attention_sdpa"] = FORMS[form]
    times: dict[int, list[float]] = {buckets: [] for buckets in BUCKETS}
    epoch(module, case.split, case.batches(1, 0)[:4])
    for number in range(rounds):
        for buckets, found in times.items():
            found.append(epoch(module, case.split, case.batches(buckets, number)))
    return times


def rows(rounds: int) -> Iterator[str]:
    """A line for every case, spec and form."""
    for case in cases():
        for spec, form in (("gin", "as on a CPU"), *(("content_attention", form) for form in FORMS)):
            times = measured(case, spec, form, rounds)
            gains = [median(a / b for a, b in zip(times[1], times[k], strict=True)) for k in BUCKETS[1:]]
            figures = " | ".join(f"**{gain:.2f}**" for gain in gains)
            operations = "sums over N" if spec == "gin" else f"attention, {form}"
            milliseconds = 1000 * median(times[1]) * case.size / len(case.split)
            yield f"| {case.name} | {case.size} | `{spec}`: {operations} | {milliseconds:.1f} | {figures} |"
            print(case.name, case.size, spec, form, figures, file=sys.stderr)


def report(rounds: int) -> str:
    """The page of results."""
    heads = " | ".join(f"{buckets} buckets" for buckets in BUCKETS[1:])
    lines = [
        "# Batches of graphs of like size",
        "",
        f"`python benchmarks/buckets.py`, {date.today()}: {processor()}, one thread of a shared machine; torch",
        f"{version('torch')}, float32. A complete training step (cutting the batch, forward, backward, Adam) of two",
        f"layers; CPU time of whole epochs, in turn in one process, medians of {rounds} rounds. 1,024 graphs of",
        "PATTERN; 4,096 random molecules of ZINC's sizes. No GPU was measured: the padded form, which a GPU runs, was",
        "timed on the CPU.",
        "",
        "## How many times as fast",
        f"| graphs | batch | step | by chance, ms a step | {heads} |",
        "|---|---|---|---|" + "---|" * len(BUCKETS[1:]),
        *rows(rounds),
        "",
        "## Share that is padding, where every graph is padded to n × n of the largest in its batch",
        f"| graphs | batch | by chance | {heads} |",
        "|---|---|---|" + "---|" * len(BUCKETS[1:]),
        *(
            f"| {case.name} | {case.size} | " + " | ".join(f"{100 * case.wasted(k):.0f} %" for k in BUCKETS) + " |"
            for case in cases()
        ),
    ]
    return "\n".join([*lines, ""])


def main() -> None:
    """Measure, and write or print the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("-o", "--output", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    malloc.tune()
    text = report(arguments.rounds)
    if arguments.output:
        arguments.output.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
