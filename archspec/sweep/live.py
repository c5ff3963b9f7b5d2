"""The table of a sweep while it runs, redrawn in place on a terminal from what the run folders say."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from archspec.facts import tasks
from archspec.sweep.drive import Ended, Job
from archspec.sweep.file import Sweep
from archspec.sweep.folder import SweepFolder
from archspec.sweep.plan import Planned
from archspec.train.display import clock, figure
from archspec.train.folder import Record, RunFolder

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

ORDER = ("running", "done", "diverged", "failed", "queued")
"""States of a cell, those first that are shown first where there is no room for all."""

FRAME = 8
"""Lines of a terminal that are no rows."""


@dataclass
class Files:
    """The metrics of runs, read again where a file has grown."""

    kept: dict[Path, tuple[int, list[Record]]] = field(default_factory=dict)

    def records(self, run: RunFolder) -> list[Record]:
        """The epochs of a run."""
        try:
            size = run.metrics.stat().st_size
        except OSError:
            return []
        if self.kept.get(run.path, (-1,))[0] != size:
            self.kept[run.path] = size, run.records()
        return self.kept[run.path][1]


@dataclass(frozen=True)
class Seen:
    """A cell as it is now."""

    planned: Planned
    state: str
    progress: str
    score: float | None
    """The best on the validation split so far, the mean of the seeds that have one."""


class Board:
    """Told of runs, and asked for the table."""

    def __init__(self, sweep: Sweep, folder: SweepFolder, cells: Sequence[Planned], score: str):
        self.sweep, self.folder, self.score = sweep, folder, score
        self.cells = [one for one in cells if one.twin is None]
        self.running: set[Path] = set()
        self.failed: set[Path] = set()
        self.files = Files()

    def begins(self, job: Job) -> None:
        """A run begins."""
        if job.planned.cell not in [one.cell for one in self.cells]:
            self.cells.append(job.planned)  # a trial of a search
        self.running.add(job.run.path)

    def ended(self, one: Ended) -> None:
        """A run has ended."""
        self.running.discard(one.job.run.path)
        if one.problems and not one.diverged:
            self.failed.add(one.job.run.path)

    def seen(self, one: Planned) -> Seen:
        """A cell."""
        runs = {seed: self.folder.run(one, seed) for seed in self.folder.seeds}
        states = [self.state(run) for run in runs.values()]
        state = next(one for one in ("running", "failed", "queued", "diverged", "done") if one in states)
        at = [self.epoch(one, seed, run) for seed, run in runs.items() if run.path in self.running]
        done = sum(state in ("done", "diverged") for state in states)
        progress = ", ".join([f"{done}/{len(runs)} done" if len(runs) > 1 or not at else "", *at]).strip(", ")
        scores = [found for run in runs.values() if (found := self.best(run)) is not None]
        return Seen(one, state, progress, sum(scores) / len(scores) if scores else None)

    def state(self, run: RunFolder) -> str:
        """How it is with a run."""
        if run.path in self.running:
            return "running"
        if run.path in self.failed:
            return "failed"
        result = run.result()
        return "queued" if result is None else "diverged" if result["reason"] == "diverged" else "done"

    def epoch(self, one: Planned, seed: int, run: RunFolder) -> str:
        """How far a run is."""
        epochs = one.spec.settings.train.epochs
        records = self.files.records(run)
        took = sum(each["seconds"] + each["seconds_scoring"] for each in records)
        left = f", left {clock(took / len(records) * (epochs - len(records)))}" if records else ""
        which = f"seed {seed} " if len(self.folder.seeds) > 1 else ""
        return f"{which}epoch {min(len(records) + 1, epochs)}/{epochs}{left}"

    def best(self, run: RunFolder) -> float | None:
        """The best validation score of a run so far."""
        found = [one["val"].get(self.score) for one in self.files.records(run)]
        scores = [one for one in found if one is not None]
        better = max if tasks.score(self.score).larger_is_better else min
        return better(scores) if scores else None

    def rows(self, most: int) -> tuple[list[Seen], int]:
        """The cells to show, the running ones first and then the best, and how many there is no room for."""
        sign = -1 if tasks.score(self.score).larger_is_better else 1

        def key(one: Seen) -> tuple[int, float]:
            return ORDER.index(one.state), sign * one.score if one.score is not None else float("inf")

        found = sorted((self.seen(one) for one in self.cells), key=key)
        return found[:most], max(0, len(found) - most)


class LiveBoard:
    """A board on a terminal."""

    def __init__(self, board: Board, console: "Console | None" = None):
        from rich.console import Console
        from rich.live import Live

        self.board = board
        self.console = console or Console(highlight=False)
        self.live = Live(console=self.console, get_renderable=self.drawn, refresh_per_second=1, transient=True)

    def __enter__(self) -> Self:
        self.live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.live.stop()

    def begins(self, job: Job) -> None:
        """A run begins."""
        self.board.begins(job)

    def ended(self, one: Ended) -> None:
        """A run has ended."""
        self.board.ended(one)

    def drawn(self) -> "Table":
        """The table as it is now."""
        from rich.table import Table

        rows, more = self.board.rows(max(3, self.console.height - FRAME))
        caption = f"{more} more cells" if more else None
        table = Table(box=None, pad_edge=False, caption=caption, caption_justify="left")
        for name in (*(axis.name for axis in self.board.sweep.axes), "state", f"val {self.board.score} so far", ""):
            table.add_column(name)
        for one in rows:
            table.add_row(*cells_of(one, self.board.score))
        return table


def cells_of(one: Seen, score: str) -> Iterable[Any]:
    """A row as text that is not read as markup."""
    from rich.text import Text

    shown = "" if one.score is None else figure(score, one.score).strip()
    return (Text(part) for part in (*one.planned.cell.labels, one.state, shown, one.progress))


class Plain:
    """In a pipe: a line for each run that begins."""

    def __init__(self, to_do: int):
        self.to_do, self.begun = to_do, 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...

    def begins(self, job: Job) -> None:
        """A run begins."""
        self.begun += 1
        print(f"{job.title}, {self.begun} of {self.to_do}", flush=True)

    def ended(self, one: Ended) -> None:
        """A run has ended, which its own lines say."""
