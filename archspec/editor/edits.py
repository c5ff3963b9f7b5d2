"""Changes to a text: quick fixes, renaming, canonical form; each is tried first, and offered if it does no harm."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from archspec.diagnostics import Diagnostic, Problems, SpecError, concise
from archspec.editor.names import OWN, Place, at, given_at, places
from archspec.editor.reading import Reading, read, shown
from archspec.source import Span
from archspec.syntax.document import Mapping
from archspec.syntax.format import format_text
from archspec.syntax.merge import layers_of

CURE = re.compile(r"write (`[^`…]+`(?:(?:, | or |, or )`[^`…]+`)*)")
WORD = re.compile(r"([\w./-]+)(?:$| *=)")
"""What a fix replaces: a word, or the name of an argument before its value."""

NAME = re.compile(r"[A-Za-z_][A-Za-z_0-9]*")


@dataclass(frozen=True)
class Edit:
    """A text in the place of another."""

    span: Span
    text: str


@dataclass(frozen=True)
class Fix:
    """A change that cures a problem."""

    title: str
    problem: Diagnostic
    edit: Edit


class Refused(Exception):
    """Why a name cannot be changed."""


def changed(text: str, edits: Sequence[Edit]) -> str:
    """A text with some edits, which do not overlap."""
    for edit in sorted(edits, key=lambda one: -one.span.start):
        text = text[: edit.span.start] + edit.text + text[edit.span.end :]
    return text


def fixes(reading: Reading, start: int, end: int) -> Iterator[Fix]:
    """What cures the problems in a range: the texts that a problem's help says to write in its place."""
    for problem, span in shown(reading):
        found, word = CURE.fullmatch(problem.help), WORD.match(span.text)
        if span.end < start or span.start > end or not found or not word:
            continue
        for text in re.findall("`([^`]+)`", found[1]):
            edit = Edit(Span(span.source, span.start, span.start + len(word[1])), text)
            if cures(reading, problem, edit):
                yield Fix(f"write `{text}`", problem, edit)


def cures(reading: Reading, problem: Diagnostic, edit: Edit) -> bool:
    """Whether an edit takes a problem away without making others that were not told before."""
    again = read(changed(reading.source.text, [edit]), reading.source.path)
    before, after = tally(reading), tally(again)
    return after[message(problem)] < before[message(problem)] and len(again.problems) <= len(reading.problems)


def tally(reading: Reading) -> Counter[str]:
    """Problems by what they say, not by where they stand."""
    return Counter(map(message, reading.problems))


def message(problem: Diagnostic) -> str:
    """Code and words."""
    return f"{problem.code} {problem.message}"


def renamable(reading: Reading, offset: int) -> Place:
    """The name at an offset, if this text gives it. Raises Refused."""
    place = at(reading, offset)
    if place is None or place.thing.kind not in OWN:
        raise Refused("only sizes, definitions, states, arguments and locals can be renamed")
    elsewhere = given_elsewhere(reading, place)
    if elsewhere:
        raise Refused(f"`{place.thing.name}` is given in {elsewhere}: rename it there")
    return place


def given_elsewhere(reading: Reading, place: Place) -> str:
    """The other file that gives a name as well, or instead."""
    span = given_at(reading, place.thing)
    if span is None or span.source.path != reading.source.path:
        return f"`{span.source.path}`" if span else "another file"
    below = layers_of(reading.source, Problems())[:-1]
    taken = any(place.thing.name in names_of(layer) for layer in below)
    return "a file that this one builds on" if taken and place.thing.kind in ("size", "definition") else ""


def names_of(layer: Mapping) -> set[str]:
    """The sizes and definitions of a layer of a spec."""
    model = layer.entries["model"].value if "model" in layer.entries else None
    sections = (
        [model.entries[key].value for key in ("sizes", "where") if key in model.entries]
        if isinstance(model, Mapping)
        else []
    )
    return {name for one in sections if isinstance(one, Mapping) for name in one.entries}


def rename(reading: Reading, offset: int, name: str) -> list[Edit]:
    """The edits that give a thing another name, in every place and nowhere else. Raises Refused.

    Refused where the spec would then have a problem that it has not now, as with a name that is taken.
    """
    place = renamable(reading, offset)
    if not NAME.fullmatch(name):
        raise Refused(f"`{name}` is no name: letters, digits and `_`, not a digit first")
    if name == place.thing.name:
        return []
    edits = [Edit(one.span, name) for one in places(reading) if one.thing == place.thing]
    again = read(changed(reading.source.text, edits), reading.source.path)
    codes = Counter(one.code for one in again.problems) - Counter(one.code for one in reading.problems)
    if codes:
        worse = next(one for one in again.problems if one.code in codes)
        raise Refused(f"then: {concise(worse)}")
    return edits


def formatted(reading: Reading) -> str | None:
    """The text in canonical form; None where it cannot be read."""
    try:
        return format_text(reading.source)
    except SpecError:
        return None
