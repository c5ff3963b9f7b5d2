"""Progress of a run: a live display on a terminal, plain lines elsewhere."""

import sys
import time
from typing import Any, Protocol, TextIO

from archspec.facts import tasks
from archspec.train.folder import Record
from archspec.train.state import State

EVERY = 0.25
"""Seconds between two changes of the live display; reading the loss waits for the device, so not every step."""


class Display(Protocol):
    """What the loop tells about itself."""

    def say(self, line: str) -> None:
        """A line of text."""

    def load(self, done: int, total: int) -> None:
        """So many graphs of all are generated or read."""

    def start(self, epochs: int, steps: int, state: State) -> None:
        """Training starts, or goes on, at a state."""

    def step(self, state: State, loss: float, rate: float) -> None:
        """A step is made."""

    def watch(self, what: str) -> None:
        """A batch of a split is evaluated."""

    def epoch(self, record: Record, state: State) -> None:
        """An epoch is complete."""

    def stop(self) -> None:
        """Training has ended, one way or another."""


class Silent:
    """Says nothing."""

    def say(self, line: str) -> None:
        """Nothing."""

    def load(self, done: int, total: int) -> None:
        """Nothing."""

    def start(self, epochs: int, steps: int, state: State) -> None:
        """Nothing."""

    def step(self, state: State, loss: float, rate: float) -> None:
        """Nothing."""

    def watch(self, what: str) -> None:
        """Nothing."""

    def epoch(self, record: Record, state: State) -> None:
        """Nothing."""

    def stop(self) -> None:
        """Nothing."""


class Plain(Silent):
    """One line an epoch, written at once."""

    def __init__(self, file: TextIO | None = None):
        self.file = file or sys.stdout
        self.epochs = 0

    def say(self, line: str) -> None:
        """Write a line."""
        print(line, file=self.file, flush=True)

    def start(self, epochs: int, steps: int, state: State) -> None:
        """Remember how many epochs there are."""
        self.epochs = epochs

    def epoch(self, record: Record, state: State) -> None:
        """Write the epoch's scores and the time left at most."""
        left = state.elapsed / state.epoch * (self.epochs - state.epoch)
        self.say(f"{summary(record, state, self.epochs)}  left {clock(left)}")


class Live(Silent):
    """A bar over all steps of the run with the latest figures beside it, and the last epochs above it."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (TextColumn("{task.description}"), BarColumn(24), TextColumn("{task.fields[figures]}"))
        self.console = Console(highlight=False)
        self.bar = Progress(
            *columns, TimeElapsedColumn(), TextColumn("{task.fields[left]}"), console=self.console, refresh_per_second=4
        )
        self.task: Any = None
        self.shown = 0.0
        self.epochs = self.steps = 0
        self.scores = ""
        self.origin = (0.0, 0)

    def say(self, line: str) -> None:
        """Write a line above the bar."""
        self.console.print(line, markup=False, soft_wrap=True)

    def load(self, done: int, total: int) -> None:
        """Show a bar until all graphs are there."""
        if self.task is None:
            self.bar.start()
            self.task = self.bar.add_task("graphs", figures="", left="")
        self.bar.update(self.task, completed=done, total=total)
        if done == total:
            self.stop()

    def start(self, epochs: int, steps: int, state: State) -> None:
        """Show the bar."""
        self.epochs, self.steps = epochs, steps
        done = state.epoch * steps + state.step
        self.origin = (time.perf_counter(), done)
        self.task = self.bar.add_task("", total=epochs * steps, completed=done, figures="", left="")
        self.bar.start()

    def step(self, state: State, loss: float, rate: float) -> None:
        """Move the bar and show loss and accuracy of the epoch so far, a few times a second."""
        if time.perf_counter() - self.shown < EVERY:
            return
        self.shown = time.perf_counter()
        done = state.epoch * self.steps + state.step
        name, quick = state.tally.kind.score, state.tally.quick()
        score = f"  {name} {figure(name, quick[name])}" if name in quick else ""
        figures = f"loss {loss:.4f}{score}{self.scores}  lr {rate:.2g}"
        epoch = f"epoch {state.epoch + 1}/{self.epochs}"
        self.bar.update(self.task, completed=done, description=epoch, figures=figures, left=f"left {self.left(done)}")

    def left(self, done: int) -> str:
        """Time to the last epoch at the pace so far."""
        started, before = self.origin
        pace = (time.perf_counter() - started) / max(1, done - before)
        return clock(pace * (self.epochs * self.steps - done))

    def watch(self, what: str) -> None:
        """Say which split is evaluated."""
        self.bar.update(self.task, description=what)

    def epoch(self, record: Record, state: State) -> None:
        """Write the epoch's line above the bar."""
        name = state.tally.kind.score
        self.scores = f"  val {figure(name, record['val'][name])}"
        self.say(summary(record, state, self.epochs))

    def stop(self) -> None:
        """Remove the bar."""
        if self.task is not None:
            self.bar.remove_task(self.task)
            self.task = None
        self.bar.stop()


def choose(file: TextIO | None = None, talks: bool = True) -> Display:
    """Live where someone looks at a terminal, plain lines into a file or a pipe; nothing where another one talks."""
    if not talks:
        return Silent()
    return Live() if (file or sys.stdout).isatty() else Plain(file)


def summary(record: Record, state: State, epochs: int) -> str:
    """Loss and main score of an epoch in one line."""
    name = state.tally.kind.score
    parts = [f"epoch {record['epoch']:>{len(str(epochs))}}/{epochs}", f"loss {figure('loss', record['train']['loss'])}"]
    parts += [f"{name} {figure(name, record['train'][name])}", f"val {figure(name, record['val'][name])}"]
    if record.get("test"):
        parts.append(f"test {figure(name, record['test'][name])}")
    best = "best" if state.best and state.best.epoch == record["epoch"] else "    "
    return "  ".join([*parts, best, f"lr {record['lr']:.2g}", f"{record['seconds'] + record['seconds_scoring']:.1f} s"])


def counted(number: int, noun: str) -> str:
    """`1 epoch`, `2 epochs`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def percent(share: float | None) -> str:
    """A share in percent with two digits, `-` where there is none."""
    return "    -" if share is None or share != share else f"{100 * share:5.2f}"


def figure(name: str, value: float | None) -> str:
    """A score as it is shown: a share in percent, another figure with four digits."""
    if tasks.score(name).share:
        return percent(value)
    return "    -" if value is None else f"{value:.4f}"


def clock(seconds: float) -> str:
    """Seconds as minutes and seconds, or hours."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
