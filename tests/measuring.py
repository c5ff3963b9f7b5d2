"""What torch itself says of a module's work: bytes that its allocator gives, and FLOPs that its counter counts."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile
from torch.utils.flop_counter import FlopCounterMode

from archspec.cost.extent import Extent
from archspec.facts import Facts
from archspec.ir.sets import IndexSet
from archspec.runtime.batch import Batch
from archspec.runtime.pairs import Pairs, offsets


def random_batch(facts: Facts, sizes: tuple[int, ...], seed: int = 0) -> Batch:
    """Undirected graphs of these sizes without loops, half of all pairs joined, with features like a data set's."""
    generator = torch.Generator().manual_seed(seed)
    blocks = [torch.rand(size, size, generator=generator) for size in sizes]
    matrix = torch.block_diag(*((block + block.T > 1).fill_diagonal_(0) for block in blocks))
    nodes, source = len(matrix), matrix.nonzero()[:, 1]
    pairs = Pairs(offsets(matrix.sum(1)), source.int(), symmetric=True)
    x = drawn(nodes, facts.letters, facts.features, generator)
    has_edges = facts.edge_letters or facts.edge_features
    e = drawn(len(source), facts.edge_letters, facts.edge_features, generator) if has_edges else None
    return Batch(x, offsets(torch.tensor(sizes)), pairs, e=e, pos=torch.rand(nodes, facts.positions or 1))


def drawn(rows: int, letters: int | None, features: int | None, generator: torch.Generator) -> torch.Tensor:
    """Categories, or numbers."""
    if letters is not None:
        return torch.randint(letters, (rows,), generator=generator)
    return torch.rand(rows, features or 1, generator=generator)


def extent_of(batch: Batch) -> "Counted":
    """What a batch holds, counted."""
    squared, cubed = (float(sum(size**power for size in batch.sizes)) for power in (2, 3))
    return Counted(batch.graphs, batch.nodes, len(batch.N), squared, cubed, batch)


def peak_bytes(work: Callable[[], object]) -> int:
    """Bytes alive at the peak while something runs, beside those there were, by every call of the CPU's allocator."""
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as found:
        work()
    assert found.profiler is not None
    assert found.profiler.kineto_results is not None
    roots = found.profiler.kineto_results.experimental_event_tree()
    kind = torch._C._profiler._EventType.Allocation
    calls = sorted((one for one in walk(roots) if one.tag == kind), key=lambda one: one.start_time_ns)
    live = peak = 0
    for call in calls:
        live += call.extra_fields.alloc_size
        peak = max(peak, live)
    return peak


def walk(roots: list[Any]) -> Iterator[Any]:
    """Every event below some."""
    stack = [*roots]
    while stack:
        event = stack.pop()
        yield event
        stack.extend(event.children)


def counted_flops(work: Callable[[], object]) -> int:
    """FLOPs of dense matrix products while something runs, by torch's counter."""
    counter = FlopCounterMode(display=False)
    with counter:
        work()
    return counter.get_total_flops()


@dataclass(frozen=True)
class Counted(Extent):
    """The same with the pairs of every index set counted."""

    batch: Batch

    def pairs(self, over: IndexSet) -> float:
        """Pairs that the batch itself has."""
        if over.name in ("triples", "members") or over.conditional:
            return super().pairs(over)
        return len(self.batch.pairs(" ".join(one.name for one in over.chain), over.chain[0].k))
