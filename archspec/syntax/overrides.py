"""`--set PATH=VALUE`: overrides from the command line as one more layer of the spec.

`model.sizes.d=110`, `model.stack=16 * layer`, `model.where.mlp(h)=h -> linear(d)`, `train.optimizer.lr=1e-3`,
`model.sizes={d: 64, heads: 4}`, `train.schedule={name: cosine, warmup: 5}`, `parameters.layers.*.eps.init=0`. Equations
are taken as they stand, other values are read as YAML.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

from archspec.diagnostics import Problems
from archspec.source import SourceFile, Span
from archspec.syntax.document import AS_IT_STANDS, Entry, Mapping, Scalar, Value, read_document
from archspec.syntax.merge import by_heading

SECTIONS = (("model", "sizes"), ("model", "where"))
"""What below `model` is no equation."""

LEAVES = ("init", "frozen")
"""What the last part of a path below `parameters` may be; everything before it is a pattern, dots included."""

GROUPS = ["train", "optimizer", "groups"]
"""Below it is a pattern, and then an option where the value is a plain one: `….layers.0.*.lr=1e-4`."""


def read_overrides(settings: Sequence[str], problems: Problems) -> Mapping | None:
    """All overrides as one layer, a later one over an earlier one; None if there are none."""
    layer: Mapping | None = None
    for text in settings:
        if (one := read_override(SourceFile("--set", text), problems)) is not None:
            layer = one if layer is None else merge_quietly(layer, one)
    return layer


def merge_quietly(layer: Mapping, one: Mapping) -> Mapping:
    """Two overrides as one layer; a `null` stays, since it removes from what lies below."""
    entries = dict(layer.entries)
    for name, entry in one.entries.items():
        old = entries.get(name)
        both = old is not None and isinstance(old.value, Mapping) and isinstance(entry.value, Mapping)
        entries[name] = replace(entry, value=merge_quietly(old.value, entry.value)) if both else entry  # type: ignore[union-attr, arg-type]
    return Mapping(layer.span, entries)


def read_override(source: SourceFile, problems: Problems) -> Mapping | None:
    """One override as a layer."""
    split = equals_sign(source.text)
    keys = path_of(source, max(split, 0))
    if not keys or not all(key.text for key in keys):
        whole = Span(source, 0, max(len(source.text), 1))
        problems.error(
            "E0043", whole, "an override is written `PATH=VALUE`", help="write for example `--set model.sizes.d=110`"
        )
        return None
    value = value_of(source, split + 1, keys, problems)
    if value is None:
        return None
    for key in reversed(keys):
        value = Mapping(key.span, {key.text: Entry(key, value)})
    return by_heading(value, problems) if isinstance(value, Mapping) else None


def equals_sign(text: str) -> int:
    """Where the `=` outside of parentheses stands: `mlp(h, norm = relu)=…` has two; -1 without one."""
    depth = 0
    for at, character in enumerate(text):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character == "=" and depth <= 0:
            return at
    return text.find("=")


PART = re.compile(r"(?:[^.(]|\([^)]*\)?)+")


def path_of(source: SourceFile, end: int) -> list[Scalar]:
    """The keys before the `=`; below `parameters` and `groups` a pattern is one key, below `where` a heading is."""
    keys = [key(source, found.start(), found.end()) for found in PART.finditer(source.text, 0, end)]
    if keys and keys[0].text == "parameters" and len(keys) > 2:
        return with_pattern(source, keys, 1, keys[-1].text in LEAVES)
    if [one.text for one in keys[:3]] == GROUPS and len(keys) > 4:
        return with_pattern(source, keys, 3, not source.text[end + 1 :].lstrip().startswith(("{", "null")))
    return keys


def with_pattern(source: SourceFile, keys: list[Scalar], first: int, leaf: bool) -> list[Scalar]:
    """The keys with those from the first on as one, but for the last where that is a leaf."""
    last = keys[-1:] if leaf else []
    stop = keys[-2 if leaf else -1].span.end
    return [*keys[:first], key(source, keys[first].span.start, stop), *last]


def key(source: SourceFile, start: int, end: int) -> Scalar:
    """A key of the path."""
    text = source.text[start:end].strip().strip("\"'")
    return Scalar(Span(source, start, end), text)


def value_of(source: SourceFile, start: int, keys: list[Scalar], problems: Problems) -> Value | None:
    """The value behind the `=`: an equation as it stands, anything else as YAML."""
    text = source.text[start:]
    span = Span(source, start + len(text) - len(text.lstrip()), len(source.text))
    if not text.strip():
        whole = Span(source, 0, len(source.text))
        problems.error("E0043", whole, "an override is written `PATH=VALUE`", help="write the value; `null` removes")
        return None
    path = tuple(key.text for key in keys)
    if path[0] == "model" and len(path) > 1 and path not in SECTIONS:
        return Scalar(span, text.strip(), AS_IT_STANDS)
    return read_document(source, problems, start)
