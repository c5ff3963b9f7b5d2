"""Before a model is trained: whether all pairs of nodes of its batches, if it needs them, fit into memory."""

from collections.abc import Iterator

import numpy as np

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


def check_memory(spec: Spec, program: Program, data: DataSet, batch_size: int) -> None:
    """E0006, with what reads all pairs, where those of a batch cannot fit; N and reach(k) need none of it."""
    needed = next(dense(program), None)
    if needed is None:
        return
    taken, free = BYTES * max(most_pairs(split, batch_size) for split in data.splits.values()), available()
    if taken > free:
        node, what = needed
        largest = max(int(split.packed.sizes.max()) for split in data.splits.values())
        message = f"all pairs of nodes, which {what} needs, do not fit into memory: graphs have up to {largest:,} nodes"
        notes = (shortage(f"the {taken // BYTES:,} pairs of a batch", taken, free),)
        cure = "read pairs of `N`, `reach(k)` or `expander(k)`, which take memory by their number"
        if batch_size > 1:
            cure += ", or make `data.batch_size` smaller"
        raise SpecError([Diagnostic("E0006", message, node.span, notes=notes, help=cure)])


def most_pairs(split: Split, batch_size: int) -> int:
    """Pairs of the largest graphs that could meet in a batch."""
    return int((np.sort(split.packed.sizes.astype(np.int64))[-batch_size:] ** 2).sum())


def dense(program: Program) -> Iterator[tuple[Node, str]]:
    """What needs all pairs, and how a spec writes that."""
    for _, section in program.sections():
        for node in section.nodes:
            over = node.get("over")
            if node.op in DENSE:
                yield node, f"`{node.op}`"
            elif isinstance(over, IndexSet) and ALL in over.chain:
                yield node, f"`{over}`"
