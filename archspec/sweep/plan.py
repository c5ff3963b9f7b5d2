"""A sweep before anything runs: every cell compiled, counted and costed, those of one architecture found."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from archspec.check.suggest import nearest
from archspec.compare.consequences import Checked
from archspec.compare.same import same
from archspec.cost.bill import bill
from archspec.cost.parameters import count, uncounted
from archspec.cost.solve import solve
from archspec.diagnostics import Diagnostic, Problems, SpecError
from archspec.facts import Facts, known
from archspec.interface.checking import built_parameters
from archspec.pipeline import compile_spec
from archspec.sweep.cells import Cell, Ground, for_each
from archspec.sweep.file import Budget, Sweep
from archspec.syntax.overrides import read_overrides
from archspec.syntax.spec import Spec

SPLITS = ("val", "test")
"""Splits that cells can be ranked by."""


@dataclass(frozen=True)
class Planned:
    """A cell that is ready to run."""

    cell: Cell
    spec: Spec
    facts: Facts
    parameters: int
    seconds: float | None
    """Forecast of all epochs of one seed."""
    width: tuple[str, int] | None
    """The size that was solved for, and its value."""
    twin: Cell | None = None
    """An earlier cell of the same architecture and settings, whose runs are its runs too."""
    is_base: bool = False
    """Whether it is the architecture of the base itself, trained alike."""


Complete = Callable[[Spec], Spec]
"""What fills in what a spec leaves to its data set."""


def plan(ground: Ground, cells: Sequence[Cell], complete: Complete, data: Path | None = None) -> list[Planned]:
    """Every cell with its spec and what it costs. Raises SpecError with the problems of all cells.

    `data` is the folder for data, where what is known of a set is kept too.
    """
    sweep = ground.sweep
    specs = for_each(cells, cells, partial(spec_of, ground, sweep.budget))
    whole = for_each(cells, specs, complete)
    checked = for_each(cells, whole, partial(compiled, data=data))
    costed = for_each(cells, [*zip(cells, checked, strict=True)], lambda one: planned(*one, sweep.budget))
    rank_of(sweep, costed[0])
    check_rungs(sweep, costed)
    base = base_of(ground, partial(compiled, data=data), complete)
    same = [base is not None and is_twin(base, one) for one in checked]
    return twins([replace(one, is_base=own) for one, own in zip(costed, same, strict=True)], checked)


def base_of(ground: Ground, compile: Callable[[Spec], Checked], complete: Complete) -> Checked | None:
    """The base by itself; None where it is an axis, or is no spec without what the axes say."""
    sweep = ground.sweep
    if len(sweep.bases) > 1 or any(axis.is_of_specs for axis in sweep.axes):
        return None
    bare = Cell(tuple(None for _ in sweep.axes), sweep.bases[0].span)
    try:
        return compile(complete(spec_of(ground, sweep.budget, bare)))
    except SpecError:
        return None


def spec_of(ground: Ground, budget: Budget | None, cell: Cell) -> Spec:
    """The spec of a cell, as wide as the budget allows where that is to be solved for."""
    spec = ground.spec(cell)
    if budget is None or budget.size is None:
        return spec
    found = solve(spec, budget.size, budget.parameters)
    size = read_overrides([f"model.sizes.{budget.size}={found.value}"], Problems())
    return ground.spec(cell, [size] if size else [])


def compiled(spec: Spec, data: Path | None) -> Checked:
    """A spec with its program and its plan."""
    facts = known(spec.settings.data, spec.place("data", "name"), data)
    made = compile_spec(spec, facts)
    return Checked(spec, made.program, made.plan, facts)


def planned(cell: Cell, one: Checked, budget: Budget | None) -> Planned:
    """What a cell costs. E0804 for one that is over the budget, E0311 where its data was not read yet."""
    spec, data = one.spec, one.spec.settings.data
    if data is None:
        cure = "add `data: {name: …}` to the base"
        raise SpecError([Diagnostic("E0609", "the spec names no data", path=spec.source.path, help=cure)])
    if one.facts is None:
        message = f"nothing is known of the data set `{data.name}` before it is read"
        cure = f"read it once: `archspec data {data.name}`, with the same options"
        raise SpecError([Diagnostic("E0311", message, spec.place("data", "name"), help=cure)])
    numbers = built_parameters(spec) if uncounted(one.program) else count(one.program)
    if budget and numbers > budget.parameters:
        message = f"this cell has {numbers:,} parameters, more than the budget of {budget.parameters:,}"
        raise SpecError([Diagnostic("E0804", message, budget.span, help="let a size be found: `solve: d`")])
    epoch = bill(spec, one.program, one.plan, one.facts).epoch
    size = budget.size if budget else None
    width = (size, int(str(spec.settings.model.sizes[size]))) if size else None
    return Planned(cell, spec, one.facts, numbers, epoch and epoch * spec.settings.train.epochs, width)


def check_rungs(sweep: Sweep, cells: Sequence[Planned]) -> None:
    """E0849 for a rung of halving that a cell does not come to."""
    shortest = min(cells, key=lambda one: one.spec.settings.train.epochs)
    epochs = shortest.spec.settings.train.epochs
    if sweep.halving and (beyond := [rung for rung in sweep.halving.rungs if rung >= epochs]):
        message = f"the rung {beyond[0]} is not before the end of the cell {shortest.cell.name}, epoch {epochs}"
        raise SpecError([Diagnostic("E0849", message, sweep.halving.span, help="write epochs before the last")])


def rank_of(sweep: Sweep, one: Planned) -> tuple[str, str]:
    """The split and the score that cells are ranked by: of the validation split unless said. E0805 for others."""
    text = sweep.rank_by.text.strip() if sweep.rank_by else str(one.spec.settings.train.monitor)
    split, _, name = text.rpartition(".")
    names = [*one.facts.scores, "loss"]
    if split not in ("", *SPLITS) or name not in names:
        at = sweep.rank_by.span if sweep.rank_by else None
        every = [f"{split}{name}" for split in ("", *(f"{split}." for split in SPLITS)) for name in names]
        cure = nearest(text, every) or f"write one of {', '.join(names)}, or `test.{names[0]}`"
        raise SpecError([Diagnostic("E0805", f"cells cannot be ranked by `{text}`", at, help=cure)])
    return split or "val", name


def twins(made: list[Planned], checked: Sequence[Checked]) -> list[Planned]:
    """The cells, each that is an earlier one over again with that."""
    found: list[Planned] = []
    for at, one in enumerate(made):
        alike = (other for other in range(at) if found[other].twin is None and is_twin(checked[other], checked[at]))
        first = next(alike, None)
        found.append(one if first is None else replace(one, twin=made[first].cell))
    return found


def is_twin(one: Checked, other: Checked) -> bool:
    """Whether two specs have one normal form and are trained alike."""
    return outside(one.spec) == outside(other.spec) and same(one.program, other.program) is not None


def outside(spec: Spec) -> dict[str, Any]:
    """What a spec says apart from its equations and what `parameters:` says of their weights, which forms have."""
    said = spec.settings.model_dump()
    return {key: value for key, value in said.items() if key not in ("name", "about", "model")}
