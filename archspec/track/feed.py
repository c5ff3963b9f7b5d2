"""The training process's end: it starts the process that feeds the trackers, nudges it, and passes on what it says.

Trackers run in a process of their own because they import much, patch torch, install handlers, draw random numbers,
wait for networks, and may crash. Training is the same to the bit with them and without.
"""

import contextlib
import math
import os
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

import archspec
from archspec.track.follow import TOLD
from archspec.train.folder import RunFolder
from archspec.train.sink import Nobody, Sink

Say = Callable[[str], None]

PATIENCE = 60.0
"""Seconds to wait at the end of a run for what the trackers still have to send."""

POLL = 0.2
"""Seconds between two looks at whether they have."""


class Feed:
    """One run's process of trackers."""

    def __init__(self, folder: RunFolder, say: Say, process: "subprocess.Popen[str]", patience: float = PATIENCE):
        self.folder, self.say, self.process, self.patience = folder, say, process, patience
        self.lines: deque[str] = deque()
        self.reader = threading.Thread(target=self.listen, daemon=True)
        self.reader.start()

    def listen(self) -> None:
        """Collect lines until the process ends."""
        assert self.process.stdout is not None  # it is a pipe
        with self.process.stdout as lines:
            for line in lines:
                self.lines.append(line.rstrip())

    def epoch(self) -> None:
        """Nudge the process, and pass on what it has said."""
        try:
            assert self.process.stdin is not None  # it is a pipe
            self.process.stdin.write("\n")
            self.process.stdin.flush()
        except OSError:
            pass  # it has ended, which is told at the end of the run
        self.pass_on()

    def pass_on(self) -> None:
        """Say what the process has said."""
        while self.lines:
            self.say(self.lines.popleft())

    def close(self) -> None:
        """End the process's input and wait a while for it to end too; it goes on without us where it takes longer."""
        with contextlib.suppress(OSError):
            assert self.process.stdin is not None
            self.process.stdin.close()
        began = time.monotonic()
        while self.process.poll() is None and time.monotonic() - began < self.patience:
            self.reader.join(POLL)
            self.pass_on()
        code = self.process.poll()
        self.reader.join(POLL if code is None else None)
        self.pass_on()
        if code is None:
            self.say("track: the trackers are still sending, and go on by themselves")
        elif code not in (0, TOLD):
            self.say(f"track: the trackers have failed, the run has not; see {self.folder.path / 'track' / 'log.txt'}")


def follow(folder: RunFolder, say: Say) -> Sink:
    """Start the process for the run of a folder; nobody follows where that cannot be."""
    try:
        return Feed(folder, say, start(folder))
    except (OSError, RuntimeError) as problem:  # no process, or no thread
        say(f"track: left out, the run goes on: {problem}")
        return Nobody()


def start(folder: RunFolder, names: Sequence[str] = ()) -> "subprocess.Popen[str]":
    """The process for some trackers or those of the spec, out of reach of Ctrl-C: it ends when its input does."""
    root = str(Path(archspec.__file__).resolve().parent.parent)
    paths = os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])
    command = [sys.executable, "-P", "-m", "archspec.track.follow", str(folder.path), *names]
    pipe = subprocess.PIPE
    environment = os.environ | {"PYTHONPATH": paths}
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment, start_new_session=True)


def send(folder: RunFolder, names: Sequence[str], say: Say) -> bool:
    """Hand the whole run to trackers now, however long it takes; whether all of them took it."""
    fed = Feed(folder, say, start(folder, names), patience=math.inf)
    fed.close()
    return fed.process.returncode == 0
