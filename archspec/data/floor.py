"""What a score is to be held against: the best single threshold on the degree, and published ceilings.

Both are unweighted means of the classes' recalls (`acc`), as fractions.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archspec.data.load import DataSet
from archspec.data.split import Split


@dataclass(frozen=True)
class Floor:
    """The rule "class 1 where a quantity is above (or below) the threshold", fitted on the training split."""

    quantity: str
    """A row of QUANTITIES."""
    threshold: float
    above: bool
    """Whether class 1 is predicted above the threshold, otherwise below."""
    scores: dict[str, tuple[float, float, float]]
    """By split: acc, acc_0, acc_1 as fractions; a class that does not occur has recall NaN and is left out of acc."""

    @property
    def rule(self) -> str:
        """The rule in words."""
        return f"class 1 where {self.quantity} {'>' if self.above else '<'} {self.threshold:.4f}"


@dataclass(frozen=True)
class Ceiling:
    """A score that no model of a kind exceeds, measured on redraws of the data and not on the data at hand."""

    acc: float
    deviation: float
    what: str


CEILINGS = {
    "pattern": Ceiling(0.892, 0.002, "oracle told every other node's label but not the patterns, measured on redraws")
}


def degree_floor(data: DataSet, quantity: str = "degree/(n-1)") -> Floor | None:
    """The floor of a data set of two classes; None for more, or if training graphs hold one class only.

    Of all thresholds and both directions, the one with the best `acc` on the training split is taken.
    """
    labels, measure = data.train.labels, QUANTITIES[quantity]
    positive = int(labels.sum(dtype=np.int64))
    if data.facts.out != 2 or data.train.packed.mask is not None or positive in (0, len(labels)):
        return None
    threshold, above = fit(measure(data.train), labels)
    scores = {
        name: score((measure(split) > threshold) == above, split.packed.y == 1) for name, split in data.splits.items()
    }
    return Floor(quantity, threshold, above, scores)


def normalised_degree(split: Split) -> NDArray[np.float64]:
    """degree / (n - 1) of every node, 0 in a graph of one node, [nodes]."""
    others = np.maximum(split.packed.sizes - 1, 1)
    return split.packed.degree / np.repeat(others, split.packed.sizes)


def degree(split: Split) -> NDArray[np.float64]:
    """How many edges lead into every node, [nodes]: what a sum over neighbours of ones sees."""
    return split.packed.degree.astype(np.float64)


QUANTITIES: Mapping[str, Callable[[Split], NDArray[np.float64]]] = {"degree/(n-1)": normalised_degree, "degree": degree}
"""What a threshold may be put on, per node."""


def fit(values: NDArray[np.float64], labels: NDArray[np.uint8]) -> tuple[float, bool]:
    """The threshold, midway between two neighbouring values, and direction with the best mean of the two recalls."""
    levels, level = np.unique(values, return_inverse=True)
    counts = np.stack([np.bincount(level[labels == label], minlength=len(levels)) for label in (0, 1)])
    below = np.cumsum(counts, axis=1) / counts.sum(axis=1, keepdims=True)  # [2, levels], share of a class up to a level
    gain = below[0] - below[1]  # recall of 0 + recall of 1 - 1, predicting 1 above the level
    best = int(np.argmax(np.abs(gain)))
    following = levels[min(best + 1, len(levels) - 1)]
    return float((levels[best] + following) / 2), bool(gain[best] >= 0)


def score(predicted: NDArray[np.bool_], positive: NDArray[np.bool_]) -> tuple[float, float, float]:
    """acc, acc_0 and acc_1 of a prediction of class 1 over a whole split."""
    hits = predicted == positive
    recalls = [
        float(hits[positive == label].mean()) if (positive == label).any() else np.nan for label in (False, True)
    ]
    return float(np.nanmean(recalls)), recalls[0], recalls[1]
