"""YAML 1.2 with places: text → values that know where they stand.

PyYAML's parser gives the events, with the exact place of each; composing, resolving of scalars (`1e-3` is a number,
`no` is text) and the look-out for what YAML would misread (`traps.py`) are done here. Anchors, aliases, tags and
merge keys are not part of a spec. Problems are collected; a text that YAML cannot read gives None.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from archspec.diagnostics import Problems
from archspec.source import SourceFile, Span
from archspec.syntax import traps

DEEPEST = 30
"""Levels of sections within sections."""

AS_IT_STANDS = "="
"""The style of a value given on the command line."""

Plain = bool | int | float | str | list["Plain"] | dict[str, "Plain"] | None


@dataclass(frozen=True)
class Scalar:
    """A value without parts; `style` is "" (plain), a quote, `|`, `>`, or `=` for one that does not come from YAML."""

    span: Span
    text: str
    style: str = ""

    @property
    def plain(self) -> Plain:
        """What YAML 1.2 reads: a number, a truth value, None or text."""
        return resolve(self.text) if self.style in ("", AS_IT_STANDS) else self.text


@dataclass(frozen=True)
class Entry:
    """A key and its value."""

    key: Scalar
    value: "Value"


@dataclass(frozen=True)
class Mapping:
    """A section; its entries by the text of their keys, in order."""

    span: Span
    entries: dict[str, Entry] = field(default_factory=dict)
    flow: bool = False

    @property
    def plain(self) -> dict[str, Plain]:
        """The section as a dict."""
        return {name: entry.value.plain for name, entry in self.entries.items()}


@dataclass(frozen=True)
class Sequence:
    """A list."""

    span: Span
    items: tuple["Value", ...] = ()
    flow: bool = False

    @property
    def plain(self) -> list[Plain]:
        """The list as a list."""
        return [item.plain for item in self.items]


Value = Scalar | Mapping | Sequence

NULL = re.compile(r"|~|null|Null|NULL")
BOOL = re.compile(r"true|True|TRUE|false|False|FALSE")
INTEGER = re.compile(r"[-+]?[0-9]{1,400}|0o[0-7]{1,400}|0x[0-9a-fA-F]{1,400}")
FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
"""What YAML 1.2 reads as something other than text, by its core schema."""

WORDY = re.compile(r"\.([a-zA-Z])")
BASES = {"0o": 8, "0x": 16}


def resolve(text: str) -> bool | int | float | str | None:
    """The value of a plain scalar."""
    if NULL.fullmatch(text):
        return None
    if BOOL.fullmatch(text):
        return text.lower() == "true"
    if INTEGER.fullmatch(text):
        return int(text[2:], base) if (base := BASES.get(text[:2])) else int(text)
    return float(WORDY.sub(r"\1", text)) if FLOAT.fullmatch(text) else text


def read_document(source: SourceFile, problems: Problems, start: int = 0) -> Value | None:
    """The value a YAML text holds from an offset on; None, with problems, where it cannot be read or is empty."""
    before = len(problems.found)
    traps.look_for_controls(source, problems)
    traps.look_for_tabs(source, problems)
    if len(problems.found) > before:
        return None
    try:
        value = Composer(source, problems, start).compose()
    except yaml.MarkedYAMLError as error:
        problems.add(traps.explain(error, source))
        return None
    return None if len(problems.found) > before else value


LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Composer:
    """Puts the events of one text together."""

    def __init__(self, source: SourceFile, problems: Problems, start: int = 0):
        self.source, self.problems = source, problems
        self.events: Iterator[Any] = yaml.parse(" " * start + source.text[start:], Loader=LOADER)
        self.at = 0

    def next(self) -> Any:
        """The next event; `at` is where it ends."""
        event = next(self.events)
        self.at = event.end_mark.index
        return event

    def compose(self) -> Value | None:
        """The one document of the text."""
        documents: list[Value] = []
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                if documents:
                    self.problems.error("E0027", self.span(event), "a second document in one file", help="remove `---`")
                    break
                documents.append(self.value(self.next(), 0))
        return documents[0] if documents else None

    def span(self, event: Any) -> Span:
        """The place of an event."""
        end = max(event.end_mark.index, event.start_mark.index + 1)
        return Span(self.source, event.start_mark.index, end)

    def value(self, event: Any, depth: int) -> Value:
        """The value that begins with an event."""
        traps.look_at_event(event, self.span(event), self.problems)
        if depth > DEEPEST:
            raise yaml.MarkedYAMLError(problem="nested too deeply", problem_mark=event.start_mark)
        if isinstance(event, yaml.MappingStartEvent):
            return self.mapping(event, depth)
        if isinstance(event, yaml.SequenceStartEvent):
            return self.sequence(event, depth)
        if isinstance(event, yaml.AliasEvent):
            return Scalar(self.span(event), "")
        style = event.style if event.style in ("'", '"', "|", ">") else ""
        scalar = Scalar(self.span(event) if event.value or style else self.nothing(event), event.value, style)
        traps.look_at_number(scalar.text, scalar.style, scalar.span, self.problems)
        return scalar

    def nothing(self, event: Any) -> Span:
        """The place of a value that is not there: the last character of what stands before it."""
        at = max(len(self.source.text[: event.start_mark.index].rstrip()), 1)
        return Span(self.source, at - 1, at)

    def sequence(self, start: Any, depth: int) -> Sequence:
        """A list, up to its end."""
        items = []
        while not isinstance(event := self.next(), yaml.SequenceEndEvent):
            items.append(self.value(event, depth + 1))
        span = Span(self.source, start.start_mark.index, self.at)
        flow = bool(start.flow_style)
        if flow:
            traps.look_for_split(
                [item.text for item in items if isinstance(item, Scalar) and not item.style], span, self.problems
            )
        return Sequence(span, tuple(items), flow)

    def mapping(self, start: Any, depth: int) -> Mapping:
        """A section, up to its end."""
        entries: dict[str, Entry] = {}
        texts = []
        while not isinstance(event := self.next(), yaml.MappingEndEvent):
            key = self.value(event, depth + 1)
            value = self.value(self.next(), depth + 1)
            texts += [one.text for one in (key, value) if isinstance(one, Scalar) and not one.style]
            if not isinstance(key, Scalar):
                self.problems.error("E0027", key.span, "a key is not text", help="write `key: value`")
            elif key.text == "<<" and not key.style:
                self.problems.error(
                    "E0014", key.span, "merge keys `<<` are not part of a spec", help="use `extends` or `uses`"
                )
            elif key.text in entries:
                traps.duplicate(key.text, key.span, entries[key.text].key.span, self.problems)
            else:
                entries[key.text] = Entry(key, value)
        flow = bool(start.flow_style)
        last = max((one.value.span.end for one in entries.values()), default=self.at)
        end = self.at if flow else last
        span = Span(self.source, start.start_mark.index, end)
        if flow:
            traps.look_for_split(texts, span, self.problems)
        return Mapping(span, entries, flow)
