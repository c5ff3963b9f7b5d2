"""One process writes a run folder: a lock that the kernel releases however the process ends."""

import fcntl
import json
import os
import socket
from datetime import datetime
from pathlib import Path
from typing import Self, TextIO

from archspec.train.faults import fault

NAME = ".lock"


class Lock:
    """Held while entered; entered again by its holder it stays held until the outermost exit.

    The file stays in the folder and says who holds the lock or held it last. Where the file system has no locks, the
    run goes on without one: `missing` says why.
    """

    def __init__(self, folder: Path):
        self.path = folder / NAME
        self.missing = ""
        self._file: TextIO | None = None
        self._depth = 0

    def __enter__(self) -> Self:
        """Take the lock at once; E0660, with who holds it, where another process does."""
        if self._depth == 0:
            self._file = self._taken()
        self._depth += 1
        return self

    def __exit__(self, *_: object) -> None:
        self._depth -= 1
        if self._depth == 0 and self._file is not None:
            self._file.close()  # which releases it
            self._file = None

    def _taken(self) -> TextIO:
        file = self.path.open("a+", encoding="utf-8")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = told(file.read())
            file.close()
            cure = "wait until it ends or stop it, or name another folder with `--run-dir`"
            raise fault("E0660", f"another process writes this run: {holder}", self.path.parent, cure) from None
        except OSError as problem:
            self.missing = problem.strerror or str(problem)
        file.truncate(0)
        since = datetime.now().astimezone().isoformat(" ", "seconds")
        file.write(json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "since": since}) + "\n")
        file.flush()
        return file


def told(text: str) -> str:
    """Who holds a lock, from what its file says; it may be in the middle of being written."""
    try:
        holder = json.loads(text)
        return f"process {holder['pid']} on {holder['host']}, since {holder['since']}"
    except (ValueError, KeyError, TypeError):
        return "it has only just begun"


def held(folder: Path) -> bool:
    """Whether a process holds the lock of a folder.

    The lock is asked for only where its last holder may live, so that asking hardly ever meets a run that begins.
    """
    try:
        with (folder / NAME).open(encoding="utf-8") as file:
            if not lives(file.read()):
                return False
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def lives(text: str) -> bool:
    """Whether the process that the file of a lock tells of may live: one of another machine may."""
    try:
        holder = json.loads(text)
        if holder["host"] == socket.gethostname():
            os.kill(holder["pid"], 0)
    except ProcessLookupError:
        return False
    except (ValueError, KeyError, TypeError, OSError):
        return True
    return True
