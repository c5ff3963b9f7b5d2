"""The folder of a sweep: one folder for each cell, which holds the runs of its seeds as `archspec train` makes them."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from archspec.diagnostics import Diagnostic, SpecError
from archspec.sweep.cells import baseline_of
from archspec.sweep.file import Sweep
from archspec.sweep.plan import Planned, rank_of
from archspec.sweep.table.results import FILE
from archspec.syntax.load import parse_spec
from archspec.syntax.spec import Spec
from archspec.train import folder
from archspec.train.files import write, write_json
from archspec.train.folder import Record, RunFolder, parsed
from archspec.train.group import Group, is_group, with_seed, with_seeds
from archspec.train.lock import Lock
from archspec.train.resumption import FREE, finished, leaves


class SweepFolder:
    """The cells of a sweep on the disk."""

    def __init__(self, path: Path, seeds: Sequence[int]):
        self.path = path
        self.seeds = [*seeds]
        self.table = path / "table.txt"
        self.lock = Lock(path)
        self.stopped: dict[str, int] = {}
        """Cells that were given up, by their folders, and after which epoch."""

    def group(self, one: Planned) -> Group:
        """The runs of a cell; those of its twin where it has one."""
        return Group(self.path / (one.twin or one.cell).folder)

    def run(self, one: Planned, seed: int) -> RunFolder:
        """One of its runs."""
        return self.group(one).run(seed)

    def spec(self, one: Planned, seed: int) -> Spec:
        """The spec of that run."""
        return with_seed(one.spec, seed)

    def results(self, one: Planned) -> dict[int, Record]:
        """The results of the runs that are finished, by seed; of a cell that was given up also of those that paused."""
        found = {seed: self.run(one, seed).result() for seed in self.seeds}
        over = self.stopped_at(one) is not None
        return {seed: one for seed, one in found.items() if one and (over or one["reason"] != "paused")}

    def stopped_at(self, one: Planned) -> int | None:
        """The epoch after which a cell was given up; None where it was not."""
        return self.stopped.get((one.twin or one.cell).folder)

    def open_runs(self, cells: Sequence[Planned]) -> list[tuple[Planned, int]]:
        """The runs that are not finished, seed after seed, so that early on every cell has a result."""
        return [(one, seed) for seed in self.seeds for one in cells if one.twin is None and self.is_open(one, seed)]

    def is_open(self, one: Planned, seed: int) -> bool:
        """Whether there is something left to do for a run."""
        return finished(self.run(one, seed), one.spec.settings.train.epochs) is None

    def begin(self, sweep: Sweep, cells: Sequence[Planned], options: Record) -> None:
        """Put down what is to run. E0610 for a folder of something else, E0806 for runs of other specs in it."""
        self.check(sweep, cells)
        self.path.mkdir(parents=True, exist_ok=True)
        write(self.path / "sweep.yaml", sweep.source.text)
        told: Record = {"name": sweep.name, "seeds": self.seeds}
        if cells:
            told |= {"rank_by": rank_of(sweep, cells[0]), "baseline": baseline_entry(sweep, cells)}
        named = {one.cell.folder: entry(sweep, one) | self.mark(one) for one in cells}
        write_json(self.path / FILE, told | {"cells": named})
        for one in cells:
            if one.twin is None:
                self.begin_cell(one, options)

    def mark(self, one: Planned) -> Record:
        """What `sweep.json` says of a cell that was given up."""
        return {} if self.stopped_at(one) is None else {"stopped_at_epoch": self.stopped_at(one)}

    def begin_cell(self, one: Planned, options: Record) -> None:
        """A cell's folder; seeds that it has already stay."""
        group = self.group(one)
        group.path.mkdir(exist_ok=True)
        before = group.seeds if is_group(group.path) else []
        spec = with_seeds(one.spec, list(dict.fromkeys([*before, *self.seeds])))
        if before:
            group.write(spec, spec.settings.train.seeds or [])
        else:
            group.begin(spec, options)

    def keep(self, one: Planned) -> None:
        """Put down what the runs of a cell have come to."""
        group = self.group(one)
        group.write(with_seeds(one.spec, group.seeds), group.seeds)

    @property
    def is_begun(self) -> bool:
        """Whether it is the folder of a sweep already."""
        return (self.path / FILE).is_file()

    def check(self, sweep: Sweep, cells: Sequence[Planned]) -> None:
        """Whether this folder can hold the sweep."""
        if not self.is_begun:
            folder.check_free(self.path)
        elif (own := parsed((self.path / FILE).read_bytes(), self.path / FILE).get("name")) != sweep.name:
            message, cure = f"this is the folder of another sweep, `{own}`", "name another folder with `--run-dir`"
            note = f"if it is that one under another name, write `name: {own}` in the file"
            raise SpecError([Diagnostic("E0806", message, path=str(self.path), notes=(note,), help=cure)])
        if problems := [one for cell in cells if cell.twin is None for one in self.differing(cell)]:
            raise SpecError(problems)

    def differing(self, one: Planned) -> Iterator[Diagnostic]:
        """E0806 for the first setting in which runs that a cell's folder holds are not those of the cell."""
        group = self.group(one)
        if not is_group(group.path):
            return
        old = parse_spec(group.spec.read_text(encoding="utf-8"), str(group.spec))
        new = parse_spec(one.spec.text, str(group.spec))
        before, now = (dict(leaves(spec.settings.model_dump())) for spec in (old, new))
        for path in before | now:
            if before.get(path) != now.get(path) and is_fixed(path):
                name, was = ".".join(path), before.get(path)
                message = f"`{name}` of the cell {one.cell.name} is not that of the runs in its folder"
                cure = "take it back, or name another folder with `--run-dir`"
                note = "there it was not set" if was is None else f"there it is `{was}`"
                yield Diagnostic("E0806", message, path=str(group.path), notes=(note,), help=cure)
                return


def is_fixed(path: tuple[str, ...]) -> bool:
    """Whether a setting has to stay when a run goes on."""
    return (
        path not in FREE
        and path[0] not in ("track", "name")
        and path[:2] not in (("train", "seed"), ("train", "seeds"))
    )


def baseline_entry(sweep: Sweep, cells: Sequence[Planned]) -> Record | None:
    """What `sweep.json` says of the cell that the others are compared with: that named, else the base's own."""
    if cell := baseline_of(sweep, [one.cell for one in cells]):
        return {"cell": cell.folder, "why": "named in the sweep"}
    own = next((one.cell for one in cells if one.is_base), None)
    return {"cell": own.folder, "why": "which is the base itself"} if own else None


def entry(sweep: Sweep, one: Planned) -> Record:
    """What `sweep.json` says of a cell."""
    labels = dict(zip((axis.name for axis in sweep.axes), one.cell.labels, strict=True))
    twin = one.twin and one.twin.folder
    return {
        "axes": labels,
        "parameters": one.parameters,
        "same_as": twin,
        "sizes": dict([one.width] if one.width else []),
    }
