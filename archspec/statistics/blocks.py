"""Differences of means in a design of blocks: every treatment is tried in every block, as every cell with every seed.

The model is `figure = treatment + block + error` by least squares, with errors that are independent and of one spread.
What a block does to all its figures alike cancels out. Source: Fisher (1935), The Design of Experiments.
"""

import warnings
from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from statsmodels.regression.linear_model import OLS, RegressionResults

from archspec.statistics.paired import DIGITS, LEVEL

Treatment = TypeVar("Treatment", bound=Hashable)


@dataclass(frozen=True)
class Estimate:
    """A difference of means."""

    value: float
    interval: tuple[float, float] | None
    """With 95 % confidence, for this one alone; None where nothing is left to tell the spread by."""
    p: float | None
    """Two-sided, not corrected."""


@dataclass(frozen=True)
class Design(Generic[Treatment]):
    """Figures by treatment and number of the block, and what a treatment is made of: a row of coefficients for each."""

    figures: Mapping[tuple[Treatment, int], float]
    rows: Mapping[Treatment, Sequence[float]]

    @property
    def matrix(self) -> NDArray[np.float64]:
        """[figures, coefficients + blocks - 1]: the first block is what the others are seen from."""
        blocks = list(dict.fromkeys(block for _, block in self.figures))[1:]
        return np.array(
            [[*self.rows[one], *(block == other for other in blocks)] for one, block in self.figures], float
        )

    def estimates(self, contrasts: Sequence[Sequence[float]]) -> list[Estimate | None]:
        """Sums of coefficients with weights; None for what these figures do not determine."""
        matrix = self.matrix
        determined = np.linalg.pinv(matrix) @ matrix  # what it projects onto itself
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a matrix without full rank; what it leaves open is told below
            fitted = OLS(np.array([*self.figures.values()], float), matrix).fit()
        padded = [np.array([*one, *[0.0] * (matrix.shape[1] - len(one))]) for one in contrasts]
        return [estimate(fitted, one) if np.allclose(one @ determined, one) else None for one in padded]


def estimate(fitted: RegressionResults, weights: NDArray[np.float64]) -> Estimate:
    """One sum of coefficients."""
    value = float(weights @ fitted.params)
    spread = fitted.scale**0.5 if fitted.df_resid > 0 else 0.0
    if not weights.any() or spread <= DIGITS * max(1.0, float(np.abs(fitted.model.endog).max())):
        return Estimate(value, None, None)
    found = fitted.t_test(weights)
    low, high = found.conf_int(LEVEL)[0]
    return Estimate(value, (float(low), float(high)), float(found.pvalue))


def uneven(figures: Mapping[tuple[Treatment, int], float]) -> bool:
    """Whether the spread of some treatments is another than that of others beyond chance: Bartlett's test, at 0.002.

    Figures are taken less the median of their block, which one noisy treatment does not move.
    """
    by_block: dict[int, list[float]] = defaultdict(list)
    for (_, block), value in figures.items():
        by_block[block].append(value)
    rest: dict[Treatment, list[float]] = defaultdict(list)
    for (one, block), value in figures.items():
        rest[one].append(value - float(np.median(by_block[block])))
    groups = [values for values in rest.values() if len(values) > 1 and np.std(values) > DIGITS * max(map(abs, values))]
    return len(groups) > 1 and bool(stats.bartlett(*groups).pvalue < UNLIKELY)


UNLIKELY = 0.002
"""Of a difference of spreads that is told."""
