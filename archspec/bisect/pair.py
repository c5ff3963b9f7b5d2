"""A spec that works and one that does not, ready to be searched between: both compiled, their changes found."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from archspec.bisect.coherent import Coherent
from archspec.bisect.edits import Between, Edit, between, scored_otherwise
from archspec.bisect.minimise import Subset
from archspec.check.suggest import nearest
from archspec.compare.consequences import Checked
from archspec.compare.forms import NOWHERE
from archspec.compare.sources import Source
from archspec.diagnostics import Diagnostic, SpecError
from archspec.sweep.cells import Cell
from archspec.sweep.plan import compiled, planned
from archspec.syntax.spec import Spec

Complete = Callable[[Spec], Spec]
"""What fills in what a spec leaves to its data set, and checks its settings."""

SPLITS = ("train", "val", "test")
"""Splits whose scores can be looked at."""


@dataclass(frozen=True)
class Pair:
    """Both specs, what they differ in, and which specs there are between."""

    names: tuple[str, str]
    good: Checked
    bad: Checked
    between: Between
    complete: Complete
    data: Path | None
    """The folder for data."""

    @property
    def edits(self) -> tuple[Edit, ...]:
        """The changes in the order in which they are numbered."""
        return self.between.edits

    @cached_property
    def whole(self) -> Subset:
        """All of them."""
        return frozenset(range(len(self.edits)))

    @cached_property
    def coherent(self) -> Coherent:
        """Which of them can be made without which."""
        return Coherent(len(self.edits), self.compiles)

    def compiles(self, some: Subset) -> bool:
        """Whether there is a spec with these changes."""
        try:
            self.made(some)
        except SpecError:
            return False
        return True

    def made(self, some: Subset, path: str = "<text>") -> Checked:
        """The first spec with some of the changes. Raises SpecError where that does not compile."""
        about = f"{self.names[0]} with {self.named(some)} of {self.names[1]}"
        return compiled(self.complete(self.between.spec(some, about, path)), self.data)

    @cached_property
    def seconds(self) -> float | None:
        """The forecast of one run, of whichever of both takes longer; None where it is not known. Raises SpecError."""
        ends = (planned(Cell((), NOWHERE), one, None).seconds for one in (self.good, self.bad))
        return max((one for one in ends if one is not None), default=None)

    def named(self, some: Subset) -> str:
        """The names of some changes: `mlp and d`."""
        return listed([self.edits[one].name for one in sorted(some)])


def listed(names: list[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join([*([", ".join(names[:-1])] if len(names) > 1 else []), *names[-1:]])


def pair_of(good: Source, bad: Source, complete: Complete, data: Path | None) -> Pair:
    """Two specs and their changes. E0862 where their scores are no scores of the same, E0860 where nothing differs."""
    specs = [complete(one.spec) for one in (good, bad)]
    if apart := scored_otherwise(*specs):
        raise SpecError([otherwise(specs[1], *one) for one in apart])
    first, second = (compiled(one, data) for one in specs)
    made = Pair((good.name, bad.name), first, second, between(first, second), complete, data)
    if not made.edits:
        message = f"`{good.name}` and `{bad.name}` are one architecture, trained alike: there is nothing to search"
        raise SpecError([Diagnostic("E0860", message, help="`archspec diff` shows what is written differently")])
    return made


def otherwise(bad: Spec, path: str, before: object, after: object) -> Diagnostic:
    """E0862 for a setting that makes one score another."""
    message = f"`{path}` is `{shown(after)}`, and `{shown(before)}` in the spec that works: their scores do not compare"
    at = bad.place(*path.split("."))
    return Diagnostic("E0862", message, at, help=f"give both the same: `--set {path}={shown(before)}`")


def shown(value: object) -> str:
    """A value as YAML has it."""
    return "null" if value is None else str(value)


def score_of(text: str | None, pair: Pair) -> tuple[str, str]:
    """The split and the score that tells: the monitor on the validation split unless said. E0864 for others."""
    facts, monitor = pair.good.facts, pair.good.spec.settings.train.monitor
    assert facts is not None
    split, _, name = (text or str(monitor)).rpartition(".")
    names = [*facts.scores, "loss"]
    if split not in ("", *SPLITS) or name not in names:
        every = [f"{one}{name}" for one in ("", *(f"{split}." for split in SPLITS)) for name in names]
        cure = nearest(str(text), every) or f"write one of {', '.join(names)}, or `train.{names[0]}`"
        raise SpecError([Diagnostic("E0864", f"there is no score `{text}`", help=cure)])
    return split or "val", name
