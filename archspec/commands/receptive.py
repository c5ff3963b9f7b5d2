"""`archspec receptive`: what walk encodings of pairs can tell apart, in exact arithmetic."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import TYPE_CHECKING

import click

from archspec.check.suggest import nearest
from archspec.commands.options import format_option
from archspec.diagnostics import Diagnostic, SpecError
from archspec.facts import TABLE
from archspec.facts.studies import STUDIES, Study
from archspec.source import SourceFile, Span

if TYPE_CHECKING:
    from archspec.data.plain import PlainGraph
    from archspec.structure.exact import Neighbours
    from archspec.structure.receptive import Field

FIELDS = "1,2,4,9,19"
"""The receptive fields of the notebook's table."""

DIGITS = Context(prec=17)
"""Digits of a share, rounded from the exact fraction; as many as tell any two floats apart."""


@dataclass(frozen=True)
class Result:
    """A study that was made."""

    name: str
    options: dict[str, int]
    graph: "PlainGraph"
    near: "Neighbours"
    fields: "list[Field]"


@click.command("receptive", params=[format_option("How the table and errors are printed; json for tools.")])
@click.argument("data")
@click.option("--set", "settings", multiple=True, metavar="OPTION=VALUE", help="Such as `base=20` for `pyramid`.")
@click.option(
    "--fields", default=FIELDS, show_default=True, metavar="R,R,…", help="Receptive fields; `1..4` is a range."
)
@click.pass_context
def command(context: click.Context, data: str, settings: tuple[str, ...], fields: str) -> None:
    """Count what the walk encodings of the pairs of DATA (palindrome or pyramid) tell apart.

    The encoding of an ordered pair (i, j) for receptive field R is its entries in the powers 0 … R of D⁻¹A, exactly. It
    is ambiguous if pairs with the same label and pairs with different labels have it.
    """
    study = find(data)
    value = value_of(data, study, settings)
    result = made(data, study, value, fields_of(fields))
    style = context.find_root().obj["format"] if context.find_root().obj else "pretty"
    click.echo(json.dumps(as_data(result), indent=2) if style == "json" else text(result))


def find(name: str) -> Study:
    """The study of a name; E0401 for one that nobody knows, E0299 for a data set that is no study."""
    if name in STUDIES:
        return STUDIES[name]
    known = " and ".join(f"`{one}`" for one in STUDIES)
    if name in TABLE:
        message = f"the receptive field study of `{name}` is not supported yet: it is of one graph alone"
        raise SpecError([Diagnostic("E0299", message, help=f"the graphs that it knows are {known}")])
    near = nearest(name, STUDIES)
    raise SpecError([Diagnostic("E0401", f"unknown data set `{name}`", help=near or f"studies are there of {known}")])


def value_of(name: str, study: Study, settings: Sequence[str]) -> int:
    """The value of the study's option, the last one given; raises E0043, E0403, E0407."""
    value = study.default
    for setting in settings:
        option, equals, given = (part.strip() for part in setting.partition("="))
        if not equals or not option or not given:
            raise wrong("E0043", span("--set", setting), "an option is written `OPTION=VALUE`", f"{study.option}=20")
        if option != study.option:
            message = f"data set `{name}` has no option `{option}`"
            raise wrong("E0403", span("--set", setting), message, f"{study.option}={given}")
        if not re.fullmatch(r"[0-9]{1,12}", given) or int(given) < study.smallest:
            message = f"`{option}` is a whole number from {study.smallest} on, found `{given}`"
            place = span("--set", setting, setting.index("=") + 1)
            raise wrong("E0407", place, message, f"{option}={study.default}")
        value = int(given)
    return value


def fields_of(given: str) -> list[int]:
    """`1,2,4..9` as ascending numbers below 10,000; E0044 for anything else."""
    found: set[int] = set()
    start = 0
    for part in given.split(","):
        match = re.fullmatch(r"\s*(\d{1,4})(?:\.\.(\d{1,4}))?\s*", part, re.ASCII)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if first > last:
            place = span("--fields", given, start, start + len(part))
            raise wrong("E0044", place, "receptive fields are whole numbers below 10,000 and ranges", "1,2,4..9")
        found |= set(range(first, last + 1))
        start += len(part) + 1
    return sorted(found)


def span(option: str, given: str, start: int = 0, end: int | None = None) -> Span:
    """A part of what an option was given, all of it by default."""
    return Span(SourceFile(option, given), start, max(len(given) if end is None else end, start + 1))


def wrong(code: str, place: Span, message: str, instead: str) -> SpecError:
    """A mistake in what an option was given, and what could be written instead."""
    return SpecError([Diagnostic(code, message, place, help=f"write `{place.source.path} {instead}`")])


def made(name: str, study: Study, value: int, fields: list[int]) -> Result:
    """The study of a graph; E0006 if its pairs do not fit into memory."""
    check_memory(f"{study.option}={value}", study.nodes(value), 1)
    from archspec.data.plain import STUDY_GRAPHS, same_label
    from archspec.structure.exact import moduli, neighbours
    from archspec.structure.receptive import receptive

    graph = STUDY_GRAPHS[name](value)
    near = neighbours(graph.nodes, graph.edges)
    check_memory(f"{study.option}={value}", graph.nodes, len(moduli(near, fields[-1])))
    found = list(receptive(near, same_label(graph.y), fields))
    return Result(name, {study.option: value}, graph, near, found)


def check_memory(setting: str, nodes: int, primes: int) -> None:
    """E0006 if all pairs of so many nodes need more memory than there is."""
    from archspec.structure.exact import memory
    from archspec.structure.memory import available

    needed, free = memory(nodes, primes), available()
    if needed > free:
        message = f"with `{setting}` there is not enough memory for all pairs of nodes"
        takes = f"{nodes**2:,} pairs take {needed / 1e9:,.1f} GB, {free / 1e9:,.1f} GB are free"
        raise SpecError([Diagnostic("E0006", message, notes=(takes,), help="make it smaller")])


def text(result: Result) -> str:
    """The study as a table, and for every field that leaves pairs ambiguous two of them with their encoding."""
    (option, value), graph = next(iter(result.options.items())), result.graph
    sizes = f"{graph.nodes:,} nodes, {graph.edges.shape[1]:,} directed edges, {graph.nodes**2:,} ordered pairs"
    rows = [("R", "encodings", "ambiguous", "pairs of these", "pairs covered", "share"), *map(cells, result.fields)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    examples = [line for field in result.fields for line in alike(result, field)]
    return "\n".join([f"{result.name}, {option} {value}: {sizes}", "", *lines, *examples])


def cells(field: "Field") -> tuple[str, ...]:
    """A row of the table."""
    counts = (field.field, field.distinct, field.ambiguous, field.ambiguous_pairs, field.covered)
    return (*(f"{count:,}" for count in counts), share(field))


def share(field: "Field") -> str:
    """The share of pairs covered, to 17 digits."""
    return str(DIGITS.divide(Decimal(field.covered), Decimal(field.pairs)))


def alike(result: Result, field: "Field") -> list[str]:
    """Two pairs that a field cannot tell apart, and the encoding that both have."""
    if field.example is None:
        return []
    from archspec.structure.exact import encoding

    same, different = field.example
    entries = ", ".join(map(str, encoding(result.near, *same, field.field)))
    return ["", f"R = {field.field}: {same}, same label, and {different}, different labels: both [{entries}]"]


def as_data(result: Result) -> dict[str, object]:
    """The study for tools."""
    return {
        "data": result.name,
        "options": result.options,
        "nodes": result.graph.nodes,
        "directed_edges": result.graph.edges.shape[1],
        "pairs": result.graph.nodes**2,
        "fields": [of_field(field) for field in result.fields],
    }


def of_field(field: "Field") -> dict[str, object]:
    """One receptive field for tools."""
    return {
        "field": field.field,
        "encodings": field.distinct,
        "ambiguous_encodings": field.ambiguous,
        "ambiguous_pairs": field.ambiguous_pairs,
        "covered_pairs": field.covered,
        "covered_share": field.covered / field.pairs,
        "example": field.example,
    }
