"""Runs of a sweep on their way: which comes next, where it is trained, and what has ended."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, Self

from archspec.diagnostics import Diagnostic
from archspec.sweep.folder import SweepFolder
from archspec.sweep.plan import Planned
from archspec.sweep.shown import counted
from archspec.train.folder import RunFolder
from archspec.train.group import Group


@dataclass(frozen=True)
class Job:
    """A run that is to be trained, or to go on."""

    planned: Planned
    seed: int
    group: Group
    """The folder of the cell."""
    until: int | None = None
    """The epoch after which it pauses; None for its end."""

    @property
    def title(self) -> str:
        """What it is called."""
        return f"{self.planned.cell.name}, seed {self.seed}"

    @property
    def run(self) -> RunFolder:
        """Its folder."""
        return self.group.run(self.seed)


@dataclass(frozen=True)
class Ended:
    """A run that is trained as far as it was to be, or that something was wrong with."""

    job: Job
    problems: Sequence[Diagnostic] = ()

    @property
    def diverged(self) -> bool:
        """Whether that is what was wrong, which is a result."""
        return any(one.code == "E0620" for one in self.problems)


class Queue(Protocol):
    """Which runs there are to do; what has ended may decide what is next."""

    cells: list[Planned]
    """The cells that there are by now."""
    what: str
    """What they are, in words."""
    runs: int
    """Runs, those that are finished too."""
    to_do: int
    """Of those the ones that are not finished, or parts of them."""
    refused: list[Diagnostic]
    """What is wrong with cells that were found on the way."""

    def next(self) -> Job | None:
        """A run to begin with now; None where there is none, or none before another one has ended."""

    def ended(self, one: Ended) -> None:
        """Take note."""


class Executor(Protocol):
    """Where runs are trained, each as `archspec train` does it; entered before the first one, left after the last.

    Entering raises SpecError where it cannot train. What a signal stops it tells by Interrupted, from `ended`.
    """

    @property
    def said(self) -> str:
        """How it trains, in a line; may be empty."""

    @property
    def places(self) -> int | None:
        """Runs at a time; None for as many as there are."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def start(self, job: Job) -> None:
        """Begin with a run."""

    def ended(self) -> Sequence[Ended]:
        """Wait until at least one of those begun with has ended; those that have."""


class Listener(Protocol):
    """Who is told of the runs."""

    def begins(self, job: Job) -> None:
        """A run begins."""

    def ended(self, one: Ended) -> None:
        """A run has ended."""


class Voice(Listener, Protocol):
    """A listener that says it to people, while entered."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


def drive(queue: Queue, executor: Executor, listener: Listener) -> list[Diagnostic]:
    """Train all of a queue; the problems of the runs that failed. One that diverges is a result."""
    problems: list[Diagnostic] = []
    running = 0
    while True:
        while executor.places is None or running < executor.places:
            if (job := queue.next()) is None:
                break
            listener.begins(job)
            executor.start(job)
            running += 1
        if not running:
            return problems
        for one in executor.ended():
            running -= 1
            problems += [] if one.diverged else one.problems
            queue.ended(one)
            listener.ended(one)


class Grid:
    """Runs that are all known from the start, in their order."""

    def __init__(self, jobs: Sequence[Job], cells: Sequence[Planned] = (), runs: int = 0):
        self.jobs, self.cells = [*jobs], [*cells]
        self.what, self.runs, self.to_do = counted(len(cells), "cell"), runs, len(jobs)
        self.refused: list[Diagnostic] = []

    @classmethod
    def of(cls, folder: SweepFolder, cells: Sequence[Planned]) -> Self:
        """The runs of cells that are not finished."""
        jobs = [Job(one, seed, folder.group(one)) for one, seed in folder.open_runs(cells)]
        return cls(jobs, cells, sum(one.twin is None for one in cells) * len(folder.seeds))

    def next(self) -> Job | None:
        """The first one left."""
        return self.jobs.pop(0) if self.jobs else None

    def ended(self, one: Ended) -> None:
        """Which changes nothing."""
