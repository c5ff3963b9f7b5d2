"""Sweep files: a base, axes of alternatives, seeds, a budget. Read whole, with the place of everything."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path

from archspec.check.suggest import nearest
from archspec.cost.solve import budget_of
from archspec.diagnostics import Diagnostic, Problems, SpecError
from archspec.source import SourceFile, Span
from archspec.syntax.document import Entry, Mapping, Scalar, Sequence, Value, read_document
from archspec.syntax.files import read_source
from archspec.syntax.merge import by_heading, is_null
from archspec.syntax.overrides import path_of

LONGEST = 24
"""Letters of a value that can be its own name in the table and in the name of a folder."""


@dataclass(frozen=True)
class Alternative:
    """One value of an axis, or one for each of its paths, as layers of a spec."""

    label: str
    layers: tuple[Mapping, ...]
    span: Span
    base: Scalar | None = None
    """The spec that it stands on, of an axis of specs."""


ON = ("base",)
"""The path of an axis whose alternatives are specs."""


@dataclass(frozen=True)
class Axis:
    """What is varied together: one path, or several that are zipped."""

    name: str
    paths: tuple[tuple[str, ...], ...]
    alternatives: tuple[Alternative, ...]
    span: Span

    @property
    def labels(self) -> list[str]:
        """The names of its alternatives."""
        return [one.label for one in self.alternatives]

    @property
    def is_of_specs(self) -> bool:
        """Whether it varies the base."""
        return ON in self.paths


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

    @property
    def folder(self) -> Path:
        """The folder of the file."""
        return Path(self.source.path).parent


KEYS = {
    "name": "text",
    "about": "text",
    "base": "a spec: a file, or the name of one that comes with archspec",
    "set": "a section of a spec, laid over the base in every cell",
    "axes": "a section of `path: [alternatives]`",
    "cells": "a list of `{axis: alternative}`",
    "seeds": "a number of seeds, or a list of different ones",
    "rank_by": "a score, such as `acc`",
    "baseline": "a cell: `{axis: alternative}`, or its name",
    "budget": "`{params: 100k}`, or `{params: 100k, solve: d}`",
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
    """The sweep in a file. Raises SpecError with everything that is wrong with its form."""
    problems = Problems()
    source = read_source(Path(path), problems, str(path))
    problems.found = [replace(one, help=beside(Path(path))) if one.code in ABSENT else one for one in problems.found]
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
    )
    problems.finish()
    return sweep


ABSENT = ("E0001", "E0004")
"""There is no such file, or nothing in it."""


def beside(path: Path) -> str:
    """What to do where there is no sweep file."""
    names = {one.name: str(one) for one in path.parent.glob("*.yaml")} if path.parent.is_dir() else {}
    close = get_close_matches(path.name, names, 1)
    return f"write `{names[close[0]]}`" if close else "write one: `base:`, `axes:`, `seeds:`"


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
    """The axes in the order written, each by the shortest name that no other has."""
    section = reader.get("axes", Mapping)
    if not isinstance(section, Mapping):
        return
    if not section.entries:
        reader.wrong("axes", section)
    split = {key: [*paths(entry.key)] for key, entry in section.entries.items()}
    short = ["+".join(path[-1].text.partition("(")[0].strip() for path in one if path) for one in split.values()]
    for (key, entry), name in zip(section.entries.items(), short, strict=True):
        found = split[key]
        if not found or not all(path and all(part.text for part in path) for path in found):
            help = "write a path, such as `model.sizes.d`, or several with commas between them"
            reader.problems.error("E0801", entry.key.span, f"`{key}` is no path of a spec", help=help)
            continue
        names = tuple(tuple(part.text for part in path) for path in found)
        alternatives = tuple(alternatives_of(found, entry, reader.problems))
        yield Axis(name if short.count(name) == 1 else key, names, alternatives, entry.key.span)


OUTSIDE = re.compile(r"(?:[^,(]|\([^)]*\)?)+")


def paths(key: Scalar) -> Iterator[list[Scalar]]:
    """The paths that a key names, commas between them; every part knows where it stands."""
    begin = key.span.start + (key.style != "")
    for one in OUTSIDE.finditer(key.text):
        text = one[0].strip()
        start = begin + one.start() + len(one[0]) - len(one[0].lstrip())
        for_one = path_of(SourceFile("axes", text), len(text))
        yield [
            replace(part, span=Span(key.span.source, start + part.span.start, start + part.span.end))
            for part in for_one
        ]


def alternatives_of(paths: list[list[Scalar]], entry: Entry, problems: Problems) -> Iterator[Alternative]:
    """The alternatives of an axis: a list, or a section that names them."""
    taken, before = set[str](), len(problems.found)
    named = [*by_label(entry.value, problems)]
    if not named and len(problems.found) == before:
        help = "write a list of them, or a section that names each"
        problems.error("E0802", entry.value.span, "an axis needs alternatives", help=help)
    for label, value in named:
        if label in taken:
            problems.error("E0802", value.span, f"two alternatives are called `{label}`", help="give them names")
        taken.add(label)
        values = value.items if len(paths) > 1 and isinstance(value, Sequence) else (value,)
        if len(values) != len(paths):
            message = f"the axis varies {len(paths)} paths together, found {len(values)}"
            problems.error("E0802", value.span, message, help=f"write a list of {len(paths)} values")
            continue
        at = {tuple(part.text for part in path): (path, one) for path, one in zip(paths, values, strict=True)}
        _, base = at.pop(ON, (ON, None))
        if base and not is_named(base):
            problems.error("E0802", base.span, "an alternative of `base` must be a spec", help=f"write {KEYS['base']}")
        layers = [layer(path, one, problems) for path, one in at.values()]
        yield Alternative(label, tuple(layers), value.span, base if isinstance(base, Scalar) else None)


def is_named(value: Value) -> bool:
    """Whether a value can be the name of a spec."""
    return isinstance(value, Scalar) and not is_null(value) and bool(value.text.strip())


def by_label(value: Value, problems: Problems) -> Iterator[tuple[str, Value]]:
    """Alternatives with their names: those given, else short values themselves."""
    if isinstance(value, Mapping):
        yield from ((name, entry.value) for name, entry in value.entries.items())
    elif isinstance(value, Sequence):
        for item in value.items:
            if (label := own_label(item)) is None:
                help = "write a section in place of the list: `{short: …, long: …}`"
                problems.error("E0802", item.span, "an alternative like this one needs a name", help=help)
            else:
                yield label, item


def own_label(value: Value) -> str | None:
    """A short value as its name, the `name` of a section, or the names of the parts of a short list."""
    if isinstance(value, Mapping):
        return own_label(value.entries["name"].value) if "name" in value.entries else None
    if isinstance(value, Sequence):
        parts = [own_label(item) for item in value.items]
        whole = "+".join(part for part in parts if part is not None)
        return whole if None not in parts and whole and len(whole) <= LONGEST else None
    text = value.text.strip() or "null"
    return text if len(text) <= LONGEST and "\n" not in text else None


def layer(path: list[Scalar], value: Value, problems: Problems) -> Mapping:
    """A value at a path, as a layer of a spec."""
    for key in reversed(path):
        value = Mapping(key.span, {key.text: Entry(key, value)})
    assert isinstance(value, Mapping)
    return by_heading(value, problems)


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
