"""HTML for notebooks: fragments that bring their style along and keep it to themselves, in light and dark themes."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from math import prod

from archspec.cost.bill import Bill
from archspec.cost.shown import COLUMNS, SYMBOLIC, closing, heading, legend, numeric, symbolic, titles
from archspec.notation.diagram import diagram
from archspec.notation.mathml import mathml
from archspec.notation.spec import formulas
from archspec.notation.svg import svg
from archspec.syntax.spec import Spec

STYLE = """
.archspec { overflow-x: auto; max-width: 60em }
.archspec math { font-size: 1.1em; text-align: left; width: max-content }
.archspec math[display="block"] { display: block math; margin: .2em 0 }
.archspec mtable.cases mtd { text-align: left; padding: .1em .6em .1em 0 }
.archspec dl { display: grid; grid-template-columns: max-content 1fr; gap: .4em 1.4em; margin: .6em 0 }
.archspec dt { opacity: .7; padding-top: .15em } .archspec dd { margin: 0 }
.archspec table { border-collapse: collapse; margin: .6em 0 }
.archspec th, .archspec td { text-align: right; padding: .15em 1em .15em 0 }
.archspec th:first-child, .archspec td:first-child { text-align: left } .archspec tbody th { font-weight: 400 }
.archspec pre { font-family: ui-monospace, monospace; font-size: .9em; white-space: pre-wrap; margin: .4em 0 }
.archspec h2 { font-size: 1em; margin: .8em 0 .2em }
.archspec del { background: #ff666644 } .archspec ins { background: #44cc6644; text-decoration: none }
.archspec small { opacity: .7 } .archspec summary { cursor: pointer }
"""


def page(title: str, body: str, remark: str = "") -> str:
    """A fragment under a title."""
    head = f"<strong>{escape(title)}</strong>" if title else ""
    said = f"<div>{escape(remark)}</div>" if remark else ""
    return f'<div class="archspec"><style>{STYLE}</style>{head}{said}{body}</div>'


def preformatted(text: str) -> str:
    """Text as it is."""
    return f"<pre>{escape(text)}</pre>"


def equations(spec: Spec) -> str:
    """The equations as mathematics, the diagram, and the text they were written as."""
    rows = (
        f"<dt>{escape(title)}</dt><dd>{''.join(map(mathml, found))}</dd>" for title, found in formulas(spec) if found
    )
    folded = (("diagram", svg(diagram(spec))), ("as text", preformatted(spec.text)))
    more = (f"<details><summary>{title}</summary>{inside}</details>" for title, inside in folded)
    return f"<dl>{''.join(rows)}</dl>{''.join(more)}"


def weights(shapes: Mapping[str, tuple[int, ...]]) -> str:
    """A table of trainable tensors, those of all layers in one row."""
    many = Counter((re.sub(r"^layers\.\d+\.", "layers.*.", name), shape) for name, shape in shapes.items())
    rows = [
        (name, str(shape), f"× {times}" if times > 1 else "", f"{times * prod(shape):,}")
        for (name, shape), times in many.items()
    ]
    total = ("total", "", "", f"{sum(map(prod, shapes.values())):,}")
    whole = table(("weight", "shape", "", "parameters"), [*rows, total])
    return f"<details><summary>weights</summary>{whole}</details>"


def costs(bill: Bill, by: str) -> str:
    """The figures, memory and time, and the formulas."""
    by_line = {line.name: bill.formulas(line) for line in bill.lines}
    by_name = {name: dict(symbolic(by_line, name)) for name in SYMBOLIC}
    keys = [*(line.name for line in bill.lines), "total"]
    told = [(key, *(by_name[name].get(key, "") for name in SYMBOLIC)) for key in keys]
    written = table((by, *(COLUMNS[name] for name in SYMBOLIC)), told)
    return (
        f"<strong>{escape(heading(bill))}</strong>{table(titles(by), numeric(bill, bill.lines))}"
        f"{''.join(f'<div>{escape(line)}</div>' for line in closing(bill))}"
        f"<details><summary>formulas, for one graph of {escape(legend(bill))}</summary>{written}</details>"
    )


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table, its first column to the left and the others to the right."""
    lines = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    titles = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in head)
    return f"<table><thead><tr>{titles}</tr></thead><tbody>{lines}</tbody></table>"
