"""Where the process of a run comes from: one started anew, or a fork of one that has imported what trainings need.

Both do what `python -m archspec train …` does: the same lines, exit codes and bits. A fork saves the imports.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from io import BufferedWriter, FileIO, TextIOWrapper
from pathlib import Path
from subprocess import PIPE
from threading import Lock
from typing import IO, TYPE_CHECKING, Protocol, TextIO

from archspec.train.waiting import wait_politely

if TYPE_CHECKING:  # imported where processes are begun, not for the help of commands
    from multiprocessing.connection import Connection

IMPORTED = (
    *("archspec.commands.main", "archspec.commands.train", "archspec.commands.opening"),
    *("archspec.data.load", "archspec.track.feed", "archspec.emit.foreign", "numpy.ctypeslib"),
    *("archspec.train.run", "archspec.train.structure", "archspec.train.report", "archspec.train.transfer"),
)
"""What is imported before runs are forked. Nothing is computed there: threads of OpenMP do not survive a fork."""

PASSED_ON = (signal.SIGINT, signal.SIGTERM)
"""Signals that the command passes on to its runs. The one that is forked is deaf to them: it ends with the command."""


class Process(Protocol):
    """The process of a run."""

    @property
    def stdout(self) -> IO[str] | None:
        """What it says."""

    @property
    def stderr(self) -> IO[str] | None:
        """What it complains of."""

    def send_signal(self, sig: int, /) -> None:
        """Pass a signal on, if it still lives."""

    def wait(self) -> int:
        """Its exit code once it has ended, that of a signal negative."""


class Origin(Protocol):
    """Where processes come from."""

    def begin(self, arguments: Sequence[str]) -> Process:
        """Let a process do `archspec ARGUMENTS` in this folder, in a session of its own.

        Ctrl-C on a terminal would else reach it twice, once passed on, and the second time kills.
        """


class Anew:
    """Every process is started anew and imports everything itself."""

    def __init__(self, environment: Mapping[str, str]):
        self.environment = environment

    def begin(self, arguments: Sequence[str]) -> Process:
        """Start Python."""
        command = [sys.executable, "-m", "archspec", *arguments]
        return subprocess.Popen(
            command, stdout=PIPE, stderr=PIPE, text=True, env=self.environment, start_new_session=True
        )


class Forks:
    """Every process is a fork of one that has imported what trainings need, which starts with the first of them.

    multiprocessing has one such process for all of a program, and its libraries have read the environment when they
    were loaded. Where that is not the one asked for, processes are started anew.
    """

    begun_with: Mapping[str, str] | None = None
    """The environment of the process that is forked, once there is one."""

    def __init__(self, environment: Mapping[str, str]):
        self.environment = dict(environment)
        wait_politely(self.environment)

    def begin(self, arguments: Sequence[str]) -> Process:
        """Fork."""
        with ONE_BY_ONE:
            Forks.begun_with = Forks.begun_with or self.environment
            if Forks.begun_with == self.environment:
                self.open()
                return Forked(arguments)
        return Anew(self.environment).begin(arguments)

    def open(self) -> None:
        """Start the process that is forked, also where it was killed."""
        from multiprocessing import forkserver, resource_tracker

        resource_tracker.ensure_running()  # the next but one line would start it, and then hear signals again
        forkserver.set_forkserver_preload(list(IMPORTED))
        with deaf(), variables(self.environment):
            forkserver.ensure_running()


ONE_BY_ONE = Lock()
"""Held while multiprocessing begins a process or asks for an exit code: a beginning asks for those of all others."""


class Forked:
    """A fork that does what `archspec ARGUMENTS` does."""

    def __init__(self, arguments: Sequence[str]):
        from multiprocessing import get_context

        context = get_context("forkserver")
        (said, out), (complained, err), (self.told, tell) = (context.Pipe(duplex=False) for _ in range(3))
        with out, err, tell:
            self.process = context.Process(target=work, args=(list(arguments), os.getcwd(), out, err, tell))
            self.process.start()
        self.pid = self.process.pid
        self.stdout: IO[str] | None = reading(said)
        self.stderr: IO[str] | None = reading(complained)

    def send_signal(self, sig: int, /) -> None:
        """Pass a signal on, if it still lives."""
        if self.pid:
            with suppress(ProcessLookupError):
                os.kill(self.pid, sig)

    def wait(self) -> int:
        """Its exit code once it has ended, that of a signal negative.

        It tells it itself, since nobody else does where the process that it is a fork of was killed.
        """
        from multiprocessing import connection

        connection.wait([self.process.sentinel])
        with ONE_BY_ONE, self.told:
            self.process.join()
            try:
                return int(self.told.recv())
            except EOFError:
                return self.process.exitcode or 0


def reading(pipe: Connection) -> IO[str]:
    """The lines that come through a pipe, as those of a process that is started anew."""
    with pipe:
        return open(os.dup(pipe.fileno()), encoding="utf-8", errors="replace")


@contextmanager
def deaf() -> Iterator[None]:
    """Processes that this thread starts do not hear what is passed on, until they unblock it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, PASSED_ON)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def variables(environment: Mapping[str, str]) -> Iterator[None]:
    """Processes that are started have this environment, where none can be given."""
    before = dict(os.environ)
    os.environ.update(environment)
    try:
        yield
    finally:
        for name in environment.keys() - before.keys():
            del os.environ[name]
        os.environ.update(before)


def work(arguments: list[str], place: str, out: Connection, err: Connection, tell: Connection) -> None:
    """What a fork does: what `python -m archspec ARGUMENTS` does."""
    os.setsid()
    os.chdir(place)
    for pipe, number in ((out, 1), (err, 2)):
        os.dup2(pipe.fileno(), number)
        pipe.close()
    sys.stdout, sys.stderr = writing(1, "strict"), writing(2, "backslashreplace")
    sys.path.insert(0, place)
    sys.argv = [str(Path(__file__).parent.parent / "__main__.py"), *arguments]
    code = exit_code(arguments)
    with suppress(BrokenPipeError):  # where the command was killed
        tell.send(code)
    sys.exit(code)


def exit_code(arguments: list[str]) -> int:
    """Run a command of archspec that hears signals again; with what code it would leave."""
    from archspec.commands.main import run

    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, PASSED_ON)
        run(arguments)
    except KeyboardInterrupt:
        return 130
    except SystemExit as left:
        return left.code if isinstance(left.code, int) else 1


def writing(number: int, errors: str) -> TextIO:
    """What Python makes of a file descriptor that it finds open when it starts."""
    return TextIOWrapper(BufferedWriter(FileIO(number, "w", closefd=False)), "utf-8", errors, line_buffering=True)


def is_command() -> bool:
    """Whether this program is `archspec`: a fork imports the main module again, and a user's may do anything then."""
    main = sys.modules["__main__"]
    module, file = getattr(main, "__spec__", None), getattr(main, "__file__", None)
    return module.name.startswith("archspec.") if module else Path(file or "").name == "archspec"


def origin(environment: Mapping[str, str], device: str) -> Origin:
    """Where runs on a device come from: forks where they are known to work, on Linux and without CUDA."""
    forks = sys.platform == "linux" and device == "cpu" and is_command()
    return Forks(environment) if forks else Anew(environment)
