"""What the runs of a sweep come to: a row for every cell, the best first."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from archspec.facts import tasks
from archspec.sweep.file import Sweep
from archspec.sweep.folder import SweepFolder
from archspec.sweep.plan import Planned
from archspec.sweep.shown import aligned, counted, lasting
from archspec.train import protocol, report
from archspec.train.folder import Record
from archspec.train.group import spread, with_spread


@dataclass(frozen=True)
class Row:
    """A cell and the results of its seeds."""

    planned: Planned
    results: dict[int, Record]

    @property
    def sound(self) -> list[Record]:
        """Of the runs that did not diverge."""
        return [one for one in self.results.values() if one["reason"] != "diverged"]

    def scores(self, split: str) -> dict[str, Record]:
        """Mean and standard deviation of every score of a split, at the epoch that the result is of."""
        kept = "last" if any(one.get("select") == "last" for one in self.sound) else "best"
        return spread(self.sound, kept, split)

    def mean(self, split: str, name: str) -> float | None:
        """The mean of a score."""
        found: Any = self.scores(split).get(name)
        return found and found["mean"]

    @property
    def seconds(self) -> float | None:
        """Mean time of a run."""
        times = [float(one["seconds"]) for one in self.sound]
        return sum(times) / len(times) if times else None


def table(sweep: Sweep, folder: SweepFolder, cells: Sequence[Planned], rank: tuple[str, str]) -> str:
    """A row for every cell: mean ± standard deviation over its seeds, parameters, time."""
    split, name = rank
    rows = ranked([Row(one, folder.results(one)) for one in cells], split, name)
    solved = next((one.width[0] for one in cells if one.width), None)
    unit = ", %" if tasks.score(name).share else ""
    scores = list(dict.fromkeys([("test", name), ("val", name)]))
    head = (*(axis.name for axis in sweep.axes), *([solved] if solved else []))
    head += (*(f"{one} {what}{unit}" for one, what in scores), "parameters", "a run", "runs", "")
    lines = [head, *(line(row, scores, len(folder.seeds), others(row, rows)) for row in rows)]
    if floor := next((one["floor"] for row in rows for one in row.sound if one["floor"]), None):
        shown = (report.figure(what, (floor.get(one) or {}).get(what)).strip() for one, what in scores)
        lines.append(("floor", *("",) * (len(head) - len(scores) - 5), *shown, *("",) * 4))
    return "\n".join([*aligned(lines), "", *remarks(rows, folder, rank)])


def ranked(rows: list[Row], split: str, name: str) -> list[Row]:
    """The best first; those without a score last."""
    sign = -1 if tasks.score(name).larger_is_better else 1

    def key(row: Row) -> tuple[bool, float]:
        mean = row.mean(split, name)
        return mean is None, 0.0 if mean is None else sign * mean

    return sorted(rows, key=key)


def line(row: Row, scores: Sequence[tuple[str, str]], seeds: int, other: bool) -> tuple[str, ...]:
    """A row as text."""
    one, diverged = row.planned, len(row.results) - len(row.sound)
    width = (str(one.width[1]),) if one.width else ()
    shown = (with_spread(name, row.scores(split).get(name)) for split, name in scores)
    time = "-" if row.seconds is None else lasting(row.seconds)
    notes = [f"= {one.twin.name}"] if one.twin else []
    notes += [f"{diverged} diverged"] if diverged else []
    notes += ["another protocol"] if other else []
    done = f"{len(row.results)}/{seeds}"
    return (*one.cell.labels, *width, *shown, f"{one.parameters:,}", time, done, ", ".join(notes))


def others(row: Row, rows: Sequence[Row]) -> bool:
    """Whether the scores of a row are of another protocol than those of the first."""
    first = next(chain.from_iterable(one.sound for one in rows), None)
    return first is not None and any(protocol.differences(first, one) for one in row.sound)


def remarks(rows: Sequence[Row], folder: SweepFolder, rank: tuple[str, str]) -> Iterator[str]:
    """What the rows are, and what may not be compared."""
    split, name = rank
    found = [one for row in rows for one in row.sound]
    which = "last epoch" if any(one.get("select") == "last" for one in found) else "best validation epoch"
    number = counted(len(folder.seeds), "seed")
    yield f"mean ± standard deviation (n - 1) over {number}, at the {which}; the best {split} {name} first"
    if len(folder.seeds) < 2:
        yield "one seed cannot tell a difference from chance: `--seeds 3`"
    different = [text for one in found[1:] for text in protocol.differences(found[0], one)]
    if different:
        yield f"warning: the scores are not all of one protocol: {different[0]}"
    runs = [folder.run(row.planned, seed).told() for row in rows for seed in row.results]
    versions = sorted({str(one.get("torch")) for one in runs})
    if len(versions) > 1:
        yield f"warning: the runs are of different versions of torch: {', '.join(versions)}"
    missing = sum(len(folder.seeds) - len(row.results) for row in rows if row.planned.twin is None)
    if missing:
        yield f"{counted(missing, 'run')} not finished: the same command goes on"
    yield f"folder of the runs: {folder.path}"
