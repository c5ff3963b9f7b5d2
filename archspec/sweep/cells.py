"""The cells of a sweep: every combination of alternatives, or those that are listed, each a spec. No torch."""

import re
from collections import abc
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import TypeVar

from archspec.check.suggest import nearest
from archspec.diagnostics import Diagnostic, Problems, SpecError
from archspec.source import Span
from archspec.sweep.axes import ON, Alternative, Axis, at_value
from archspec.sweep.baseline import NoCell, find_cell
from archspec.sweep.file import Sweep
from archspec.sweep.ranges import Number
from archspec.syntax.document import Mapping, Scalar
from archspec.syntax.files import find, read_source, shipped_specs
from archspec.syntax.load import load_library, load_under
from archspec.syntax.overrides import read_overrides
from archspec.syntax.spec import Spec

MOST = 10_000
"""Cells of a sweep."""

Values = abc.Mapping[str, Number | str]
"""By the name of an axis."""

BASE = "base"
"""The label of an axis that a listed cell leaves as the base has it."""


@dataclass(frozen=True)
class Cell:
    """One combination: of every axis an alternative, or None for what the base has."""

    chosen: tuple[Alternative | None, ...]
    span: Span

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of the alternatives, in the order of the axes."""
        return tuple(one.label if one else BASE for one in self.chosen)

    @property
    def name(self) -> str:
        """What it is called in messages."""
        return ", ".join(self.labels)

    @property
    def folder(self) -> str:
        """The name of its folder."""
        return ",".join(re.sub(r"[^\w.+=-]+", "_", label).lstrip(".") or "_" for label in self.labels) or BASE

    @property
    def base(self) -> Scalar | None:
        """The spec that it stands on, where that is an axis."""
        return next((one.base for one in self.chosen if one and one.base), None)

    @property
    def layers(self) -> list[Mapping]:
        """What it lays over the base."""
        return [layer for one in self.chosen if one for layer in one.layers]


def cells_of(sweep: Sweep) -> list[Cell]:
    """The cells of a sweep; of one that is searched the ends of its ranges.

    Raises SpecError: E0802 too many, E0803 one of nothing, or two of one name, E0807.
    """
    problems = Problems()
    if sweep.search:
        found = [*ends(sweep, problems)]
    else:
        found = [*grid(sweep, problems)] if sweep.listed is None else [*listed(sweep, sweep.listed, problems)]
    taken: dict[str, Cell] = {}
    for cell in found:
        if (other := taken.setdefault(cell.folder.lower(), cell)) is not cell:
            notes = (f"`{other.folder}` and `{cell.folder}`",)
            help = "name the alternatives otherwise, or list the cell once"
            problems.error("E0803", cell.span, "two cells would be kept in one folder", notes=notes, help=help)
    if sweep.baseline and not problems.found:
        named(sweep, found, sweep.baseline, problems)
    problems.finish()
    return found


def baseline_of(sweep: Sweep, cells: Sequence[Cell]) -> Cell | None:
    """The cell that a sweep names as its baseline. Raises SpecError, E0807, for none."""
    problems = Problems()
    found = named(sweep, cells, sweep.baseline, problems) if sweep.baseline else None
    problems.finish()
    return found


def named(sweep: Sweep, cells: Sequence[Cell], said: Scalar | Mapping, problems: Problems) -> Cell | None:
    """The one cell that is meant; E0807 for none and for several."""
    known = {cell.folder: cell for cell in cells}
    axes = [axis.name for axis in sweep.axes]
    labels = {folder: dict(zip(axes, cell.labels, strict=True)) for folder, cell in known.items()}
    try:
        return known[find_cell(labels, said_of(sweep, said))]
    except NoCell as problem:
        problems.error("E0807", said.span, problem.message, help=problem.help)
        return None


def said_of(sweep: Sweep, said: Scalar | Mapping) -> str | dict[str, str]:
    """A cell as it is named: by its name, or by alternatives of axes, each by its name or its path."""
    if isinstance(said, Scalar):
        return said.text.strip()
    names = {".".join(axis.paths[0]): axis.name for axis in sweep.axes}
    values = {key: entry.value for key, entry in said.entries.items()}
    return {
        names.get(key, key): value.text.strip() if isinstance(value, Scalar) else "" for key, value in values.items()
    }


def grid(sweep: Sweep, problems: Problems) -> Iterator[Cell]:
    """All combinations, the last axis the fastest."""
    number = 1
    for axis in sweep.axes:
        number *= len(axis.alternatives)
    if number > MOST:
        help = f"list the cells that are wanted, at most {MOST:,}: `cells:`"
        problems.error("E0802", sweep.axes[-1].span, f"these axes make {number:,} cells", help=help)
        return
    for chosen in product(*(axis.alternatives for axis in sweep.axes)):
        yield Cell(chosen, chosen[-1].span if chosen else sweep.bases[0].span)


def ends(sweep: Sweep, problems: Problems) -> Iterator[Cell]:
    """All combinations with every range at its lowest value, then with every one at its highest."""
    taken = set[tuple[str, ...]]()
    for which in (slice(0, 1), slice(1, 2)):
        axes = [replace(one, alternatives=one.alternatives[which]) if one.range else one for one in sweep.axes]
        for cell in grid(replace(sweep, axes=tuple(axes)), problems):
            if cell.labels not in taken:
                yield cell
            taken.add(cell.labels)


def cell_at(sweep: Sweep, values: Values) -> Cell:
    """The cell with these values of ranges and alternatives, by the names of their axes."""
    chosen = [alternative_at(axis, values[axis.name]) for axis in sweep.axes]
    return Cell(tuple(chosen), sweep.axes[0].span)


def alternative_at(axis: Axis, value: Number | str) -> Alternative:
    """An alternative of an axis by its name, or a value of its range."""
    if axis.range is None:
        return axis.alternatives[axis.labels.index(str(value))]
    assert not isinstance(value, str)
    return at_value(axis.range, axis.range.text(value))


def listed(sweep: Sweep, sections: Sequence[Mapping], problems: Problems) -> Iterator[Cell]:
    """The cells that a file lists."""
    axes = {axis.name: axis for axis in sweep.axes} | {".".join(axis.paths[0]): axis for axis in sweep.axes}
    for section in sections:
        chosen: dict[str, Alternative] = {}
        before = len(problems.found)
        for name, entry in section.entries.items():
            if (axis := axes.get(name)) is None:
                help = nearest(name, axes) or f"the axes are {', '.join(one.name for one in sweep.axes) or 'none'}"
                problems.error("E0803", entry.key.span, f"there is no axis `{name}`", help=help)
                continue
            label = entry.value.text.strip() if isinstance(entry.value, Scalar) else ""
            if label not in axis.labels:
                help = nearest(label, axis.labels) or f"its alternatives are {', '.join(axis.labels)}"
                message = f"the axis `{axis.name}` has no alternative `{label}`"
                problems.error("E0803", entry.value.span, message, help=help)
                continue
            chosen[axis.name] = axis.alternatives[axis.labels.index(label)]
        for axis in sweep.axes:
            if axis.is_of_specs and not {axis.name, ".".join(axis.paths[0])} & {*section.entries}:
                cure = f"write `{axis.name}: {axis.labels[0]}`"
                problems.error("E0803", section.span, f"this cell has nothing of the axis `{axis.name}`", help=cure)
        if len(problems.found) == before:
            yield Cell(tuple(chosen.get(axis.name) for axis in sweep.axes), section.span)


@dataclass(frozen=True)
class Ground:
    """What the cells of a sweep stand on: its base with the settings of all, and those of the command line."""

    sweep: Sweep
    above: tuple[Mapping, ...]

    def spec(self, cell: Cell | None = None, more: Sequence[Mapping] = ()) -> Spec:
        """The spec of a cell, or of the base. Raises SpecError."""
        return self.over((cell and cell.base) or self.sweep.bases[0], [*(cell.layers if cell else ()), *more])

    def over(self, base: Scalar, layers: Sequence[Mapping] = ()) -> Spec:
        """The spec of a base with what all share and these layers. Raises SpecError, for none at its name."""
        try:
            return load_under(self.path(base), self.sweep.folder, [*self.above, *layers])
        except SpecError as error:
            raise SpecError(
                one if one.span else replace(one, span=base.span, path="") for one in error.diagnostics
            ) from None

    def path(self, base: Scalar) -> str:
        """What is read for a base; a shipped spec where a sweep of the same name stands in the sweep's folder."""
        name = base.text.strip()
        found = find(name, self.sweep.folder)
        return str(shipped_specs()[found.stem]) if found.stem in shipped_specs() and is_sweep(found) else name


def is_sweep(path: Path) -> bool:
    """Whether a file holds a sweep rather than a spec."""
    source = read_source(path, Problems())
    return source is not None and re.search(r"^axes:", source.text, re.MULTILINE) is not None


def ground_of(sweep: Sweep, overrides: Sequence[str]) -> tuple[Ground, Spec]:
    """What all cells stand on, and the first base with it. Raises SpecError, also E0801 for an axis of nothing."""
    problems = Problems()
    given = read_overrides(overrides, problems)
    problems.finish()
    ground = Ground(sweep, tuple(one for one in (sweep.settings, given) if one))
    bases = [*read_bases(ground, problems)]
    problems.finish()
    for base in bases:
        check_axes(sweep, base, problems)
    problems.finish()
    return ground, bases[0]


def read_bases(ground: Ground, problems: Problems) -> Iterator[Spec]:
    """The bases of a sweep, each with what all cells share; what is wrong with any is collected."""
    for one in ground.sweep.bases:
        try:
            yield ground.over(one)
        except SpecError as error:
            problems.found += error.diagnostics


def check_axes(sweep: Sweep, base: Spec, problems: Problems) -> None:
    """E0801 for axes that make no difference to a base."""
    solved = sweep.budget.size if sweep.budget else None
    for axis in sweep.axes:
        for path in axis.paths:
            if path != ON:
                check_path(path, axis, base, problems)
            if path == ("model", "sizes", solved):
                message = f"the size `{solved}` is solved for, so it is no axis"
                problems.error("E0801", axis.span, message, help="vary something else, or leave out `solve`")


def check_path(path: tuple[str, ...], axis: Axis, base: Spec, problems: Problems) -> None:
    """E0801 for a path that no cell could make a difference with; other unknown keys the schema refuses."""
    what = ".".join(path[:2])
    name = path[-1].partition("(")[0].strip()
    known = {
        "model.sizes": [*base.sizes],
        "model.where": [*base.definitions, *load_library()],
        "model": ["input", "stack", "output", "penalty", "where", "sizes"],
    }.get(what if len(path) > 2 else path[0] if len(path) == 2 else "")
    if path[0] == "train" and path[-1] in ("seed", "seeds"):
        problems.error("E0801", axis.span, "seeds are no axis: every cell has all of them", help="write `seeds: 3`")
    elif path in (("name",), ("about",), ("extends",), ("uses",)):
        problems.error("E0801", axis.span, f"`{path[0]}` is no axis", help="vary what is in `model`, `data` or `train`")
    elif known is not None and name not in known:
        help = nearest(name, known) or f"it has {', '.join([*base.sizes] if 'sizes' in what else [*base.definitions])}"
        problems.error("E0801", axis.span, f"the base `{base.settings.name}` has no `{'.'.join(path)}`", help=help)


Given = TypeVar("Given")
Found = TypeVar("Found")


def for_each(cells: Sequence[Cell], given: Sequence[Given], work: Callable[[Given], Found]) -> list[Found]:
    """What comes of what every cell has; SpecError with the problems of all, each told once, for the first cell."""
    found: list[Found] = []
    problems: dict[tuple[object, ...], Diagnostic] = {}
    for cell, one in zip(cells, given, strict=True):
        try:
            found.append(work(one))
        except SpecError as error:
            for problem in error.diagnostics:
                told = replace(problem, notes=(*problem.notes, f"in the cell {cell.name}"))
                problems.setdefault((problem.code, problem.span, problem.message, problem.path), told)
    if problems:
        raise SpecError(problems.values())
    return found
