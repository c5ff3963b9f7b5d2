"""Trials of a search, each a cell: asked of Optuna one after the other, told what their seeds come to, and kept.

`search.journal` in the folder of the sweep has every trial with its values and its score, so a search that was killed
goes on: trials that were running run on with the same values. What the next trial is follows from the seed, the number
of the trial and what is known then; with one run at a time it is the same whether it was interrupted or not.
"""

import json
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from archspec.diagnostics import Diagnostic, SpecError
from archspec.facts import tasks
from archspec.sweep.cells import Cell, cell_at
from archspec.sweep.drive import Ended, Job
from archspec.sweep.file import Sweep
from archspec.sweep.folder import SweepFolder
from archspec.sweep.plan import Planned
from archspec.sweep.shown import counted
from archspec.sweep.table.results import JOURNAL
from archspec.train.group import spread

STUDY = "sweep"


def imported() -> Any:
    """Optuna. E0841 where it is not there."""
    try:
        import optuna
    except ModuleNotFoundError as problem:
        if problem.name != "optuna":
            raise
        cure = '`pip install "archspec-nn[search]"`'
        raise SpecError([Diagnostic("E0841", "`search` needs Optuna, which is not installed", help=cure)]) from None
    return optuna


def check_journal(path: Path) -> None:
    """E0615 for a line of the journal that something else has written."""
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        try:
            json.loads(line)["op_code"]
        except (ValueError, TypeError, KeyError):
            message = f"the journal of the search is damaged: line {number} is none of its own"
            cure = "take it from a copy, or remove it: the search begins anew, with the runs that there are"
            raise SpecError([Diagnostic("E0615", message, path=str(path), help=cure)]) from None


@dataclass
class Trial:
    """A trial that is not finished."""

    number: int
    planned: Planned
    waiting: list[int]
    """Seeds that are not begun with."""
    running: set[int] = field(default_factory=set)
    failed: bool = False


Plan = Callable[[Cell], Planned]
"""What compiles a cell; SpecError where that cannot be."""


class Trials:
    """The runs of a search, as a queue: a trial is asked for when there is a place for it."""

    def __init__(self, sweep: Sweep, folder: SweepFolder, rank: tuple[str, str], plan: Plan):
        assert sweep.search is not None
        self.sweep, self.folder, self.rank, self.plan, self.search = sweep, folder, rank, plan, sweep.search
        self.optuna = imported()
        self.study = self.opened()
        self.cells: list[Planned] = []
        """Those of all trials, in the order they were asked for."""
        self.open: list[Trial] = []
        self.refused: list[Diagnostic] = []
        """What is wrong with trials that cannot be compiled."""
        self.asked = 0
        self.what, self.runs = counted(self.search.trials, "trial"), self.search.trials * len(folder.seeds)
        self.to_do = 0
        self.added: Callable[[Planned], None] = lambda _: None
        """Who is told of a new cell."""

    def opened(self) -> Any:
        """The study in the folder; what a kill has left behind there is mended."""
        path = self.folder.path / JOURNAL
        path.with_name(f"{JOURNAL}.lock").unlink(missing_ok=True)  # the sweep's own lock is held
        if path.exists():
            whole = path.read_bytes()
            path.write_bytes(whole[: whole.rfind(b"\n") + 1])
            check_journal(path)
        self.optuna.logging.disable_default_handler()
        journal = self.optuna.storages.journal.JournalFileBackend(str(path))
        storage = self.optuna.storages.JournalStorage(journal)
        direction = "maximize" if tasks.score(self.rank[1]).larger_is_better else "minimize"
        return self.optuna.create_study(storage=storage, study_name=STUDY, direction=direction, load_if_exists=True)

    def recall(self) -> None:
        """Take up the trials that there are. E0806 for those of other axes, alternatives or ranges."""
        axes = {axis.name: self.distribution(axis) for axis in self.sweep.axes}
        for one in self.study.get_trials(deepcopy=False):
            if any(axes.get(name) != kind for name, kind in one.distributions.items()):
                raise SpecError([self.other()])
            if {*one.params} != {*axes}:
                if one.state.is_finished():
                    raise SpecError([self.other()])
                self.study.tell(one.number, state=self.optuna.trial.TrialState.FAIL)  # killed while it was asked for
                continue
            self.asked += 1
            self.take(one.number, one.params, one.state.is_finished())
        is_open = [self.folder.is_open(one, seed) for one in self.cells for seed in self.folder.seeds]
        self.to_do = sum(is_open) + max(0, self.search.trials - self.asked) * len(self.folder.seeds)

    def other(self) -> Diagnostic:
        """E0806 for a search over something else."""
        message = "the trials in this folder are of other axes, alternatives or ranges"
        cure = "take that back, or name another folder with `--run-dir`"
        return Diagnostic("E0806", message, path=str(self.folder.path / JOURNAL), help=cure)

    def take(self, number: int, values: dict[str, Any], is_finished: bool = False) -> None:
        """A trial: its cell compiled, and its runs to do."""
        cell = cell_at(self.sweep, values)
        planned = next((one for one in self.cells if one.cell.folder == cell.folder), None)
        if planned is None:
            try:
                planned = self.plan(cell)
            except SpecError as problem:
                if not is_finished:
                    self.refused += [one for one in problem.diagnostics if one not in self.refused]
                    self.study.tell(number, state=self.optuna.trial.TrialState.FAIL)
                return
            self.cells.append(planned)
            self.added(planned)
        if not is_finished:
            self.open.append(Trial(number, planned, [*self.folder.seeds]))

    def next(self) -> Job | None:
        """A run of a trial that is begun, else of the next trial."""
        while True:
            for trial in self.open:
                while trial.waiting:
                    seed = trial.waiting.pop(0)
                    if self.folder.is_open(trial.planned, seed) and not self.is_running(trial.planned, seed):
                        trial.running.add(seed)
                        return Job(trial.planned, seed, self.folder.group(trial.planned))
            self.conclude()
            if self.asked >= self.search.trials:
                return None
            self.ask()

    def is_running(self, planned: Planned, seed: int) -> bool:
        """Whether another trial of the same values has begun with a run."""
        return any(seed in one.running for one in self.open if one.planned is planned)

    def ask(self) -> None:
        """The next trial."""
        self.asked += 1
        number = len(self.study.get_trials(deepcopy=False))
        self.study.sampler = self.sampler(number)
        self.take(number, self.study.ask({axis.name: self.distribution(axis) for axis in self.sweep.axes}).params)

    def sampler(self, number: int) -> Any:
        """What chooses the values of a trial, made anew for each, so that it is the same after an interruption."""
        import numpy as np

        seed = int(np.random.SeedSequence([self.search.seed, number]).generate_state(1)[0])
        with warnings.catch_warnings(action="ignore"):
            return {"tpe": self.optuna.samplers.TPESampler, "random": self.optuna.samplers.RandomSampler}[
                self.search.sampler
            ](seed=seed)

    def distribution(self, axis: Any) -> Any:
        """An axis as Optuna has it."""
        kinds, between = self.optuna.distributions, axis.range
        if between is None:
            return kinds.CategoricalDistribution(axis.labels)
        kind = kinds.IntDistribution if between.is_whole else kinds.FloatDistribution
        step = {} if between.step is None else {"step": between.step}
        return kind(between.low, between.high, log=between.scale == "log", **step)

    def ended(self, one: Ended) -> None:
        """A run has ended; one that failed leaves its trial to another time."""
        for trial in self.open:
            if trial.planned is one.job.planned:
                trial.running.discard(one.job.seed)
                trial.failed = trial.failed or bool(one.problems and not one.diverged)
        self.conclude()

    def conclude(self) -> None:
        """Tell the scores of trials that have all their runs: the mean over the seeds that did not diverge."""
        for trial in [*self.open]:
            if trial.waiting or trial.running or self.is_at_work(trial):
                continue
            self.open.remove(trial)
            if trial.failed:
                continue
            score = self.score(trial.planned)
            states = self.optuna.trial.TrialState
            self.study.tell(trial.number, score, state=states.FAIL if score is None else states.COMPLETE)

    def score(self, one: Planned) -> float | None:
        """The mean of the score that cells are ranked by; None where all seeds diverged."""
        sound = [result for result in self.folder.results(one).values() if result["reason"] != "diverged"]
        kept = "last" if any(result.get("select") == "last" for result in sound) else "best"
        found: float | None = spread(sound, kept, self.rank[0]).get(self.rank[1], {}).get("mean")
        return found

    def is_at_work(self, trial: Trial) -> bool:
        """Whether runs of its values are under way for another trial."""
        return any(one.running for one in self.open if one.planned is trial.planned)
