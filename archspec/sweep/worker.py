"""What a worker of a cluster does: train one run by `archspec train` in a process of its own. No torch.

All machines see the folder of the sweep. So a run is the one that it would be here, a second worker waits for the first
where that still writes, and whoever comes later goes on from the checkpoint.
"""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from subprocess import DEVNULL, PIPE
from time import monotonic, sleep
from typing import Any

from archspec.train import lock


@dataclass(frozen=True)
class Sight:
    """A file that holds a text, by which a worker knows the folder of the sweep as the one that is meant."""

    file: str
    text: str

    def seen(self) -> bool:
        """Whether it is there."""
        try:
            return Path(self.file).read_text(encoding="utf-8") == self.text
        except OSError:
            return False


@dataclass(frozen=True)
class Order:
    """A run that is to be trained. All paths are whole."""

    spec: str
    run: str
    options: tuple[str, ...]
    environment: Mapping[str, str]
    place: str
    """The folder that the sweep was called in, where a spec may name files and modules."""
    sight: Sight


@dataclass(frozen=True)
class Report:
    """How it went."""

    host: str
    code: int | None
    """The exit code; None where the folder of the sweep cannot be seen."""
    said: tuple[str, ...] = ()


Process = subprocess.Popen[str]


class Lost(Exception):
    """The process was killed, so that trying again may help."""


def look(sight: Sight) -> Report:
    """Whether this machine sees the folder of the sweep."""
    return Report(socket.gethostname(), 0 if sight.seen() else None)


def train(order: Order, hold: Callable[[Process], None] = lambda _: None) -> Report:
    """Train a run to its end, or go on with it. Raises Lost. Where it is stopped the run saves its state.

    `hold` is given the process.
    """
    if not order.sight.seen():
        return look(order.sight)
    run = Path(order.run)
    while lock.held(run):
        sleep(WAIT)
    with begun(order, run) as process:
        hold(process)
        said = watched(process)
    if process.returncode < 0:
        raise Lost(f"killed by {signal.Signals(-process.returncode).name}")
    return Report(socket.gethostname(), process.returncode, tuple(said.splitlines()))


def begun(order: Order, run: Path) -> Process:
    """The process that trains a run, deaf to what Slurm tells all processes of a job shortly before its end."""
    where = ["--resume" if (run / "spec.yaml").exists() else "--run-dir", order.run]
    command = [sys.executable, "-m", "archspec", "train", order.spec, *where, *order.options]
    place = order.place if os.path.isdir(order.place) else None
    environment = os.environ | order.environment
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2})
    try:
        return subprocess.Popen(
            command, stdin=DEVNULL, stdout=DEVNULL, stderr=PIPE, text=True, cwd=place, env=environment
        )
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def watched(process: Process) -> str:
    """What a process says until it ends; it is asked to end where this one is."""
    try:
        while True:
            try:
                return process.communicate(timeout=WAIT)[1]
            except subprocess.TimeoutExpired:  # looked at now and then, since a wait for ever is not interrupted
                continue
    except BaseException:
        process.terminate()
        process.wait()
        raise


class Training:
    """The same as a job of Slurm through submitit: when its time is over it saves its state and is put in again."""

    def __init__(self, order: Order):
        self.order = order
        self.process: Process | None = None

    def __call__(self) -> Report:
        """Train the run."""
        return train(self.order, self.hold)

    def hold(self, process: Process) -> None:
        """Keep the process at hand."""
        self.process = process

    def checkpoint(self) -> Any:
        """Let the run save its state; what goes on with it later."""
        from submitit.helpers import DelayedSubmission

        end = monotonic() + SAVING
        if self.process is not None:
            self.process.terminate()
            while self.process.poll() is None and monotonic() < end:
                sleep(WAIT)
        return DelayedSubmission(Training(self.order))


WAIT = 0.5
"""Seconds between two looks at a run, or at a process."""

SAVING = 60.0
"""Seconds that a run may take to save its state."""
