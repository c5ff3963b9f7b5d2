"""The search: which specs between GOOD and BAD are trained, with which seeds, and what is made of their scores."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import count, islice

from archspec.bisect.folder import BisectFolder, Trial
from archspec.bisect.minimise import Subset, minimise
from archspec.bisect.pair import Pair
from archspec.bisect.verdict import Scale, Score, Verdict, apart, scale_of
from archspec.diagnostics import Diagnostic, SpecError
from archspec.facts import tasks
from archspec.sweep.plan import is_twin
from archspec.train.display import figure

Train = Callable[[Sequence[tuple[Trial, int]]], None]
"""Trains these runs as far as they are not finished. Raises what stops it."""


@dataclass(frozen=True)
class Tried:
    """A spec that was tried: the score of every seed, what that comes to."""

    trial: Trial
    scores: dict[int, Score]
    verdict: Verdict
    twin: str = ""
    """The folder of an earlier spec of the same normal form, whose runs these are."""


@dataclass(frozen=True)
class Found:
    """What the search has come to."""

    changes: Subset
    """The smallest set of changes that breaks training."""
    broken: Tried
    """GOOD with these."""
    opposite: Tried | None
    """BAD without them; None where that does not compile."""
    undecided: tuple[int, ...]
    """Those of which it is not known whether they are needed."""


def seeds_up_to(seeds: Sequence[int], most: int) -> list[int]:
    """These seeds, and as many further ones: the numbers that follow the first."""
    further = (one for one in count(seeds[0]) if one not in seeds)
    return [*seeds, *islice(further, max(0, most - len(seeds)))]


class Search:
    """A search on its way; `tried` is its evidence, in the order in which it came."""

    def __init__(self, pair: Pair, folder: BisectFolder, seeds: Sequence[int], most: int, score: tuple[str, str]):
        self.pair, self.folder, self.score = pair, folder, score
        self.seeds, self.every = [*seeds], seeds_up_to(seeds, most)
        self.tried: dict[Subset, Tried] = {}
        self.scale: Scale | None = None

    def run(self, train: Train, tell: Callable[[Tried], None]) -> Found:
        """Train both ends, then what lies between, until nothing more can be left out. Raises E0861 for equal ends."""
        self.train, self.tell = train, tell
        self.open_ends()
        whole = self.pair.whole
        changes = minimise(whole, self.broken)
        rest = self.pair.coherent.within(whole - changes)
        opposite = self.verdict(rest) if rest == whole - changes else None
        return Found(changes, self.tried[changes], opposite, tuple(self.undecided(changes)))

    def undecided(self, changes: Subset) -> Iterable[int]:
        """The changes without which it is not decided whether the others break training."""
        for one in sorted(changes):
            rest = self.pair.coherent.within(changes - {one})
            if rest is None or self.tried[rest].verdict is Verdict.UNDECIDED:
                yield one

    def open_ends(self) -> None:
        """GOOD and BAD with so many seeds that they are apart."""
        ends = self.folder.ends(self.pair)
        for seeds in self.stages():
            self.train([(one, seed) for seed in seeds for one in ends])
            good, bad = (self.scores(one, seeds) for one in ends)
            scale = scale_of([*good.values()], [*bad.values()])
            if scale and self.is_better(scale) and apart(scale, [*good.values()], [*bad.values()]):
                break
        else:
            raise SpecError([self.no_difference([*good.values()], [*bad.values()])])
        self.scale = scale
        for one, scores, verdict in zip(ends, (good, bad), (Verdict.WORKS, Verdict.BROKEN), strict=True):
            self.put(Tried(one, scores, verdict))

    def stages(self) -> Iterable[list[int]]:
        """The seeds to begin with, then one more each time."""
        return (self.every[:number] for number in range(len(self.seeds), len(self.every) + 1))

    def is_better(self, scale: Scale) -> bool:
        """Whether GOOD is the better one."""
        return scale.bad is None or (scale.good > scale.bad) == tasks.score(self.score[1]).larger_is_better

    def scores(self, one: Trial, seeds: Sequence[int]) -> dict[int, Score]:
        """What the runs of a spec come to."""
        return {seed: self.folder.score(one, seed, self.score) for seed in seeds}

    def broken(self, some: Subset) -> Subset | None:
        """The changes that were made of these, if training breaks with them."""
        made = self.pair.coherent.within(some)
        return made if made is not None and self.verdict(made).verdict is Verdict.BROKEN else None

    def verdict(self, some: Subset) -> Tried:
        """What GOOD with some changes comes to; nothing is trained twice."""
        if some in self.tried:
            return self.tried[some]
        trial = self.folder.trial(self.pair, some)
        twin = next((one for one in self.tried.values() if is_twin(one.trial.checked, trial.checked)), None)
        if twin is not None:
            return self.put(Tried(trial, twin.scores, twin.verdict, twin.twin or twin.trial.folder))
        assert self.scale is not None
        for seeds in self.stages():
            self.train([(trial, seed) for seed in seeds])
            scores = self.scores(trial, seeds)
            if (verdict := self.scale.verdict([*scores.values()])) is not Verdict.UNDECIDED:
                break
        return self.put(Tried(trial, scores, verdict))

    def put(self, one: Tried) -> Tried:
        """Keep a piece of evidence."""
        self.tried[one.trial.changes] = one
        self.tell(one)
        return one

    def no_difference(self, good: Sequence[Score], bad: Sequence[Score]) -> Diagnostic:
        """E0861: there is nothing to search for."""
        first, second = (f"`{name}`" for name in self.pair.names)
        sound = [[one for one in scores if one is not None] for scores in (good, bad)]
        notes = tuple(f"{name}: {figures(self.score[1], one)}" for name, one in ((first, good), (second, bad)))
        if not sound[0]:
            message, cure = f"{first} does not work itself: all of its runs diverged", "name one that trains first"
        elif sound[1] and min(map(self.goodness, sound[1])) > max(map(self.goodness, sound[0])):
            message, cure = f"{second} does better than {first}", "name the one that works first"
        else:
            cure = "more seeds (`--max-seeds`), longer runs, or settings with which one of them fails"
            message = f"these two do not differ in {' '.join(self.score)} beyond what {len(good)} seeds spread"
        return Diagnostic("E0861", message, notes=notes, help=cure)

    def goodness(self, score: float) -> float:
        """A score so that more is better."""
        return score if tasks.score(self.score[1]).larger_is_better else -score


def figures(name: str, scores: Sequence[Score]) -> str:
    """The scores of some seeds."""
    return ", ".join("diverged" if one is None else figure(name, one).strip() for one in scores)
