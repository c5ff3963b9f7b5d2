"""Cutting batches: archspec's packed splits against PyG's DataLoader, on the same graphs in the same order.

    python benchmarks/loader.py [--rounds 15] [-o benchmarks/results/loader.md]

Both run in this process on one thread, in turns; figures are medians of the thread's CPU time a batch. The batches are
compared before anything is timed. PyG's graphs are in memory; archspec's are too, as arrays.
"""

import argparse
import platform
import time
from collections.abc import Iterator
from datetime import date
from importlib.metadata import version
from pathlib import Path
from statistics import median

import numpy as np
import torch
from start import processor
from step import MOLECULES, Source, molecule, source
from torch_geometric.loader import DataLoader

from archspec.data import pattern
from archspec.data.packed import joined
from archspec.facts.table import TABLE

GRAPHS = {"PATTERN": 640, "molecules": 4000}


def sets() -> dict[str, Source]:
    """PATTERN in batches of 32, molecules of ZINC's size in batches of 128."""
    draw = np.random.default_rng(0)
    graphs = joined(list(pattern.generate(0, "train", GRAPHS["PATTERN"])))
    molecules = joined([molecule(draw) for _ in range(GRAPHS["molecules"])])
    return {"PATTERN": source(TABLE["pattern"], 32, graphs), "molecules": source(MOLECULES, 128, molecules)}


def ours(one: Source, order: np.ndarray) -> Iterator[object]:
    """archspec's batches."""
    return one.split.batches(one.batch_size, order)


def theirs(one: Source, order: np.ndarray) -> Iterator[object]:
    """PyG's batches."""
    return iter(DataLoader(one.graphs, one.batch_size, sampler=order.tolist()))


def check(one: Source, order: np.ndarray) -> None:
    """Both give the same batches."""
    for mine, other in zip(ours(one, order), theirs(one, order), strict=True):
        assert torch.equal(mine.x, other.x)
        assert torch.equal(mine.y, other.y)
        assert torch.equal(mine.node_ptr, other.ptr)
        assert torch.equal(torch.stack([mine.N.index, mine.N.target]), other.edge_index)


def timed(batches: Iterator[object]) -> float:
    """Milliseconds of CPU time a batch."""
    began, count = time.thread_time(), sum(1 for _ in batches)
    return 1000 * (time.thread_time() - began) / count


def row(name: str, one: Source, rounds: int) -> str:
    """A line of the table."""
    order = np.random.default_rng(1).permutation(len(one.split))
    check(one, order)
    times = [(timed(ours(one, order)), timed(theirs(one, order))) for _ in range(rounds)]
    mine, other = (median(column) for column in zip(*times, strict=True))
    sizes = f"{one.split.nodes / len(one.split):.0f} nodes, {one.split.edges / len(one.split):.0f} edges"
    return f"| {name}, {sizes} a graph | {one.batch_size} | {mine:.3f} | {other:.2f} | {other / mine:.0f} |"


def main() -> None:
    """Measure and print, or write."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("-o", "--output", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    lines = [
        "# Cutting batches",
        "",
        f"`python benchmarks/loader.py`, {date.today()}: medians of {options.rounds} rounds, CPU time of one thread.",
        f"{processor()}, Python {platform.python_version()}, torch {torch.__version__},",
        f"torch-geometric {version('torch-geometric')}.",
        "",
        "| graphs | graphs a batch | archspec, ms | PyG's DataLoader, ms | times as fast |",
        "|---|---|---|---|---|",
        *(row(name, one, options.rounds) for name, one in sets().items()),
    ]
    text = "\n".join(lines) + "\n"
    if options.output:
        options.output.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
