"""The health of gradients as a picture and a table: every parameter over the epochs, and where it stands."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib
import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from archspec.report.curves import SETTINGS, Curve, svg
from archspec.report.evidence import Evidence

FIGURES = {"ratio": "‖g‖/‖w‖", "gradient": "‖g‖", "update": "update/weight"}
"""What is recorded of a parameter, and how it is written. The one that is known of most epochs makes the picture."""


@dataclass(frozen=True)
class Line:
    """A row of the table: figures of the first and of the last epoch that has them."""

    name: str
    place: str
    figures: Sequence[str]


def picture(one: Evidence, number: int) -> Curve | None:
    """A row of colours for every parameter; what is not known, or 0, is left empty."""
    records = [record for record in one.records if record.get("health")]
    epochs, names = [record["epoch"] for record in records], parameters(one)
    known: dict[str, Any] = {}
    for key in FIGURES:
        values = np.array([[value(record, name, key) for record in records] for name in names])
        known[key] = np.where(values > 0, values, np.nan)
    shown = max(FIGURES, key=lambda key: int(np.isfinite(known[key]).any(axis=0).sum())) if names else None
    if shown is None or not np.isfinite(known[shown]).any():
        return None
    return painted(names, epochs, known[shown], FIGURES[shown], f"r{number}health")


def painted(names: Sequence[str], epochs: Sequence[int], values: Any, label: str, prefix: str) -> Curve:
    """The values on a logarithmic scale of colours."""
    seen = values[np.isfinite(values)]
    with matplotlib.rc_context({**SETTINGS, "axes.grid": False}):
        figure = Figure(figsize=(7.6, 0.9 + 0.19 * len(names)), layout="constrained")
        axes = figure.subplots()
        scale = LogNorm(seen.min(), max(seen.max(), seen.min() * 1.01))
        extent = (epochs[0] - 0.5, epochs[-1] + 0.5, len(names) - 0.5, -0.5)
        image = axes.imshow(
            np.ma.masked_invalid(values), aspect="auto", interpolation="nearest", norm=scale, extent=extent
        )
        axes.set_yticks(range(len(names)), names, size=7)
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        figure.colorbar(image, label=label)
        caption = f"{label} of {len(names)} parameters over epochs, from {seen.min():.2g} to {seen.max():.2g}"
        return Curve(svg(figure, prefix, caption), caption)


def table(one: Evidence) -> list[Line]:
    """A row for every parameter."""
    records = [record for record in one.records if record.get("health")]
    places = one.places.get("parameters", {})
    rows = []
    for name in parameters(one):
        found = places.get(name) or {}
        place = f"{found['definition']}: {found['text'].strip()}" if found else ""
        ends = [span([value(record, name, key) for record in records]) for key in FIGURES]
        rows.append(Line(name, place, ends))
    return rows


def parameters(one: Evidence) -> list[str]:
    """The names of all parameters of which something is recorded, in the module's order."""
    known = [name for record in one.records for name in (record.get("health") or {}).get("parameters", {})]
    return list(dict.fromkeys(known))


def value(record: dict[str, Any], name: str, key: str) -> float:
    """A figure of a parameter in an epoch; NaN where there is none."""
    found = record["health"]["parameters"].get(name, {}).get(key)
    return math.nan if found is None else float(found)


def span(values: Sequence[float]) -> str:
    """The first and the last of them that are known."""
    known = [one for one in values if math.isfinite(one)]
    return f"{known[0]:.2g} → {known[-1]:.2g}" if known else "–"
