"""Ctrl-C and the polite kill, noticed between two steps instead of in the middle of one."""

import signal
import threading
from types import FrameType
from typing import Self

from archspec.train.processes import ALONE, Processes


class Interrupted(Exception):
    """The run was asked to stop and its state is saved; `signal` is the number of the signal."""

    def __init__(self, number: int):
        self.signal = number
        super().__init__(signal.Signals(number).name)

    @property
    def exit_code(self) -> int:
        """The usual exit code of a process that ended by this signal: 130 for Ctrl-C."""
        return 128 + self.signal


class Interrupt:
    """While entered, the first SIGINT or SIGTERM is only noted; a second one acts as usual."""

    def __init__(self, processes: Processes = ALONE) -> None:
        self.processes = processes
        self.number: int | None = None
        self.usual: dict[int, object] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():  # only there may handlers be set
            for number in (signal.SIGINT, signal.SIGTERM):
                self.usual[number] = signal.signal(number, self.note)
        return self

    def __exit__(self, *_: object) -> None:
        self.restore()

    def note(self, number: int, _frame: FrameType | None) -> None:
        """Remember the signal and let the next one through."""
        self.number = number
        self.restore()

    def restore(self) -> None:
        """Put the usual handlers back."""
        for number, handler in self.usual.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
        self.usual = {}

    def check(self) -> None:
        """Raise Interrupted if a signal has come, to whichever process: all stop at the same place."""
        number = self.processes.asked(self.number)
        if number is not None:
            raise Interrupted(number)
