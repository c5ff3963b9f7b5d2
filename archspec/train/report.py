"""The table at the end of a run."""

import shlex
from pathlib import Path

from archspec.facts import tasks
from archspec.train.display import clock, counted, figure, percent
from archspec.train.folder import Record


def table(result: Record, folder: Path) -> str:
    """What `done.json` says, for people: test scores beside what they are to be held against."""
    shown = columns(result)
    percents = all(tasks.score(name).share for name in shown)
    rows = [("test, in percent" if percents else "test", *shown, "epoch")]
    rows += [line(name, result[key], shown) for name, key in (("best validation", "best"), ("last epoch", "last"))]
    if floor := result["floor"]:
        rows.append(("floor", *(figure(key, floor["test"].get(key)) for key in shown), ""))
    if (ceiling := result["ceiling"]) and shown[0] == "acc":
        limit = f"{percent(ceiling['acc'])} ± {100 * ceiling['deviation']:.1f}"
        rows.append(("ceiling", limit, *("" for _ in shown[1:]), ""))
    return "\n".join([*aligned(rows), "", *remarks(result), *closing(result, folder)])


def columns(result: Record) -> list[str]:
    """The main score first, then what belongs to it: the recalls of the classes, or the other scores of the task."""
    score = result.get("score", "acc")
    known = (result["last"] or {}).get("test") or {}
    recalls = [name for name in known if name.startswith("acc_")]
    others = recalls if score == "acc" else [name for name in known if name not in (score, "loss", *recalls)]
    return [score, *others]


def line(name: str, entry: Record | None, shown: list[str]) -> tuple[str, ...]:
    """A row of scores."""
    if entry is None or not entry["test"]:
        return (name, *("-" for _ in shown), "-")
    return (name, *(figure(key, entry["test"][key]) for key in shown), str(entry["epoch"]))


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
    lines = ["the result is that of the last epoch"] if result.get("select") == "last" else []
    if floor := result["floor"]:
        lines.append(f"floor: {floor['rule']}")
    score = result.get("score", "acc")
    if (ceiling := result["ceiling"]) and score == "acc":
        lines.append(f"ceiling: {ceiling['what']}")
    scores = (result["best"] or {}).get("test") or {}
    missed = [key.removeprefix("acc_") for key, value in scores.items() if key.startswith("acc_") and value == 0]
    if missed:
        which = f"class {missed[0]} is" if len(missed) == 1 else f"classes {', '.join(missed)} are"
        lines.append(f"warning: {which} never predicted right")
    if floor and scores and better(score, floor["test"].get(score), scores[score]):
        lines.append(f"warning: {floor.get('what', 'the degree alone')} does better than this model")
    return lines


def better(name: str, one: float | None, other: float | None) -> bool:
    """Whether one value of a score is better than another."""
    if one is None or other is None:
        return one is not None
    return one > other if tasks.score(name).larger_is_better else one < other


def closing(result: Record, folder: Path) -> list[str]:
    """Times, the folder and what to do next."""
    took = (
        f"{clock(result['seconds'])} for {counted(result['epochs'], 'epoch')}, {result['seconds_per_epoch']:.1f} s each"
    )
    name = shlex.quote(str(folder))
    go_on = [f"go on with: archspec train --resume {name}"] if result["reason"] == "paused" else []
    return [
        f"{result['stopped']}; {took}",
        *go_on,
        f"run folder: {folder}",
        f"next: archspec evaluate {name}   or   archspec predict {name} -o predictions.csv",
    ]
