"""Sweep files: a base, axes of alternatives, seeds, a budget. Read whole, with the place of everything."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path

from archspec.check.suggest import nearest
from archspec.cost.solve import budget_of
from archspec.diagnostics import Diagnostic, Problems, SpecError
from archspec.source import SourceFile, Span
from archspec.sweep.axes import SPEC, Axis, axes_in, check_apart
from archspec.sweep.ranges import Halving, Search, halving_of, search_of
from archspec.syntax.document import Mapping, Scalar, Sequence, Value, read_document
from archspec.syntax.files import find_sweep, read_source, shipped_sweeps
from archspec.syntax.merge import by_heading, is_null


@dataclass(frozen=True)
class Budget:
    """Parameters at most, and the size that is made as large as they allow."""

    parameters: int
    size: str | None
    span: Span


@dataclass(frozen=True)
class Sweep:
    """What a sweep file says."""

    source: SourceFile
    name: str
    bases: tuple[Scalar, ...]
    """The spec that all cells stand on, or those of an axis."""
    settings: Mapping | None
    """What all cells say above the base."""
    axes: tuple[Axis, ...]
    listed: tuple[Mapping, ...] | None
    """The cells that are wanted, by axis and alternative; None for all of them."""
    seeds: str | None
    """As `--seeds` takes them."""
    rank_by: Scalar | None
    baseline: Scalar | Mapping | None
    """The cell that the others are compared with: its name, or alternatives by axis."""
    budget: Budget | None
    search: Search | None = None
    halving: Halving | None = None

    @property
    def folder(self) -> Path:
        """The folder of the file."""
        return Path(self.source.path).parent


KEYS = {
    "name": "text",
    "about": "text",
    "base": SPEC,
    "set": "a section of a spec, laid over the base in every cell",
    "axes": "a section of `path: [alternatives]`",
    "cells": "a list of `{axis: alternative}`",
    "seeds": "a number of seeds, or a list of different ones",
    "rank_by": "a score, such as `acc`",
    "baseline": "a cell: `{axis: alternative}`, or its name",
    "budget": "`{params: 100k}`, or `{params: 100k, solve: d}`",
    "search": "`{trials: 40, sampler: tpe, seed: 0}`",
    "halving": "`{rungs: [3, 9], keep: 0.5}`",
}
"""What a sweep file may say."""


@dataclass
class Reader:
    """Takes the values of a document apart, collecting what is wrong."""

    document: Mapping
    problems: Problems = field(default_factory=Problems)

    def get(self, key: str, *kinds: type) -> Value | None:
        """The value of a key; None where it is not there or of another kind, which is reported."""
        entry = self.document.entries.get(key)
        if entry is None:
            return None
        if not isinstance(entry.value, kinds) or is_null(entry.value):
            self.wrong(key, entry.value)
            return None
        return entry.value

    def wrong(self, key: str, value: Value) -> None:
        """E0832 for a value of the wrong kind."""
        self.problems.error("E0832", value.span, f"`{key}` must be {KEYS[key]}", help=f"write {KEYS[key]}")


def read_sweep(path: str | Path) -> Sweep:
    """The sweep in a file, or one that comes with archspec by its name.

    Raises SpecError with everything that is wrong with its form.
    """
    problems = Problems()
    path, asked = find_sweep(str(path)), path
    source = read_source(path, problems, str(asked))
    problems.found = [
        replace(one, help=ABSENT[one.code](Path(asked))) if one.code in ABSENT else one for one in problems.found
    ]
    document = read_document(source, problems) if source else None
    problems.finish()
    if source is None or not isinstance(document, Mapping):
        cure = "begin with `base:` and `axes:`"
        raise SpecError([Diagnostic("E0832", "a sweep is a section of `key: value` lines", path=str(path), help=cure)])
    reader = Reader(document, problems)
    known_keys(document, KEYS, "a sweep", problems)
    axes = tuple(axes_of(reader))
    sweep = Sweep(
        source,
        text_of(reader.get("name", Scalar)) or Path(path).stem,
        bases_of(reader, axes),
        settings_of(reader),
        axes,
        listed_of(reader),
        seeds_of(reader),
        rank if isinstance(rank := reader.get("rank_by", Scalar), Scalar) else None,
        base if isinstance(base := reader.get("baseline", Scalar, Mapping), Scalar | Mapping) else None,
        budget_in(reader),
        search_in(reader),
        halving_in(reader),
    )
    if not problems.found:
        check_apart(sweep.axes, problems)
        check_search(sweep, problems)
    problems.finish()
    return sweep


WRITE_ONE = "write one: `base:`, `axes:`, `seeds:`"


def beside(path: Path) -> str:
    """What to do where there is no sweep file."""
    known = {name: name for name in shipped_sweeps()}
    names = known | ({one.name: str(one) for one in path.parent.glob("*.yaml")} if path.parent.is_dir() else {})
    close = get_close_matches(path.name, names, 1)
    return f"write `{names[close[0]]}`" if close else WRITE_ONE


ABSENT = {"E0001": beside, "E0004": lambda _: WRITE_ONE}
"""There is no such file, or nothing in it: what to do."""


def known_keys(section: Mapping, known: dict[str, str], where: str, problems: Problems) -> None:
    """E0830 for every key that is not known."""
    for name, entry in section.entries.items():
        if name not in known:
            help = nearest(name, known) or f"the keys are {', '.join(known)}"
            problems.error("E0830", entry.key.span, f"unknown key `{name}` in {where}", help=help)


def text_of(value: Value | None) -> str:
    """The text of a value without parts."""
    return value.text.strip() if isinstance(value, Scalar) else ""


def bases_of(reader: Reader, axes: tuple[Axis, ...]) -> tuple[Scalar, ...]:
    """What cells stand on: `base:`, or what an axis has in its place. E0831 for neither, E0801 for both."""
    base = reader.get("base", Scalar)
    varied = next((axis for axis in axes if axis.is_of_specs), None)
    if varied and "base" in reader.document.entries:
        message = "the base is an axis here, and there is a `base:` too"
        reader.problems.error("E0801", varied.span, message, help="leave out one of them")
    for key in ("base", "axes"):
        if key not in reader.document.entries and not (varied and key == "base"):
            at = Span(reader.document.span.source, reader.document.span.start, reader.document.span.start + 1)
            reader.problems.error(
                "E0831", at, f"`{key}` is missing in the sweep", help=f"write `{key}: …`, {KEYS[key]}"
            )
    if varied:
        return tuple(one.base for one in varied.alternatives if one.base)
    return (base,) if isinstance(base, Scalar) else ()


def settings_of(reader: Reader) -> Mapping | None:
    """The layer that all cells share."""
    value = reader.get("set", Mapping)
    return by_heading(value, reader.problems) if isinstance(value, Mapping) else None


def axes_of(reader: Reader) -> Iterator[Axis]:
    """The axes."""
    section = reader.get("axes", Mapping)
    if not isinstance(section, Mapping):
        return
    if not section.entries:
        reader.wrong("axes", section)
    yield from axes_in(section, reader.problems)


def listed_of(reader: Reader) -> tuple[Mapping, ...] | None:
    """The cells that are wanted."""
    value = reader.get("cells", Sequence)
    if not isinstance(value, Sequence):
        return None
    if not value.items:
        reader.wrong("cells", value)
    for item in value.items:
        if not isinstance(item, Mapping):
            reader.wrong("cells", item)
    return tuple(item for item in value.items if isinstance(item, Mapping))


def seeds_of(reader: Reader) -> str | None:
    """The seeds, as `--seeds` takes them."""
    value = reader.get("seeds", Scalar, Sequence)
    if value is None:
        return None
    found = value.plain if isinstance(value, Sequence) else [value.plain]
    numbers = all(type(one) is int and 0 <= one < 2**63 for one in found)
    if not found or not numbers or len({*map(str, found)}) < len(found) or (isinstance(value, Scalar) and found == [0]):
        reader.wrong("seeds", value)
        return None
    return ",".join(map(str, found)) + "," * isinstance(value, Sequence)


def budget_in(reader: Reader) -> Budget | None:
    """The budget of every cell."""
    value = reader.get("budget", Mapping)
    if not isinstance(value, Mapping):
        return None
    known_keys(value, {"params": "", "solve": ""}, "`budget`", reader.problems)
    try:
        most = budget_of(text_of(value.entries["params"].value) if "params" in value.entries else "")
    except SpecError:
        reader.wrong("budget", value)
        return None
    size = text_of(value.entries["solve"].value) if "solve" in value.entries else None
    return Budget(most, size, value.span)


def search_in(reader: Reader) -> Search | None:
    """How it is searched."""
    value = reader.get("search", Mapping)
    return search_of(value, reader.problems) if isinstance(value, Mapping) else None


def halving_in(reader: Reader) -> Halving | None:
    """When cells are given up."""
    value = reader.get("halving", Mapping)
    return halving_of(value, reader.problems) if isinstance(value, Mapping) else None


def check_search(sweep: Sweep, problems: Problems) -> None:
    """E0848 for a range that nothing searches, and for what goes ill with a search."""
    if between := [axis for axis in sweep.axes if axis.range and not sweep.search]:
        message = f"the range of the axis `{between[0].name}` has no end of values"
        problems.error("E0848", between[0].span, message, help="say how many are tried: `search: {trials: 40}`")
    if sweep.search and sweep.listed is not None:
        problems.error("E0848", sweep.search.span, "a search finds its cells itself", help="leave out `cells`")
    if sweep.search and sweep.baseline:
        problems.error("E0848", sweep.baseline.span, "a search has no baseline", help="leave it out")
    if sweep.search and sweep.halving:
        message = "a search and `halving` cannot be together"
        problems.error("E0848", sweep.halving.span, message, help="leave one out")
