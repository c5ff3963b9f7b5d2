"""Everything that a page says of one run, read from its folder. What is missing or damaged is left out, and told."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from archspec.diagnostics import SpecError
from archspec.pipeline import Compiled, compile_spec
from archspec.runs import row as rows
from archspec.runs.row import Row
from archspec.syntax.load import parse_spec
from archspec.syntax.spec import Spec
from archspec.train.folder import Record, RunFolder

Found = TypeVar("Found")


@dataclass
class Evidence:
    """A run as it is reported."""

    name: str
    folder: RunFolder
    row: Row
    troubles: list[str] = field(default_factory=list)
    """What could not be read, in a line each."""
    records: list[Record] = field(default_factory=list)
    result: Record | None = None
    told: Record = field(default_factory=dict)
    """`environment.json`."""
    events: list[Record] = field(default_factory=list)
    """`health.jsonl`: what went wrong."""
    places: Mapping[str, Any] = field(default_factory=dict)
    """`places.json`: where in the equations parameters and values stand."""
    spec: Spec | None = None
    compiled: Compiled | None = None
    code: str = ""

    def attempt(self, read: Callable[[], Found], otherwise: Found) -> Found:
        """What can be read; otherwise a trouble, and something instead."""
        try:
            return read()
        except SpecError as problem:
            self.troubles.append(problem.diagnostics[0].message)
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as problem:  # a file of another form
            self.troubles.append(f"{type(problem).__name__}: {problem}")
        return otherwise

    @property
    def metric(self) -> str:
        """The main score."""
        return str(self.row.fields.get("metric", "loss"))


def read(path: Path) -> Evidence:
    """The run of a folder."""
    folder = RunFolder(path)
    found = Evidence(str(path), folder, rows.read(path, str(path)))
    found.records = found.attempt(folder.records, [])
    found.result = found.attempt(folder.result, None)
    found.told = found.attempt(folder.told, {})
    found.events = found.attempt(lambda: lines_of(folder.health), [])
    found.places = found.attempt(lambda: object_of(folder.places), {})
    found.code = found.attempt(lambda: text_of(folder.code), "")
    found.spec = found.attempt(lambda: parse_spec(folder.spec.read_text(encoding="utf-8"), str(folder.spec)), None)
    if found.spec is not None:
        spec = found.spec
        found.compiled = found.attempt(lambda: compile_spec(spec), None)
    return found


def text_of(path: Path) -> str:
    """A file's text, nothing where there is none."""
    return path.read_text(encoding="utf-8") if path.exists() else ""


def lines_of(path: Path) -> list[Record]:
    """JSON line by line; one that a crash cut short is left out."""
    return [json.loads(line) for line in text_of(path).splitlines(keepends=True) if line.endswith("\n")]


def object_of(path: Path) -> Mapping[str, Any]:
    """An object of JSON."""
    return dict(json.loads(text_of(path) or "{}"))
