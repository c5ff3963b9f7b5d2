"""Before a model is trained: whether all pairs of nodes of its batches, if it needs them, fit into memory."""

from collections.abc import Iterator

import numpy as np

from archspec.data.batching import BatchSize, batch_size
from archspec.data.load import DataSet
from archspec.data.split import Split
from archspec.diagnostics import Diagnostic, SpecError
from archspec.ir.nodes import Node, Program
from archspec.ir.ops import STRUCTURE
from archspec.ir.sets import ALL, IndexSet
from archspec.structure.memory import available, shortage
from archspec.syntax.spec import Spec

BYTES = 8
"""What a pair takes at the least: its node j as an index, or two numbers of a matrix."""

DENSE = frozenset(row.name for row in STRUCTURE)
"""Operations that are computed from matrices of all pairs of a graph, even where fewer are read."""


def check_memory(spec: Spec, program: Program, data: DataSet) -> None:
    """E0006, with what reads all pairs, where those of a batch cannot fit; N and reach(k) need none of it."""
    needed = next(dense(program), None)
    if needed is None:
        return
    pairs, key = max((most_pairs(split, size), key) for split, size, key in sized(spec, data))
    taken, free = BYTES * pairs, available()
    if taken > free:
        node, what = needed
        largest = max(int(split.packed.sizes.max()) for split in data.splits.values())
        message = f"all pairs of nodes, which {what} needs, do not fit into memory: graphs have up to {largest:,} nodes"
        notes = (shortage(f"the {pairs:,} pairs of a batch", taken, free),)
        cure = "read pairs of `N`, `reach(k)` or `expander(k)`, which take memory by their number"
        if BYTES * largest**2 <= free:
            cure += f", or make `{key}` smaller"
        raise SpecError([Diagnostic("E0006", message, node.span, notes=notes, help=cure)])


def sized(spec: Spec, data: DataSet) -> Iterator[tuple[Split, BatchSize, str]]:
    """Every split with the size of its batches and the key that says it."""
    assert spec.settings.data is not None  # there is a data set
    training = batch_size(spec.settings.data.batch_size)
    scoring = batch_size(spec.settings.train.eval_batch_size)
    yield data.train, training, "data.batch_size"
    yield from ((split, scoring, "train.eval_batch_size") for split in (data.val, data.test))


def most_pairs(split: Split, size: BatchSize) -> int:
    """Pairs of the largest graphs that could meet in a batch, or of the largest one."""
    order = np.argsort(split.packed.sizes)[::-1]
    fit = max(1, int((np.cumsum(size.weights(split)[order]) <= size.most).sum()))
    return int((split.packed.sizes[order[:fit]].astype(np.int64) ** 2).sum())


def dense(program: Program) -> Iterator[tuple[Node, str]]:
    """What needs all pairs, and how a spec writes that."""
    for _, section in program.sections():
        for node in section.nodes:
            over = node.get("over")
            if node.op in DENSE:
                yield node, f"`{node.op}`"
            elif isinstance(over, IndexSet) and ALL in over.chain:
                yield node, f"`{over}`"
