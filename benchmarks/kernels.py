"""Forms of neighbour sums, weighted sums and attention against one another: nanoseconds forward and backward, per unit.

usage: python benchmarks/kernels.py [--rounds N]

A unit is an edge and feature for csr and gather, a pair of V and feature for dense. Variants of a row run in one
process, in turn, on one thread; CPU time of that thread, medians. What is made once a batch (transposes, matrices) is
timed apart. These figures are the costs in `archspec/passes/forms.py`.
"""

import argparse
import time
from collections.abc import Callable, Mapping
from statistics import median

import torch

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
    x = torch.randn(batch.nodes, d)
    return {
        "csr": training(lambda x: rt.neighbour_sum_csr(batch.N, x), x),
        "dense": training(lambda x: rt.neighbour_sum_dense(batch, batch.N, x), x),
        "gather": training(lambda x: rt.neighbour_sum_gather(batch.N, x), x),
    }


def weighted_sums(batch: rt.Batch, d: int, heads: int = 4) -> dict[str, Step]:
    x, w = torch.randn(batch.nodes, heads, d // heads), torch.rand(len(batch.N), heads)
    return {
        "csr": training(lambda w, x: rt.weighted_sum_csr(batch.N, w, x), w, x),
        "dense": training(lambda w, x: rt.weighted_sum_dense(batch, batch.N, w, x), w, x),
        "gather": training(lambda w, x: rt.weighted_sum_gather(batch.N, w, x), w, x),
    }


def attentions(batch: rt.Batch, d: int, heads: int = 4) -> dict[str, Step]:
    q, k, v = (torch.randn(batch.nodes, heads, d // heads) for _ in range(3))
    return {
        "gather": training(lambda q, k, v: rt.attention_gather(batch, batch.N, q, k, v, 0.25), q, k, v),
        "dense": training(lambda q, k, v: rt.attention_dense(batch, batch.N, q, k, v, 0.25), q, k, v),
        "V": training(lambda q, k, v: rt.attention_sdpa(batch, batch.pairs("V"), q, k, v, 0.25), q, k, v),
    }


def setup(batch: rt.Batch, rounds: int) -> dict[str, float]:
    """What a form makes once a batch, in ms: for csr the transposed order of weights, for dense the matrices."""

    def fresh() -> rt.Batch:
        return rt.Batch(batch.x, batch.node_ptr, rt.Pairs(batch.N.ptr, batch.N.source, symmetric=True))

    x, w = torch.zeros(batch.nodes, 1), torch.zeros(len(batch.N))
    times = interleaved(
        {
            "csr": lambda: (lambda new: rt.neighbour_sum_csr(new.N, x))(fresh()),
            "weighted csr": lambda: (lambda new: (rt.neighbour_sum_csr(new.N, x), new.N.reverse))(fresh()),
            "dense": lambda: (lambda new: rt.neighbour_sum_dense(new, new.N, x))(fresh()),
            "weighted dense": lambda: (lambda new: rt.weighted_sum_dense(new, new.N, w, x))(fresh()),
        },
        rounds,
    )
    return {name: seconds * 1e3 for name, seconds in times.items()}


BATCHES = {
    "molecules, 128 of 23": ([*range(15, 31)] * 8, 0.095),
    "PATTERN-like, 32 of 116": (torch.linspace(60, 175, 32).int().tolist(), 0.42),
    **{f"32 of 116, density {p}": (torch.linspace(60, 175, 32).int().tolist(), p) for p in (0.03, 0.1, 0.2, 0.8)},
    "8 of 400, density 0.1": ([400] * 8, 0.1),
    "8 of 400, density 0.4": ([400] * 8, 0.4),
}
ROWS = {"neighbour sum": neighbour_sums, "weighted sum, 4 heads": weighted_sums, "attention, 4 heads": attentions}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--widths", type=int, nargs="+", default=[16, 64, 256])
    rounds, widths = parser.parse_args().rounds, parser.parse_args().widths
    malloc.tune()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    for name, (sizes, density) in BATCHES.items():
        batch = random_batch(sizes, density)
        edges, pairs = len(batch.N), sum(size * size for size in batch.sizes)
        print(f"{name}: {batch.nodes} nodes, {edges} edges, {pairs} pairs, density {edges / pairs:.3f}")
        print("  made once, ms: " + ", ".join(f"{part} {ms:.2f}" for part, ms in setup(batch, rounds).items()))
        for row, steps in ROWS.items():
            for d in widths:
                times = interleaved(steps(batch, d), rounds)
                units = {form: edges if form in ("csr", "gather") else pairs for form in times}
                texts = [f"{form} {s * 1e3:.2f} ms ({s * 1e9 / units[form] / d:.3f})" for form, s in times.items()]
                print(f"  {row:24s} d={d:<4d} " + "   ".join(texts), flush=True)


if __name__ == "__main__":
    main()
