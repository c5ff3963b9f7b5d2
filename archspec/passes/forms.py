"""The forms in which a fused operation can be computed, and what each costs: one row a form.

Costs are nanoseconds per unit and feature, forward and backward, by the number of features, as `benchmarks/kernels.py`
measured them on graphs like PATTERN's (`benchmarks/results/kernels.md`); they stand here so that plans are the same
everywhere.
"""

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from archspec.ir.sets import IndexSet

Unit = Literal["pairs", "V", "V³"]


@dataclass(frozen=True, eq=False)
class Form:
    """One way to compute an operation: the runtime function, the sets it serves, and its cost.

    A unit is a pair of the set, or, where every pair of nodes takes part, a pair of V, or of all triples of nodes one.
    """

    backend: str
    function: str
    unit: Unit
    nanoseconds: Mapping[int, float]
    """By number of features."""
    sets: tuple[str, ...] = ("all",)
    """Names of sets, or `all` where it serves every set of nodes."""
    needs_batch: bool = True
    """Whether the runtime function takes the batch before the pairs."""

    def serves(self, over: IndexSet) -> bool:
        """Whether it can be taken over a set."""
        return self.sets == ("all",) or over.name in self.sets

    def cost(self, units: float, features: int) -> float:
        """Nanoseconds for so many units with so many features each."""
        known = sorted(self.nanoseconds)
        nearest = known[min(bisect_left(known, features), len(known) - 1)]
        return units * max(1, features) * self.nanoseconds[nearest]


FORMS: Mapping[str, tuple[Form, ...]] = {
    "neighbour_sum": (
        Form("csr", "neighbour_sum_csr", "pairs", {16: 0.40, 64: 0.17, 128: 0.18}, needs_batch=False),
        Form("dense", "neighbour_sum_dense", "V", {16: 0.43, 64: 0.20, 128: 0.13}),
        Form("gather", "neighbour_sum_gather", "pairs", {16: 2.6, 64: 2.3, 128: 2.2}, needs_batch=False),
    ),
    "weighted_sum": (
        Form("csr", "weighted_sum_csr", "pairs", {16: 11, 64: 1.6, 128: 0.9}, needs_batch=False),
        Form("dense", "weighted_sum_dense", "V", {16: 2.9, 64: 0.8, 128: 0.45}),
        Form("gather", "weighted_sum_gather", "pairs", {16: 8.5, 64: 5.5, 128: 5.3}, needs_batch=False),
    ),
    "pair_product": (Form("csr", "pair_product", "pairs", {16: 11, 64: 1.6, 128: 0.9}, needs_batch=False),),
    "pair_matmul": (
        Form("dense", "pair_matmul_dense", "V³", {1: 0.12, 4: 0.13, 16: 0.2}, sets=("V",)),
        Form("gather", "pair_matmul_gather", "V³", {1: 18, 4: 6.8}, sets=("V",), needs_batch=False),
    ),
    "attention": (
        Form("sdpa", "attention_sdpa", "V", {16: 2.2, 64: 0.6, 128: 0.4}, sets=("V",)),
        Form("dense", "attention_dense", "V", {16: 2.4, 64: 0.7, 128: 0.45}),
        Form("gather", "attention_gather", "pairs", {16: 27, 64: 3.5, 128: 2.2}),
    ),
}
"""Operations and their forms. All forms of an operation compute the same; tests compare them."""
