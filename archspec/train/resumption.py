"""Whether a run may go on: the same spec, apart from what does not change the epochs that are done."""

from collections.abc import Iterator
from typing import Any

from archspec.diagnostics import Diagnostic, SpecError
from archspec.facts import own
from archspec.syntax.load import parse_spec
from archspec.syntax.schema import WatchSettings
from archspec.syntax.spec import Spec
from archspec.train.folder import RunFolder

WATCH = {("train", "watch", key) for key in WatchSettings.model_fields}
FREE = {("train", "epochs"), ("train", "checkpoint_every"), ("train", "threads"), ("about",), *WATCH}
"""Settings that may differ when a run goes on. With another number of threads only the last bits differ.

So may all of `track`."""


def check(old: Spec, new: Spec, folder: RunFolder, epochs_done: int) -> None:
    """E0614 for every setting that differs from the run's own, and for fewer epochs than are done."""
    # The run's spec is in canonical form, so the other one is read in that form too: `x+1` is `x + 1`.
    canonical = parse_spec(new.text, new.source.path)
    before, now = dict(leaves(old.settings.model_dump())), dict(leaves(canonical.settings.model_dump()))
    differ = [path for path in before | now if before.get(path) != now.get(path)]
    changed = [path for path in differ if path not in FREE and path[0] != "track"]
    problems = [problem(path, before.get(path), new, folder) for path in changed]
    if new.settings.train.epochs < epochs_done:
        message = f"the run has {epochs_done} epochs behind it, more than the {new.settings.train.epochs} asked for"
        cure = f"give at least {epochs_done}"
        problems.append(Diagnostic("E0614", message, new.place("train", "epochs"), help=cure, path=str(folder.path)))
    if problems:
        raise SpecError(problems)


def check_data(spec: Spec, before: str | None, folder: RunFolder) -> None:
    """E0614 where files of the user's own are not those that the run began with (`before` tells them)."""
    data = spec.settings.data
    if before is None or data is None or own.key(data) == before:
        return
    message = f"the data in `{data.name}` has changed since the run began"
    cure = "put the old files back, or start a new run without `--resume`"
    raise SpecError([Diagnostic("E0614", message, spec.place("data", "name"), help=cure, path=str(folder.path))])


def problem(path: tuple[str, ...], before: Any, new: Spec, folder: RunFolder) -> Diagnostic:
    """One setting that differs."""
    name = ".".join(path)
    was = "it was not set" if before is None else f"it was `{before}`"
    cure = "take it back, or start a new run without `--resume`"
    message = f"`{name}` differs from the run that is to go on"
    return Diagnostic("E0614", message, new.place(*path), notes=(was,), help=cure, path=str(folder.path))


def leaves(settings: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every plain value of nested settings with its path."""
    for key, value in settings.items():
        if isinstance(value, dict) and value:
            yield from leaves(value, (*path, key))
        else:
            yield (*path, key), value


def finished(folder: RunFolder, epochs: int) -> str | None:
    """Why there is nothing left to do, if so: not where it paused, or where more epochs are asked than it has."""
    result = folder.result()
    if result is None or result["reason"] == "paused":
        return None
    if result["reason"] == "epochs" and result["epochs"] < epochs:
        return None
    return str(result["stopped"])
