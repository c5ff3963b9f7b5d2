"""The facts of a data set, measured from its arrays; the table in `archspec.facts` is tested against this."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from archspec.data.links import oddities
from archspec.data.split import Split
from archspec.facts import Facts

BATCH = 32


def measured(base: Facts, splits: Mapping[str, Split]) -> Facts:
    """The facts of a data set with every figure and flag measured; task, classes and vocabularies are those given."""
    sizes = np.concatenate([split.packed.sizes for split in splits.values()]).astype(np.int64)
    edges = sum(split.edges for split in splits.values())
    found = [oddities(packed) for packed in {id(split.packed): split.packed for split in splits.values()}.values()]
    return replace(
        base,
        nodes=float(sizes.mean()),
        edges=edges / len(sizes),
        max_nodes=int(sizes.max()),
        density=float(edges / (sizes**2).sum()),
        padding=padding(splits["train"]),
        symmetric=not any(one.one_way for one in found),
        self_loops=any(one.loops for one in found),
        repeated_edges=any(one.repeated for one in found),
        graphs={name: len(split) for name, split in splits.items()},
    )


def padding(split: Split) -> float:
    """Mean over the batches of 32 in stored order of graphs·max(n)² / Σ n²."""
    squares = split.packed.sizes.astype(np.int64) ** 2
    batches = [squares[start : start + BATCH] for start in range(0, len(squares), BATCH)]
    return float(np.mean([len(batch) * batch.max() / batch.sum() for batch in batches]))
