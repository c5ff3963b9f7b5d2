"""What trackers are told of a run, read from its folder: settings, texts, and the figures of its epochs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from archspec.syntax.load import parse_spec
from archspec.syntax.schema import CometSettings, TrackioSettings
from archspec.syntax.spec import Spec
from archspec.train.folder import SEEDS, Record, RunFolder

Plain = str | int | float | bool

NOT_FIGURES = ("epoch",)
"""Numbers of a record that say where it belongs."""


@dataclass(frozen=True)
class About:
    """A run as trackers see it."""

    folder: RunFolder
    spec: Spec

    @property
    def comet(self) -> CometSettings:
        """What the spec says of Comet, or the defaults."""
        track = self.spec.settings.track
        return (track and track.comet) or CometSettings()

    @property
    def trackio(self) -> TrackioSettings:
        """What the spec says of trackio, or the defaults."""
        track = self.spec.settings.track
        return (track and track.trackio) or TrackioSettings()

    @property
    def title(self) -> str:
        """What the run is called: as its folder is, a run of several seeds with the folder of them all."""
        path = self.folder.path.resolve()
        return f"{path.parent.name}-{path.name}" if (path.parent / SEEDS).exists() else path.name

    def parameters(self) -> dict[str, Plain]:
        """Every setting of the spec by its path, equations as their text."""
        return dict(flat(self.spec.settings.model_dump(exclude={"track"}), "."))

    def environment(self) -> dict[str, Plain]:
        """What the run was made with, by path; the command as one text."""
        told = self.folder.told()
        command = " ".join(told.get("command", []))
        return dict(flat({**told, "command": command}, "."))


def read(folder: RunFolder) -> About:
    """A run from its folder. Raises SpecError where its spec cannot be read."""
    return About(folder, parse_spec(folder.spec.read_text(encoding="utf-8"), str(folder.spec)))


def figures(record: Record) -> dict[str, float]:
    """Every number of a record by its path, `val/acc`; what is not known is left out."""
    named = flat({key: value for key, value in record.items() if key not in NOT_FIGURES}, "/")
    return {path: value for path, value in named if isinstance(value, int | float) and not isinstance(value, bool)}


def outcome(result: Record) -> dict[str, Plain]:
    """Every entry of `done.json` by its path, `best/test/acc`."""
    return dict(flat(result, "/"))


def flat(values: Mapping[str, Any], between: str, path: str = "") -> Iterator[tuple[str, Plain]]:
    """(path, value) of every plain value of nested sections; lists are texts, what is None is left out."""
    for key, value in values.items():
        here = f"{path}{between}{key}" if path else str(key)
        if isinstance(value, Mapping):
            yield from flat(value, between, here)
        elif isinstance(value, str | int | float | bool):
            yield here, value
        elif value is not None:
            yield here, str(value)
