"""What several attempts come to: one of three verdicts, and where it is not the first, what the diagnostics saw."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import mean, median, stdev

from archspec.train.display import counted
from archspec.train.health.explain import where
from archspec.train.health.words import spreads
from archspec.train.overfit.attempt import Attempt

MEMORISES, THRESHOLD, CHANCE = "memorises", "no better than the degree threshold", "chance"

CLOSE = 0.1
"""Of the way from chance to all of it: nearer than this to chance is chance."""
HALF = 0.5
"""Of the way from the degree threshold to all of it: from here on it memorises."""


@dataclass(frozen=True)
class Verdict:
    """The verdict on some attempts, which is that on the median of their scores."""

    attempts: Sequence[Attempt]

    @property
    def scores(self) -> list[float]:
        """One a seed."""
        return [one.score for one in self.attempts]

    @property
    def lines(self) -> tuple[float, float]:
        """Up to the first it is chance, from the second on it memorises."""
        first = self.attempts[0]
        chance, floor = first.labels.chance, first.floor
        return chance + CLOSE * (1 - chance), floor + HALF * (1 - floor)

    @property
    def word(self) -> str:
        """One of the three."""
        return self.of(median(self.scores))

    def of(self, score: float) -> str:
        """The verdict on a score."""
        low, high = self.lines
        if score >= high:
            return MEMORISES
        return CHANCE if not score > low else THRESHOLD

    def text(self) -> Iterator[str]:
        """The figures and the verdict, in lines."""
        first, (low, high) = self.attempts[0], self.lines
        name = first.labels.name
        several = f" ± {100 * stdev(self.scores):.1f}" if len(self.scores) > 1 else ""
        over = counted(len(self.scores), "seed")
        yield f"{name} {100 * mean(self.scores):.1f}{several} over {over}, in evaluation mode"
        yield (
            f"a threshold on the degree reaches {100 * first.floor:.1f}, chance is {100 * first.labels.chance:.1f}: "
            f"up to {100 * low:.1f} it is chance, from {100 * high:.1f} on it memorises"
        )
        yield f"verdict: {self.word}"
        if self.word == THRESHOLD and median(self.scores) > first.floor:
            yield "  (it does better than the threshold, but gets less than half of the rest right)"
        if len({self.of(score) for score in self.scores}) > 1:
            yield "  (the seeds disagree; the verdict is that on the median)"

    def seen(self) -> Iterator[str]:
        """What the diagnostics saw in the attempts that do not memorise, each thing once."""
        failed = [one for one in self.attempts if self.of(one.score) != MEMORISES]
        told: set[str] = set()
        for one in failed:
            for line in (*of_run(one), *of_modes(one, self.lines[1])):
                if line not in told:
                    told.add(line)
                    yield f"seed {one.seed}: {line}"
        if failed and failed[0].health:
            yield from figures(failed[0])


def of_run(attempt: Attempt) -> Iterator[str]:
    """How it diverged, and the signs in order."""
    if attempt.broken:
        yield attempt.broken
    if attempt.trace:
        yield attempt.trace.said + "".join(f"\n  --> {line}" for line in where(attempt.trace.place))
    for event in attempt.events:
        place = "".join(f"\n  --> {line}" for line in where(event["place"]))
        yield f"step {event['epoch']}: {event['message']}{place}\n  help: {event['help']}"


def of_modes(attempt: Attempt, line: float) -> Iterator[str]:
    """Whether the same weights know more in training mode."""
    if attempt.training >= line > attempt.score:
        yield (
            f"in training mode the same weights reach {100 * attempt.training:.1f}: what differs are dropout and batch "
            "norms, whose running statistics are not those of the batch"
        )


def figures(attempt: Attempt) -> Iterator[str]:
    """The figures of health of the last quarter of the steps, in a few lines."""
    assert attempt.health is not None
    yield f"seed {attempt.seed}, means over the last quarter of the steps:"
    yield from (f"  {line}" for line in spreads(attempt.health))
