"""The process that feeds the trackers of a run: `python -m archspec.track.follow RUN`, and their names if not all.

It reads the run folder whenever a line comes in, and for the last time when its input ends, which it does also where
the training process is killed. What it prints are lines for the user; what the trackers print goes to `track/log.txt`.
"""

import fcntl
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from archspec.track.about import read
from archspec.track.session import Session
from archspec.train.folder import RunFolder

TOLD = 3
"""Exit status where a tracker has failed, which a line has told."""


def follow(folder: RunFolder, names: Sequence[str], nudges: TextIO, lines: TextIO) -> int:
    """Hand on epochs to the trackers named, or to those of the spec, until the input ends; the exit status."""
    about = read(folder)
    track = about.spec.settings.track
    chosen = names or (track.chosen if track else ())
    session = Session(about, chosen, lambda line: print(line, file=lines, flush=True))
    for _ in nudges:
        session.sync()
    session.finish()
    return TOLD if session.failed else 0


def apart(log: Path) -> TextIO:
    """The standard output as a file of its own; what else is written to it or to the standard error goes to the log."""
    lines = os.fdopen(os.dup(1), "w", encoding="utf-8")
    log.parent.mkdir(exist_ok=True)
    with log.open("ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    return lines


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Wait until no other process feeds the trackers of the run: one whose training was killed may still be at it."""
    with path.open("a") as file:
        with suppress(OSError):  # a file system without locks
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    run = RunFolder(Path(sys.argv[1]))
    lines = apart(run.path / "track" / "log.txt")
    with alone(run.path / "track" / ".lock"):
        status = follow(run, sys.argv[2:], sys.stdin, lines)
    sys.exit(status)
