"""What may be written at a place: names in an equation, keys of a section, values of a setting.

The text may be half typed, so the place is told from lines and their indentation, not from a document that YAML reads.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, get_args

from archspec.check.lookup import DATA_NAMES, FORMS, PRIMITIVES, SETS, SPECIAL
from archspec.check.primitives import signature
from archspec.editor.reading import Reading
from archspec.facts import TABLE
from archspec.source import Span
from archspec.syntax import protocols
from archspec.syntax.document import Entry, Mapping, Scalar, Value
from archspec.syntax.files import shipped_specs
from archspec.syntax.printer import print_expression, print_heading
from archspec.syntax.settings import describe, fields, models

KEY = re.compile(r"( *)([^\s#:][^:]*?) *:(?: |$)")
ASSIGNED = re.compile(r" *(?:[\w().-]+: )?([A-Za-z_]\w*(?:\[[^]]*\])?(?:, *[A-Za-z_]\w*(?:\[[^]]*\])?)*) *=(?!=)")
HEADED = re.compile(r" *([A-Za-z_]\w*) *\(([^)]*)\) *:")

EQUATIONS = ("input", "stack", "output", "penalty")
"""Keys of `model` whose values are equations, besides those of `where` and `sizes`."""


@dataclass(frozen=True)
class Item:
    """Something to write: its kind as in `archspec.editor.names`, a key or a value; and a word on it."""

    text: str
    kind: str
    detail: str = ""


@dataclass(frozen=True)
class Cursor:
    """Where something is written: the keys above, the key of its own line if there is one, the lines of its block."""

    path: tuple[str, ...]
    key: str
    block: tuple[str, ...]


def completions(reading: Reading, before: str, last: Reading) -> list[Item]:
    """What may be written behind a text; `last` is what was read when it could last be read."""
    known = reading if reading.document else last
    here = cursor(before)
    if in_equation(here):
        return list({item.text: item for item in names(known, here)}.values())
    if here.key:
        document = with_path(known.document, here.path, Span(reading.source, 0, 0))
        return list(values((*here.path, here.key), document))
    if here.path and here.path[-1] in (*EQUATIONS, "sizes", "where"):
        return []
    document = with_path(known.document, here.path, Span(reading.source, 0, 0))
    return [Item(name, "key", describe((*here.path, name), document)) for name in fields(here.path, document)]


def with_path(document: Value | None, path: tuple[str, ...], nowhere: Span) -> Mapping:
    """A document in which there is a section at a path, empty where there was none."""
    base = document if isinstance(document, Mapping) else Mapping(nowhere)
    if not path:
        return base
    inside = base.entries[path[0]].value if path[0] in base.entries else None
    below = Entry(Scalar(nowhere, path[0]), with_path(inside, path[1:], nowhere))
    return Mapping(base.span, {**base.entries, path[0]: below})


def cursor(before: str) -> Cursor:
    """The place behind a text, by the indentation of the lines above."""
    *above, line = before.split("\n")
    own = KEY.match(line)
    width = len(line) - len(line.lstrip(" "))
    path: list[str] = []
    block: list[str] = [line]
    for text in reversed(above):
        depth = len(text) - len(text.lstrip(" "))
        if not text.strip() or text.lstrip().startswith("#"):
            continue
        if depth >= width:
            block.append(text)
            continue
        block.append(text)
        width = depth
        if found := KEY.match(text):
            path.insert(0, found[2])
        if not depth:
            break
    return Cursor(tuple(path), own[2] if own else "", tuple(reversed(block)))


def in_equation(here: Cursor) -> bool:
    """Whether an equation is written."""
    path = (*here.path, here.key) if here.key else here.path
    if path[:1] != ("model",):
        return False
    return (len(path) >= 2 and path[1] in EQUATIONS) or (len(path) >= 3 and path[1] in ("sizes", "where"))


def names(reading: Reading, here: Cursor) -> Iterator[Item]:
    """Everything an equation may name."""
    for line in here.block:
        if found := HEADED.match(line):
            yield from (
                Item(name.partition("=")[0].strip(), "argument") for name in found[2].split(",") if name.strip()
            )
        if found := ASSIGNED.match(line):
            yield from (Item(name, "local") for name in re.findall(r"[A-Za-z_]\w*(?![^\[]*\])", found[1]))
    if reading.spec:
        yield from (Item(one.name, "state") for row in reading.spec.input.statements for one in row.targets)
    yield from (Item(name, "size", print_expression(value)) for name, value in reading.sizes().items())
    yield from (Item(name, "definition", print_heading(one.heading)) for name, one in reading.definitions().items())
    for row in PRIMITIVES.values():
        yield Item(row.name, "language", f"{signature(row.name, row.arguments or ())}: {row.doc}")
    yield from (Item(name, "language") for name in (*SPECIAL, *FORMS, *SETS))
    yield from (Item(name, "data") for name in DATA_NAMES)


def values(path: tuple[str, ...], document: Mapping) -> Iterator[Item]:
    """The values that a setting may have, where they can be listed."""
    if path in (("extends",), ("uses",)):
        yield from (Item(name, "value") for name in shipped_specs())
    elif path == ("data", "name"):
        yield from (Item(name, "value") for name in TABLE)
    elif path in (("protocol",), ("protocol", "name")):
        yield from (Item(name, "value") for name in protocols.names())
    else:
        known = [one.model_fields for one in models(path[:-1], document)]
        found = [keys[path[-1]].annotation for keys in known if path[-1] in keys]
        yield from (Item(name, "value") for name in dict.fromkeys(name for one in found for name in choices(one)))


def choices(annotation: Any) -> Iterator[str]:
    """The words in a type."""
    if annotation is bool:
        yield from ("true", "false")
    if annotation is type(None):
        yield "null"
    for part in get_args(annotation):
        if isinstance(part, str | int) and not isinstance(part, bool):
            yield str(part)
        else:
            yield from choices(part)
