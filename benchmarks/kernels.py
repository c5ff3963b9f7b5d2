"""Forms of neighbour sums, weighted sums and attention against one another, forward and backward.

    python benchmarks/kernels.py [--rounds 9] [--widths 16 64 128] [-o benchmarks/results/kernels.md]

Variants of a row run in one process, in turn, on one thread; CPU time of that thread, medians. What is made once a
batch (transposes, matrices) is timed apart. The costs in `archspec/passes/forms.py` come from here.
"""

import argparse
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from pathlib import Path
from statistics import median

import torch
from start import processor

from archspec import runtime as rt
from archspec.runtime import malloc

Step = Callable[[], object]


def random_batch(sizes: list[int], density: float) -> rt.Batch:
    """Undirected graphs of these sizes, every edge with that probability, no self loops."""
    node_ptr = torch.tensor([0, *torch.tensor(sizes).cumsum(0).tolist()])
    counts, sources = [], []
    for start, size in zip(node_ptr.tolist(), sizes, strict=False):
        upper = (torch.rand(size, size) < density).triu(1)
        target, source = (upper | upper.t()).nonzero(as_tuple=True)
        counts.append(torch.bincount(target, minlength=size))
        sources.append((source + start).int())
    ptr = torch.cat([torch.zeros(1, dtype=torch.int64), torch.cat(counts).cumsum(0)])
    nodes = int(node_ptr[-1])
    return rt.Batch(torch.zeros(nodes, 1), node_ptr, rt.Pairs(ptr, torch.cat(sources), symmetric=True))


def interleaved(steps: Mapping[str, Step], rounds: int) -> dict[str, float]:
    """Median seconds of each step, run in turn; the first round only warms up."""
    times: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(rounds + 1):
        for name, step in steps.items():
            start = time.thread_time()
            step()
            times[name].append(time.thread_time() - start)
    return {name: median(values[1:]) for name, values in times.items()}


def training(function: Callable[..., torch.Tensor], *values: torch.Tensor) -> Step:
    """Forward and backward with respect to all values."""
    values = tuple(value.requires_grad_() for value in values)
    gradient = torch.randn_like(function(*values))
    return lambda: torch.autograd.grad(function(*values), values, gradient)


def neighbour_sums(batch: rt.Batch, d: int) -> dict[str, Step]:
    """Sums of x[j] over the neighbours."""
    x = torch.randn(batch.nodes, d)
    return {
        "csr": training(lambda x: rt.neighbour_sum_csr(batch.N, x), x),
        "dense": training(lambda x: rt.neighbour_sum_dense(batch, batch.N, x), x),
        "gather": training(lambda x: rt.neighbour_sum_gather(batch.N, x), x),
    }


def weighted_sums(batch: rt.Batch, d: int, heads: int = 4) -> dict[str, Step]:
    """Sums of w[i, j] x[j] over the neighbours, gradients of w and x."""
    x, w = torch.randn(batch.nodes, heads, d // heads), torch.rand(len(batch.N), heads)
    return {
        "csr": training(lambda w, x: rt.weighted_sum_csr(batch.N, w, x), w, x),
        "dense": training(lambda w, x: rt.weighted_sum_dense(batch, batch.N, w, x), w, x),
        "gather": training(lambda w, x: rt.weighted_sum_gather(batch.N, w, x), w, x),
    }


def attentions(batch: rt.Batch, d: int, heads: int = 4) -> dict[str, Step]:
    """Softmax attention over the neighbours, and over V for comparison."""
    q, k, v = (torch.randn(batch.nodes, heads, d // heads) for _ in range(3))
    return {
        "gather": training(lambda q, k, v: rt.attention_gather(batch, batch.N, q, k, v, 0.25), q, k, v),
        "dense": training(lambda q, k, v: rt.attention_dense(batch, batch.N, q, k, v, 0.25), q, k, v),
        "V": training(lambda q, k, v: rt.attention_sdpa(batch, batch.pairs("V"), q, k, v, 0.25), q, k, v),
    }


def over_everything(batch: rt.Batch, d: int, heads: int = 4) -> dict[str, Step]:
    """Weighted sums over V, as position attention and gates have them, and attention with a bias per pair."""
    V = batch.pairs("V")
    q, k, x = (torch.randn(batch.nodes, heads, d // heads) for _ in range(3))
    w = torch.rand(len(V), heads)
    return {
        "sum csr": training(lambda w, x: rt.weighted_sum_csr(V, w, x), w, x),
        "sum dense": training(lambda w, x: rt.weighted_sum_dense(batch, V, w, x), w, x),
        "attention": training(lambda q, k, x: rt.attention_sdpa(batch, V, q, k, x, 0.25), q, k, x),
        "with bias": training(lambda q, k, x, w: rt.attention_sdpa(batch, V, q, k, x, 0.25, w), q, k, x, w),
    }


def matrix_products(batch: rt.Batch, d: int) -> dict[str, Step]:
    """Sums over k of r[i, k] s[k, j]; with a row per triple where they fit."""
    V = batch.pairs("V")
    r, s = torch.randn(len(V), d), torch.randn(len(V), d)
    steps = {"dense": training(lambda r, s: rt.pair_matmul_dense(batch, V, r, s), r, s)}
    if triples(batch) * d < MOST_TRIPLES:
        steps["gather"] = training(lambda r, s: rt.pair_matmul_gather(V, r, s), r, s)
    return steps


def triples(batch: rt.Batch) -> int:
    """How many (i, j, k) there are."""
    return sum(size**3 for size in batch.sizes)


def fresh(batch: rt.Batch) -> rt.Batch:
    """The same batch with nothing cached."""
    return rt.Batch(batch.x, batch.node_ptr, rt.Pairs(batch.N.ptr, batch.N.source, symmetric=True))


def setup(batch: rt.Batch) -> dict[str, Step]:
    """What a form makes once a batch: for csr the transposed order of weights, for dense the matrices."""
    x, w = torch.zeros(batch.nodes, 1), torch.zeros(len(batch.N))
    return {
        "csr": lambda: rt.neighbour_sum_csr(fresh(batch).N, x),
        "weighted csr": lambda: (rt.weighted_sum_csr((new := fresh(batch)).N, w, x), new.N.reverse),
        "dense": lambda: rt.neighbour_sum_dense(new := fresh(batch), new.N, x),
        "weighted dense": lambda: rt.weighted_sum_dense(new := fresh(batch), new.N, w, x),
    }


BATCHES = {
    "molecules, 128 of 23": ([*range(15, 31)] * 8, 0.095),
    "PATTERN-like, 32 of 116": (torch.linspace(60, 175, 32).int().tolist(), 0.42),
    **{f"32 of 116, density {p}": (torch.linspace(60, 175, 32).int().tolist(), p) for p in (0.03, 0.1, 0.2, 0.8)},
    "8 of 400, density 0.1": ([400] * 8, 0.1),
    "8 of 400, density 0.4": ([400] * 8, 0.4),
}
ROWS = {
    "neighbour sum": neighbour_sums,
    "weighted sum, 4 heads": weighted_sums,
    "attention, 4 heads": attentions,
    "all pairs, 4 heads": over_everything,
}
PER_EDGE = ("csr", "gather")
MOST_TRIPLES = 10_000_000
"""Entries of a value per triple that still fit."""


def lines(rounds: int, widths: list[int]) -> Iterator[str]:
    """A paragraph for every batch, a line for every operation and width."""
    for name, (sizes, density) in BATCHES.items():
        batch = random_batch(sizes, density)
        edges, pairs = len(batch.N), sum(size * size for size in batch.sizes)
        yield f"{name}: {batch.nodes} nodes, {edges} edges, {pairs} pairs, density {edges / pairs:.3f}"
        once = interleaved(setup(batch), rounds)
        yield "  made once, ms: " + ", ".join(f"{part} {1e3 * taken:.2f}" for part, taken in once.items())
        for row, steps in ROWS.items():
            for d in widths:
                times = interleaved(steps(batch, d), rounds)
                unit = {form: d * (edges if form in PER_EDGE else pairs) for form in times}
                texts = [f"{form} {1e3 * s:.2f} ({1e9 * s / unit[form]:.3f})" for form, s in times.items()]
                yield f"  {row:22s} d={d:<4d} " + "   ".join(texts)
        for d in (1, 4, 16):
            times = interleaved(matrix_products(batch, d), rounds)
            texts = [f"{form} {1e3 * s:.2f} ({1e9 * s / d / triples(batch):.3f})" for form, s in times.items()]
            yield f"  {'matrix product':22s} d={d:<4d} " + "   ".join(texts)


def main() -> None:
    """Measure, print, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--widths", type=int, nargs="+", default=[16, 64, 128])
    parser.add_argument("-o", type=Path, default=None, help="where to write the page")
    given = parser.parse_args()
    malloc.tune()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    page = [
        "# Forms of the operations over pairs",
        "",
        f"`python benchmarks/kernels.py`, {date.today()}: {processor()}, one thread, torch {torch.__version__}.",
        "Milliseconds forward and backward in float32; in brackets nanoseconds per edge and feature (csr, gather) or",
        "per pair of V and feature (all others; matrix products: per triple and feature). CPU time, medians.",
        "",
        "```",
    ]
    for line in lines(given.rounds, given.widths):
        print(line, flush=True)
        page.append(line)
    if given.o:
        given.o.parent.mkdir(exist_ok=True)
        given.o.write_text("\n".join([*page, "```", ""]))


if __name__ == "__main__":
    main()
