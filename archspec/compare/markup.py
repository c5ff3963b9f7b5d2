"""A difference as JSON, as Markdown for a review, and as one HTML page that needs nothing else."""

import json
import re
from collections.abc import Iterator, Mapping
from html import escape
from math import isfinite
from typing import Any

from archspec.compare.definitions import Change, Line
from archspec.compare.difference import Difference
from archspec.compare.marks import GONE, GONE_END, NEW, NEW_END
from archspec.compare.shown import summary

PIECE = re.compile(
    f"{GONE}(?P<gone>[^{GONE_END}]*){GONE_END}|{NEW}(?P<new>[^{NEW_END}]*){NEW_END}|(?P<both>[^{GONE}{NEW}]+)"
)
"""A part of a marked text."""

SIGNS = {"gone": "-", "new": "+", "both": " "}


def pieces(text: str) -> list[tuple[str, str]]:
    """A marked text as (sign, text): "-" gone, "+" new, " " in both."""
    return [(SIGNS[str(found.lastgroup)], found[str(found.lastgroup)]) for found in PIECE.finditer(text)]


def side(text: str, sign: str) -> str:
    """The text as one of both has it."""
    return "".join(part for mark, part in pieces(text) if mark in (sign, " "))


def as_data(found: Difference, names: tuple[str, str]) -> Mapping[str, Any]:
    """Everything as plain data; `pieces` of a line are (sign, text)."""
    return {
        "old": names[0],
        "new": names[1],
        "different": found.different,
        "same_architecture": found.same_architecture,
        "changes": {title: [change_data(one) for one in changes] for title, changes in found.changes.items()},
        "renamed": [{"old": one.old, "new": one.new} for one in found.renamed],
        "written_differently": list(found.rewritten),
        "weights": [
            {"sign": one.sign, "name": one.name, "shapes": one.shapes, "parameters": one.parameters}
            for one in found.weights
        ],
        "consequences": {
            row.name: {"old": number(row.numbers[0]), "new": number(row.numbers[1]), "shown": [row.old, row.new]}
            for row in found.consequences
        },
        "summary": summary(found),
    }


def number(value: float | None) -> float | str | None:
    """A number as JSON has it."""
    return value if value is None or isfinite(value) else "inf" if value > 0 else "-inf"


def change_data(change: Change) -> Mapping[str, Any]:
    """One entry."""
    lines = [
        {"sign": one.sign, "old": side(one.text, "-") if one.sign != "+" else None,
         "new": side(one.text, "+") if one.sign != "-" else None,
         "pieces": pieces(one.text), "remarks": list(one.remarks)}
        for one in change.lines
    ]  # fmt: skip
    return {"sign": change.sign, "path": change.path, "lines": lines}


def json_of(found: Difference, names: tuple[str, str]) -> str:
    """As JSON."""
    return json.dumps(as_data(found, names), indent=2, ensure_ascii=False) + "\n"


def markdown_of(found: Difference, names: tuple[str, str]) -> str:
    """As Markdown: a `diff` block for every section, a table of consequences."""
    return "\n".join(markdown_lines(found, names)) + "\n"


def markdown_lines(found: Difference, names: tuple[str, str]) -> Iterator[str]:
    """Line by line."""
    yield f"**`{names[0]}` → `{names[1]}`**: {summary(found)}"
    for title, changes in found.changes.items():
        if changes:
            yield from ("", f"**{title}**", "", "```diff")
            yield from (text for change in changes for one in change.lines for text in both_lines(one))
            yield "```"
            remarks = [remark for change in changes for one in change.lines for remark in one.remarks]
            yield from ("", *(f"- {code(remark)}" for remark in remarks)) if remarks else ()
    if found.renamed:
        yield from ("", "Renamed: " + ", ".join(f"`{one.old}` → `{one.new}`" for one in found.renamed))
    if found.rewritten:
        yield from ("", "Only written differently: " + ", ".join(f"`{path}`" for path in found.rewritten))
    yield from ("", f"| | {names[0]} | {names[1]} | |", "|---|---|---|---|")
    yield from (f"| {row.name} | {row.old} | {row.new} | {row.more} |" for row in found.consequences)


def code(remark: str) -> str:
    """A remark as code, so that its signs are no markup."""
    return f"`{remark}`"


def both_lines(one: Line) -> Iterator[str]:
    """A changed line as the one that goes and the one that comes."""
    if one.sign != "+":
        yield f"- {side(one.text, '-')}"
    if one.sign != "-":
        yield f"+ {side(one.text, '+')}"


PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{title}</title>
<style>
body {{ font: 15px/1.5 system-ui, sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em }}
pre {{ background: #f6f8fa; padding: .6em 1em; overflow-x: auto; white-space: pre-wrap }}
del {{ background: #ffd7d5 }} ins {{ background: #ccffd8; text-decoration: none }}
td, th {{ padding: .1em 1em .1em 0; text-align: left }} small {{ color: #57606a }}
</style>
<h1>{title}</h1>
<p>{summary}</p>
{body}
</html>
"""


def html_of(found: Difference, names: tuple[str, str]) -> str:
    """As a page."""
    title = f"{names[0]} → {names[1]}"
    return PAGE.format(title=escape(title), summary=escape(summary(found)), body="\n".join(html_lines(found, names)))


def html_lines(found: Difference, names: tuple[str, str]) -> Iterator[str]:
    """The sections, then the consequences."""
    for title, changes in found.changes.items():
        if changes:
            yield f"<h2>{escape(title)}</h2>"
            yield "<pre>" + "\n".join(html_line(one) for change in changes for one in change.lines) + "</pre>"
    if found.renamed:
        yield "<p>Renamed: " + ", ".join(escape(f"{one.old} → {one.new}") for one in found.renamed) + "</p>"
    if found.rewritten:
        yield f"<p>Only written differently: {escape(', '.join(found.rewritten))}</p>"
    yield f"<table><tr><th></th><th>{escape(names[0])}</th><th>{escape(names[1])}</th><th></th></tr>"
    for row in found.consequences:
        cells = (row.name, row.old, row.new, row.more)
        yield "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"
    yield "</table>"


def html_line(one: Line) -> str:
    """A line with its marks."""
    tags = {"-": "<del>{}</del>", "+": "<ins>{}</ins>", " ": "{}"}
    parts = [(one.sign, one.text)] if one.sign in "+-" else pieces(one.text)
    text = "".join(tags[sign].format(escape(part)) for sign, part in parts)
    remarks = "".join(f"\n    <small>{escape(remark)}</small>" for remark in one.remarks)
    return f"{escape(one.sign)} {text}{remarks}"
