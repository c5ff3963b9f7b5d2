"""The facts of a data set, measured from its arrays; the table in `archspec.facts` is tested against this."""

from dataclasses import replace
from itertools import pairwise

import numpy as np

from archspec.data.load import DataSet
from archspec.data.split import Split
from archspec.facts import Facts

BATCH = 32


def measured(data: DataSet) -> Facts:
    """The facts of a data set with every figure and flag measured; task, classes and vocabulary are those it claims."""
    splits = data.splits.values()
    sizes = np.concatenate([split.packed.sizes for split in splits]).astype(np.int64)
    edges = sum(split.edges for split in splits)
    kinds = np.stack([edge_kinds(split) for split in splits])  # [splits, 3]
    return replace(
        data.facts,
        nodes=float(sizes.mean()),
        edges=edges / len(sizes),
        max_nodes=int(sizes.max()),
        density=float(edges / (sizes**2).sum()),
        padding=padding(data.train),
        symmetric=not kinds[:, 0].any(),
        self_loops=bool(kinds[:, 1].any()),
        repeated_edges=bool(kinds[:, 2].any()),
        graphs={name: len(split) for name, split in data.splits.items()},
    )


def padding(split: Split) -> float:
    """Mean over the batches of 32 in stored order of graphs·max(n)² / Σ n²."""
    squares = split.packed.sizes.astype(np.int64) ** 2
    batches = [squares[start : start + BATCH] for start in range(0, len(squares), BATCH)]
    return float(np.mean([len(batch) * batch.max() / batch.sum() for batch in batches]))


def edge_kinds(split: Split) -> tuple[bool, bool, bool]:
    """Whether any graph of a split has an edge without its reverse, a self loop, a repeated edge."""
    one_way = loops = repeated = False
    packed = split.packed
    for size, nodes, edges in zip(packed.sizes, pairwise(split.node_ptr), pairwise(split.edge_ptr), strict=True):
        target = np.repeat(np.arange(size), packed.degree[slice(*nodes)])
        count = np.zeros((size, size), dtype=np.int64)
        np.add.at(count, (target, packed.source[slice(*edges)]), 1)
        one_way |= bool((count != count.T).any())
        loops |= bool(count.diagonal().any())
        repeated |= bool((count > 1).any())
    return one_way, loops, repeated
