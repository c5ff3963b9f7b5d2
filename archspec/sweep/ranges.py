"""Ranges of numbers as alternatives, and what a sweep file says of how it is searched and when cells are given up."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from archspec.check.suggest import nearest
from archspec.diagnostics import Problems
from archspec.source import Span
from archspec.syntax.document import Mapping, Scalar, Sequence, Value

Number = int | float

SCALES = ("linear", "log")
"""How the values of a range lie: `log` is uniform in the logarithm."""

SAMPLERS = ("tpe", "random")
"""How the next trial is chosen: by a tree-structured Parzen estimator, or by chance."""

DIGITS = 4
"""Significant digits of a value that is no integer, in the spec as in the table."""


@dataclass(frozen=True)
class Range:
    """Numbers from one to another, both included, at a path of a spec."""

    path: tuple[Scalar, ...]
    low: Number
    high: Number
    scale: str
    step: Number | None
    span: Span
    written: tuple[Scalar, ...]
    """Its ends as the file has them."""

    @property
    def is_whole(self) -> bool:
        """Whether its values are integers: where both ends are, and the step."""
        return all(isinstance(one, int) for one in (self.low, self.high, self.step or 1))

    def text(self, value: Number) -> str:
        """A value as it stands in a spec; its own name too."""
        if self.is_whole:
            return str(int(value))
        shown = f"{float(value):.{DIGITS}g}"
        return shown if self.low <= float(shown) <= self.high else repr(float(value))

    @property
    def ends(self) -> tuple[str, str]:
        """Its lowest and its highest value."""
        return self.text(self.low), self.text(self.high)


@dataclass(frozen=True)
class Search:
    """How values are looked for."""

    trials: int
    sampler: str
    seed: int
    span: Span


@dataclass(frozen=True)
class Halving:
    """When cells are given up: after so many epochs, all but a share of those that are left."""

    rungs: tuple[int, ...]
    keep: float
    span: Span


PARTS = ("from", "to", "scale", "step")
"""What a range says."""


def is_range(value: Value) -> bool:
    """Whether alternatives are written as a range: one that says too little or too much is still one."""
    if not isinstance(value, Mapping):
        return False
    said, ends = {*value.entries}, {"from", "to"}
    return ends <= said or (bool(ends & said) and said <= {*PARTS})


def range_of(path: list[Scalar], value: Mapping, problems: Problems) -> Range | None:
    """A range. E0847 for one that is none."""
    found: dict[str, Any] = {name: entry.value.plain for name, entry in value.entries.items()}
    if odd := next((entry for name, entry in value.entries.items() if name not in PARTS), None):
        help = nearest(odd.key.text, PARTS) or f"a range has {', '.join(PARTS)}"
        problems.error("E0847", odd.key.span, f"a range has no `{odd.key.text}`", help=help)
        return None
    if missing := {"from", "to"} - {*found}:
        message = f"a range without `{missing.pop()}`"
        problems.error("E0847", value.span, message, help="write `{from: 1e-4, to: 1e-2, scale: log}`")
        return None
    low, high, step, scale = found["from"], found["to"], found.get("step"), found.get("scale", SCALES[0])
    wrong = next(mistakes(low, high, step, scale), None)
    if wrong is None:
        ends = (value.entries[name].value for name in ("from", "to"))
        written = tuple(end for end in ends if isinstance(end, Scalar))
        return Range(tuple(path), low, high, scale, step, value.span, written)
    message, cure = wrong
    problems.error("E0847", value.span, message, help=cure)
    return None


def mistakes(low: Any, high: Any, step: Any, scale: object) -> Iterator[tuple[str, str]]:
    """What is wrong with a range, and what to write."""
    example = "write `{from: 1e-4, to: 1e-2, scale: log}`"
    if not (is_number(low) and is_number(high) and (step is None or is_number(step))):
        yield "the ends of a range, and its step, are numbers", example
        return
    if scale not in SCALES:
        yield f"the scale of a range is {' or '.join(SCALES)}", nearest(str(scale), SCALES) or example
    if low >= high:
        yield f"the range ends before it begins: {low} is not less than {high}", example
    if scale == "log" and low <= 0:
        yield f"a range with `scale: log` begins above 0, not at {low}", "begin above 0, or leave out `scale`"
    if scale == "log" and step is not None:
        yield "a range has a `step` or `scale: log`, not both", "leave one out"
    if step is not None and not 0 < step <= high - low:
        yield f"the step {step} is not between 0 and {high - low:g}", "write a smaller step"


def is_number(value: object) -> bool:
    """Whether a value is a number that is finite."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < float("inf")


def search_of(value: Mapping, problems: Problems) -> Search | None:
    """How a sweep is searched. E0848 for what cannot be read."""
    found: dict[str, Any] = {name: entry.value.plain for name, entry in value.entries.items()}
    trials, sampler, seed = found.get("trials"), found.get("sampler", SAMPLERS[0]), found.get("seed", 0)
    whole = [type(one) is int and one >= least for one, least in ((trials, 1), (seed, 0))]
    if {*found} <= {"trials", "sampler", "seed"} and all(whole) and sampler in SAMPLERS:
        return Search(found["trials"], str(sampler), seed, value.span)
    cure = "write `{trials: 40, sampler: tpe, seed: 0}`; `sampler: random` is by chance"
    problems.error("E0848", value.span, "`search` is a number of trials, a sampler and a seed", help=cure)
    return None


def halving_of(value: Mapping, problems: Problems) -> Halving | None:
    """When cells are given up. E0849 for what cannot be read."""
    found: dict[str, Any] = {name: entry.value.plain for name, entry in value.entries.items()}
    given = value.entries["rungs"].value if "rungs" in found else None
    rungs: Any = found.get("rungs") if isinstance(given, Sequence) else [found.get("rungs")]
    keep = found.get("keep", 0.5)
    whole = isinstance(rungs, list) and rungs and all(type(one) is int and one > 0 for one in rungs)
    if {*found} <= {"rungs", "keep"} and whole and sorted(set(rungs)) == rungs and is_number(keep) and 0 < keep < 1:
        return Halving(tuple(rungs), float(keep), value.span)
    cure = "write `{rungs: [3, 9], keep: 0.5}`: epochs that grow, and the share of cells that go on"
    problems.error("E0849", value.span, "`halving` is a list of epochs and a share between 0 and 1", help=cure)
    return None
