"""Small specs made of their parts, for tests of the checker and what follows it."""

import textwrap

from archspec.facts import Facts
from archspec.facts.table import TABLE
from archspec.ir.nodes import Program
from archspec.pipeline import Compiled, compile_spec
from archspec.syntax.load import parse_spec

PARTS = {
    "sizes": "{d: 8, heads: 2, c: d/heads}",
    "input": "x = encode(x, d)",
    "stack": "2 * layer",
    "output": "linear(x, out)",
    "layer": "x = x + 1",
    "where": "",
    "data": "{name: pattern}",
}
"""What a spec consists of where a test does not say otherwise; `data=""` leaves the section out."""

FACTS: Facts = TABLE["pattern"]


def spec_text(**parts: str) -> str:
    """A spec whose parts may have several lines; `where` holds further definitions."""
    unknown = set(parts) - set(PARTS) - {"penalty", "parameters", "track"}
    assert not unknown, f"no such part: {unknown}"
    whole = PARTS | parts
    lines = ["name: test", "model:"]
    for name in ("sizes", "input", "stack", "output", "penalty"):
        if name in whole:
            lines.append(f"  {name}: {value(whole[name], 4)}")
    lines += ["  where:", f"    layer: {value(whole['layer'], 6)}", textwrap.indent(whole["where"].strip("\n"), "    ")]
    lines += [f"data: {whole['data']}"] if whole["data"] else []
    lines += ["parameters:", textwrap.indent(whole["parameters"], "  ")] if "parameters" in whole else []
    lines += [f"track: {whole['track']}"] if "track" in whole else []
    return "\n".join(lines) + "\n"


def value(text: str, indent: int) -> str:
    """A value on its line, or as a block where it has several."""
    return "|\n" + textwrap.indent(text.strip("\n"), " " * indent) if "\n" in text else text


def compiled(**parts: str) -> Compiled:
    """A spec of these parts, checked, optimised and planned."""
    return compile_spec(parse_spec(spec_text(**parts), "test.yaml"))


def program(**parts: str) -> Program:
    """A spec of these parts, checked."""
    return compiled(**parts).program
