"""The forms in which a fused operation can be computed, and what each costs: one row a form.

Costs are nanoseconds per unit and feature, forward and backward, by the number of features; they are
the figures of `benchmarks/kernels.py` on the machine named there, kept here so that plans are the same everywhere.
"""

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Unit = Literal["pairs", "cells"]


@dataclass(frozen=True, eq=False)
class Form:
    """One way to compute an operation: the runtime function, the sets it serves, and its cost.

    A unit is a pair of the set, or a cell of the padded matrices that hold a batch's graphs.
    """

    backend: str
    function: str
    unit: Unit
    nanoseconds: Mapping[int, float]
    """By number of features."""
    sets: tuple[str, ...] = ("N", "N + i", "V", "reach")
    needs_batch: bool = True
    """Whether the runtime function takes the batch before the pairs."""

    def cost(self, units: float, features: int) -> float:
        """Nanoseconds for so many pairs or cells with so many features each."""
        known = sorted(self.nanoseconds)
        nearest = known[min(bisect_left(known, features), len(known) - 1)]
        return units * max(1, features) * self.nanoseconds[nearest]


FORMS: Mapping[str, tuple[Form, ...]] = {
    "neighbour_sum": (
        Form("csr", "neighbour_sum_csr", "pairs", {16: 0.13, 64: 0.13, 256: 0.13}, needs_batch=False),
        Form("dense", "neighbour_sum_dense", "cells", {16: 0.10, 64: 0.05, 256: 0.04}),
        Form("gather", "neighbour_sum_gather", "pairs", {16: 1.4, 64: 1.4, 256: 1.4}, needs_batch=False),
    ),
    "weighted_sum": (
        Form("csr", "weighted_sum_csr", "pairs", {16: 0.5, 64: 0.4, 256: 0.4}, needs_batch=False),
        Form("dense", "weighted_sum_dense", "cells", {16: 0.4, 64: 0.2, 256: 0.15}),
        Form("gather", "weighted_sum_gather", "pairs", {16: 2.8, 64: 2.8, 256: 2.8}, needs_batch=False),
    ),
    "pair_product": (Form("csr", "pair_product", "pairs", {16: 0.5, 64: 0.4, 256: 0.4}, needs_batch=False),),
    "attention": (
        Form("sdpa", "attention_sdpa", "cells", {16: 0.5, 64: 0.25, 256: 0.25}, sets=("V",)),
        Form("dense", "attention_dense", "cells", {16: 0.6, 64: 0.3, 256: 0.3}),
        Form("gather", "attention_gather", "pairs", {16: 5.8, 64: 5.8, 256: 5.8}),
    ),
}
"""Operations and their forms. All forms of an operation compute the same; tests compare them."""
