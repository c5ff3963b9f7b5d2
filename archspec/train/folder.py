"""The folder of a run: what stands in it, and who may write there."""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from archspec.diagnostics import SpecError
from archspec.train.faults import fault
from archspec.train.files import write

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
        self.done = path / "done.json"
        self.checkpoints = path / "checkpoints"
        self.state = self.checkpoints / "last.pt"

    def weights(self, which: str) -> Path:
        """The weights of the `best` or the `last` epoch."""
        return self.checkpoints / f"{which}.safetensors"

    def append(self, record: Record) -> None:
        """Add a line to the metrics, on its way to the disk when this returns."""
        with self.metrics.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def records(self) -> list[Record]:
        """The metrics, epoch after epoch; a line that a crash cut short is left out."""
        if not self.metrics.exists():
            return []
        lines = self.metrics.read_text(encoding="utf-8").splitlines(keepends=True)
        return [json.loads(line) for line in lines if line.endswith("\n")]

    def cut_back(self, epochs: int) -> list[Record]:
        """Keep the metrics of the first so many epochs, those that the checkpoint knows of."""
        kept = [record for record in self.records() if record["epoch"] <= epochs]
        write(self.metrics, "".join(json.dumps(record) + "\n" for record in kept))
        return kept

    def epochs(self) -> int:
        """How many epochs are recorded."""
        return len(self.records())

    def result(self) -> Record | None:
        """What `done.json` says, if the run is finished."""
        return json.loads(self.done.read_text(encoding="utf-8")) if self.done.exists() else None

    def told(self) -> Record:
        """What `environment.json` says."""
        return json.loads(self.environment.read_text(encoding="utf-8")) if self.environment.exists() else {}


def create(path: Path | None, name: str, files: dict[str, str]) -> RunFolder:
    """A new folder with these files in it: at the path, which must be absent or empty, or `runs/NAME-1`, -2, …"""
    folder = RunFolder(numbered(Path("runs"), name) if path is None else claim(path))
    folder.checkpoints.mkdir()
    for file, text in files.items():
        write(folder.path / file, text)
    return folder


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
    if path.is_dir() and any(path.iterdir()):
        cure = "name another folder with `--run-dir`, or empty this one"
        raise fault("E0610", "the run folder is not empty and holds no run of this spec", path, cure)


def claim(path: Path) -> Path:
    """An absent or empty folder, made."""
    check_free(path)
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
