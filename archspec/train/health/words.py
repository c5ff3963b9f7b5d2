"""What went wrong, as lines for the log, and the figures of an epoch's health in a few lines."""

import math
from collections.abc import Callable, Iterator, Mapping

from archspec.train.health.record import EpochHealth, Event, ValueHealth


def event_lines(event: Event) -> Iterator[str]:
    """The message with epoch and step, where in the equations, and what may cure it."""
    yield f"warning: epoch {event['epoch']}, step {event['step']}: {event['message']}"
    if place := event["place"]:
        yield f"  --> {place['path']}:{place['line']}, {place['definition']}: {place['text']}"
    yield f"  help: {event['help']}"


def spreads(health: EpochHealth) -> Iterator[str]:
    """The figures of an epoch's health in a few lines: of each the smallest and the largest, with their names."""
    weights = {name: row for name, row in health["parameters"].items() if name.endswith(".weight")}
    yield from spread("‖g‖/‖w‖ of weights", {name: row.get("ratio") for name, row in weights.items()})
    yield from spread("update/weight", {name: row.get("update") for name, row in weights.items()})
    for word, figure in FIGURES.items():
        yield from spread(word, {name: figure(row) for name, row in health["values"].items()})


def shut(row: ValueHealth) -> float | None:
    """The share of a gate that is shut or open."""
    low, high = row.get("low"), row.get("high")
    return None if low is None or high is None else low + high


FIGURES: Mapping[str, Callable[[ValueHealth], float | None]] = {
    "deviation of values": lambda row: row["std"],
    "relative entropy of attention": lambda row: row.get("entropy"),
    "dead features of relus": lambda row: row.get("dead"),
    "saturated entries of gates": shut,
}
"""What is said of values."""


def spread(what: str, values: dict[str, float | None]) -> Iterator[str]:
    """The smallest and the largest, with their names; nothing of nothing."""
    known = {name: value for name, value in values.items() if value is not None and math.isfinite(value)}
    if known:
        low, high = min(known, key=known.__getitem__), max(known, key=known.__getitem__)
        both = f"{known[low]:.3g} (`{low}`) to {known[high]:.3g} (`{high}`)"
        yield f"{what}: {both if known[low] < known[high] else f'{known[low]:.3g} everywhere'}"
