"""The tables of docs/ablations.md, from the runs kept in benchmarks/results/ablations (benchmarks/ablations.py).

They are those of `archspec table`, made of the same rows by the same code; what is said of the notebook is its own.
"""

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from random import Random
from statistics import fmean, quantiles

from archspec.facts import tasks
from archspec.sweep.baseline import find_cell
from archspec.sweep.table.blocks import Block, Part, table_of
from archspec.sweep.table.formats import text_block
from archspec.sweep.table.results import Baseline, CellRuns, Outcome, Run
from archspec.train.folder import RunFolder

RESULTS = Path(__file__).resolve().parent.parent / "benchmarks" / "results" / "ablations"

Row = Mapping[str, str]

NOTEBOOK = {
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
class Kept:
    """The rows of a sweep's runs."""

    name: str
    rows: Sequence[Row]

    @classmethod
    def read(cls, name: str) -> "Kept":
        """Of a file."""
        with (RESULTS / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            return cls(name, [*csv.DictReader(file)])

    @property
    def axes(self) -> list[str]:
        """They stand before the seed, and so do sizes that were solved for."""
        columns = [*self.rows[0]]
        return [one for one in columns[: columns.index("seed")] if not one.startswith(SIZE)]

    @property
    def by_cell(self) -> dict[str, list[Row]]:
        """The rows of every cell, by the name of its folder."""
        found: dict[str, list[Row]] = {}
        for row in self.rows:
            found.setdefault(",".join(row[axis] for axis in self.axes), []).append(row)
        return found

    def outcome(self, baseline: str) -> Outcome:
        """What `archspec table` makes its tables of."""
        cells = tuple(cell(folder, self.axes, rows) for folder, rows in self.by_cell.items())
        seeds = tuple(dict.fromkeys(int(row["seed"]) for row in self.rows))
        base = Baseline(find_cell({one.folder: one.labels for one in cells}, baseline), "the baseline")
        return Outcome(RESULTS / self.name, self.name, seeds, cells, ("val", self.rows[0]["score"]), base)

    def part(self, baseline: str) -> Part:
        """Its tables."""
        [found] = table_of(self.outcome(baseline)).parts
        return found


SIZE = "size "
"""How a column of a size that was solved for begins."""


def cell(folder: str, axes: Sequence[str], rows: Sequence[Row]) -> CellRuns:
    """A cell with its runs."""
    sizes = {name.removeprefix(SIZE): int(value) for name, value in rows[0].items() if name.startswith(SIZE)}
    labels = {axis: rows[0][axis] for axis in axes}
    return CellRuns(
        folder, labels, int(rows[0]["parameters"]), None, sizes, {int(row["seed"]): run(row) for row in rows}
    )


def run(row: Row) -> Run:
    """A run as its `done.json` and its `environment.json` say it."""
    name = row["score"]
    best, last, floor = ({split: {name: float(row[f"{split}{column}"])} for split in ("val", "test")}
                         for column in ("", " last", " floor"))  # fmt: skip
    result = {
        "reason": row["reason"], "best": best, "last": last, "seconds": float(row["seconds"]),
        "floor": {**floor, "rule": row["floor rule"]},
    }  # fmt: skip
    return Run(int(row["seed"]), RunFolder(RESULTS / "none"), result, {"torch": row["torch"]})


def cells(name: str, baseline: str) -> str:
    """A row for every cell, the best first."""
    return shown(Kept.read(name).part(baseline).scores)


def against(name: str, baseline: str) -> str:
    """How every cell differs from one of them."""
    block = Kept.read(name).part(baseline).against
    if block is None:
        raise ValueError(f"nothing is compared in {name}")
    return shown(block)


def effects(name: str, baseline: str) -> str:
    """The effects of the axes of a grid."""
    return shown(effects_of(Kept.read(name), baseline))


def effects_of(kept: Kept, baseline: str) -> Block:
    """They are there where axes form a grid."""
    block = kept.part(baseline).effects
    if block is None:
        raise ValueError(f"{kept.name} is no grid")
    return block


def beside_notebook(name: str, baseline: str) -> str:
    """The effects of the notebook's grid, beside what its own eight numbers come to in the same way."""
    kept = Kept.read(name)
    there = [row[1] for row in effects_of(notebook(kept), baseline).rows]
    ours = effects_of(kept, baseline)
    head, *rows = ([*row[:1], figure, *row[1:]] for row, figure in zip(ours.lines, ["notebook", *there], strict=True))
    return table([head, *rows])


def notebook(kept: Kept) -> Kept:
    """The notebook's numbers in the place of a sweep's."""
    rows = [
        {**row, **{key: str(NOTEBOOK[tuple(row[axis] for axis in kept.axes)] / 100) for key in ("val", "test")}}
        for row in kept.rows if row["seed"] == kept.rows[0]["seed"]
    ]  # fmt: skip
    return Kept("notebook", rows)


def health(name: str) -> str:
    """The largest gradient and the largest deviation of a value, early and late, over the runs of every cell; signs."""
    kept = Kept.read(name)
    measures = {"largest ‖g‖": "gradient", "largest deviation of a value": "deviation"}
    columns = {f"{what}, {when} epoch": f"{column} {when}"
               for what, column in measures.items() for when in ("first", "last")}  # fmt: skip
    rows = [
        [*folder.split(","), *(span([float(row[column]) for row in rows]) for column in columns.values()), told(rows)]
        for folder, rows in kept.by_cell.items()
    ]
    return table([[*kept.axes, *columns, "told of"], *rows])


def told(rows: Sequence[Row]) -> str:
    """The signs of trouble, each with how many of the runs gave it."""
    found = Counter(sign for row in rows for sign in row["signs"].split())
    return ", ".join(f"{sign} {number}/{len(rows)}" for sign, number in found.items()) or "nothing"


def span(values: Sequence[float]) -> str:
    """The least and the largest."""
    return " to ".join(f"{one:,.0f}" if one >= 10 else f"{one:.2g}" for one in (min(values), max(values)))


def swings(name: str) -> str:
    """How much validation scores go up and down within runs, and how far cells are apart that are read once each."""
    kept, size = Kept.read(name), 5
    curves = [[curve(row) for row in rows] for rows in kept.by_cell.values()]
    parts = range(0, len(curves[0][0]), size)
    rows = [swing([[one[start : start + size] for one in cell] for cell in curves], start) for start in parts]
    head = [
        "epochs",
        "lowest",
        "highest",
        "from an epoch to the next, mean",
        f"{len(curves)} cells read once: apart by",
    ]
    return table([head, *rows])


def curve(row: Row) -> list[float]:
    """The validation score of every epoch of a run, shares in percent."""
    unit = 100.0 if tasks.score(row["score"]).share else 1.0
    return [unit * float(one) for one in row["val by epoch"].split()]


def swing(cells: Sequence[Sequence[Sequence[float]]], start: int) -> list[str]:
    """Some epochs of all runs: [cells, runs, epochs]."""
    runs = [run for cell in cells for run in cell]
    every = [one for run in runs for one in run]
    steps = [abs(after - before) for run in runs for before, after in pairwise(run)]
    random = Random(start)
    readings = [[random.choice(random.choice(cell)) for cell in cells] for _ in range(DRAWS)]
    low, middle, high = (quantiles([max(one) - min(one) for one in readings], n=20)[at] for at in (0, 9, 18))
    apart = f"{middle:.1f} ({low:.1f} to {high:.1f})"
    return [
        f"{start + 1} to {start + len(runs[0])}",
        f"{min(every):.2f}",
        f"{max(every):.2f}",
        f"{fmean(steps):.2f}",
        apart,
    ]


DRAWS = 2000


def shown(block: Block) -> str:
    """A block without the columns that nothing stands in, or that nothing is kept of."""
    return table(kept_of(block).lines)


def kept_of(block: Block) -> Block:
    """Such a block."""
    filled = [at for at, name in enumerate(block.head) if name not in UNKEPT and any(row[at] for row in block.rows)]
    head, rows, foot = ([[row[at] for at in filled] for row in some]
                        for some in ([block.head], block.rows, [block.foot] if block.foot else []))  # fmt: skip
    return replace(block, head=head[0], rows=rows, foot=foot[0] if foot else [])


def terminal(name: str, baseline: str) -> str:
    """All tables as they are on a terminal."""
    blocks = Kept.read(name).part(baseline).blocks
    text = "\n\n".join(text_block(kept_of(one)) for one in blocks)
    return f"```console\n{text}\n```"


UNKEPT = ("‖g‖/‖w‖", "health")


def table(lines: Sequence[Sequence[str]]) -> str:
    """A Markdown table; the first line is its head."""
    rows = [f"| {' | '.join(row)} |" for row in lines]
    return "\n".join([rows[0], "|" + "---|" * len(lines[0]), *rows[1:]])
