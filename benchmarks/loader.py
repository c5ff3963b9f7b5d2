"""Shuffled batches: archspec's cut from packed arrays, against PyG's DataLoader over the same graphs.

    python benchmarks/loader.py [--rounds 15] [-o benchmarks/results/loader.md]

Both sides give the same graphs in the same order, which is compared first. Then they take turns in one process on one
thread, each cutting the same shuffled batches of a round; figures are medians of the thread's CPU time for a batch, and
ratios medians of the rounds' ratios. PyG reads from a list of `Data` objects, and from an `InMemoryDataset`, which is
what its own data sets are. It has no worker processes: they would hide time behind other work, not save any.
"""

import argparse
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from importlib.metadata import version
from pathlib import Path
from statistics import median

import numpy as np
import torch
from start import processor
from step import molecule
from torch_geometric.data import Data, InMemoryDataset
from torch_geometric.loader import DataLoader

from archspec.data import pattern
from archspec.data.packed import Packed, joined
from archspec.data.split import Split
from archspec.runtime import malloc

BATCHES = 8  # batches of a round
BOND_LETTERS = 4


class Collated(InMemoryDataset):
    """PyG's own form of a data set in memory: one object of all graphs, from which each is cut."""

    def __init__(self, graphs: list[Data]):
        super().__init__(None)
        self.data, self.slices = self.collate(graphs)


@dataclass(frozen=True)
class Case:
    """Graphs on both sides."""

    name: str
    batch_size: int
    split: Split
    forms: dict[str, Iterable[Data]]


def cases() -> Iterator[Case]:
    """PATTERN as training cuts it, and molecules in small and in usual batches."""
    yield case("PATTERN", 32, joined(list(pattern.generate(0, "train", 32 * BATCHES))))
    draw = np.random.default_rng(0)
    molecules = with_bonds(joined([molecule(draw) for _ in range(128 * BATCHES)]), draw)
    yield case("molecules", 32, molecules)
    yield case("molecules", 128, molecules)


def with_bonds(packed: Packed, draw: np.random.Generator) -> Packed:
    """The molecules with a letter for each edge and a number for each graph, as ZINC has them."""
    e = draw.integers(BOND_LETTERS, size=len(packed.source)).astype(np.uint8)
    return replace(packed, e=e, y=draw.normal(size=(packed.graphs, 1)).astype(np.float32), level="graph")


def case(name: str, batch_size: int, packed: Packed) -> Case:
    """The graphs for both sides."""
    split = Split(packed, symmetric=True)
    singles = [split.batch([number]) for number in range(len(split))]
    graphs = [
        Data(x=one.x, edge_index=torch.stack([one.N.index, one.N.target]), y=one.y)
        if one.e is None
        else Data(x=one.x, edge_index=torch.stack([one.N.index, one.N.target]), y=one.y, edge_attr=one.e)
        for one in singles
    ]
    return Case(name, batch_size, split, {"a list of `Data`": graphs, "an `InMemoryDataset`": Collated(graphs)})


class Order(torch.utils.data.Sampler):
    """The order of a round, the same for all."""

    def __init__(self, graphs: int):
        self.order = np.arange(graphs)

    def __len__(self) -> int:
        return len(self.order)

    def __iter__(self) -> Iterator[int]:
        return iter(self.order.tolist())


def compare(ours: Iterable, theirs: Iterable) -> None:
    """Stop unless both give the same batches."""
    for one, other in zip(ours, theirs, strict=True):
        index = torch.stack([one.N.index, one.N.target])
        pairs = [(one.x, other.x), (index, other.edge_index), (one.y, other.y), (one.node_ptr, other.ptr)]
        if one.e is not None:
            pairs.append((one.e, other.edge_attr))
        assert all(torch.equal(mine, its) for mine, its in pairs)


def measured(one: Case, rounds: int) -> dict[str, list[float]]:
    """Milliseconds a batch of every form in every round, in turn; the first round only warms up."""
    order = Order(len(one.split))
    loaders = {name: DataLoader(graphs, one.batch_size, sampler=order) for name, graphs in one.forms.items()}
    forms: dict[str, Callable[[], Iterable]] = {
        "archspec": lambda: one.split.batches(
            np.split(order.order, range(one.batch_size, len(order.order), one.batch_size))
        ),
        **{name: lambda loader=loader: loader for name, loader in loaders.items()},
    }
    times: dict[str, list[float]] = {name: [] for name in forms}
    draw = np.random.default_rng(1)
    for number in range(rounds + 1):
        order.order = draw.permutation(len(one.split))[: BATCHES * one.batch_size]
        if number == 0:
            for loader in loaders.values():
                compare(forms["archspec"](), loader)
        for name, make in forms.items():
            start = time.thread_time()
            count = sum(1 for _ in make())
            times[name].append(1000 * (time.thread_time() - start) / count)
    return {name: values[1:] for name, values in times.items()}


def report(rounds: int) -> str:
    """The page of results."""
    lines = [
        "# Batches: archspec and PyG's DataLoader",
        "",
        f"`python benchmarks/loader.py`, {date.today()}: {processor()}, one thread of a shared machine;",
        f"torch {version('torch')}, torch-geometric {version('torch-geometric')}. CPU time of the thread for a",
        f"shuffled batch, medians of {rounds} rounds of {BATCHES} batches, the forms in turn; ratios are medians of",
        "the rounds' ratios. The batches were equal. Molecules are random, of ZINC's sizes (12 to 34 nodes, about 49",
        "directed edges), with a letter an atom and a bond and one number a molecule. PyG has no worker processes.",
        "",
        "| graphs | batch | archspec, ms | PyG from | PyG, ms | PyG / archspec |",
        "|---|---|---|---|---|---|",
    ]
    for one in cases():
        times = measured(one, rounds)
        ours = times.pop("archspec")
        for name, theirs in times.items():
            ratio = median(other / own for own, other in zip(ours, theirs, strict=True))
            row = (one.name, one.batch_size, f"{median(ours):.3f}", name, f"{median(theirs):.2f}", f"**{ratio:.1f}**")
            lines.append("| " + " | ".join(map(str, row)) + " |")
    return "\n".join([*lines, ""])


def main() -> None:
    """Measure, and write or print the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("-o", "--output", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    malloc.tune()
    text = report(arguments.rounds)
    if arguments.output:
        arguments.output.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
