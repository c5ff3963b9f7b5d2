"""A complete training step (batch, forward, backward, optimiser): compiled specs against the same models in PyG.

    python benchmarks/step.py [--rounds 15] [-o benchmarks/results/step.md]

Both sides get the same graphs and the same weights; outputs and gradients are compared in float64 before anything is
timed. Then all variants of a row take turns in one process on one thread, with fused Adam on both sides. Figures are
medians of the thread's CPU time. Everything is measured twice, each time in a process of its own: with glibc's malloc
tuned for all variants, and as installed.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from importlib.metadata import version
from itertools import count
from pathlib import Path
from statistics import median

import numpy as np
import torch
import torch.nn.functional as F
from pyg_models import GIN, ContentAttention, GPSAttention, PositionGating
from start import processor
from torch import Tensor, nn
from torch_geometric.data import Batch, Data

from archspec.data import pattern
from archspec.data.packed import Packed, joined
from archspec.data.split import Split
from archspec.facts import Facts
from archspec.facts.table import TABLE
from archspec.pipeline import build
from archspec.runtime import malloc
from archspec.syntax.load import load_spec

ROOT = Path(__file__).resolve().parent.parent
BATCHES = 6  # different batches that the steps go through
PATTERN = TABLE["pattern"]
MOLECULES = replace(
    PATTERN, name="molecules", letters=28, nodes=23.0, edges=49.0, max_nodes=34, density=0.085, padding=2.0
)


@dataclass(frozen=True)
class Source:
    """Graphs, in archspec's form and in PyG's."""

    facts: Facts
    batch_size: int
    split: Split
    graphs: list[Data]


def pattern_graphs() -> Source:
    """PATTERN in batches of 32."""
    return source(PATTERN, 32, joined(list(pattern.generate(0, "train", 32 * BATCHES))))


def molecule_graphs() -> Source:
    """Random connected graphs of 12 to 34 nodes and as many bonds plus 1 or 2, batches of 128: sizes like ZINC's."""
    draw = np.random.default_rng(0)
    return source(MOLECULES, 128, joined([molecule(draw) for _ in range(128 * BATCHES)]))


def molecule(draw: np.random.Generator) -> Packed:
    """A random tree whose nodes hang on one of the last four, closed to two or three rings."""
    nodes = int(draw.integers(12, 35))
    bonds = {(k, int(draw.integers(max(0, k - 4), k))) for k in range(1, nodes)}
    while len(bonds) < nodes + 1:
        later = int(draw.integers(6, nodes))
        bonds.add((later, later - 5))
    target, other = np.array(sorted({*bonds, *((b, a) for a, b in bonds)})).T
    degree = np.bincount(target, minlength=nodes)
    letters, classes = draw.integers(0, 28, nodes), draw.integers(0, 2, nodes)
    return Packed(np.array([nodes], np.int32), letters.astype(np.uint8), classes.astype(np.uint8), degree, other)


def source(facts: Facts, batch_size: int, packed: Packed) -> Source:
    """The graphs for both sides."""
    split = Split(packed, symmetric=True)
    batches = [split.batch([number]) for number in range(len(split))]
    graphs = [Data(x=one.x, edge_index=torch.stack([one.N.index, one.N.target]), y=one.y) for one in batches]
    return Source(facts, batch_size, split, graphs)


def edge_index(batch: Batch) -> Tensor:
    """PyG's usual form: gather and scatter."""
    return batch.edge_index


def csr(batch: Batch) -> Tensor:
    """PyG's other form: a sparse CSR adjacency, multiplied by torch; the edges are sorted by target already."""
    source, target = batch.edge_index
    ptr = torch.zeros(len(batch.x) + 1, dtype=torch.int64)
    torch.cumsum(torch.bincount(target, minlength=len(batch.x)), 0, out=ptr[1:])
    return torch.sparse_csr_tensor(ptr, source, torch.ones(len(source)), (len(batch.x), len(batch.x)))


ROWS = {
    "gin": {"PyG, edge_index": (GIN, edge_index), "PyG, CSR": (GIN, csr)},
    "content_attention": {
        "PyG, SDPA": (ContentAttention, edge_index),
        "PyG, MultiheadAttention": (GPSAttention, edge_index),
    },
    "position_gating": {
        "PyG, edge_index": (PositionGating, edge_index),
        "PyG, CSR": (PositionGating, csr),
    },
}

Step = Callable[[], None]


def step(module: nn.Module, cut: Callable[[int], tuple[tuple[object, ...], Tensor]]) -> Step:
    """A training step on the next batch; `cut` makes a module's arguments and the targets."""
    adam, numbers = torch.optim.Adam(module.parameters(), lr=1e-3, fused=True), count()

    def take() -> None:
        arguments, y = cut(next(numbers) % BATCHES)
        adam.zero_grad()
        F.cross_entropy(module(*arguments), y).backward()
        adam.step()

    return take


def our_cut(data: Source, number: int) -> tuple[tuple[object, ...], Tensor]:
    """A compiled module's arguments and the targets of a batch, cut from packed arrays."""
    batch = data.split.batch(range(number * data.batch_size, (number + 1) * data.batch_size))
    assert batch.y is not None
    return (batch,), batch.y


def their_cut(data: Source, form: Callable[[Batch], Tensor], number: int) -> tuple[tuple[object, ...], Tensor]:
    """The arguments of a model of PyG and the targets of a batch, collated from a list of graphs."""
    graphs = data.graphs[number * data.batch_size : (number + 1) * data.batch_size]
    batch = Batch.from_data_list(graphs)
    return (batch.x, form(batch), batch.batch), batch.y


def assert_same(ours: nn.Module, theirs: nn.Module, data: Source, form: Callable[[Batch], Tensor]) -> None:
    """Copy the weights and compare outputs and all gradients in float64 on the first batch; AssertionError if not."""
    theirs.load_state_dict(theirs.from_ours(ours.state_dict()))
    gradients = []
    for module, ((*arguments,), y) in (
        (ours.double(), our_cut(data, 0)),
        (theirs.double(), their_cut(data, lambda batch: form(batch).double() if form is csr else form(batch), 0)),
    ):
        out = module(*arguments)
        F.cross_entropy(out, y).backward()
        gradients.append((out, {name: one.grad for name, one in module.named_parameters()}))
        module.float().zero_grad()
    (our_out, our_grads), (their_out, their_grads) = gradients
    torch.testing.assert_close(our_out, their_out)
    torch.testing.assert_close(theirs.from_ours(our_grads), their_grads, rtol=1e-6, atol=1e-9)
    theirs.load_state_dict(theirs.from_ours(ours.state_dict()))


def variants(name: str, data: Source) -> dict[str, Step]:
    """The steps of a row, their models found equal."""
    ours = build(load_spec(ROOT / "specs" / f"{name}.yaml"), data.facts).module
    steps = {"archspec": step(ours, lambda number: our_cut(data, number))}
    for label, (model, form) in ROWS[name].items():
        theirs = model(data.facts.letters, data.facts.out)
        assert_same(ours, theirs, data, form)
        steps[label] = step(theirs, lambda number, form=form: their_cut(data, form, number))
    return steps


def interleaved(steps: dict[str, Step], rounds: int) -> dict[str, list[float]]:
    """CPU milliseconds of every step, in turn; the first round only warms up."""
    times: dict[str, list[float]] = {label: [] for label in steps}
    for number in range(rounds + 1):
        for label, take in steps.items():
            start = time.thread_time()
            take()
            if number:
                times[label].append(1e3 * (time.thread_time() - start))
    return times


def measure(rounds: int, tuned: bool) -> dict[str, dict[str, list[float]]]:
    """Times of all rows in this process."""
    if tuned and not malloc.tune():
        sys.exit("malloc cannot be tuned here")
    torch.set_num_threads(1)
    torch.manual_seed(0)
    found = {}
    for title, data in (("PATTERN", pattern_graphs()), ("molecules", molecule_graphs())):
        for name in ROWS:
            found[f"{name}, {title}"] = interleaved(variants(name, data), rounds)
            print(
                f"{name}, {title}",
                {k: round(median(v), 2) for k, v in found[f"{name}, {title}"].items()},
                file=sys.stderr,
            )
    return found


def in_process(rounds: int, tuned: bool) -> dict[str, dict[str, list[float]]]:
    """Times of all rows in a process of their own, since malloc is set once and for all."""
    command = [sys.executable, __file__, "--rounds", str(rounds), "--measure", "tuned" if tuned else "installed"]
    done = subprocess.run(
        command, stdout=subprocess.PIPE, text=True, check=True, env=os.environ | {"OMP_NUM_THREADS": "1"}
    )
    return json.loads(done.stdout)


def ratios(variants: dict[str, list[float]]) -> dict[str, float]:
    """How many times as long each form of PyG takes, the median of the rounds."""
    ours = variants["archspec"]
    return {
        label: median(one / other for one, other in zip(theirs, ours, strict=True))
        for label, theirs in variants.items()
        if label != "archspec"
    }


def table(times: dict[str, dict[str, list[float]]]) -> list[str]:
    """A line for every row and form of PyG."""
    lines = ["| step | archspec, ms | PyG's form | PyG, ms | PyG / archspec |", "|---|---|---|---|---|"]
    for row, variants in times.items():
        for label, ratio in ratios(variants).items():
            figures = (
                f"{median(variants['archspec']):.1f} | {label.removeprefix('PyG, ')} | {median(variants[label]):.1f}"
            )
            lines.append(f"| {row} | {figures} | **{ratio:.2f}** |")
    return lines


def verdict(tuned: dict[str, dict[str, list[float]]]) -> list[str]:
    """The aims and what was measured, against either form of PyG."""
    gin = ratios(tuned["gin, PATTERN"])
    sparse = [
        ratio for row, variants in tuned.items() if row.endswith("molecules") for ratio in ratios(variants).values()
    ]
    return [
        f"- GIN on PATTERN at least 3.3 times as fast as PyG eager: {gin['PyG, edge_index']:.2f} against its usual",
        f"  form, {gin['PyG, CSR']:.2f} against a CSR adjacency.",
        f"- Nothing slower than PyG on small sparse graphs: the smallest ratio is {min(sparse):.2f}.",
    ]


def report(tuned: dict[str, dict[str, list[float]]], installed: dict[str, dict[str, list[float]]]) -> str:
    """The page of results."""
    rounds = len(next(iter(tuned.values()))["archspec"])
    versions = ", ".join(f"{name} {version(name)}" for name in ("torch", "torch-geometric"))
    lines = [
        "# A complete training step: archspec and PyG",
        "",
        f"`python benchmarks/step.py`, {date.today()}: {processor()}, one thread of {os.cpu_count()} shared cores;",
        f"Python {platform.python_version()}, {versions}, float32. CPU time of the thread, medians of {rounds} steps,",
        "the variants of a row in turn in one process; ratios are medians of the rounds' ratios. Outputs and gradients",
        "were equal in float64 with copied weights. PATTERN in batches of 32; molecules are random, of ZINC's sizes",
        "(12 to 34 nodes, about 49 directed edges) in batches of 128. PyG collates with `Batch.from_data_list`;",
        "torch_sparse is not installed, so its CSR form is torch's own sparse tensor.",
        "",
        "## malloc tuned for both",
        *table(tuned),
        "",
        "The aims, with malloc tuned:",
        *verdict(tuned),
        "",
        "## malloc as installed",
        *table(installed),
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure both ways, print, and write the page; or measure one way and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("-o", type=Path, default=None, help="where to write the page")
    parser.add_argument("--measure", choices=["tuned", "installed"], help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        print(json.dumps(measure(given.rounds, given.measure == "tuned")))
        return
    page = report(in_process(given.rounds, True), in_process(given.rounds, False))
    print(page)
    if given.o:
        given.o.parent.mkdir(exist_ok=True)
        given.o.write_text(page)


if __name__ == "__main__":
    main()
