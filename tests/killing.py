"""Runs killed at every touch of their folder and at random moments, each resumed. A script, since it forks.

`python -m tests.killing CACHE FOLDER` writes one line of JSON for every kill: its kind, when it was, and what differs
at the end from a run that was never stopped.
"""

import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import torch

from archspec.train import environment
from archspec.train.folder import RunFolder
from tests.training import data, differing, resume, start

RANDOM = 2
TOUCHES = {"open", "os.rename", "os.remove", "os.mkdir", "os.truncate"}
"""What Python tells its audit hooks of before a file or a folder changes."""


class Touches:
    """Counts the touches of a folder and kills the process right before one of them."""

    def __init__(self, folder: Path, fatal: int):
        self.folder, self.fatal, self.count = str(folder), fatal, 0
        sys.addaudithook(self.hear)

    def hear(self, event: str, arguments: tuple[object, ...]) -> None:
        if event not in TOUCHES or not str(arguments[0]).startswith(self.folder):
            return
        if self.count == self.fatal:
            os.kill(os.getpid(), signal.SIGKILL)
        self.count += 1


def forked(work: Callable[[], None]) -> int:
    """Work in a process of its own; the number of that."""
    child = os.fork()
    if child == 0:
        try:
            work()
            os._exit(0)
        finally:
            os._exit(1)
    return child


def killed(child: int) -> bool:
    """Whether a process was killed; one that failed otherwise is an error of the test."""
    how = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert how in (0, -signal.SIGKILL), how
    return how != 0


def go(cache: Path, path: Path, epochs: int) -> None:
    """What the command does: begin where there is no run, else go on with it."""
    if (path / "spec.yaml").exists():
        resume(cache, path, epochs=epochs)
    else:
        start(cache, path, epochs=epochs)


def go_until(fatal: int, cache: Path, path: Path) -> None:
    """The same, killed at a touch."""
    Touches(path, fatal)
    go(cache, path, 1)


def at_every_touch(cache: Path, folder: Path, first: int = 0) -> Iterator[tuple[str, list[str]]]:
    """Killed at the first touch, at the second, … until it comes to its end; some are killed again when resumed."""
    unbroken = start(cache, folder / "unbroken", epochs=1)
    fatal, alive = first, False
    while not alive:
        path = folder / str(fatal)
        alive = not killed(forked(partial(go_until, fatal, cache, path)))
        if fatal % 5 == 3:
            killed(forked(partial(go_until, fatal % 9, cache, path)))
        go(cache, path, 1)
        yield f"touch {fatal}", differing(unbroken, RunFolder(path))
        fatal += 1


def at_random(cache: Path, folder: Path) -> Iterator[tuple[str, list[str]]]:
    """Killed after any time, again and again, until it comes to its end."""
    began = time.perf_counter()
    unbroken = start(cache, folder / "unbroken", epochs=4)
    took = time.perf_counter() - began
    for number in range(RANDOM):
        path = folder / f"random {number}"
        times = []
        while not (path / "done.json").exists():
            child = forked(partial(go, cache, path, 4))
            times.append(round(random.uniform(0.2, 1.5) * took * (1 + len(times) / 5), 4))  # it may have grown slower
            time.sleep(times[-1])
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        yield f"seconds {times}", differing(unbroken, RunFolder(path))


def with_a_fault(cache: Path, folder: Path) -> Iterator[tuple[str, list[str]]]:
    """At touch after touch until a difference is found, where metrics beyond the checkpoint are not cut away."""
    RunFolder.cut_back = lambda folder, _epochs: folder.records()  # type: ignore[method-assign]
    for when, what in at_every_touch(cache, folder, 10):  # about where the first epoch is recorded
        if what:
            yield when, what
            return


def main(cache: Path, folder: Path) -> None:
    """All of them."""
    data(cache)
    for kills in (at_every_touch, at_random, with_a_fault):
        for when, what in kills(cache, folder / kills.__name__):
            print(json.dumps([kills.__name__, when, what]), flush=True)


if __name__ == "__main__":
    torch.set_num_threads(1)
    os.fsync = lambda _file: None  # a kill loses nothing that was written, only a machine does
    environment.commit = lambda: None
    main(Path(sys.argv[1]), Path(sys.argv[2]))
