"""What is said of what is under the cursor: a value's type, a definition's text, a primitive's row, a key's meaning."""

import re
from collections.abc import Iterator

from archspec.check.primitives import signature
from archspec.editor.names import Place, Thing, at
from archspec.editor.reading import Reading, keys
from archspec.ir.nodes import Node
from archspec.ir.ops import PRIMITIVES
from archspec.source import Span
from archspec.syntax.printer import print_body, print_expression, print_heading
from archspec.syntax.settings import describe

MOST_TYPES = 4
"""Types that are told of a value that has several, in different calls of its definition."""

LANGUAGE = {
    **dict.fromkeys(("sum", "mean", "max", "min", "std", "logsumexp"), "reduces over j: `sum[j in N](x[j])`"),
    "softmax": "weights that add up to 1 over j: `softmax[j in V](q[i] @ k[j])`",
    "N": "the nodes j from which an edge comes to i",
    "V": "all nodes j of the graph of i",
    "targets": "the pairs that have labels",
    "reach": "`reach(k)`: the nodes j from which i is at most k steps away",
    "expander": "`expander(k)`: a random regular graph",
    "encode": "`encode(x, axes…)`: categories by tables, numbers by a linear map",
    "degree": "how many edges come to a node",
    "out": "how many numbers the prediction has, from the data set",
    "depth": "the number of the block instance, from 1",
    "scalar": "`scalar(init)`: one trained number",
    "vector": "`vector(axis, init)`: a trained vector",
    "matrix": "`matrix(axis, axis, init)`: a trained matrix",
    "identity": "what it is given",
}
"""Words of the language that no table describes."""


def hover(reading: Reading, offset: int, last: Reading | None = None) -> tuple[str, Span] | None:
    """Markdown, and what it is about; types by name from `last` where the text has problems now."""
    if place := at(reading, offset):
        lines = [*of_thing(reading, place.thing), *types(reading, place, last)]
        return ("\n\n".join(lines), place.span) if lines else None
    for path, span in keys(reading.document) if reading.document else ():
        if span.start <= offset <= span.end and (said := reading.document and describe(path, reading.document)):
            return said, span
    return None


def of_thing(reading: Reading, thing: Thing) -> Iterator[str]:
    """What a name stands for."""
    if thing.kind == "definition":
        definition = reading.definitions()[thing.name]
        body = print_body(definition.body)
        text = print_heading(definition.heading) + (
            ": |\n  " + body.replace("\n", "\n  ") if "\n" in body else f": {body}"
        )
        yield f"```yaml\n{text}\n```"
        if said := comment(definition.heading.span):
            yield said
        if definition.heading.span.source.path != reading.source.path:
            yield f"from `{definition.heading.span.source.path}`"
    elif thing.kind == "size":
        yield f"size `{thing.name}: {print_expression(reading.sizes()[thing.name])}`{number(reading, thing.name)}"
    elif thing.name in PRIMITIVES and thing.kind == "language":
        row = PRIMITIVES[thing.name]
        yield f"`{signature(row.name, row.arguments or ())}`\n\n{row.doc}" + (f"\n\n{row.source}" if row.source else "")
    elif thing.kind in ("language", "data") and thing.name in LANGUAGE:
        yield LANGUAGE[thing.name]
    elif thing.kind not in ("language", "unknown", "index", "option"):
        yield {"data": "from the data set"}.get(thing.kind, thing.kind) + f" `{thing.name}`"


def number(reading: Reading, size: str) -> str:
    """` = 8`, where the size is an axis of some value."""
    found = {axis.size for node in nodes(reading) for axis in node.type.axes if axis.name == size and axis.size}
    return f" = {found.pop()}" if len(found) == 1 else ""


def types(reading: Reading, place: Place, last: Reading | None) -> list[str]:
    """The types of a value wherever it is computed, each once; else those of the smallest text around it."""
    if place.thing.kind not in ("state", "local", "argument", "data"):
        return []
    here = place.span
    found = [one for one in nodes(reading) if (one.span.start, one.span.end) == (here.start, here.end)]
    if place.thing.kind in ("state", "local") and not found:
        by_name = reading if reading.program or last is None else last
        found = [one for one in nodes(by_name) if one.name == place.thing.name and in_scope(by_name, one, place)]
    said = dict.fromkeys(str(one.type) for one in found)
    if said:
        return [f"*{'*, or *'.join([*said][:MOST_TYPES])}*"]
    around = [one for one in nodes(reading) if one.span.start <= here.start and here.end <= one.span.end]
    if not around:
        return []
    near = min(around, key=lambda one: one.span.end - one.span.start)
    return [f"`{near.span.text}`: *{near.type}*"] if "\n" not in near.span.text else []


def in_scope(reading: Reading, node: Node, place: Place) -> bool:
    """Whether a named value belongs to the definition that a local does; states are everywhere."""
    if place.thing.kind == "state" or reading.model is None:
        return True
    definition = reading.model.definitions.get(place.thing.scope)
    part = definition.body if definition else reading.model.parts.get(place.thing.scope)
    return part is None or part.span.start <= node.span.start < part.span.end


def nodes(reading: Reading) -> list[Node]:
    """The values that were written in this text, in every section once."""
    sections = {id(one): one for _, one in reading.program.sections()} if reading.program else {}
    return [
        node for one in sections.values() for node in one.nodes if node.span.source.path == reading.source.path
        if node.op != "state"
    ]  # fmt: skip


def comment(span: Span) -> str:
    """The comment right above a definition."""
    lines = span.source.text[: span.source.line_starts[span.line - 1]].splitlines()
    found: list[str] = []
    while lines and (text := re.fullmatch(r"\s*# ?(.*)", lines.pop())):
        found.insert(0, text[1])
    return " ".join(found)
