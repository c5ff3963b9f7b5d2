"""The tables of docs/ablations.md, from the runs kept in benchmarks/results/ablations (benchmarks/ablations.py)."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from pathlib import Path
from random import Random
from statistics import fmean, quantiles, stdev

from archspec.facts import tasks
from archspec.statistics.blocks import Design, Estimate
from archspec.statistics.paired import LEVEL, Paired, compare, holm, needed, verdict

RESULTS = Path(__file__).resolve().parent.parent / "benchmarks" / "results" / "ablations"

Cell = tuple[str, ...]

NOTEBOOK: Mapping[Cell, float] = {
    ("off", "batch", "batch"): 83.9,
    ("off", "batch", "layer"): 85.2,
    ("off", "layer", "batch"): 85.6,
    ("off", "layer", "layer"): 83.5,
    ("on", "batch", "batch"): 83.7,
    ("on", "batch", "layer"): 83.9,
    ("on", "layer", "batch"): 85.1,
    ("on", "layer", "layer"): 83.5,
}
"""The grid of gating_norms as it was written down, one run a cell."""


@dataclass(frozen=True)
class Results:
    """The rows of a sweep's runs."""

    name: str
    axes: tuple[str, ...]
    rows: Sequence[Mapping[str, str]]

    @classmethod
    def read(cls, name: str) -> "Results":
        """Of a file; the axes, and a size that was solved for, stand before the seed."""
        with (RESULTS / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            rows = [*csv.DictReader(file)]
        before = [*rows[0]][: [*rows[0]].index("seed")]
        return cls(name, tuple(one for one in before if not one.startswith("size ")), rows)

    @property
    def cells(self) -> list[Cell]:
        """The cells, the best on the validation split first."""
        found = dict.fromkeys(self.cell(row) for row in self.rows)
        return sorted(found, key=lambda cell: fmean(self.of(cell, "val").values()) * self.worse)

    @property
    def score(self) -> str:
        """The score of all runs."""
        [name] = {row["score"] for row in self.rows}
        return name

    @property
    def worse(self) -> int:
        """1 where a larger score is worse, else -1."""
        return -1 if tasks.score(self.score).larger_is_better else 1

    @property
    def scale(self) -> float:
        """What shares are multiplied by."""
        return 100.0 if tasks.score(self.score).share else 1.0

    def cell(self, row: Mapping[str, str]) -> Cell:
        """The cell of a row."""
        return tuple(row[axis] for axis in self.axes)

    def of(self, cell: Cell, column: str) -> dict[str, float]:
        """A column's figures of a cell, by seed."""
        unit = self.scale if column.startswith(("val", "test")) else 1.0
        return {row["seed"]: unit * float(row[column]) for row in self.rows if self.cell(row) == cell}

    def only(self, column: str) -> float:
        """A figure that all rows share."""
        [text] = {row[column] for row in self.rows}
        return float(text) * self.scale


def cells(name: str, baseline: str) -> str:
    """A row for every cell, and how it differs from one of them: paired by seeds, corrected over the cells."""
    found, base = Results.read(name), tuple(baseline.split(","))
    if base not in found.cells:
        raise ValueError(f"{name} has no cell {baseline}")
    pairs = {cell: paired(found.of(cell, "test"), found.of(base, "test")) for cell in found.cells if cell != base}
    corrected = dict(zip(pairs, holm([one and one.p for one in pairs.values()]), strict=True))
    rows = [(*cell, *figures(found, cell), *said(found, pairs.get(cell), corrected.get(cell), len(pairs)))
            for cell in found.cells]  # fmt: skip
    floor = (
        "floor",
        *[""] * (len(found.axes) - 1),
        f"{found.only('test floor'):.2f}",
        f"{found.only('val floor'):.2f}",
    )
    unit = ", %" if found.scale > 1 else ""
    head = (*found.axes, f"test {found.score}{unit}", f"val {found.score}{unit}", "parameters", "s a run", "seeds")
    difference = f"test, less {', '.join(base)} [95 %]"
    return table((*head, difference, "p", ""), *rows, (*floor, *[""] * 6))


def paired(ones: Mapping[str, float], others: Mapping[str, float]) -> Paired | None:
    """The figures of the seeds that both have."""
    both = [seed for seed in ones if seed in others]
    return compare([ones[seed] for seed in both], [others[seed] for seed in both])


def figures(found: Results, cell: Cell) -> Iterator[str]:
    """The scores of a cell, its size and its time."""
    for split in ("test", "val"):
        values = [*found.of(cell, split).values()]
        yield f"{fmean(values):.2f} ± {stdev(values):.2f}"
    yield f"{next(iter(found.of(cell, 'parameters').values())):,.0f}"
    yield f"{fmean(found.of(cell, 'seconds').values()):.0f}"
    yield str(len(found.of(cell, "test")))


def said(found: Results, pair: Paired | None, corrected: float | None, comparisons: int) -> tuple[str, str, str]:
    """What a comparison says: the difference, its corrected p, and whether it decides anything."""
    if pair is None:
        return "", "", ""
    word = verdict(pair.mean, corrected, found.worse < 0)
    seeds = needed(pair, comparisons) if word == "not decided" else None
    more = f": {seeds} seeds would" if seeds else ": more than 50 seeds" if word == "not decided" else ""
    return interval(pair.mean, pair.interval), chance(corrected), word + more


def interval(value: float, bounds: tuple[float, float] | None) -> str:
    """A difference with its confidence interval."""
    return f"{value:+.2f}" + (f" [{bounds[0]:+.2f}, {bounds[1]:+.2f}]" if bounds else "")


def chance(p: float | None) -> str:
    """A p-value."""
    return "" if p is None else "< .001" if p < 0.001 else f"{p:.3f}".lstrip("0") if p < 1 else "1"


Effect = tuple[str, ...]


def coded(cell: Cell, levels: Sequence[Sequence[str]]) -> list[float]:
    """1, every axis as ∓ 1/2, and products of two: the coefficients are effects and differences of effects."""
    signs = [labels.index(label) - 0.5 for label, labels in zip(cell, levels, strict=True)]
    return [1.0, *signs, *(one * other for one, other in combinations(signs, 2))]


def estimates(found: Results) -> dict[Effect, Estimate | None]:
    """The effect of every axis with two alternatives, and for every two how much one changes the other's."""
    levels = [sorted({cell[at] for cell in found.cells}) for at in range(len(found.axes))]
    design = Design(
        {(cell, seed): value for cell in found.cells for seed, value in found.of(cell, "test").items()},
        {cell: coded(cell, levels) for cell in found.cells},
    )
    names = [(axis, f"{low} → {high}") for axis, (low, high) in zip(found.axes, levels, strict=True)]
    effects = [*names, *((f"{one[0]} × {other[0]}", "") for one, other in combinations(names, 2))]
    unit = [[float(at == own + 1) for at in range(len(effects) + 1)] for own in range(len(effects))]
    return dict(zip(effects, design.estimates(unit), strict=True))


def notebooks() -> dict[Effect, float]:
    """The same of the notebook's eight numbers, which leave nothing to tell their spread by."""
    axes = Results.read("gating_norms").axes
    rows = [{**dict(zip(axes, cell, strict=True)), "seed": "0", "test": str(value / 100), "val": "0", "score": "acc"}
            for cell, value in NOTEBOOK.items()]  # fmt: skip
    return {effect: one.value for effect, one in estimates(Results("notebook", axes, rows)).items() if one}


def effects(name: str) -> str:
    """The effects of a grid, and what the notebook's numbers made of them where it had the same grid."""
    found = estimates(Results.read(name))
    there = notebooks() if name == "gating_norms" else {}
    corrected = dict(zip(found, holm([one and one.p for one in found.values()]), strict=True))
    rows = [
        (*effect, *([f"{there[effect]:+.2f}"] if there else []),
         interval(one.value, one.interval), chance(corrected[effect]),
         "there" if (corrected[effect] or 0) <= LEVEL else "not decided")
        for effect, one in found.items() if one
    ]  # fmt: skip
    head = ("effect", "", *(["notebook"] if there else []), "points of test acc [95 %]", "p", "")
    return table(head, *rows)


def swings(name: str) -> str:
    """How much validation scores go up and down within runs, and how far cells are apart that are read once each."""
    found, size = Results.read(name), 5
    curves = {cell: [] for cell in found.cells}
    for row in found.rows:
        curves[found.cell(row)].append([found.scale * float(one) for one in row["val by epoch"].split()])
    epochs = len(next(iter(curves.values()))[0])
    rows = [swing([[one[start : start + size] for one in cell] for cell in curves.values()], start, size)
            for start in range(0, epochs, size)]  # fmt: skip
    head = (
        "epochs",
        "lowest",
        "highest",
        "from an epoch to the next, mean",
        f"{len(curves)} cells read once: apart by",
    )
    return table(head, *rows)


def swing(cells: Sequence[Sequence[Sequence[float]]], start: int, size: int) -> tuple[str, ...]:
    """Some epochs of all runs, cell by cell: [cells, runs, epochs]."""
    runs = [run for cell in cells for run in cell]
    every = [one for run in runs for one in run]
    steps = [abs(after - before) for run in runs for before, after in pairwise(run)]
    random = Random(start)
    readings = [[random.choice(random.choice(cell)) for cell in cells] for _ in range(DRAWS)]
    low, middle, high = (quantiles([max(one) - min(one) for one in readings], n=20)[at] for at in (0, 9, 18))
    apart = f"{middle:.1f} ({low:.1f} to {high:.1f})"
    return f"{start + 1} to {start + size}", f"{min(every):.2f}", f"{max(every):.2f}", f"{fmean(steps):.2f}", apart


DRAWS = 2000


def health(name: str) -> str:
    """The largest gradient and the largest deviation of a value, early and late, over the runs of every cell."""
    found = Results.read(name)
    measures = {"largest ‖g‖": "gradient", "largest deviation of a value": "deviation"}
    columns = {f"{what}, {when} epoch": f"{column} {when}"
               for what, column in measures.items() for when in ("first", "last")}  # fmt: skip
    rows = [(*cell, *(span([*found.of(cell, column).values()]) for column in columns.values()))
            for cell in found.cells]  # fmt: skip
    return table((*found.axes, *columns), *rows)


def span(values: Sequence[float]) -> str:
    """The least and the largest."""
    return " to ".join(f"{one:,.0f}" if one >= 10 else f"{one:.2g}" for one in (min(values), max(values)))


def table(*rows: Sequence[str]) -> str:
    """A Markdown table; the first row is its head."""
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([lines[0], "|" + "---|" * len(rows[0]), *lines[1:]])
