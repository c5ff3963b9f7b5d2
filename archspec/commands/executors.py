"""Where the runs of a sweep are trained: one after the other in this process, or side by side in others."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from time import sleep
from typing import TYPE_CHECKING, Self

import click

from archspec.commands import seeds as several
from archspec.commands.training import Means, begin, go_on
from archspec.diagnostics import Diagnostic, SpecError

if TYPE_CHECKING:  # torch is imported when the command runs, not for its help
    from archspec.sweep.drive import Ended, Job
    from archspec.train.folder import RunFolder


class InTurn:
    """One run after the other, in this process."""

    said = ""
    places = 1

    def __init__(self, means: Means):
        self.means = means
        self.done: list[Ended] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...

    def start(self, job: Job) -> None:
        """Train it to its end."""
        from archspec.sweep.drive import Ended

        self.done.append(Ended(job, self.train(job)))

    def train(self, job: Job) -> Sequence[Diagnostic]:
        """Train a run; what was wrong with it."""
        from archspec.train.engine import Diverged
        from archspec.train.group import with_seed

        run, spec = job.run, with_seed(job.planned.spec, job.seed)
        wait_for(run)
        means = replace(self.means, until=job.until)
        try:
            go_on(run, spec, means) if run.spec.exists() else begin(spec, run.path, means)
        except Diverged as problem:
            click.echo(f"diverged: {problem.diagnostics[0].message}")
            return problem.diagnostics
        except SpecError as problem:
            return problem.diagnostics
        return ()

    def ended(self) -> Sequence[Ended]:
        """The one that was."""
        done, self.done = self.done, []
        return done


class SideBySide:
    """So many runs at a time, each in a process of its own on this machine."""

    def __init__(self, means: Means, jobs: int, threads: int):
        self.places = jobs
        self.crew = several.Crew(means, threads)
        self.pool = ThreadPoolExecutor(jobs)
        self.signals = self.crew.signals()
        self.running: dict[Future[list[Diagnostic]], Job] = {}
        each = "1 thread" if threads == 1 else f"{threads} threads"
        self.said = f"{jobs} runs at a time, each in a process of its own with {each}"

    def __enter__(self) -> Self:
        self.signals.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.pool.shutdown()
        self.signals.__exit__(None, None, None)

    def start(self, job: Job) -> None:
        """Let a process train it."""
        self.running[self.pool.submit(self.train, job)] = job

    def train(self, job: Job) -> list[Diagnostic]:
        """Train a run; what was wrong with it."""
        wait_for(job.run)
        from archspec.sweep.orders import AGAIN

        problems = self.crew.train(job.group, job.seed, job.title, job.until)
        return [one if one.code == "E0620" else replace(one, help=AGAIN) for one in problems]

    def ended(self) -> Sequence[Ended]:
        """Those whose processes have ended."""
        from archspec.sweep.drive import Ended
        from archspec.train.interrupt import Interrupted

        found, _ = wait(self.running, return_when=FIRST_COMPLETED)
        if self.crew.stopped:
            wait(self.running)
            raise Interrupted(self.crew.stopped)
        return [Ended(self.running.pop(one), one.result()) for one in found]


def wait_for(run: RunFolder) -> None:
    """Wait for a process that an earlier command, which was killed, has left at work on a run."""
    from archspec.train import lock

    if lock.held(run.path):
        click.echo(f"waiting for the process that still writes {run.path}")
    while lock.held(run.path):
        sleep(WAIT)


WAIT = 0.5
"""Seconds between two looks at a run that another process writes."""
