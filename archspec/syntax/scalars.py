"""A YAML scalar as the fragment of an equation: which character of its text stands where in the file."""

import re

from archspec.diagnostics import Problems
from archspec.syntax.document import AS_IT_STANDS, Mapping, Scalar, Sequence, Value
from archspec.syntax.fragment import Fragment
from archspec.syntax.mistakes import MISTAKES


def equation(value: Value, problems: Problems) -> Fragment | None:
    """The fragment of a value that should be an equation; None, with a problem, where it cannot be one."""
    if isinstance(value, Mapping | Sequence):
        begins = value.span.text[:1] if value.flow else ""
        if begins:
            help = "write it after `|`, on the line below, or in quotes"
            problems.error("E0019", value.span, f"an equation cannot begin with `{begins}` in YAML", help=help)
        else:
            problems.error(
                "E0032", value.span, "an equation is text, found a section or list", help="write one equation"
            )
        return None
    if value.style == ">":
        problems.error("E0018", value.span, "`>` joins the lines of an equation", help="write `|`")
        return None
    if not value.text.strip():
        problems.add(MISTAKES["E0106"].at(value.span))
        return None
    return fragment(value)


def fragment(scalar: Scalar) -> Fragment:
    """The text of a scalar with the place of every character; of a block with its indentation."""
    source, span = scalar.span.source, scalar.span
    if scalar.style == "|":
        begin = source.text.index("\n", span.start) + 1
        return Fragment(source, source.text[begin : span.end].rstrip(), begin)
    if scalar.style in ("'", '"'):
        offsets = [span.start + 1 + at for at in characters(span.text[1:-1], scalar.style)]
        if len(offsets) != len(scalar.text):  # an escape this reader does not know: everything stands at the quote
            offsets = [span.start] * len(scalar.text)
        return Fragment(source, scalar.text, offsets=tuple(offsets))
    return Fragment(source, span.text, span.start, folded="\n" in span.text and scalar.style != AS_IT_STANDS)


PARTS = {
    "'": re.compile(r"''|[ \t]*\r?\n\s*|.", re.DOTALL),
    '"': re.compile(r"\\\r?\n[ \t]*|\\x..|\\u....|\\U........|\\.|[ \t]*\r?\n\s*|.", re.DOTALL),
}
"""What stands for one character, or for none, inside a quoted scalar."""


def characters(raw: str, quote: str) -> list[int]:
    """Where each character of a quoted scalar's text stands in what is written."""
    offsets = []
    for part in PARTS[quote].finditer(raw):
        text = part.group()
        breaks = text.count("\n")
        joined = text.startswith("\\") and breaks  # an escaped line break is nothing
        offsets += [part.start()] * (0 if joined else max(1, breaks - 1))
    return offsets
