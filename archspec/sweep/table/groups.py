"""Which results may be compared: those of one protocol (data, its recipe, scoring) and of one version of torch.

Those of cells that were given up at one epoch are compared with each other alone.
"""

import json
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from archspec.facts import tasks
from archspec.sweep.table.results import CellRuns, Outcome, Run
from archspec.train.protocol import differences


@dataclass(frozen=True)
class Row:
    """A cell, and those of its runs that have ended in one group."""

    cell: CellRuns
    runs: Sequence[Run]
    score: tuple[str, str]
    """Split and score that cells are compared by."""

    @cached_property
    def scores(self) -> dict[int, float]:
        """That score by seed, shares in percent; of runs that did not diverge."""
        return self.by_seed(*self.score)

    def by_seed(self, split: str, name: str) -> dict[int, float]:
        """A score by seed."""
        found = {run.seed: run.score(split, name) for run in self.runs}
        return {seed: value for seed, value in found.items() if value is not None}

    @property
    def diverged(self) -> list[int]:
        """The seeds with which it did."""
        return [run.seed for run in self.runs if run.state == "diverged"]


@dataclass(frozen=True)
class Group:
    """Results that may be compared, and in what they are others than those of the first group."""

    rows: Sequence[Row]
    differences: Sequence[str]

    @property
    def runs(self) -> list[Run]:
        """The runs that have ended, those of twins once."""
        return [run for row in self.rows if row.cell.same_as is None for run in row.runs]


def groups_of(outcome: Outcome, score: tuple[str, str]) -> list[Group]:
    """The groups, that of the baseline first, else the largest; cells without a result stand in the first.

    Those of cells that were given up come last, the later they were the higher.
    """
    ended = [run for run in outcome.runs if run.result is not None]
    sizes = Counter(map(identity, ended))
    base = outcome.baseline and next(one for one in outcome.cells if one.folder == outcome.baseline.folder)
    own = Counter(identity(run) for run in base.runs.values() if run.result is not None) if base else sizes
    ends = {identity(run): run.stopped or math.inf for run in ended}
    order = sorted(sizes, key=lambda key: (-ends[key], -own[key], -sizes[key]))
    return [group(outcome, score, order, at) for at in range(len(order) or 1)]


def identity(run: Run) -> str:
    """What results have to have in common."""
    fields = ((run.result or {}).get("protocol") or {}).get("fields")
    return json.dumps([fields, run.told.get("torch"), run.stopped], sort_keys=True)


def group(outcome: Outcome, score: tuple[str, str], order: Sequence[str], at: int) -> Group:
    """The group at a place of the order, its best row first."""
    rows = []
    for cell in outcome.cells:
        runs = [run for run in cell.runs.values() if run.result is not None and identity(run) == order[at]]
        if runs or (at == 0 and all(run.result is None for run in cell.runs.values())):
            rows.append(Row(cell, runs, score))
    first, one = (
        next((run for run in outcome.runs if run.result is not None and identity(run) == key), None)
        for key in (order[0] if order else "", order[at] if order else "")
    )
    return Group(ranked(rows, outcome.rank), apart(one, first) if at and one and first else [])


def apart(one: Run, other: Run) -> list[str]:
    """In what two runs that may not be compared differ, in words."""
    found = [str(each) for each in differences(one.result or {}, other.result or {})]
    torch = (one.told.get("torch"), other.told.get("torch"))
    if one.stopped != other.stopped:
        found.append(f"{ending(one)} and not {ending(other)}")
    return found + ([f"torch {torch[0]} and not {torch[1]}"] if torch[0] != torch[1] else [])


def ending(run: Run) -> str:
    """How far a run was trained, in words."""
    return "to the end" if run.stopped is None else f"stopped at epoch {run.stopped}"


def ranked(rows: list[Row], rank: tuple[str, str]) -> list[Row]:
    """The best first by the mean of a score; those without one last."""
    sign = -1 if tasks.score(rank[1]).larger_is_better else 1

    def key(row: Row) -> tuple[bool, float]:
        scores = [*row.by_seed(*rank).values()]
        return not scores, sign * sum(scores) / len(scores) if scores else 0.0

    return sorted(rows, key=key)
