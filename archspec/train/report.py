"""The table at the end of a run."""

import shlex
from pathlib import Path

from archspec.train.display import clock, counted, percent
from archspec.train.folder import Record


def table(result: Record, folder: Path) -> str:
    """What `done.json` says, for people: test scores beside what they are to be held against."""
    labels = [key for key in (result["last"] or {}).get("test") or {} if key.startswith("acc_")]
    rows = [("test, in percent", "acc", *labels, "epoch")]
    rows += [line(name, result[key], labels) for name, key in (("best validation", "best"), ("last epoch", "last"))]
    if floor := result["floor"]:
        rows.append(("floor", *(percent(floor["test"][key]) for key in ("acc", *labels)), ""))
    if ceiling := result["ceiling"]:
        limit = f"{percent(ceiling['acc'])} ± {100 * ceiling['deviation']:.1f}"
        rows.append(("ceiling", limit, *("" for _ in labels), ""))
    return "\n".join([*aligned(rows), "", *remarks(result), *closing(result, folder)])


def line(name: str, entry: Record | None, labels: list[str]) -> tuple[str, ...]:
    """A row of scores."""
    if entry is None or not entry["test"]:
        return (name, "-", *("-" for _ in labels), "-")
    return (name, *(percent(entry["test"][key]) for key in ("acc", *labels)), str(entry["epoch"]))


def aligned(rows: list[tuple[str, ...]]) -> list[str]:
    """Rows as lines, the columns flush."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for first, *rest in rows:
        cells = [first.ljust(widths[0]), *(cell.ljust(width) for cell, width in zip(rest, widths[1:], strict=True))]
        lines.append("   ".join(cells).rstrip())
    return lines


def remarks(result: Record) -> list[str]:
    """What the rows mean, and what should worry the reader."""
    lines = []
    if floor := result["floor"]:
        lines.append(f"floor: {floor['rule']}, fitted on the training split")
    if ceiling := result["ceiling"]:
        lines.append(f"ceiling: {ceiling['what']}")
    scores = (result["best"] or {}).get("test") or {}
    missed = [key.removeprefix("acc_") for key, value in scores.items() if key.startswith("acc_") and value == 0]
    lines += [f"warning: class {label} is never predicted right" for label in missed]
    if floor and scores and (scores["acc"] or 0) < floor["test"]["acc"]:
        lines.append("warning: the degree alone does better than this model")
    return lines


def closing(result: Record, folder: Path) -> list[str]:
    """Times, the folder and what to do next."""
    took = (
        f"{clock(result['seconds'])} for {counted(result['epochs'], 'epoch')}, {result['seconds_per_epoch']:.1f} s each"
    )
    name = shlex.quote(str(folder))
    return [
        f"{result['stopped']}; {took}",
        f"run folder: {folder}",
        f"next: archspec evaluate {name}   or   archspec predict {name} -o predictions.csv",
    ]
