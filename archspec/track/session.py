"""The trackers of a run at work. One that fails is left out with one line; nothing here raises because of a tracker."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path

from archspec.track.about import About
from archspec.track.table import make
from archspec.track.tracker import SENT, Memory, Tracker
from archspec.train.files import write_json
from archspec.train.folder import Record, RunFolder

Say = Callable[[str], None]


class Session:
    """From the start of a run, or of what is left of it, to its end."""

    def __init__(self, about: About, names: Iterable[str], say: Say):
        self.about, self.say = about, say
        self.trackers: dict[str, Tracker] = {}
        self.failed: list[str] = []
        self.memory = recall(about.folder)
        for name in names:
            self.begin(name)
        self.remember()

    def begin(self, name: str) -> None:
        """Open one tracker."""
        memory = self.memory.setdefault(name, {})

        def begun() -> None:
            tracker = make(name)
            if line := tracker.begin(self.about, memory):
                self.say(line)
            self.trackers[name] = tracker

        self.guarded(name, begun)

    def sync(self) -> None:
        """Hand on the epochs that have been recorded since."""
        records = self.about.folder.records()
        for name in list(self.trackers):
            self.guarded(name, lambda name=name: self.send(name, records))  # type: ignore[misc]
        self.remember()

    def send(self, name: str, records: list[Record]) -> None:
        """Hand the epochs that a tracker does not have to it."""
        memory = self.memory[name]
        for record in records:
            if record["epoch"] > memory.get(SENT, 0):
                self.trackers[name].epoch(record)
                memory[SENT] = record["epoch"]

    def finish(self) -> None:
        """Hand on what is left, and close every tracker."""
        self.sync()
        result = self.about.folder.result()
        for name, tracker in list(self.trackers.items()):

            def ended(tracker: Tracker = tracker) -> None:
                if line := tracker.end(result):
                    self.say(line)

            self.guarded(name, ended)
        self.remember()

    def guarded(self, name: str, work: Callable[[], None]) -> None:
        """Do something with a tracker; whatever it raises takes the tracker out of the session."""
        try:
            work()
        except Exception as problem:  # a tracker may fail in any way, and the run must not
            self.trackers.pop(name, None)
            self.failed.append(name)
            self.say(f"{name}: failed and left out, nothing else is touched by it: {short(problem)}")

    def remember(self) -> None:
        """Keep what the trackers need to go on with the same experiments."""
        try:
            write_json(kept(self.about.folder), self.memory)
        except OSError as problem:
            self.say(f"track: cannot keep which experiments these are: {short(problem)}")


def kept(folder: RunFolder) -> Path:
    """Where the memories are."""
    path = folder.path / "track" / "experiments.json"
    path.parent.mkdir(exist_ok=True)
    return path


def recall(folder: RunFolder) -> dict[str, Memory]:
    """The memory of every tracker, empty where there is none that can be read."""
    try:
        found: dict[str, Memory] = json.loads((folder.path / "track" / "experiments.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found


def short(problem: BaseException) -> str:
    """What an error says, in one line."""
    text = str(problem).strip().partition("\n")[0] or type(problem).__name__
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


LONGEST = 200
"""Characters of an error that are shown."""
