"""Whether one of two things does better, from figures that belong together in pairs: of one seed and one data order.

The test is Student's paired t-test. It assumes that the differences are independent and about normally distributed; the
figures themselves may have any distribution, and what a seed does to both of a pair alike cancels out.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestPower

LEVEL = 0.05
"""Of false alarms: of all comparisons of a table together."""

POWER = 0.8
"""The chance with which a difference of the size that was observed is to be found."""

MOST = 50
"""Seeds that are asked for at most."""

Verdict = Literal["better", "worse", "not decided"]


@dataclass(frozen=True)
class Paired:
    """Differences of pairs, the first less the second, and what they say of their mean."""

    differences: tuple[float, ...]
    mean: float
    deviation: float | None
    """Of the sample (n - 1); None of one pair."""
    interval: tuple[float, float] | None
    """Of the mean, with 95 % confidence, for this comparison alone; None where there is no test."""
    p: float | None
    """Two-sided, not corrected. None of one pair, and where all differences are equal, which is no spread to go by."""


def compare(ones: Sequence[float], others: Sequence[float]) -> Paired | None:
    """The pairs of two equally long sequences of finite figures; None of none."""
    differences = np.subtract(ones, others, dtype=float)
    if len(differences) < 2:
        only = tuple(map(float, differences))
        return Paired(only, only[0], None, None, None) if only else None
    mean, deviation = float(differences.mean()), float(differences.std(ddof=1))
    if deviation <= DIGITS * max(np.abs([*ones, *others])):
        return Paired(tuple(differences.tolist()), mean, 0.0, None, None)
    found = stats.ttest_1samp(differences, 0.0)
    interval = found.confidence_interval(1 - LEVEL)
    both = (float(interval.low), float(interval.high))
    return Paired(tuple(differences.tolist()), mean, deviation, both, float(found.pvalue))


DIGITS = 1e-12
"""Of figures in float64; a relative spread below that is rounding."""


def holm(p: Sequence[float | None]) -> list[float | None]:
    """p-values such that among all of them a false alarm has the chance they say. What is None is no comparison.

    Source: Holm (1979), A simple sequentially rejective multiple test procedure.
    """
    tested = [one for one in p if one is not None]
    corrected = iter(multipletests(tested, LEVEL, method="holm")[1].tolist() if tested else [])
    return [None if one is None else next(corrected) for one in p]


def verdict(mean: float, corrected: float | None, larger_is_better: bool) -> Verdict:
    """What may be said of a mean difference with its corrected p-value."""
    if corrected is None or corrected > LEVEL:
        return "not decided"
    return "better" if (mean > 0) == larger_is_better else "worse"


def needed(found: Paired, comparisons: int) -> int | None:
    """How many pairs would decide it with a chance of 80 %, if mean and deviation stay as observed; None over 50.

    The level is that of the first step of Holm's procedure, LEVEL / comparisons: the strictest one.
    """
    if not found.deviation or found.mean == 0:
        return None
    size, level = abs(found.mean) / found.deviation, LEVEL / max(1, comparisons)
    numbers = np.arange(len(found.differences) + 1, MOST + 1)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # where the power is 1 in all digits, SciPy may have no number for it
        power = TTestPower().power(size, numbers, level)
    enough = numbers[~(power < POWER)]
    return int(enough[0]) if len(enough) else None
