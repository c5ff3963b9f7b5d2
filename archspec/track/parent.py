"""The run that a run comes after, and what differs from it."""

import json
from dataclasses import dataclass
from pathlib import Path

from archspec.compare.difference import Checked, differences
from archspec.compare.shown import text_of
from archspec.diagnostics import SpecError
from archspec.pipeline import compile_spec, facts_of
from archspec.syntax.load import parse_spec
from archspec.syntax.spec import Spec
from archspec.track.about import About
from archspec.train.folder import RunFolder


@dataclass(frozen=True)
class Parent:
    """The run before, and what differs from it, as `archspec diff` shows it."""

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
    names = (before.path.name, here.name)
    try:
        old = parse_spec(before.spec.read_text(encoding="utf-8"), str(before.spec))
        return Parent(names[0], text_of(differences(checked(old), checked(about.spec)), names))
    except (SpecError, OSError, ValueError) as problem:  # it may be damaged, or of another version
        return Parent(names[0], f"cannot be compared: {problem}")


def checked(spec: Spec) -> Checked:
    """A spec with its program, as it is compared."""
    facts = facts_of(spec)
    made = compile_spec(spec, facts)
    return Checked(spec, made.program, made.plan, facts)


def started(path: Path) -> str:
    """When the run of a folder was started, in UTC; nothing where the folder holds no run or a damaged one."""
    try:
        return str(json.loads((path / "environment.json").read_text(encoding="utf-8"))["started"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
