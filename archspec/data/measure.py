"""The facts of a data set, measured from its arrays; the table in `archspec.facts` is tested against this."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise

import numpy as np

from archspec.data.split import Split
from archspec.facts import Facts

BATCH = 32


def measured(base: Facts, splits: Mapping[str, Split]) -> Facts:
    """The facts of a data set with every figure and flag measured; task, classes and vocabularies are those given."""
    sizes = np.concatenate([split.packed.sizes for split in splits.values()]).astype(np.int64)
    edges = sum(split.edges for split in splits.values())
    kinds = np.stack([edge_kinds(split) for split in splits.values()])  # [splits, 3]
    return replace(
        base,
        nodes=float(sizes.mean()),
        edges=edges / len(sizes),
        max_nodes=int(sizes.max()),
        density=float(edges / (sizes**2).sum()),
        padding=padding(splits["train"]),
        symmetric=not kinds[:, 0].any(),
        self_loops=bool(kinds[:, 1].any()),
        repeated_edges=bool(kinds[:, 2].any()),
        graphs={name: len(split) for name, split in splits.items()},
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
        source = packed.source[slice(*edges)].astype(np.int64)
        target = np.repeat(np.arange(size), packed.degree[slice(*nodes)])
        there, back = np.sort(target * size + source), np.sort(source * size + target)
        one_way |= not np.array_equal(there, back)
        loops |= bool((source == target).any())
        repeated |= bool((np.diff(there) == 0).any())
    return one_way, loops, repeated
