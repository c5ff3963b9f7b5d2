"""Runs as tasks of an array job of Slurm, handed in through submitit.

The command may end, however it does, while its jobs are in the queue: `slurm.json` in the folder of the sweep says
which run is which job, and the same command waits for these in place of handing in others. Whether a run is finished
is what its folder says.
"""

import getpass
import json
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import click

from archspec.diagnostics import Diagnostic, SpecError
from archspec.sweep.drive import Ended, Job
from archspec.sweep.orders import Orders, lost
from archspec.sweep.slurm import Request, imported
from archspec.sweep.worker import Report, Training
from archspec.train.files import write_json
from archspec.train.interrupt import Interrupted

EVERY = 1.0
"""Seconds between two looks at the folders of runs."""

ASKED = 15.0
"""Seconds between two questions to Slurm."""

SETTLED = 30.0
"""Seconds that a job has to be out of the queue before its run is given up: the file system may be behind."""


class OnSlurm:
    """Each run a task of an array job."""

    places: int | None = None

    def __init__(self, request: Request, orders: Orders, folder: Path, name: str):
        self.orders, self.folder, self.file = orders, folder / "slurm", folder / "slurm.json"
        self.parameters = request.parameters(orders.threads, name)
        self.places = request.jobs
        self.known: dict[str, str] = json.loads(self.file.read_text()) if self.file.exists() else {}
        self.fresh: list[Job] = []
        self.running: dict[str, Job] = {}
        self.gone: dict[str, float] = {}
        self.queued: set[str] = set()
        self.looked, self.stopped = float("-inf"), 0
        self.usual: dict[int, Any] = {}
        self.said = "runs are jobs of Slurm; this command may be ended, and given again to collect them"

    def __enter__(self) -> Self:
        try:
            self.executor = imported().SlurmExecutor(folder=self.folder.absolute())
            self.executor.update_parameters(**self.parameters)
        except (RuntimeError, ValueError, TypeError) as problem:
            raise refused(str(problem)) from None
        self.usual = {one: signal.signal(one, self.stop) for one in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self.usual.items():
            signal.signal(number, handler)

    def start(self, job: Job) -> None:
        """Wait for the job that an earlier command has handed in for this run, or hand one in with the next array."""
        number = self.known.get(str(job.run.path))
        if number is not None and number in self.active():
            self.running[number] = job
        else:
            self.fresh.append(job)

    def hand_in(self) -> None:
        """An array job of all runs that have none. E0844 where Slurm refuses it."""
        fresh, self.fresh = self.fresh, []
        if not fresh:
            return
        try:
            with self.executor.batch():
                jobs = [self.executor.submit(Training(self.orders.order(one))) for one in fresh]
        except (subprocess.SubprocessError, RuntimeError) as problem:
            raise refused(str(problem)) from None
        self.running |= {one.job_id: job for one, job in zip(jobs, fresh, strict=True)}
        self.known |= {str(job.run.path): number for number, job in self.running.items()}
        write_json(self.file, self.known)
        self.looked = float("-inf")

    def ended(self) -> Sequence[Ended]:
        """Those whose folders say so, or whose jobs are out of the queue."""
        self.hand_in()
        while True:
            if self.stopped:
                numbers = ", ".join(sorted({one.partition("_")[0] for one in self.running}))
                click.echo(f"the jobs stay in the queue: the same command collects them, `scancel {numbers}` ends them")
                raise Interrupted(self.stopped)
            if found := [number for number, job in self.running.items() if self.is_over(number, job)]:
                return [Ended(job := self.running.pop(one), self.problems(job, one)) for one in found]
            time.sleep(EVERY)

    def is_over(self, number: str, job: Job) -> bool:
        """Whether there is nothing to wait for."""
        if reached(job) or self.result(number) is not None:
            return True
        if number in self.active():
            self.gone.pop(number, None)
            return False
        return time.monotonic() - self.gone.setdefault(number, time.monotonic()) > SETTLED

    def active(self) -> set[str]:
        """The jobs in the queue, asked for now and then; those of before where Slurm does not answer."""
        if time.monotonic() - self.looked > ASKED:
            asked = ["squeue", "--noheader", "--array", "--user", getpass.getuser(), "--format", "%i"]
            found = subprocess.run(asked, capture_output=True, text=True, check=False)
            self.looked = time.monotonic()
            if found.returncode == 0:
                self.queued = set(found.stdout.split())
        return self.queued

    def result(self, number: str) -> Report | None:
        """What the job has handed back, if anything."""
        job = imported().SlurmJob(folder=self.folder.absolute(), job_id=number)
        if not job.paths.result_pickle.exists():
            return None
        try:
            outcome, result = job._get_outcome_and_result()
        except Exception as problem:
            outcome, result = "error", str(problem)
        return result if outcome == "success" else Report("Slurm", 1, (str(result).strip().splitlines()[-1],))

    def problems(self, job: Job, number: str) -> Sequence[Diagnostic]:
        """What was wrong with a run."""
        if reached(job):
            return []
        report = self.result(number)
        if report is None:
            return [lost(job, f"job {number} left the queue; what it said is in {self.folder}")]
        return self.orders.problems(job, report)

    def stop(self, number: int, _frame: object) -> None:
        """Note a signal; the next one acts as usual."""
        self.stopped = number
        for one, handler in self.usual.items():
            signal.signal(one, handler)


def reached(job: Job) -> bool:
    """Whether a run has come as far as it was to: to its end, or to the epoch at which it pauses."""
    result = job.run.result()
    if result is None or result["reason"] == "diverged":
        return False
    if result["reason"] == "paused":
        return job.until is not None and result["epochs"] >= job.until
    return bool(result["reason"] != "epochs" or result["epochs"] >= job.planned.spec.settings.train.epochs)


def refused(why: str) -> SpecError:
    """E0844 for what Slurm does not take."""
    lines = [line.strip() for line in why.splitlines() if line.strip()]
    cure = "mend that, such as by `--slurm partition=NAME`, then give the same command again"
    return SpecError([Diagnostic("E0844", "Slurm does not take the job", notes=tuple(lines[-3:]), help=cure)])
