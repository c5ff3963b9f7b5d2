"""What the folder of a sweep holds: its cells, and what the runs of each have come to. Nothing is compiled."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from archspec.check.suggest import nearest
from archspec.diagnostics import Diagnostic, SpecError
from archspec.facts import tasks
from archspec.runs.row import shown
from archspec.sweep.baseline import NoCell, find_cell, name_of
from archspec.train.folder import Record, RunFolder, parsed

FILE = "sweep.json"
"""What a folder of a sweep holds besides its cells; also `sweep.yaml`, the file, and the tables."""

JOURNAL = "search.journal"
"""What the folder of a search holds besides: its trials."""

State = Literal["finished", "diverged", "not finished", "damaged"]


@dataclass(frozen=True)
class Run:
    """One run of a cell."""

    seed: int
    folder: RunFolder
    result: Record | None
    """What `done.json` says."""
    told: Record
    """What `environment.json` says."""
    trouble: str = ""
    """What cannot be read of it."""
    stopped: int | None = None
    """The epoch after which its cell was given up."""

    @property
    def state(self) -> State:
        """Whether it is over, and how."""
        if self.trouble:
            return "damaged"
        if self.result is None:
            return "not finished"
        return "diverged" if self.result["reason"] == "diverged" else "finished"

    def score(self, split: str, name: str) -> float | None:
        """A score at the epoch that the result is of, shares in percent; None of a run that is not finished."""
        if self.result is None or self.state != "finished":
            return None
        entry = self.result["last" if self.result.get("select") == "last" else "best"] or {}
        value = (entry.get(split) or {}).get(name)
        return shown(name, value) if value is not None and math.isfinite(value) else None

    @cached_property
    def health(self) -> Record:
        """The health of the last epoch that was looked at; nothing where none was."""
        if not self.folder.metrics.exists():
            return {}
        for line in reversed(self.folder.metrics.read_text(encoding="utf-8").splitlines()):
            if '"health"' in line and (found := health_in(line)).get("looks"):
                return found
        return {}

    @cached_property
    def signs(self) -> set[str]:
        """The signs of trouble that it gave."""
        try:
            return {str(event["sign"]) for event in self.folder.events()}
        except (SpecError, KeyError, TypeError, OSError):
            return set()


def health_in(line: str) -> Record:
    """The health that a line of the metrics tells; nothing of a line that a crash cut short."""
    try:
        return dict(json.loads(line).get("health") or {})
    except (ValueError, TypeError, AttributeError):
        return {}


@dataclass(frozen=True)
class CellRuns:
    """A cell and its runs; those of its twin where it has one."""

    folder: str
    labels: Mapping[str, str]
    parameters: int
    same_as: str | None
    """The folder of an earlier cell of the same architecture and settings."""
    sizes: Mapping[str, int]
    """The size that was solved for."""
    runs: Mapping[int, Run]
    stopped: int | None = None
    """The epoch after which it was given up."""

    @property
    def name(self) -> str:
        """What it is called."""
        return name_of(self.labels)

    @property
    def key(self) -> str:
        """The folder that its runs are in."""
        return self.same_as or self.folder


@dataclass(frozen=True)
class Baseline:
    """The cell that the others are compared with."""

    folder: str
    why: str
    """Who named it."""


@dataclass(frozen=True)
class Outcome:
    """A sweep as its folder has it."""

    path: Path
    name: str
    seeds: tuple[int, ...]
    cells: tuple[CellRuns, ...]
    rank: tuple[str, str]
    """Split and score that cells are ranked by."""
    baseline: Baseline | None

    @property
    def is_searched(self) -> bool:
        """Whether a search chose the cells."""
        return (self.path / JOURNAL).is_file()

    @property
    def axes(self) -> list[str]:
        """The names of the axes."""
        return [*self.cells[0].labels]

    @property
    def runs(self) -> list[Run]:
        """The runs of all cells, those of twins once."""
        return [run for cell in self.cells if cell.same_as is None for run in cell.runs.values()]


def read(path: Path) -> Outcome:
    """The sweep in a folder. Raises SpecError: E0808 no such folder, or not of a sweep, E0809 one that is damaged."""
    check(path)
    file = path / FILE
    told = parsed(file.read_bytes(), file)
    try:
        seeds = tuple(int(one) for one in told["seeds"])
        cells = tuple(cell_of(path, folder, entry, seeds) for folder, entry in told["cells"].items())
        split, name = told.get("rank_by") or ("val", main_score(cells))
        base = told.get("baseline")
        baseline = Baseline(str(base["cell"]), str(base["why"])) if base else None
        if not cells or (baseline and baseline.folder not in {one.folder for one in cells}):
            raise ValueError("no cells")
        return Outcome(path, str(told["name"]), seeds, cells, (str(split), str(name)), baseline)
    except (KeyError, TypeError, ValueError, AttributeError) as problem:
        lack = f"it has no {problem}" if isinstance(problem, KeyError) else str(problem)
        message = f"this file says something else than that of a sweep: {lack}"
        cure = "give the `archspec sweep` command again, which writes it anew"
        raise SpecError([Diagnostic("E0809", message, path=str(file), help=cure)]) from problem


def check(path: Path) -> None:
    """E0808 for what is not the folder of a sweep."""
    if (path / FILE).is_file():
        return
    beside = sorted(str(one.parent) for one in path.parent.glob(f"*/{FILE}")) if path.parent.is_dir() else []
    known = beside or sorted(str(one.parent) for one in Path("runs").glob(f"*/{FILE}"))
    cure = f"the sweeps there are: {', '.join(known)}" if known else "`archspec sweep FILE` makes one"
    what = "this is a file, not the folder of a sweep" if path.is_file() else f"the folder of a sweep has a `{FILE}`"
    what = what if path.exists() else "there is no such folder"
    raise SpecError([Diagnostic("E0808", what, path=str(path), help=cure)])


def cell_of(path: Path, folder: str, entry: Record, seeds: tuple[int, ...]) -> CellRuns:
    """One cell with what its runs say."""
    same_as = entry.get("same_as")
    stopped = entry.get("stopped_at_epoch")
    runs = {seed: run_of(RunFolder(path / (same_as or folder) / f"seed-{seed}"), seed, stopped) for seed in seeds}
    labels = {str(axis): str(label) for axis, label in entry["axes"].items()}
    return CellRuns(folder, labels, int(entry["parameters"]), same_as, dict(entry.get("sizes") or {}), runs, stopped)


def run_of(folder: RunFolder, seed: int, stopped: int | None) -> Run:
    """One run; what cannot be read of it is told. One that paused has a result where its cell was given up."""
    try:
        result = folder.result()
        if result is not None and not {"reason", "best", "last", "seconds"} <= {*result}:
            return Run(seed, folder, None, {}, f"{folder.done} is not the result of a run")
        if result is not None and result["reason"] == "paused" and stopped is None:
            result = None
        return Run(seed, folder, result, folder.told(), stopped=stopped)
    except SpecError as problem:
        return Run(seed, folder, None, {}, f"{problem.diagnostics[0].path}: {problem.diagnostics[0].message}")
    except OSError as problem:
        return Run(seed, folder, None, {}, f"{problem.filename}: {(problem.strerror or str(problem)).lower()}")


def main_score(cells: tuple[CellRuns, ...]) -> str:
    """The score that runs are shown by, where the sweep does not say; that of a folder of before it did."""
    results = (run.result for cell in cells for run in cell.runs.values() if run.result)
    return next((str(one["score"]) for one in results if one.get("score")), "loss")


def with_baseline(outcome: Outcome, said: str) -> Outcome:
    """The sweep with another baseline. E0807 for one that is no cell."""
    try:
        folder = find_cell({one.folder: one.labels for one in outcome.cells}, said)
    except NoCell as problem:
        raise SpecError([Diagnostic("E0807", problem.message, path=str(outcome.path), help=problem.help)]) from None
    return replace(outcome, baseline=Baseline(folder, "named on the command line"))


def with_score(outcome: Outcome, name: str) -> Outcome:
    """The sweep with another score. E0810 for one that no run has."""
    known = known_scores(outcome)
    if name not in known:
        cure = nearest(name, known) or f"there are {', '.join(known)}"
        raise SpecError([Diagnostic("E0810", f"no run has a score `{name}`", path=str(outcome.path), help=cure)])
    return replace(outcome, rank=(outcome.rank[0], name))


def known_scores(outcome: Outcome) -> list[str]:
    """The scores that runs have, in their order."""
    entries: list[Any] = [(run.result or {}).get(key) for run in outcome.runs for key in ("best", "last")]
    names = (name for one in entries if one for split in ("val", "test") for name in one.get(split) or {})
    return [one for one in dict.fromkeys(names) if one in tasks.SCORES or one.startswith("acc_")]
