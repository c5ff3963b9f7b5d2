"""`archspec receptive` of a data set: what is counted, and how it is told."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from archspec.commands.receptive import check_memory, share, span, table
from archspec.data.load import load
from archspec.data.place import Place
from archspec.data.telling import KINDS, MOST_PAIRS, Graphs, Things, told
from archspec.data.telling import wanted as wanted_rows
from archspec.diagnostics import Diagnostic, SpecError
from archspec.facts import Facts, known
from archspec.structure.exact import encoding, moduli
from archspec.structure.receptive import Field
from archspec.syntax.schema import DataSettings

SHOWN = 10
"""Labels whose counts are told, if there are no more."""


@dataclass(frozen=True)
class Result:
    """What was counted of a data set."""

    name: str
    split: str
    graphs: Graphs
    of: int
    """Graphs of the split, those left out counted."""
    labels: str
    things: Things
    features: bool
    fields: list[Field]

    @property
    def level(self) -> str:
        """What the labels are then of: `node`, `pair` or `graph`."""
        return KINDS[self.labels][1]


def run(
    chosen: DataSettings,
    place: Place,
    fields: list[int],
    style: str,
    labels: str | None,
    features: bool,
    split: str,
    limit: int,
    data_dir: Path | None,
    trust: bool,
) -> None:
    """Load the graphs, count and print. Raises SpecError as `archspec data` does, E0044 for labels there are not."""
    name = chosen.name
    if (facts := known(chosen, place("data", "name"), data_dir)) is not None:
        fitting(labels, facts)  # told before anything is loaded
    given = chosen.limit
    few = chosen.model_copy(update={"limit": limit if given is None else min(limit, given)})
    data = load(few, data_dir, lambda line: click.echo(line, err=True), place=place, trust=trust)
    wanted = fitting(labels, data.facts)
    part = data.splits[split]
    whole = known(chosen, None, data_dir) or data.facts
    graphs = Graphs(part, wanted_rows(part))
    primes = len(moduli(graphs.near, fields[-1]))
    check_memory(
        f"of `{name}`", int(graphs.first_pair[-1]), primes, "lower `--limit`, or name smaller receptive fields"
    )
    things = KINDS[wanted][2](graphs)
    if not len(things.at):
        message = f"no label of {split} is known"
        raise SpecError([Diagnostic("E0423", message, place("data", "name"), help="name another split")])
    found = list(told(graphs, things, KINDS[wanted][1], fields, features))
    result = Result(name, split, graphs, whole.graphs[split], wanted, things, features, found)
    click.echo(json.dumps(as_data(result), indent=2) if style == "json" else text(result))


def fitting(labels: str | None, facts: Facts) -> str:
    """What is to be told apart, by default the labels there are; E0044 where the data set has other ones."""
    fit = [name for name, (level, _, _) in KINDS.items() if level == facts.level]
    if labels is None or labels in fit:
        return labels or fit[0]
    message = f"the data set `{facts.name}` has labels per {facts.level}"
    cure = "write " + " or ".join(f"`--labels {one}`" for one in fit)
    raise SpecError([Diagnostic("E0044", message, span("--labels", labels), help=cure)])


def text(result: Result) -> str:
    """What was counted as a table, and for every field that leaves something ambiguous two of it."""
    lines = [*heading(result), "", *table(rows(result))]
    for field in result.fields:
        lines += alike(result, field)
    return "\n".join(lines)


def heading(result: Result) -> list[str]:
    """Which graphs, and which labels."""
    sizes, things = result.graphs.sizes, result.things
    count = f"{len(sizes):,} graph{'s' * (len(sizes) != 1)}, {sizes.sum():,} nodes, {(sizes**2).sum():,} ordered pairs"
    left = result.of - len(sizes)
    told = [f"{result.name}, {result.split}: {count}"]
    if left:
        told.append(f"left out: the other {left:,} of {result.of:,} graphs (--limit)")
    if things.unknown:
        told.append(f"left out: {things.unknown:,} labels that are not known")
    if things.left:
        pairs = f"graphs of more than {MOST_PAIRS:,} pairs are studied from as many of their nodes as have so many"
        told.append(f"left out: {things.left:,} labelled {result.level}s; {pairs}")
    often = [int((things.labels == number).sum()) for number in range(len(things.values))]
    shares = "labels: " + ", ".join(f"{value}: {one:,}" for value, one in zip(things.values, often, strict=True))
    if len(things.values) > SHOWN:
        shares = f"{len(things.values):,} different labels"
    encoded = ", x of both nodes included" if result.features else ""
    return [*told, f"{len(things.at):,} labelled {result.level}s by their encodings{encoded}; {shares}"]


def rows(result: Result) -> list[tuple[str, ...]]:
    """The table."""
    pairs, level = result.level == "pair", f"{result.level}s"
    head = ("R", "encodings", "ambiguous", f"{level} of these", "right at best")
    found: list[tuple[str, ...]] = [(*head, "pairs covered", "share") if pairs else head]
    for one in result.fields:
        counts = (one.field, one.distinct, one.ambiguous, one.ambiguous_items)
        best = f"{100 * one.best / one.items:.2f} %"
        row = (*(f"{count:,}" for count in counts), best)
        found.append((*row, f"{one.covered:,}", share(one)) if pairs else row)
    return found


def alike(result: Result, field: Field) -> list[str]:
    """Two that a field cannot tell apart, and of pairs the encoding that both have."""
    if field.example is None:
        return []
    graphs, things = result.graphs, result.things
    told = [f"{graphs.named(result.level, int(things.at[one]))}, {labelled(things, one)}" for one in field.example]
    shown = ""
    if result.level == "pair":
        graph, i, j = graphs.pair(int(things.at[field.example[0]]))
        shown = f": both [{', '.join(map(str, encoding(graphs.near[graph], i, j, field.field)))}]"
    return ["", f"R = {field.field}: {told[0]}, and {told[1]}{shown}"]


def labelled(things: Things, one: int) -> str:
    """The label of something."""
    value = things.values[int(things.labels[one])]
    return value if " " in value else f"label {value}"


def as_data(result: Result) -> dict[str, Any]:
    """What was counted, for tools."""
    graphs, things = result.graphs, result.things
    return {
        "data": result.name,
        "split": result.split,
        "graphs": len(graphs.sizes),
        "graphs_left_out": result.of - len(graphs.sizes),
        "nodes": int(graphs.sizes.sum()),
        "pairs": int((graphs.sizes**2).sum()),
        "labels": result.labels,
        "labelled": len(things.at),
        "unknown": things.unknown,
        "left_out": things.left,
        "features": result.features,
        "fields": [
            {
                "field": one.field,
                "encodings": one.distinct,
                "ambiguous_encodings": one.ambiguous,
                "ambiguous": one.ambiguous_items,
                "best": one.best / one.items,
                "covered": one.covered,
                "example": one.example and [graphs.named(result.level, int(things.at[at])) for at in one.example],
            }
            for one in result.fields
        ],
    }
