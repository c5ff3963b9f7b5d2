"""A sweep's results as tables of text, whatever they are then written as: scores, comparisons, effects, remarks."""

import math
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from archspec.facts import tasks
from archspec.runs.row import is_share
from archspec.runs.row import shown as in_percent
from archspec.runs.table import figure
from archspec.statistics.paired import LEVEL, POWER
from archspec.sweep.baseline import listing
from archspec.sweep.shown import counted, lasting
from archspec.sweep.table.against import Comparison, comparisons
from archspec.sweep.table.effects import NONE, Effects, chosen_by_score, effects
from archspec.sweep.table.groups import Group, Row, groups_of
from archspec.sweep.table.results import Outcome, Run
from archspec.train.folder import Record


@dataclass(frozen=True)
class Block:
    """One table with what has to be said of it."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    words: int
    """Columns from the left that hold words; figures stand in the others."""
    remarks: Sequence[str] = ()
    foot: Sequence[str] = ()
    """A last row that is no cell: the floor."""

    @property
    def lines(self) -> list[Sequence[str]]:
        """Head, rows and foot."""
        return [self.head, *self.rows, *([self.foot] if self.foot else [])]


@dataclass(frozen=True)
class Part:
    """The tables of results that may be compared with each other."""

    group: Group
    scores: Block
    against: Block | None
    effects: Block | None
    comparisons: Sequence[Comparison]
    estimated: Effects

    @property
    def blocks(self) -> list[Block]:
        """Those there are."""
        return [one for one in (self.scores, self.against, self.effects) if one]


@dataclass(frozen=True)
class Table:
    """All that a sweep comes to."""

    outcome: Outcome
    score: tuple[str, str]
    """Split and score that cells are compared by."""
    parts: Sequence[Part]
    warnings: Sequence[str]
    remarks: Sequence[str]


def table_of(outcome: Outcome, split: str | None = None) -> Table:
    """The tables of a sweep; cells are compared on the test split where there is one and nothing else is said."""
    score = (split or split_of(outcome), outcome.rank[1])
    groups = groups_of(outcome, score)
    parts = [part(outcome, group, score) for group in groups]
    return Table(outcome, score, parts, [*warnings(outcome, groups)], [*remarks(outcome)])


def split_of(outcome: Outcome) -> str:
    """The test split, else the validation split."""
    has_test = any(run.score("test", outcome.rank[1]) is not None for run in outcome.runs)
    ended = any(run.state == "finished" for run in outcome.runs)
    return "test" if has_test or not ended else "val"


def part(outcome: Outcome, group: Group, score: tuple[str, str]) -> Part:
    """The tables of one group."""
    named = outcome.baseline.folder if outcome.baseline else None
    baseline = next((row for row in group.rows if row.cell.folder == named), None)
    compared = comparisons(group, baseline) if baseline and len(group.rows) > 1 else []
    order = [cell.folder for cell in outcome.cells]
    by_score = outcome.is_searched or any(cell.stopped is not None for cell in outcome.cells)
    found = effects(group, baseline.cell if baseline else None, order) if group.runs and not by_score else NONE
    found = chosen_by_score(outcome.cells) if by_score and len(group.rows) > 1 and len(outcome.axes) > 1 else found
    scores = scores_block(outcome, group, score)
    against = against_block(outcome, baseline, compared, score) if baseline and compared else None
    return Part(group, scores, against, effects_block(found, score), compared, found)


def scores_block(outcome: Outcome, group: Group, score: tuple[str, str]) -> Block:
    """A row for every cell: scores, parameters, time, health, and the floor."""
    columns = list(dict.fromkeys([score, ("test", score[1]), ("val", score[1])]))
    solved = list(dict.fromkeys(name for cell in outcome.cells for name in cell.sizes))
    head = [*outcome.axes, *(titled(one) for one in columns), *solved, "parameters", "a run", "‖g‖/‖w‖", "health"]
    rows = [scores_row(row, columns, solved, len(outcome.seeds)) for row in group.rows]
    foot = []
    if floor := floor_of(group.runs):
        levels = [level(floor, *one) for one in columns]
        foot = ["floor", *[""] * (len(outcome.axes) - 1), *levels, *[""] * (len(solved) + 6)]
    title = "other results: " + "; ".join(group.differences) if group.differences else ""
    return Block(title, [*head, "runs", ""], rows, len(outcome.axes), [*scores_remarks(outcome, group)], foot)


def scores_row(row: Row, columns: Sequence[tuple[str, str]], solved: Sequence[str], seeds: int) -> list[str]:
    """One cell."""
    cell = row.cell
    found = [spread(name, [*row.by_seed(split, name).values()]) for split, name in columns]
    times = [float(run.result["seconds"]) for run in row.runs if run.result and run.state == "finished"]
    time = lasting(statistics.fmean(times)) if times else "-"
    notes = [f"= {cell.same_as}"] if cell.same_as else []
    notes += [f"stopped at epoch {cell.stopped}"] if cell.stopped else []
    notes += [f"{len(row.diverged)} diverged"] if row.diverged else []
    sizes = [str(cell.sizes.get(name, "")) for name in solved]
    figures = [*found, *sizes, f"{cell.parameters:,}", time, ratios(row.runs), signs(row.runs)]
    return [*cell.labels.values(), *figures, f"{len(row.runs)}/{seeds}", ", ".join(notes)]


def titled(score: tuple[str, str]) -> str:
    """A score with its split and unit."""
    return f"{score[0]} {score[1]}{', %' if tasks.score(score[1]).share else ''}"


def spread(name: str, values: Sequence[float]) -> str:
    """`85.43 ± 0.10`; the mean alone of one run."""
    if not values:
        return "-"
    mean, digits = statistics.fmean(values), decimals(name, statistics.fmean(values), 4)
    return " ± ".join(f"{one:.{digits}f}" for one in (mean, *([statistics.stdev(values)] if len(values) > 1 else [])))


def decimals(name: str, value: float, significant: int) -> int:
    """Digits behind the point: two of shares, else as many as a value needs to have so many that say something."""
    if is_share(name) or value == 0:
        return 2
    return min(max(0, significant - 1 - math.floor(math.log10(abs(value)))), MOST_DIGITS)


MOST_DIGITS = 6


def floor_of(runs: Sequence[Run]) -> Record | None:
    """What a model has to beat."""
    return next((run.result["floor"] for run in runs if run.result and run.result.get("floor")), None)


def level(floor: Record, split: str, name: str) -> str:
    """A score of the floor."""
    value = (floor.get(split) or {}).get(name)
    return "-" if value is None else figure(name, in_percent(name, value))


def ratios(runs: Sequence[Run]) -> str:
    """The smallest and the largest ‖g‖/‖w‖ of a matrix in the last epoch looked at, over all runs."""
    found = [
        row["ratio"]
        for run in runs
        for name, row in (run.health.get("parameters") or {}).items()
        if name.endswith(".weight") and row.get("ratio")
    ]
    return f"{min(found):.2g} to {max(found):.2g}" if found else "-"


def signs(runs: Sequence[Run]) -> str:
    """The signs of trouble, each with how many of the runs gave it."""
    found = dict.fromkeys(sign for run in runs for sign in sorted(run.signs))
    told = [f"{sign} {sum(sign in run.signs for run in runs)}/{len(runs)}" for sign in found]
    return ", ".join(told) or ("quiet" if runs else "-")


def scores_remarks(outcome: Outcome, group: Group) -> Iterator[str]:
    """What the rows are."""
    split, name = outcome.rank
    ended = [run for run in group.runs if run.state == "finished"]
    which = (
        "last epoch" if any((run.result or {}).get("select") == "last" for run in ended) else "best validation epoch"
    )
    seeds = counted(len(outcome.seeds), "seed")
    yield f"mean ± standard deviation (n - 1) over {seeds}, at the {which}; the best {split} {name} first"
    if floor := floor_of(group.runs):
        yield f"floor: {floor['rule']}"
        yield from below_floor(group, floor)


def below_floor(group: Group, floor: Record) -> Iterator[str]:
    """The cells that have learnt nothing that the floor does not tell."""
    if not group.rows or (value := (floor.get(group.rows[0].score[0]) or {}).get(group.rows[0].score[1])) is None:
        return
    name = group.rows[0].score[1]
    sign, limit = (1 if tasks.score(name).larger_is_better else -1), in_percent(name, value)
    scored = [row for row in group.rows if row.scores]
    if low := [row.cell.name for row in scored if sign * (statistics.fmean(row.scores.values()) - limit) <= 0]:
        which = f"all {len(low)} cells" if len(low) == len(scored) > 1 else listing(low)
        yield f"not above the floor: {which}"


def against_block(
    outcome: Outcome, baseline: Row, found: Sequence[Comparison], score: tuple[str, str]
) -> Block:  # fmt: skip
    """A row for every cell: its difference to the baseline, and what may be said of it."""
    assert outcome.baseline is not None
    head = [*outcome.axes, "difference", "95 % interval", "p", "pairs", "verdict"]
    shown = iter(differences(score[1], [(one.found.mean, one.found.interval) for one in found if one.found]))
    rows = [against_row(one, next(shown) if one.found else ("", "")) for one in found]
    title = f"{titled(score)}: less that of {baseline.cell.name}, {outcome.baseline.why}"
    return Block(title, head, rows, len(outcome.axes), [*against_remarks(found)])


def against_row(one: Comparison, shown: tuple[str, str]) -> list[str]:
    """One cell against the baseline."""
    tail = [p_text(one.p), str(len(one.found.differences))] if one.found else ["", ""]
    return [*one.row.cell.labels.values(), *shown, *tail, one.said]


def against_remarks(found: Sequence[Comparison]) -> Iterator[str]:
    """How the comparison was made, and what it lacks."""
    tests = len({one.row.cell.key for one in found if one.found and one.found.p is not None})
    if tests:
        yield "differences of runs with one seed; the interval is of each comparison alone"
        yield f"p: paired t-test, corrected for {counted(tests, 'comparison')} (Holm), decided at {LEVEL:g}"
    if any("would" in one.said for one in found):
        yield (
            f"seeds that would decide: with a chance of {100 * POWER:.0f} % at {LEVEL:g}/{tests}, if the mean and the "
            "spread of the differences stay as they are, of which so few seeds give a rough idea"
        )
    yield from (f"left out of {one.row.cell.name}: {one.left_out}" for one in found if one.left_out)


def effects_block(found: Effects, score: tuple[str, str]) -> Block | None:
    """A row for every effect."""
    if not found.found and not found.remarks:
        return None
    shown = differences(score[1], [(one.estimate.value, one.estimate.interval) for one in found.found])
    rows = [[one.name, *texts, p_text(one.p), one.said] for one, texts in zip(found.found, shown, strict=True)]
    head = ["effect", "difference", "95 % interval", "p", "verdict"] if rows else []
    remarks = [*found.remarks]
    if rows:
        more = (
            "; ×: how much more the first brings with the second"
            if any(len(one.axes) > 1 for one in found.found)
            else ""
        )
        remarks += [
            f"an axis by itself: on the average of the others{more}",
            f"least squares, seeds as blocks, one spread for all cells; p corrected for {counted(len(rows), 'effect')}",
        ]
    if found.uneven:
        remarks.append("the spreads of the cells differ beyond chance, so these p-values are rough: trust the pairs")
    return Block(f"effects on {titled(score)}", head, rows, 1, remarks)


Difference = tuple[float, tuple[float, float] | None]
"""A mean difference and its interval."""


def differences(name: str, found: Sequence[Difference]) -> list[tuple[str, str]]:
    """`+0.82`, and `+0.31 to +1.33`, with as many digits as the narrowest interval has use for."""
    widths = [high - low for _, ends in found if ends for low, high in [ends]]
    if is_share(name):
        digits = 3 if min(widths, default=CLOSE) < CLOSE else 2
    else:
        digits = decimals(name, min(widths, default=0.0) or max((abs(value) for value, _ in found), default=0.0), 3)
    return [
        (signed(value, digits), " to ".join(signed(one, digits) for one in ends or ()) or "-") for value, ends in found
    ]


def signed(value: float, digits: int) -> str:
    """A difference with its sign."""
    return f"{round(value, digits) or 0.0:+.{digits}f}"


CLOSE = 0.5
"""The width, in percent, below which an interval is narrow."""


def p_text(p: float | None) -> str:
    """A p-value with as many digits as matter."""
    return "-" if p is None else "< 0.001" if p < 0.001 else f"{p:.3f}"


def warnings(outcome: Outcome, groups: Sequence[Group]) -> Iterator[str]:
    """What makes figures doubtful, and may not be overlooked."""
    for one in groups[1:]:
        yield f"some scores may not be compared with the others: {'; '.join(one.differences)}"
    if len(outcome.seeds) < 2:
        yield "one seed cannot tell a difference from chance: `--seeds 3`"
    diverged = [cell.name for cell in outcome.cells if any(run.state == "diverged" for run in cell.runs.values())]
    if diverged:
        yield f"the means are of the runs that did not diverge, in {listing(diverged)}"
    yield from (f"left out, since it is damaged: {run.trouble}" for run in outcome.runs if run.trouble)
    for word, key in (("device", "device"), ("version of archspec", "archspec")):
        values = sorted({str(run.told[key]) for run in outcome.runs if run.result and run.told.get(key)})
        if len(values) > 1:
            yield f"the runs are not of one {word}: {', '.join(values)}"


def remarks(outcome: Outcome) -> Iterator[str]:
    """What is missing, and where it all is."""
    if outcome.baseline is None and len(outcome.cells) > 1:
        yield "no comparison, since no cell is the base itself: name a `baseline:` in the file, or `--baseline CELL`"
    if missing := sum(run.state == "not finished" for run in outcome.runs):
        yield f"{counted(missing, 'run')} not finished: the same command goes on"
    yield f"folder of the runs: {outcome.path}"
