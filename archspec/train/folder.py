"""The folder of a run: what stands in it, and who may write there."""

import errno
import json
import shlex
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from archspec.diagnostics import SpecError
from archspec.train import lock
from archspec.train.faults import fault
from archspec.train.files import append, write
from archspec.train.health.record import Event
from archspec.train.lock import Lock

Record = dict[str, Any]
"""A line of `metrics.jsonl`."""


class RunFolder:
    """Paths of the files of a run, and its metrics."""

    def __init__(self, path: Path):
        self.path = path
        self.spec = path / "spec.yaml"
        self.code = path / "model.py"
        self.environment = path / "environment.json"
        self.metrics = path / "metrics.jsonl"
        self.health = path / "health.jsonl"
        self.places = path / "places.json"
        self.failure = path / "failure.pt"
        self.done = path / "done.json"
        self.checkpoints = path / "checkpoints"
        self.state = self.checkpoints / "last.pt"
        self.previous = self.checkpoints / "previous.pt"
        self.lock = Lock(path)

    def weights(self, which: str) -> Path:
        """The weights of the `best` or the `last` epoch."""
        return self.checkpoints / f"{which}.safetensors"

    def append(self, record: Record) -> None:
        """Add a line to the metrics, on its way to the disk when this returns."""
        append(self.metrics, json.dumps(record))

    def note(self, event: Event) -> None:
        """Add a line to what went wrong."""
        append(self.health, json.dumps(event))

    def records(self) -> list[Record]:
        """The metrics, epoch after epoch; a line that a crash cut short is left out."""
        return lines_of(self.metrics)

    def events(self) -> list[Record]:
        """What went wrong, in order, as `archspec.train.health.record.Event` has it."""
        return lines_of(self.health)

    def cut_back(self, epochs: int) -> list[Record]:
        """Keep the metrics of the first so many epochs, those that the checkpoint knows of."""
        kept = [record for record in self.records() if record["epoch"] <= epochs]
        write(self.metrics, "".join(json.dumps(record) + "\n" for record in kept))
        return kept

    def forget(self, epochs: int, steps: int) -> None:
        """Keep what went wrong in the first so many epochs and in so many steps of the next."""
        if self.health.exists():
            kept = [one for one in self.events() if (one["epoch"], one["step"]) <= (epochs + 1, steps)]
            write(self.health, "".join(json.dumps(one) + "\n" for one in kept))

    def epochs(self) -> int:
        """How many epochs are recorded."""
        return len(self.records())

    def result(self) -> Record | None:
        """What `done.json` says, if the run is finished."""
        return parsed(self.done.read_bytes(), self.done) if self.done.exists() else None

    def told(self) -> Record:
        """What `environment.json` says."""
        return parsed(self.environment.read_bytes(), self.environment) if self.environment.exists() else {}

    @contextmanager
    def writing(self) -> Iterator["RunFolder"]:
        """Hold the lock of the folder; E0661 for what the machine does not let be written there."""
        try:
            with self.lock:
                yield self
        except OSError as problem:
            if Path(str(problem.filename)).parent not in (self.path, self.checkpoints):
                raise
            raise self.unwritten(problem) from problem

    def unwritten(self, problem: OSError) -> SpecError:
        """A file of the run could not be written."""
        reason = (problem.strerror or str(problem)).lower()
        go_on = f"`archspec train --resume {shlex.quote(str(self.path))}` goes on from the last checkpoint"
        if not self.spec.exists():
            go_on = "give the same command again"
        cure = f"{CURES.get(problem.errno or 0, 'mend that')}, then {go_on}"
        return fault("E0661", f"cannot write the run: {reason}", Path(str(problem.filename)), cure)


CURES = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), "make room on the disk"),
    errno.EFBIG: "raise the limit on the size of files (`ulimit -f`)",
    **dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS), "let the folder be written to"),
}
"""What helps when a file cannot be written."""


def parsed(text: str | bytes, path: Path) -> Record:
    """JSON of a run's file; E0615 where something else has written into it."""
    try:
        return dict(json.loads(text))
    except (ValueError, TypeError) as problem:
        cure = ANEW.get(path.name, "take the file from a copy of the run; its weights can be used all the same")
        raise fault("E0615", "this file of a run is damaged: it holds no JSON", path, cure) from problem


ANEW = {
    "done.json": "remove it, then the same command goes on from the last checkpoint, and writes it anew",
    "sweep.json": "give the `archspec sweep` command again, which writes it anew",
}
"""What to do for a damaged file that can be had again."""


def lines_of(path: Path) -> list[Record]:
    """The lines of a file of JSON; one that a crash cut short is left out."""
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    return [parsed(line, path) for line in lines if line.endswith("\n")]


@contextmanager
def created(path: Path | None, name: str, files: dict[str, str]) -> Iterator[RunFolder]:
    """A new folder with these files in it, locked: at the path, absent or empty, or `runs/NAME-1`, -2, …

    The spec is written last: a folder that has one is that of a run, and can be resumed.
    """
    folder = RunFolder(numbered(Path("runs"), name) if path is None else claim(path))
    with folder.writing():
        check_free(folder.path)  # another process may have been faster
        folder.checkpoints.mkdir(exist_ok=True)
        for file, text in sorted(files.items(), key=lambda one: one[0] == folder.spec.name):
            write(folder.path / file, text)
        yield folder


def numbered(parent: Path, name: str) -> Path:
    """A folder nobody else has: `mkdir` fails where it exists, so two runs started together get two numbers."""
    stem = "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in name).lstrip(".") or "run"
    try:
        parent.mkdir(parents=True, exist_ok=True)
        taken = [int(end) for one in parent.glob(f"{stem}-*") if (end := one.name.removeprefix(f"{stem}-")).isdecimal()]
        number = max(taken, default=0) + 1
        while True:
            try:
                (parent / f"{stem}-{number}").mkdir()
                return parent / f"{stem}-{number}"
            except FileExistsError:
                number += 1
    except OSError as problem:
        raise unwritable(parent, problem) from problem


def check_free(path: Path) -> None:
    """E0610 for a folder that is not absent or empty, told before data is loaded."""
    if path.is_file():
        raise fault("E0610", "the run folder is a file", path, "name another folder with `--run-dir`")
    if path.is_dir() and not is_free(path):
        cure = "name another folder with `--run-dir`, or empty this one"
        raise fault("E0610", "the run folder is not empty and holds no run of this spec", path, cure)


SEEDS = "seeds.json"
"""The file of a folder that holds the runs of several seeds."""

BEGUN = {lock.NAME, "checkpoints", "environment.json", "model.py", "places.json"}
"""What a run that was killed while its folder was made may have left there."""


def is_free(path: Path) -> bool:
    """Whether a folder holds nothing, or nothing but what a run left that never came to write its spec."""
    names = {one.name for one in path.iterdir() if not (one.name.startswith(".") and one.name.endswith(".part"))}
    return not names or (lock.NAME in names and names <= BEGUN)


def claim(path: Path) -> Path:
    """An absent or empty folder, made."""
    check_free(path)
    return made(path)


def made(path: Path) -> Path:
    """A folder that may be there already. Raises SpecError where it cannot be made."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise unwritable(path, problem) from problem
    return path


def find(path: Path, needs: Iterable[str] = ("spec.yaml",)) -> RunFolder:
    """The folder of an earlier run; E0611 where there is none, E0612 where it is another kind of folder."""
    if not path.exists():
        raise fault("E0611", "there is no such run folder", path, f"{nearby(path)}")
    if not path.is_dir():
        raise fault("E0612", "a run is a folder, this is a file", path, "name the folder that the file is in")
    if (path / SEEDS).exists():
        runs = ", ".join(f"`{one.parent}`" for one in sorted(path.glob("seed-*/spec.yaml")))
        raise fault("E0612", "this folder holds the runs of several seeds", path, f"name one of them: {runs}")
    missing = [name for name in needs if not (path / name).exists()]
    if missing:
        cure = "name a folder that `archspec train` has made"
        raise fault("E0612", f"this is not the folder of a run: it has no {' and no '.join(missing)}", path, cure)
    return RunFolder(path)


def checkpoint(folder: RunFolder, path: Path) -> Path:
    """A file of the run's checkpoints; E0613 where there is none yet."""
    if path.exists():
        return path
    cure = f"`archspec train --resume {folder.path}` starts it again"
    raise fault("E0613", f"this run has no checkpoint yet: {path.name} is missing", folder.path, cure)


def nearby(path: Path) -> str:
    """The runs that stand beside a path that does not exist."""
    parent = path.parent if path.parent.is_dir() else Path("runs")
    runs = sorted(one for one in parent.glob("*") if (one / "spec.yaml").exists()) if parent.is_dir() else []
    if not runs:
        return "`archspec train SPEC` makes one"
    newest = sorted(runs, key=lambda one: (one / "spec.yaml").stat().st_mtime)[-3:]
    return "the newest runs there are " + ", ".join(f"`{one}`" for one in reversed(newest))


def unwritable(path: Path, problem: OSError) -> SpecError:
    """A folder cannot be made."""
    return fault(
        "E0610", f"cannot make a run folder: {problem.strerror}", path, "name one that can be written: `--run-dir`"
    )
