"""A described data set as text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from archspec.commands import histogram

if TYPE_CHECKING:  # nothing here needs numpy
    from archspec.data.columns import Column
    from archspec.data.describe import Description, Spread
    from archspec.data.duplicates import Duplicates, Repeated

SHOWN = 12
"""Letters, classes and columns that are listed at most; `--format json` has all."""

LOSSES = ("mae", "rmse")
"""Scores that are no shares."""


def text(found: Description) -> str:
    """Everything, part by part."""
    out = "" if found.out == 1 else f", {found.out} {'classes' if 'classification' in found.task else 'numbers'}"
    parts = [
        [f"{found.name}: {found.task}{out}"],
        sizes(found),
        structure(found),
        [f"in-neighbours of a node, {where(found)}: {told(found.degree.spread)}", *degrees(found)],
        features(found),
        labels(found),
        *neighbourhood(found),
        floors(found),
        duplicates(found.duplicates) if found.duplicates else [],
    ]
    return "\n\n".join("\n".join(part) for part in parts if part)


def where(found: Description) -> str:
    """What details are of."""
    return "the whole graph" if found.shared else found.detailed


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns side by side, the first flush left, the others flush right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if at else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def told(spread: Spread) -> str:
    """`12 … 168, median 52, mean 54.3`."""
    return f"{spread.least:,} … {spread.most:,}, median {spread.median:,.6g}, mean {spread.mean:,.1f}"


def sizes(found: Description) -> list[str]:
    """How much there is in every split."""
    if found.shared:
        one = found.sizes["train"]
        counts = ", ".join(f"{size.labels:,} {name}" for name, size in found.sizes.items())
        return [f"one graph of {one.nodes:,} nodes and {one.edges:,} directed edges", f"labels that count: {counts}"]
    rows: list[tuple[str, ...]] = [
        ("", "graphs", "nodes", "edges", "labels", "nodes of a graph: min", "median", "mean", "max")
    ]
    for name, size in found.sizes.items():
        spread = size.nodes_per_graph
        amounts = (size.graphs, size.nodes, size.edges, size.labels, spread.least)
        rows.append(
            (name, *(f"{one:,}" for one in amounts), f"{spread.median:,.6g}", f"{spread.mean:,.1f}", f"{spread.most:,}")
        )
    edges = found.sizes[found.detailed].edges_per_graph
    return [*table(rows), f"directed edges of a graph, {found.detailed}: {told(edges)}"]


def structure(found: Description) -> list[str]:
    """What edges are like."""
    both = "some only in one direction" if found.edges.one_way else "each in both directions"
    loops = "with self loops" if found.edges.loops else "no self loops"
    repeated = "some repeated" if found.edges.repeated else "none repeated"
    density = f"{100 * found.density:.4g} % of all ordered pairs of nodes"
    return [f"edges: {both}, {loops}, {repeated}; {density} ({where(found)})"]


def degrees(found: Description) -> list[str]:
    """The histogram."""
    return [f"  {line}" for line in histogram.text(histogram.bars(found.degree.counts))]


def features(found: Description) -> list[str]:
    """What x, e and pos hold."""
    columns = {"x": found.x, "e": found.e, "pos": found.pos}
    return [f"{name}, {where(found)}: {held(one)}" for name, one in columns.items() if one is not None]


def held(one: Column) -> str:
    """A column of features in a line."""
    if one.columns is not None:
        counts = [str(each.width) for each in one.columns]
        return f"{one.width} columns of letters, of {', '.join(counts[:-1])} and {counts[-1]}"
    if one.counts is not None:
        return f"one of {one.width} letters: {shares(one.counts)}"
    ends = f"from {min(one.least or [0]):.4g} to {max(one.most or [0]):.4g}"
    missing = f", {one.unknown:,} not finite" if one.unknown else ""
    return f"{one.width:,} numbers {ends}, {100 * (one.zeros or 0):.1f} % are 0{missing}"


def shares(counts: Sequence[int]) -> str:
    """How frequent each of some letters is."""
    total = max(1, sum(counts))
    listed = ", ".join(f"{at}: {100 * count / total:.1f} %" for at, count in enumerate(counts[:SHOWN]))
    return listed + (", … (all with --format json)" if len(counts) > SHOWN else "")


def labels(found: Description) -> list[str]:
    """The labels of every split."""
    first = found.labels["train"]
    if first.kind == "classes":
        rows = [("classes", *map(str, range(min(first.width, SHOWN))))]
        rows += [(name, *parts_of(one.counts or [])) for name, one in found.labels.items()]
        return [*table(rows), *more(first.width)]
    if first.kind == "answers":
        rows = [("answers of yes", *map(str, range(min(first.width, SHOWN))), "unknown")]
        rows += [
            (name, *answers(one, found.sizes[name].labels), f"{one.unknown:,}") for name, one in found.labels.items()
        ]
        return [*table(rows), *more(first.width)]
    rows = [("numbers", "column", "mean", "deviation", "min", "max", "unknown")]
    for name, one in found.labels.items():
        figures = zip(one.mean or [], one.deviation or [], one.least or [], one.most or [], strict=True)
        rows += [
            (name, str(at), *(f"{figure:.4g}" for figure in row), f"{one.unknown:,}")
            for at, row in enumerate(figures)
            if at < SHOWN
        ]
    return [*table(rows), *more(first.width)]


def more(width: int) -> list[str]:
    """That not all is shown."""
    return [f"({SHOWN} of {width}; all with --format json)"] if width > SHOWN else []


def parts_of(counts: Sequence[int]) -> Iterator[str]:
    """Each class's part of all labels."""
    return (f"{100 * count / max(1, sum(counts)):.1f} %" for count in counts[:SHOWN])


def answers(one: Column, rows: int) -> Iterator[str]:
    """Each column's part of yes."""
    return (f"{100 * count / max(1, rows):.1f} %" for count in (one.counts or [])[:SHOWN])


def neighbourhood(found: Description) -> list[list[str]]:
    """How classes and edges go together."""
    one, of = found.neighbourhood, where(found)
    if one is None:
        return []
    shares = (one.edge_homophily, one.class_insensitive)
    edge, insensitive = ("not defined" if value is None else f"{value:.4f}" for value in shares)
    return [
        [f"P(neighbour's class | own class), {of}; rows are the own class", *square(one.neighbour)],
        [
            f"P(edge | classes of an ordered pair of nodes), {of}; rows are the class it leads to",
            *square(one.connection),
        ],
        [f"homophily, {of}: edge {edge}, class-insensitive {insensitive}"],
    ]


def square(values: Sequence[Sequence[float | None]]) -> list[str]:
    """A matrix of shares."""
    head = ["", *map(str, range(min(len(values), SHOWN)))]
    rows = [[str(at), *map(number, row[:SHOWN])] for at, row in enumerate(values[:SHOWN])]
    return [f"  {line}" for line in table([head, *rows])] + more(len(values))


def number(value: float | None) -> str:
    """A share with four digits, the first of them not 0 where it is small."""
    return "-" if value is None else f"{value:.4f}" if value >= 0.1 or not value else f"{value:.3g}"


def floors(found: Description) -> list[str]:
    """What a model has to beat."""
    rows = [("floor", "score", *found.sizes)]
    for one in found.floors:
        figures = (f"{value:.4f}" if one.score in LOSSES else f"{100 * value:.2f} %" for value in one.splits.values())
        rows.append((one.rule, one.score, *figures))
    return table(rows)


def duplicates(found: Duplicates) -> list[str]:
    """Graphs that occur more than once."""
    rows = [("graphs that occur before", "same arrays", "same up to numbering")]
    for (place, arrays), (_, colours) in zip(occurrences(found.bytes), occurrences(found.colours), strict=True):
        rows.append((place, f"{arrays:,}", f"{colours:,}"))
    if all(row[-1] == "0" for row in rows[1:]):
        return ["no graph occurs twice, whatever the numbering of its nodes (colour refinement)"]
    notes = ["(up to numbering: colour refinement, which may also take different graphs for equal)"]
    if found.contradictory:
        notes.append(f"{found.contradictory:,} graphs have the colours of one with another label")
    return [*table(rows), *notes]


def occurrences(found: Mapping[str, Repeated]) -> list[tuple[str, int]]:
    """Where graphs may occur before, and how many do."""
    return [
        (f"{name} in {other}", count)
        for name, one in found.items()
        for other, count in ((name, one.within), *one.earlier.items())
    ]
