"""Many graphs as five flat arrays: the form in which data is generated, stored and cut into batches."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Packed:
    """Graphs one after the other, edges as rows of in-neighbours; arrays may be views of a memory-mapped file.

    The edges into a node are `degree` consecutive entries of `source`, numbered within their graph from 0 in ascending
    order, so a batch needs one addition per graph and no sorting.
    """

    sizes: NDArray[np.int32]  # [graphs], nodes of each graph
    x: NDArray[Any]  # [nodes] letters or [nodes, features]
    y: NDArray[np.uint8]  # [nodes], classes
    degree: NDArray[Any]  # [nodes], unsigned, in-neighbours of each node
    source: NDArray[Any]  # [edges], unsigned, the in-neighbours

    @property
    def graphs(self) -> int:
        """How many graphs there are."""
        return len(self.sizes)

    def first(self, graphs: int) -> "Packed":
        """The first so many graphs, or all if there are fewer, as views."""
        nodes = int(self.sizes[:graphs].sum(dtype=np.int64))
        edges = int(self.degree[:nodes].sum(dtype=np.int64))
        return Packed(self.sizes[:graphs], self.x[:nodes], self.y[:nodes], self.degree[:nodes], self.source[:edges])


COLUMNS = tuple(column.name for column in fields(Packed))


def joined(parts: Sequence[Packed]) -> Packed:
    """The graphs of at least one part, one after the other."""
    return Packed(*(np.concatenate([getattr(part, name) for part in parts]) for name in COLUMNS))


def offsets(lengths: NDArray[Any]) -> NDArray[np.int64]:
    """Where runs of these lengths start and end: [count] lengths to [count + 1] offsets, from 0."""
    bounds = np.zeros(len(lengths) + 1, dtype=np.int64)
    np.cumsum(lengths, out=bounds[1:])
    return bounds
