"""Whether a spec works or is broken, by where its scores lie between those of the spec that works and of the one that
does not.

A position is 1 where the score is the mean of GOOD's and 0 where it is the mean of BAD's, linear between and beyond. A
run that diverged is at 0. Where half of BAD's runs or more diverged that is how it breaks: a run is then at 1 if it
came to its end, whatever its score.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from math import sqrt
from statistics import fmean, stdev

Score = float | None
"""The score of a run; None of one that diverged."""


class Verdict(Enum):
    """What the runs of a spec come to."""

    WORKS = "works"
    BROKEN = "broken"
    UNDECIDED = "not decided"


NEAR = 1 / 3
"""How far from an end, in shares of the way to the other, a mean still counts as that end."""

CLEAR = 3.0
"""Standard errors that the means of GOOD and BAD have to be apart."""


@dataclass(frozen=True)
class Scale:
    """Where scores lie between GOOD (1) and BAD (0); `bad` is None where BAD breaks by diverging."""

    good: float
    bad: float | None

    def position(self, score: Score) -> float:
        """Where a score lies."""
        if score is None:
            return 0.0
        return 1.0 if self.bad is None else (score - self.bad) / (self.good - self.bad)

    def positions(self, scores: Sequence[Score]) -> list[float]:
        """Where scores lie."""
        return [self.position(score) for score in scores]

    def verdict(self, scores: Sequence[Score]) -> Verdict:
        """Near one end, and more than a standard error from the middle; else not decided."""
        found = self.positions(scores)
        mean, error = fmean(found), error_of(found)
        if mean >= 1 - NEAR and mean - error > 1 / 2:
            return Verdict.WORKS
        if mean <= NEAR and mean + error < 1 / 2:
            return Verdict.BROKEN
        return Verdict.UNDECIDED


def scale_of(good: Sequence[Score], bad: Sequence[Score]) -> Scale | None:
    """The scale of the scores of both; None without ends: all of GOOD's runs diverged, or both means are equal."""
    sound, others = ([one for one in scores if one is not None] for scores in (good, bad))
    if not sound:
        return None
    if 2 * len(others) <= len(bad):
        return Scale(fmean(sound), None)
    return Scale(fmean(sound), fmean(others)) if fmean(sound) != fmean(others) else None


def apart(scale: Scale, good: Sequence[Score], bad: Sequence[Score]) -> bool:
    """Whether every run of GOOD lies above every one of BAD, and the means are clearly apart for their spread."""
    over, under = scale.positions(good), scale.positions(bad)
    error = sqrt(error_of(over) ** 2 + error_of(under) ** 2)
    return min(over) > max(under) and fmean(over) - fmean(under) > CLEAR * error


def error_of(values: Sequence[float]) -> float:
    """The standard error of the mean; 0 of one value, of which it is not known."""
    return stdev(values) / sqrt(len(values)) if len(values) > 1 else 0.0
