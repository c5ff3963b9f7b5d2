"""A sweep's results as pictures: the scores of every seed, differences with their intervals, curves of learning."""

import statistics
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from archspec.diagnostics import SpecError
from archspec.facts import tasks
from archspec.report.curves import COLOURS, INK, SETTINGS, Curve, Line, axis, drawn, svg
from archspec.runs.row import shown
from archspec.runs.table import figure
from archspec.statistics.paired import compare
from archspec.sweep.table.blocks import Part, floor_of
from archspec.sweep.table.groups import Row

MOST = 40
"""Rows of a picture; the best of more."""

SHADES = {"better": COLOURS[2], "worse": COLOURS[4], "they interact": COLOURS[1]}
"""Colours of what is decided; what is not is grey."""


LEGEND = "green: better, red: worse, orange: an interaction, grey: not decided"


@dataclass(frozen=True)
class Bar:
    """A difference with its interval."""

    name: str
    value: float
    interval: tuple[float, float] | None
    verdict: str


def pictures(part: Part, prefix: str) -> list[Curve]:
    """What there is to see of a group of results."""
    rows = [row for row in part.group.rows if row.scores][:MOST]
    if not rows:
        return []
    found = [dots(part, rows, f"{prefix}dots")]
    score = named(rows[0])
    if bars := [*compared(part)]:
        found.append(bars_drawn(bars, f"{score}, difference to the baseline", f"{prefix}against"))
    if bars := [Bar(one.name, one.estimate.value, one.estimate.interval, one.said) for one in part.estimated.found]:
        found.append(bars_drawn(bars, f"{score}, difference", f"{prefix}effects"))
    curve = learning(rows, f"{prefix}learning")
    return [*found, curve] if curve else found


def named(row: Row) -> str:
    """The score that is shown, with its split and unit."""
    return f"{row.score[0]} {axis(row.score[1])}"


def compared(part: Part) -> Iterator[Bar]:
    """The comparisons with a baseline, those of twins once."""
    for one in part.comparisons[:MOST]:
        if one.found and one.row.cell.same_as is None:
            yield Bar(one.row.cell.name, one.found.mean, one.found.interval, one.verdict)


def dots(part: Part, rows: Sequence[Row], prefix: str) -> Curve:
    """A line for every cell: its seeds as dots, their mean with its interval; the floor as a level."""
    with matplotlib.rc_context(SETTINGS):
        figure_, axes = empty([row.cell.name for row in rows])
        for at, row in enumerate(rows):
            values = [*row.scores.values()]
            colour = SHADES.get(next((one.verdict for one in part.comparisons if one.row is row), ""), COLOURS[5])
            axes.plot(values, [at] * len(values), "o", ms=4, color=COLOURS[0], alpha=0.8, zorder=3)
            over = compare(values, [0.0] * len(values))
            bar(axes, at, statistics.fmean(values), over.interval if over else None, colour)
        split, name = rows[0].score
        floor = ((floor_of(part.group.runs) or {}).get(split) or {}).get(name)
        if floor is not None:
            level(axes, "floor", shown(name, floor))
        axes.set_xlabel(named(rows[0]))
        told = "; ".join(f"{row.cell.name} {figure(name, statistics.fmean(row.scores.values()))}" for row in rows)
        tail = f"; floor {figure(name, shown(name, floor))}" if floor is not None else ""
        caption = f"{named(rows[0])}: every seed, and the mean with its 95 % interval: {told}{tail}"
        return Curve(svg(figure_, prefix, caption), caption)


def bars_drawn(bars: Sequence[Bar], label: str, prefix: str) -> Curve:
    """Differences with their intervals around 0."""
    with matplotlib.rc_context(SETTINGS):
        figure_, axes = empty([one.name for one in bars])
        axes.axvline(0, color=INK, linewidth=1)
        for at, one in enumerate(bars):
            bar(axes, at, one.value, one.interval, SHADES.get(one.verdict, COLOURS[5]))
        axes.set_xlabel(label)
        told = "; ".join(f"{one.name} {one.value:+.3g}" for one in bars)
        caption = f"{label}, with its 95 % interval ({LEGEND}): {told}"
        return Curve(svg(figure_, prefix, caption), caption)


def empty(names: Sequence[str]) -> tuple[Figure, Axes]:
    """A picture with a line for every name, the first at the top."""
    figure_ = Figure(figsize=(5.6, 0.9 + 0.27 * len(names)), layout="constrained")
    axes = figure_.subplots()
    axes.set_yticks(
        range(len(names)), [one if len(one) <= LONGEST else f"{one[: LONGEST - 1]}…" for one in names], size=8
    )
    axes.set_ylim(len(names) - 0.4, -0.6)
    return figure_, axes


LONGEST = 44
"""Letters of a name beside a line."""


def bar(axes: Axes, at: int, mean: float, interval: tuple[float, float] | None, colour: str) -> None:
    """A mean with its interval."""
    if interval:
        axes.plot(interval, [at, at], "-", color=colour, linewidth=2, solid_capstyle="butt")
    axes.plot([mean], [at], "D", ms=5, color=colour)


def level(axes: Axes, name: str, value: float) -> None:
    """A dotted line across all rows, with its name at the top."""
    axes.axvline(value, color=INK, linestyle=(0, (1, 2)), linewidth=1)
    axes.annotate(
        f"{name} {value:.4g}", (value, 1), xycoords=("data", "axes fraction"), ha="center", va="bottom", size=8
    )


def learning(rows: Sequence[Row], prefix: str) -> Curve | None:
    """The validation score over the epochs, the mean of a cell's seeds; of the best cells where there are many."""
    name = rows[0].score[1]
    chosen = rows[: len(COLOURS)]
    lines = [
        Line(row.cell.name, points, colour=colour)
        for row, colour in zip(chosen, COLOURS, strict=False)
        if (points := mean_curve(row, name))
    ]
    if not lines:
        return None
    logarithmic = not tasks.score(name).share and all(value > 0 for line in lines for _, value in line.points)
    best = f", the best {len(chosen)} of {len(rows)} cells" if len(rows) > len(chosen) else ""
    return drawn(lines, f"validation {axis(name)}{best}", prefix, log=logarithmic)


def mean_curve(row: Row, name: str) -> list[tuple[int, float]]:
    """The mean over the seeds that reached an epoch, epoch by epoch."""
    found: dict[int, list[float]] = defaultdict(list)
    for run in row.runs:
        try:
            records = run.folder.records() if run.state == "finished" else []
        except (SpecError, OSError):
            continue  # a damaged file makes no curve
        for record in records:
            value = (record.get("val") or {}).get(name)
            if value is not None:
                found[record["epoch"]].append(shown(name, value))
    return [(epoch, statistics.fmean(values)) for epoch, values in sorted(found.items())]
