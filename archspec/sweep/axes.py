"""The axes of a sweep file: paths of a spec and what is tried there, alternatives or a range of numbers."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from archspec.diagnostics import Problems
from archspec.source import SourceFile, Span
from archspec.sweep.ranges import Range, is_range, range_of
from archspec.syntax.document import Entry, Mapping, Scalar, Sequence, Value
from archspec.syntax.merge import by_heading, is_null
from archspec.syntax.overrides import path_of

SPEC = "a spec: a file, or the name of one that comes with archspec"
"""What an alternative of `base` is."""

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
    """Of a range its two ends."""
    span: Span
    range: Range | None = None

    @property
    def labels(self) -> list[str]:
        """The names of its alternatives."""
        return [one.label for one in self.alternatives]

    @property
    def is_of_specs(self) -> bool:
        """Whether it varies the base."""
        return ON in self.paths


def axes_in(section: Mapping, problems: Problems) -> Iterator[Axis]:
    """The axes in the order written, each by the shortest name that no other has."""
    split = {key: [*paths(entry.key)] for key, entry in section.entries.items()}
    short = ["+".join(path[-1].text.partition("(")[0].strip() for path in one if path) for one in split.values()]
    for (key, entry), name in zip(section.entries.items(), short, strict=True):
        found = split[key]
        if not found or not all(path and all(part.text for part in path) for path in found):
            help = "write a path, such as `model.sizes.d`, or several with commas between them"
            problems.error("E0801", entry.key.span, f"`{key}` is no path of a spec", help=help)
            continue
        names = tuple(tuple(part.text for part in path) for path in found)
        between = ranged(found, entry, problems)
        alternatives = tuple(ends_of(between) if between else alternatives_of(found, entry, problems))
        yield Axis(name if short.count(name) == 1 else key, names, alternatives, entry.key.span, between)


def ranged(paths: list[list[Scalar]], entry: Entry, problems: Problems) -> Range | None:
    """The range that an axis has in place of a list of alternatives."""
    if not isinstance(entry.value, Mapping) or not is_range(entry.value):
        return None
    if len(paths) > 1:
        help = "give each an axis of its own"
        problems.error("E0847", entry.value.span, "paths that are varied together have no range", help=help)
    return range_of(paths[0], entry.value, problems)


def ends_of(one: Range) -> Iterator[Alternative]:
    """The ends of a range as alternatives."""
    return (at_value(one, text) for text in one.ends)


def at_value(one: Range, text: str) -> Alternative:
    """A value of a range as an alternative: an end where the file has it, any other in a text of its own."""
    name = ".".join(part.text for part in one.path)
    own = Scalar(Span(SourceFile(f"a value of {name}", text), 0, len(text)), text)
    value = next((end for end in one.written if float(end.text) == float(text)), own)
    return Alternative(text, (layer([*one.path], value, Problems()),), one.span)


def check_apart(axes: tuple[Axis, ...], problems: Problems) -> None:
    """E0801 for what two axes set, or one twice: the later would win, and the table speak of the other."""
    for at, axis in enumerate(axes):
        if len({*axis.paths}) < len(axis.paths):
            problems.error("E0801", axis.span, "this axis has a path twice", help="write each path once")
        for other in axes[:at]:
            if both := leaves_of(axis) & leaves_of(other):
                path = ".".join(min(both))
                help = (
                    "leave it to one of them, or write them as one axis: paths with commas between them vary together"
                )
                problems.error("E0801", axis.span, f"`{path}` is set by the axis `{other.name}` too", help=help)


def leaves_of(axis: Axis) -> set[tuple[str, ...]]:
    """Every path that an alternative of an axis sets."""
    return {path for one in axis.alternatives for layer in one.layers for path in leaves(layer)}


def leaves(value: Value) -> Iterator[tuple[str, ...]]:
    """The paths of what has no keys itself."""
    if not isinstance(value, Mapping):
        yield ()
        return
    for name, entry in value.entries.items():
        yield from ((name, *rest) for rest in leaves(entry.value))


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
            problems.error("E0802", base.span, "an alternative of `base` must be a spec", help=f"write {SPEC}")
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
