"""`archspec receptive`: what walk encodings of pairs can tell apart, in exact arithmetic."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from archspec.commands.options import format_option, trust_option
from archspec.diagnostics import Diagnostic, SpecError
from archspec.facts import known
from archspec.facts.studies import STUDIES, Study
from archspec.source import SourceFile, Span
from archspec.syntax.data_settings import read_data_settings

if TYPE_CHECKING:
    from archspec.data.plain import PlainGraph
    from archspec.structure.exact import Neighbours
    from archspec.structure.receptive import Field

FIELDS = "1,2,4,9,19"
"""The receptive fields of the notebook's table."""

FIELDS_OF_DATA = "1..4"
GRAPHS = 100
LABELS = ("node", "same", "edge", "pair", "graph")
PATH = click.Path(path_type=Path)

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
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="Such as `base=20` for `pyramid`; of a data set a key of the section `data`, such as `seed=3`. Repeatable.",
)
@click.option(
    "--fields",
    metavar="R,R,…",
    help=f"Receptive fields; `1..4` is a range. By default {FIELDS}, of a data set {FIELDS_OF_DATA}.",
)
@click.option(
    "--labels",
    type=click.Choice(LABELS),
    help="What is to be told apart: the labels per `node`, `edge`, `pair` or `graph` of a data set, the default; or of "
    "pairs of nodes, whether both have the `same`.",
)
@click.option("--features", is_flag=True, help="Count x of both nodes as part of the encoding of a pair.")
@click.option("--split", type=click.Choice(["train", "val", "test"]), default="train", show_default=True)
@click.option(
    "--limit", type=click.IntRange(1), default=GRAPHS, show_default=True, help="So many graphs, from the first on."
)
@click.option("--data-dir", type=PATH, metavar="DIR", help="Folder for data; default ARCHSPEC_CACHE, else a cache.")
@trust_option
@click.pass_context
def command(context: click.Context, data: str, settings: tuple[str, ...], fields: str | None, **options: Any) -> None:
    """Count what the walk encodings of the pairs, nodes or graphs of DATA tell apart, exactly.

    The encoding of an ordered pair (i, j) for receptive field R is its entries in the powers 0 … R of D⁻¹A, exactly;
    that of a node the multiset of those of its pairs, that of a graph the multiset of those of its nodes. It is
    ambiguous if it occurs with different labels. DATA is a data set, or one graph of the study: palindrome or pyramid.
    """
    style = context.find_root().obj["format"] if context.find_root().obj else "pretty"
    study = STUDIES.get(data)
    if study and options["labels"] is None and not options["features"]:
        value = value_of(data, study, settings)
        result = made(data, study, value, fields_of(FIELDS if fields is None else fields))
        click.echo(json.dumps(as_data(result), indent=2) if style == "json" else text(result))
        return
    wanted = fields_of(FIELDS_OF_DATA if fields is None else fields)
    if study:  # its option is written as for the study
        settings = tuple(f"options.{one}" if one.startswith(f"{study.option}=") else one for one in settings)
    chosen, place = read_data_settings(data, settings)
    known(chosen, place("data", "name"), options["data_dir"])  # an unknown name is told before numpy is imported
    from archspec.commands.telling import run

    run(chosen, place, wanted, style, **options)


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
    check_memory(f"with `{study.option}={value}`", study.nodes(value) ** 2, 1)
    from archspec.data.plain import STUDY_GRAPHS, same_label
    from archspec.structure.exact import moduli, neighbours
    from archspec.structure.receptive import receptive

    graph = STUDY_GRAPHS[name](value)
    near = neighbours(graph.nodes, graph.edges)
    check_memory(f"with `{study.option}={value}`", graph.nodes**2, len(moduli([near], fields[-1])))
    found = list(receptive(near, same_label(graph.y), fields))
    return Result(name, {study.option: value}, graph, near, found)


def check_memory(where: str, pairs: int, primes: int, cure: str = "make it smaller") -> None:
    """E0006 if so many pairs of nodes need more memory than there is."""
    from archspec.structure.exact import memory
    from archspec.structure.memory import available

    needed, free = memory(pairs, primes), available()
    if needed > free:
        message = f"{where} there is not enough memory for all pairs of nodes"
        takes = f"{pairs:,} pairs take {needed / 1e9:,.1f} GB, {free / 1e9:,.1f} GB are free"
        raise SpecError([Diagnostic("E0006", message, notes=(takes,), help=cure)])


def text(result: Result) -> str:
    """The study as a table, and for every field that leaves pairs ambiguous two of them with their encoding."""
    (option, value), graph = next(iter(result.options.items())), result.graph
    sizes = f"{graph.nodes:,} nodes, {graph.edges.shape[1]:,} directed edges, {graph.nodes**2:,} ordered pairs"
    rows = [("R", "encodings", "ambiguous", "pairs of these", "pairs covered", "share"), *map(cells, result.fields)]
    lines = table(rows)
    examples = [line for field in result.fields for line in alike(result, field)]
    return "\n".join([f"{result.name}, {option} {value}: {sizes}", "", *lines, *examples])


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows in columns, flush right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]


def cells(field: "Field") -> tuple[str, ...]:
    """A row of the table."""
    counts = (field.field, field.distinct, field.ambiguous, field.ambiguous_items, field.covered)
    return (*(f"{count:,}" for count in counts), share(field))


def share(field: "Field") -> str:
    """The share of pairs covered, to 17 digits."""
    return str(DIGITS.divide(Decimal(field.covered), Decimal(field.items)))


def alike(result: Result, field: "Field") -> list[str]:
    """Two pairs that a field cannot tell apart, and the encoding that both have."""
    if field.example is None:
        return []
    from archspec.structure.exact import encoding

    same, different = (divmod(number, result.graph.nodes) for number in field.example)
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
        "fields": [of_field(field, result.graph.nodes) for field in result.fields],
    }


def of_field(field: "Field", nodes: int) -> dict[str, object]:
    """One receptive field for tools."""
    return {
        "field": field.field,
        "encodings": field.distinct,
        "ambiguous_encodings": field.ambiguous,
        "ambiguous_pairs": field.ambiguous_items,
        "covered_pairs": field.covered,
        "covered_share": field.covered / field.items,
        "example": field.example and [divmod(number, nodes) for number in field.example],
    }
