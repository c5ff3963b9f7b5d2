"""Successive halving: cells are given up at rungs of epochs, all seeds of a cell together.

Synchronous, as in Jamieson and Talwalkar, "Non-stochastic Best Arm Identification and Hyperparameter Optimization"
(AISTATS 2016), with rungs and share as the file says: when every cell that is left has come to a rung, the best of
them by the mean over seeds of the best validation score so far go on. Runs have the schedule of all epochs and are
paused at a rung, so those of cells that go on come to the bits of runs without halving. What is decided follows from
the records of the runs, so the same command decides the same after an interruption.
"""

import math
from collections.abc import Sequence

from archspec.diagnostics import Diagnostic
from archspec.facts import tasks
from archspec.sweep.drive import Ended, Job
from archspec.sweep.folder import SweepFolder
from archspec.sweep.plan import Planned
from archspec.sweep.ranges import Halving
from archspec.sweep.shown import counted
from archspec.train.folder import RunFolder


class Rungs:
    """The runs up to the first rung, then those of the cells that are left up to the next, and so on."""

    def __init__(self, halving: Halving, folder: SweepFolder, cells: Sequence[Planned], score: str):
        self.halving, self.folder, self.score = halving, folder, score
        self.cells = [*cells]
        self.left = [one for one in cells if one.twin is None]
        self.levels = [*halving.rungs, None]
        self.running, self.failed = 0, False
        self.refused: list[Diagnostic] = []
        self.runs = len(self.left) * len(folder.seeds)
        self.what = counted(len(cells), "cell")
        self.jobs = self.following()
        self.to_do = len(self.jobs) + self.later() if self.jobs else 0

    def later(self) -> int:
        """Parts of runs after the rung that is next, if all that are left then go on."""
        number, found = len(self.left), 0
        for _ in self.levels[1:]:
            number = self.kept(number)
            found += number * len(self.folder.seeds)
        return found

    def kept(self, number: int) -> int:
        """How many of so many cells go on."""
        return math.ceil(self.halving.keep * number)

    def following(self) -> list[Job]:
        """What is to do up to the next rung that some have not come to; on the way it is decided which cells go on."""
        while True:
            until = self.levels[0]
            jobs = [
                Job(one, seed, self.folder.group(one), until)
                for seed in self.folder.seeds
                for one in self.left
                if self.is_short(one, seed, until)
            ]
            if jobs or until is None:
                return jobs
            self.decide(until)
            self.levels.pop(0)

    def is_short(self, one: Planned, seed: int, until: int | None) -> bool:
        """Whether a run has not come to a rung, or to its end."""
        if not self.folder.is_open(one, seed):
            return False
        run = self.folder.run(one, seed)
        result = run.result()
        if until is None:
            return True
        return run.epochs() <= until and (result is None or result["epochs"] < until)

    def decide(self, until: int) -> None:
        """Give up all but the best cells, the first of equals in the order of the file."""
        sign = -1 if tasks.score(self.score).larger_is_better else 1

        def key(one: Planned) -> float:
            found = self.mean(one, until)
            return math.inf if found is None else sign * found

        best = sorted(self.left, key=key)[: self.kept(len(self.left))]
        for one in self.left:
            if one not in best:
                self.folder.stopped[one.cell.folder] = until
        self.left = [one for one in self.left if one in best]

    def mean(self, one: Planned, until: int) -> float | None:
        """The mean over seeds of the best validation score up to an epoch; None where no seed has one."""
        found = [self.best(self.folder.run(one, seed), until) for seed in self.folder.seeds]
        scores = [score for score in found if score is not None]
        return sum(scores) / len(scores) if scores else None

    def best(self, run: RunFolder, until: int) -> float | None:
        """The best validation score of a run up to an epoch; None where it diverged."""
        if (run.result() or {}).get("reason") == "diverged":
            return None
        scores = [one["val"].get(self.score) for one in run.records() if one["epoch"] <= until]
        better = max if tasks.score(self.score).larger_is_better else min
        return better((one for one in scores if one is not None), default=None)

    def next(self) -> Job | None:
        """A run that is not at its rung; None while others are under way, and where one failed."""
        if not self.jobs and not self.running and not self.failed:
            self.jobs = self.following()
        if not self.jobs:
            return None
        self.running += 1
        return self.jobs.pop(0)

    def ended(self, one: Ended) -> None:
        """Take note."""
        self.running -= 1
        self.failed = self.failed or bool(one.problems and not one.diverged)
