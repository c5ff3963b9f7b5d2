"""The run that a run comes after, and what differs from it."""

import json
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path

from archspec.track.about import About
from archspec.train.folder import RunFolder


@dataclass(frozen=True)
class Parent:
    """The run before, and the lines of the resolved spec that differ."""

    parent: str
    text: str


def difference(about: About) -> Parent | None:
    """What a run changes of the one that was started last before it in the same folder, if there is one."""
    here = about.folder.path.resolve()
    began = started(here)
    earlier = [(when, one) for one in here.parent.iterdir() if one != here and (when := started(one)) and when < began]
    if not earlier:
        return None
    before = RunFolder(max(earlier)[1])
    old, new = (one.spec.read_text(encoding="utf-8").splitlines() for one in (before, about.folder))
    lines = unified_diff(old, new, f"{before.path.name}/spec.yaml", f"{here.name}/spec.yaml", lineterm="", n=1)
    return Parent(before.path.name, "\n".join(lines) or "the same spec")


def started(path: Path) -> str:
    """When the run of a folder was started, in UTC; nothing where the folder holds no run or a damaged one."""
    try:
        return str(json.loads((path / "environment.json").read_text(encoding="utf-8"))["started"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
