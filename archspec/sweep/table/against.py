"""Every cell against the baseline: the differences of runs with one seed, which have one order of the data too."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from archspec.facts import tasks
from archspec.statistics.paired import MOST, Paired, Verdict, compare, holm, needed, verdict
from archspec.sweep.shown import counted
from archspec.sweep.table.groups import Group, Row


@dataclass(frozen=True)
class Comparison:
    """A cell against the baseline."""

    row: Row
    found: Paired | None
    """None where there is no pair, and of the baseline itself and its twins."""
    p: float | None
    """Corrected for all comparisons of the table."""
    verdict: Verdict
    """What the test says of the pairs there are; a cell of which runs diverged is never better."""
    said: str
    """The verdict in words, with what it lacks."""
    left_out: str
    """Seeds that make no pair, and why."""


def comparisons(group: Group, baseline: Row) -> list[Comparison]:
    """The rows of a group against one of them, in their order. Twins are one comparison."""
    own = {row.cell.key: row for row in group.rows if row.cell.key != baseline.cell.key}
    found = {key: paired(row, baseline) for key, row in own.items()}
    corrected = dict(zip(found, holm([one.p if one else None for one in found.values()]), strict=True))
    tests = sum(one is not None and one.p is not None for one in found.values())
    return [comparison(row, baseline, found, corrected, tests) for row in group.rows]


def paired(row: Row, baseline: Row) -> Paired | None:
    """The pairs of two cells: those seeds with which neither diverged."""
    seeds = [seed for seed in row.scores if seed in baseline.scores]
    return compare([row.scores[seed] for seed in seeds], [baseline.scores[seed] for seed in seeds])


def comparison(
    row: Row, baseline: Row, found: Mapping[str, Paired | None], corrected: Mapping[str, float | None], tests: int
) -> Comparison:
    """One row."""
    if row.cell.key == baseline.cell.key:
        said = "baseline" if row is baseline else "the architecture of the baseline"
        return Comparison(row, None, None, "not decided", said, "")
    one, p = found[row.cell.key], corrected[row.cell.key]
    word = verdict(one.mean, p, tasks.score(row.score[1]).larger_is_better) if one else "not decided"
    word = "not decided" if row.diverged and word == "better" else word
    return Comparison(row, one, p, word, words(row, one, word, tests), left_out(row, baseline))


def words(row: Row, found: Paired | None, word: Verdict, tests: int) -> str:
    """The verdict with what it lacks."""
    text = word if word != "not decided" else f"not decided: {lacking(found, tests)}"
    if row.diverged:
        text = f"diverged with {len(row.diverged)} of {counted(len(row.runs), 'seed')}"
        text += "; worse where it did not" if word == "worse" else ""
    return text


def lacking(found: Paired | None, tests: int) -> str:
    """Why a comparison decides nothing, and how many seeds would."""
    if found is None:
        return "no pair of runs"
    number = len(found.differences)
    if number < 2:
        return "one pair has no spread"
    if not found.deviation:
        return "no difference" if found.mean == 0 else "the differences are all equal, so there is no spread to go by"
    seeds = needed(found, tests)
    return f"{number} seeds cannot, {f'{seeds} would' if seeds else f'more than {MOST} would'}"


def left_out(row: Row, baseline: Row) -> str:
    """Seeds that only one of the two has a score of."""
    alone = [(seed, baseline) for seed in row.scores if seed not in baseline.scores]
    alone += [(seed, row) for seed in baseline.scores if seed not in row.scores]
    return "; ".join(f"seed {seed}: {missing(other, seed)}" for seed, other in sorted(alone, key=lambda one: one[0]))


def missing(row: Row, seed: int) -> str:
    """Why a row has no score of a seed."""
    run = row.cell.runs.get(seed)
    state = run.state if run else "not finished"
    return f"{row.cell.name} {'has no such score here' if state == 'finished' else state}"


def by_folder(found: Sequence[Comparison]) -> dict[str, Comparison]:
    """The comparisons by the folders of their cells."""
    return {one.row.cell.folder: one for one in found}
