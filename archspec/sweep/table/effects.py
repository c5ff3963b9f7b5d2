"""What each axis does on the average of the others, and whether two do more together: every seed is a block.

A main effect is the mean of the cells with one alternative less that of the cells with another. An interaction is a
difference of differences: how much more an alternative of one axis brings with one alternative of another axis than
with another. Cells of one architecture are one cell, whose runs count once.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from math import prod

from archspec.facts import tasks
from archspec.statistics.blocks import Design, Estimate, uneven
from archspec.statistics.paired import LEVEL, holm, verdict
from archspec.sweep.baseline import listing
from archspec.sweep.shown import counted
from archspec.sweep.table.groups import Group, Row
from archspec.sweep.table.results import CellRuns

Weights = Mapping[str, float]
"""Of cells, by folder."""


@dataclass(frozen=True)
class Effect:
    """One effect."""

    axes: tuple[str, ...]
    name: str
    estimate: Estimate
    p: float | None
    """Corrected for all effects of the table."""
    said: str


@dataclass(frozen=True)
class Effects:
    """The effects of a group, and what cannot be estimated of them."""

    found: Sequence[Effect]
    remarks: Sequence[str]
    uneven: bool = False
    """Whether some cells have another spread than others, so that the p-values are rough."""


NONE = Effects((), ())


def effects(group: Group, reference: CellRuns | None, order: Sequence[str]) -> Effects:
    """All main effects and interactions of two axes, against the alternatives of a cell, else the first of each axis.

    `order` is that of the cells in the sweep, by folder. Nothing where fewer than two axes vary: the comparison of the
    cells then says all.
    """
    rows = {row.cell.folder: row for row in sorted(group.rows, key=lambda row: order.index(row.cell.folder))}
    levels = levels_of([row.cell for row in rows.values()], reference)
    if len(levels) < 2:
        return NONE
    if lacking := [row.cell.name for row in rows.values() if not row.scores and row.cell.same_as is None]:
        return Effects((), [f"effects need a run of every cell that did not diverge: {listing(lacking)}"])
    absent = prod(map(len, levels.values())) - len(
        {tuple(row.cell.labels[axis] for axis in levels) for row in rows.values()}
    )
    return additive(rows, levels, absent) if absent else full(rows, levels)


def chosen_by_score(cells: Sequence[CellRuns]) -> Effects:
    """None, where it hung on scores which cells there are, or how long they were trained."""
    given_up = sum(cell.stopped is not None for cell in cells)
    why = (
        f"{counted(given_up, 'cell')} {'was' if given_up == 1 else 'were'} given up early"
        if given_up
        else "a search chose the cells by their scores"
    )
    return Effects((), [f"{why}, so effects of the axes cannot be estimated"])


def levels_of(cells: Sequence[CellRuns], reference: CellRuns | None) -> dict[str, list[str]]:
    """The alternatives of every axis that varies, that of the reference first."""
    found = {}
    for axis in cells[0].labels if cells else ():
        labels = [*dict.fromkeys(cell.labels[axis] for cell in cells)]
        first = reference.labels[axis] if reference else labels[0]
        found[axis] = sorted(labels, key=lambda label: label != first)
    return {axis: labels for axis, labels in found.items() if len(labels) > 1}


def full(rows: Mapping[str, Row], levels: Mapping[str, Sequence[str]]) -> Effects:
    """The effects of a grid without gaps: contrasts of the means of its cells, whatever the interactions are."""
    contrasts = {**dict(main(rows, levels)), **dict(pairs(rows, levels))}
    keys = [*dict.fromkeys(row.cell.key for row in rows.values())]
    design = Design(figures(rows), {key: [float(key == other) for other in keys] for key in keys})
    found = estimated(design, rows, {name: summed(rows, one, keys) for name, one in contrasts.items()})
    return Effects(found, (), uneven(design.figures))


def additive(rows: Mapping[str, Row], levels: Mapping[str, Sequence[str]], absent: int) -> Effects:
    """The main effects of listed cells, as far as they are determined where no axes interact."""
    columns = [(axis, label) for axis, labels in levels.items() for label in labels[1:]]
    firsts = [row.cell for row in rows.values() if row.cell.same_as is None]
    coefficients = {cell.key: [1.0, *(float(cell.labels[axis] == label) for axis, label in columns)] for cell in firsts}
    design = Design(figures(rows), coefficients)
    names: dict[Named, Sequence[float]] = {
        ((axis,), f"{axis}: {label} - {levels[axis][0]}"): [0.0, *(float(at == other) for other in range(len(columns)))]
        for at, (axis, label) in enumerate(columns)
    }
    found = estimated(design, rows, names)
    if not found:
        return Effects((), [f"these {counted(len(firsts), 'cell')} do not determine the effects of the axes"])
    known = {one.name for one in found}
    remarks = [f"{absent} of the combinations are not in the sweep, so no interaction can be estimated; main effects "
               "are those of a sum of the axes, without interactions"]  # fmt: skip
    if lost := [name for _, name in names if name not in known]:
        remarks.append(f"these cells do not determine {listing(lost)}")
    return Effects(found, remarks, uneven(design.figures))


def figures(rows: Mapping[str, Row]) -> dict[tuple[str, int], float]:
    """The scores by cell and seed."""
    return {(row.cell.key, seed): score for row in rows.values() if row.cell.same_as is None
            for seed, score in row.scores.items()}  # fmt: skip


Named = tuple[tuple[str, ...], str]
"""The axes of an effect, and how it is written."""


def main(rows: Mapping[str, Row], levels: Mapping[str, Sequence[str]]) -> Iterator[tuple[Named, Weights]]:
    """Of every axis each alternative less the first."""
    for axis, (first, *others) in levels.items():
        for label in others:
            signs = {folder: side(row.cell, axis, label, first) for folder, row in rows.items()}
            yield ((axis,), f"{axis}: {label} - {first}"), averaged(signs, 2)


def pairs(rows: Mapping[str, Row], levels: Mapping[str, Sequence[str]]) -> Iterator[tuple[Named, Weights]]:
    """Of every two axes the difference of differences of each two alternatives."""
    for (one, (first, *others)), (two, (second, *more)) in combinations(levels.items(), 2):
        for label, other in product(others, more):
            signs = {
                folder: side(row.cell, one, label, first) * side(row.cell, two, other, second)
                for folder, row in rows.items()
            }
            yield (
                ((one, two), f"{one}: {label} - {first} × {two}: {other} - {second}"),
                averaged(signs, 4),
            )


def side(cell: CellRuns, axis: str, label: str, first: str) -> float:
    """1 for a cell with an alternative, -1 for one with the first, 0 for others."""
    return float(cell.labels[axis] == label) - float(cell.labels[axis] == first)


def averaged(signs: Weights, parts: int) -> Weights:
    """Weights of means, of which a contrast has so many."""
    each = sum(map(abs, signs.values())) / parts
    return {folder: sign / each for folder, sign in signs.items()}


def summed(rows: Mapping[str, Row], weights: Weights, keys: Sequence[str]) -> list[float]:
    """The weights of architectures from those of cells; what cancels out is 0 exactly."""
    found = dict.fromkeys(keys, 0.0)
    for folder, weight in weights.items():
        found[rows[folder].cell.key] += weight
    return [0.0 if abs(weight) < 1e-9 else weight for weight in found.values()]


def estimated(
    design: Design[str], rows: Mapping[str, Row], contrasts: Mapping[Named, Sequence[float]]
) -> list[Effect]:  # fmt: skip
    """The effects that the scores determine, with p-values corrected for all of them."""
    found = [one for one in zip(contrasts, design.estimates([*contrasts.values()]), contrasts.values(), strict=True)]
    known = [(named, one, weights) for named, one, weights in found if one is not None]
    p = holm([one.p for _, one, _ in known])
    name = next(iter(rows.values())).score[1]
    larger = tasks.score(name).larger_is_better
    return [
        Effect(*named, one, corrected, words(named[0], one, corrected, larger, any(weights)))
        for (named, one, weights), corrected in zip(known, p, strict=True)
    ]


def words(axes: Sequence[str], one: Estimate, p: float | None, larger: bool, varies: bool) -> str:
    """What may be said of an effect."""
    if not varies:
        return "none: the same architectures"
    if one.p is None:
        return "not decided: one seed has no spread"
    if len(axes) == 1:
        return verdict(one.value, p, larger)
    return "they interact" if p is not None and p <= LEVEL else "not decided"
