"""Orders for the workers of a cluster, and what is told of how they went."""

import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from archspec.diagnostics import Diagnostic
from archspec.sweep.drive import Job
from archspec.sweep.worker import Order, Report, Sight
from archspec.train import failed
from archspec.train.files import write

PASSED = ("PYTHONPATH", "ARCHSPEC_CACHE", "ARCHSPEC_DATA")
"""Variables of the environment that workers are given."""

AGAIN = "mend that, then give the same command again"
"""What to do about a process that failed."""


@dataclass(frozen=True)
class Orders:
    """What all runs of a sweep are told alike."""

    options: tuple[str, ...]
    threads: int
    sight: Sight

    @classmethod
    def of(cls, folder: Path, options: Sequence[str], threads: int) -> "Orders":
        """For runs in the folder of a sweep, which gets a file that workers know it by."""
        file = folder.absolute() / ".seen"
        text = file.read_text(encoding="utf-8") if file.exists() else secrets.token_hex(8)
        write(file, text)
        return cls(tuple(options), threads, Sight(str(file), text))

    def order(self, job: Job) -> Order:
        """For a run."""
        one = ["--set", f"train.seed={job.seed}", "--set", "train.seeds=null"]
        one += ["--until", str(job.until)] if job.until else []
        environment = {name: os.environ[name] for name in PASSED if name in os.environ}
        environment |= {"OMP_NUM_THREADS": str(self.threads)}
        spec, run = job.group.spec.absolute(), job.run.path.absolute()
        return Order(str(spec), str(run), (*self.options, *one), environment, os.getcwd(), self.sight)

    def problems(self, job: Job, report: Report) -> Sequence[Diagnostic]:
        """What was wrong with a run."""
        if report.code is None:
            return [self.unseen(report.host)]
        return [replace(one, notes=(*one.notes, f"on {report.host}"))
                for one in failed.problems(job.run, job.seed, report.code, report.said, AGAIN)]  # fmt: skip

    def unseen(self, host: str) -> Diagnostic:
        """E0843 for a machine that does not see the folder of the sweep."""
        folder = Path(self.sight.file).parent
        message = f"the machine {host} does not see the folder of the sweep"
        cure = "name a folder on a file system that all machines share: `--run-dir`"
        return Diagnostic("E0843", message, path=str(folder), help=cure)


def lost(job: Job, why: str) -> Diagnostic:
    """E0846 for a run that no worker has brought to its end."""
    note = why.strip().splitlines()[-1] if why.strip() else "nothing is known of it"
    message = f"the run {job.title} was lost"
    return Diagnostic("E0846", message, path=str(job.run.path), notes=(note,), help="give the same command again")
