"""Curves as SVG that stands in the page itself: text stays text, and takes the page's colours, light or dark."""

import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib
from markupsafe import Markup, escape
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from archspec.report.evidence import Evidence
from archspec.runs.row import is_share, shown
from archspec.train.folder import Record

INK = "#010101"
"""Stands for the page's own colour of text, which takes its place when the SVG is written."""

COLOURS = ("#2f7fc1", "#d9661f", "#3a9d5d", "#a05bc4", "#c4483f", "#7a7f87", "#b08a1e", "#2aa3a3")
"""Lines; each has a contrast of at least 3 with white and with the dark page."""

STYLES = {"train": ":", "val": "-", "test": "--"}

SETTINGS: Any = {
    "svg.fonttype": "none", "svg.hashsalt": "archspec", "font.family": "sans-serif", "font.size": 10,
    "text.color": INK, "axes.edgecolor": INK, "axes.labelcolor": INK, "xtick.color": INK, "ytick.color": INK,
    "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True, "grid.alpha": 0.2, "grid.color": INK,
    "legend.frameon": False, "savefig.transparent": True,
}  # fmt: skip


@dataclass(frozen=True)
class Curve:
    """A picture with what it shows in words, for those who cannot see it."""

    svg: Markup
    caption: str


@dataclass(frozen=True)
class Line:
    """One line of a picture: (epoch, value), where there is a value."""

    label: str
    points: Sequence[tuple[int, float]]
    style: str = "-"
    colour: str = COLOURS[0]


def of_run(one: Evidence, number: int) -> list[Curve]:
    """Score, loss, and learning rate with the gradient's norm, over the epochs of a run."""
    metric, result = one.metric, one.result or {}
    limits = {"floor": (result.get("floor") or {}).get("test", {}).get(metric)}
    limits |= {"ceiling": (result.get("ceiling") or {}).get(metric)}
    kept = {name: shown(metric, value) for name, value in limits.items() if value is not None}
    norms = series(one.records, lambda record: record["gradient_norm"]["mean"])
    rates = [
        Line("learning rate", series(one.records, lambda record: record.get("lr")), colour=COLOURS[3]),
        Line("gradient, mean norm", norms, colour=COLOURS[5]),
    ]
    pictures = [] if metric == "loss" else [(splits(one, metric), axis(metric), "score", kept)]
    pictures += [(splits(one, "loss"), "loss", "loss", {}), (rates, "rate and norm", "rate", {})]
    return [
        drawn(lines, label, f"r{number}{key}", levels, log=label in LOGARITHMIC and positive(lines))
        for lines, label, key, levels in pictures
        if any(line.points for line in lines)
    ]


LOGARITHMIC = ("loss", "training loss", "rate and norm")
"""What has a logarithmic axis, where every value is above 0."""


def together(runs: Sequence[Evidence]) -> list[Curve]:
    """The validation score, and the loss in training, of several runs."""
    metrics = {one.metric for one in runs if one.records}
    pictures = []
    if len(metrics) == 1 and metrics != {"loss"}:
        (metric,) = metrics
        pictures.append(drawn(compared(runs, "val", metric), f"validation {axis(metric)}", "allscore"))
    losses = compared(runs, "train", "loss")
    return [*pictures, drawn(losses, "training loss", "allloss", log=positive(losses))] if losses else pictures


def compared(runs: Sequence[Evidence], split: str, name: str) -> list[Line]:
    """A line for every run."""
    return [
        Line(one.name, scores(one, split, name), STYLES["val"], COLOURS[at % len(COLOURS)])
        for at, one in enumerate(runs)
        if scores(one, split, name)
    ]


def splits(one: Evidence, name: str) -> list[Line]:
    """A line for every split."""
    return [
        Line(split, points, style, COLOURS[at])
        for at, (split, style) in enumerate(STYLES.items())
        if (points := scores(one, split, name))
    ]


def scores(one: Evidence, split: str, name: str) -> list[tuple[int, float]]:
    """A score of a split over the epochs, shares in percent."""
    return [
        (epoch, shown(name, value)) for epoch, value in series(one.records, lambda r: (r.get(split) or {}).get(name))
    ]


def series(records: Sequence[Record], value: Callable[[Record], Any]) -> list[tuple[int, float]]:
    """(epoch, value) where there is one."""
    return [(record["epoch"], found) for record in records if isinstance(found := value(record), int | float)]


def axis(name: str) -> str:
    """A score with its unit."""
    return f"{name} in percent" if is_share(name) else name


def positive(lines: Sequence[Line]) -> bool:
    """Whether a logarithmic axis can have all values."""
    return all(value > 0 for line in lines for _, value in line.points)


def drawn(
    lines: Sequence[Line], label: str, prefix: str, limits: Mapping[str, float] | None = None, log: bool = False
) -> Curve:
    """A picture of lines over epochs, with dotted levels that have names."""
    with matplotlib.rc_context(SETTINGS):
        figure = Figure(figsize=(5.6, 3.1), layout="constrained")
        axes = figure.subplots()
        for line in lines:
            marker = "o" if len(line.points) < FEW else None
            axes.plot(
                *zip(*line.points, strict=True), line.style, color=line.colour, label=line.label, marker=marker, ms=3
            )
        for name, level in (limits or {}).items():
            levelled(axes, name, level)
        axes.set(xlabel="epoch", ylabel=label, yscale="log" if log else "linear")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.legend(fontsize=9)
        caption = f"{label} over epochs: " + "; ".join(map(told, lines))
        return Curve(svg(figure, prefix, caption), caption)


FEW = 12
"""Epochs below which every one has a mark."""


def levelled(axes: Axes, name: str, level: float) -> None:
    """A dotted level with its name at the right."""
    axes.axhline(level, color=INK, linestyle=(0, (1, 2)), linewidth=1)
    axes.annotate(
        f"{name} {level:.2f}", (1, level), xycoords=("axes fraction", "data"), ha="right", va="bottom", size=8
    )


def told(line: Line) -> str:
    """A line in words: where it begins and ends."""
    (first, begin), (last, end) = line.points[0], line.points[-1]
    return f"{line.label} {begin:.4g} in epoch {first}, {end:.4g} in epoch {last}"


def svg(figure: Figure, prefix: str, caption: str) -> Markup:
    """A figure as an element of the page: no fixed size, names of its own, the page's colour for text."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :].replace(INK, "currentColor")
    text = re.sub(r'\b(id="|xlink:href="#|url\(#)', rf"\g<1>{prefix}-", text)
    size = re.search(r'viewBox="([^"]*)"', text)
    head = f'<svg role="img" aria-label="{escape(caption)}" viewBox="{size[1] if size else ""}" class="curve"'
    spaces = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    text = re.sub(r"^<svg[^>]*>", f"{head} {spaces}>", text)
    return Markup(re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL))
