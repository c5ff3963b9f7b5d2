"""The statistics of sweeps: against sums by hand, and against data in which there is nothing, or something, to find."""

import gc
from itertools import product

import numpy as np
import pytest
from scipy import stats

from archspec.statistics.blocks import Design, uneven
from archspec.statistics.paired import LEVEL, compare, holm, needed, verdict


def test_paired_differences_by_hand():
    """t = 0.3/(0.2/√3) = 2.598 with 2 degrees of freedom, for which P(|t| > x) = 1 - x/√(2 + x²); t.975 = 4.303."""
    found = compare([85.5, 84.7, 86.3], [85.0, 84.6, 86.0])
    assert found is not None
    assert found.differences == pytest.approx((0.5, 0.1, 0.3))
    assert (found.mean, found.deviation) == pytest.approx((0.3, 0.2))
    t = 0.3 / (0.2 / 3**0.5)
    assert found.p == pytest.approx(1 - t / (2 + t**2) ** 0.5)
    half = 4.302652730 * 0.2 / 3**0.5
    assert found.interval == pytest.approx((0.3 - half, 0.3 + half))


BY = np.array([0.5, 0.1, 0.3])


def test_what_seeds_have_in_common_does_not_count():
    seeds = np.array([-9.0, 0.0, 7.0])
    one, other = compare(BY, np.zeros(3)), compare(seeds + BY, seeds)
    assert other.p == pytest.approx(one.p)
    assert stats.ttest_ind(seeds + BY, seeds).pvalue > 0.9


def test_too_little_for_a_test():
    assert compare([], []) is None
    one = compare([85.0], [84.0])
    assert (one.mean, one.deviation, one.interval, one.p) == (1.0, None, None, None)
    assert needed(one, 1) is None
    even = compare([0.1 + 0.2, 1.3], [0.3, 1.3])  # equal apart from rounding
    assert (even.deviation, even.p) == (0.0, None)
    assert verdict(even.mean, even.p, True) == "not decided"


def test_correction_by_hand():
    """Holm: the smallest of 3 times 3, the next times 2, the largest once, each at least as large as the one before."""
    assert holm([0.04, None, 0.01, 0.03]) == pytest.approx([0.06, None, 0.03, 0.06], nan_ok=True)
    assert holm([None]) == [None]
    assert holm([]) == []


@pytest.mark.parametrize(
    ("mean", "p", "larger", "word"),
    [
        (1.0, 0.01, True, "better"), (1.0, 0.01, False, "worse"), (-1.0, 0.01, True, "worse"),
        (-1.0, 0.01, False, "better"), (9.0, 0.06, True, "not decided"), (9.0, None, True, "not decided"),
    ],
)  # fmt: skip
def test_verdicts(mean, p, larger, word):
    assert verdict(mean, p, larger) == word


def table(generator, cells: int, seeds: int, effect: float = 0.0) -> np.ndarray:
    """[cells, seeds]: seeds that differ by far more than cells, and noise of deviation 1; one cell has an effect."""
    found = generator.normal(0, 1, (cells, seeds)) + 10 * generator.normal(0, 1, seeds)
    found[1] += effect
    return found


def said(scores: np.ndarray) -> list[str]:
    """Of every cell but the first, against the first."""
    found = [compare(one, scores[0]) for one in scores[1:]]
    return [verdict(one.mean, p, True) for one, p in zip(found, holm([one.p for one in found]), strict=True)]


TABLES = 400

LIMIT = stats.binom.ppf(0.99, TABLES, LEVEL) / TABLES
"""What so many tables stay below where the chance of an alarm is LEVEL."""


@pytest.fixture(autouse=True)
def without_collection(monkeypatch):
    """statsmodels collects garbage at every correction, 0.1 s each time."""
    monkeypatch.setattr(gc, "collect", lambda *_: 0)


@pytest.mark.parametrize("seeds", [3, 8])
def test_where_nothing_is_there_at_most_one_table_in_twenty_says_otherwise(seeds):
    generator = np.random.default_rng(seeds)
    alarms = sum(set(said(table(generator, 5, seeds))) != {"not decided"} for _ in range(TABLES))
    assert 0 < alarms / TABLES <= LIMIT


def test_without_correction_there_would_be_more_false_alarms(monkeypatch):
    monkeypatch.setitem(globals(), "holm", lambda p: p)
    generator = np.random.default_rng(8)
    assert sum(set(said(table(generator, 5, 8))) != {"not decided"} for _ in range(TABLES)) / TABLES > 2 * LEVEL


def test_an_effect_that_is_there_is_found_where_it_is():
    generator = np.random.default_rng(6)
    found = [said(table(generator, 5, 8, effect=4.0)) for _ in range(50)]
    assert np.mean([one[0] == "better" for one in found]) > 0.9
    assert np.mean([set(one[1:]) != {"not decided"} for one in found]) < 3 * LEVEL


def test_the_seeds_that_are_said_to_be_needed_find_a_difference_four_times_in_five():
    """Differences of deviation 1 and mean 1.2, the first of 7 comparisons: how many tables of so many seeds find it."""
    generator = np.random.default_rng(0)
    observed = compare([1.2 - 1, 1.2, 1.2 + 1], [0, 0, 0])
    number = needed(observed, 7)
    assert number is not None
    found = [compare(generator.normal(1.2, 1, number), np.zeros(number)).p < LEVEL / 7 for _ in range(600)]
    fewer = [compare(generator.normal(1.2, 1, number - 3), np.zeros(number - 3)).p < LEVEL / 7 for _ in range(600)]
    assert 0.77 < np.mean(found) < 0.86
    assert np.mean(fewer) < 0.7


def test_more_seeds_than_anyone_has():
    assert needed(compare([0.1, -1.0, 1.0], [0, 0, 0]), 7) is None
    assert needed(compare([1.0, -1.0], [0, 0]), 1) is None
    assert needed(compare([1.0, 1.01], [0, 0]), 1) == 3  # at least one more than there are


GRID = [*product((0, 1), repeat=3)]
PLANTED = {"a": 1.0, "b": -1.0, "ab": 0.8}


def grid(generator, seeds: int, spread: float) -> dict[tuple[tuple[int, ...], int], float]:
    """A 2×2×2 with seeds as blocks: a and b work, and a works better where b is; c does nothing."""
    blocks = generator.normal(0, 5, seeds)
    return {
        (cell, seed): 80 + PLANTED["a"] * cell[0] + PLANTED["b"] * cell[1] + PLANTED["ab"] * cell[0] * cell[1]
        + blocks[seed] + generator.normal(0, spread)
        for cell in GRID for seed in range(seeds)
    }  # fmt: skip


ROWS = {cell: [float(cell == other) for other in GRID] for cell in GRID}
MAIN = [[(1 if cell[axis] else -1) / 4 for cell in GRID] for axis in range(3)]
TWO = [[(1 if cell[i] == cell[j] else -1) / 2 for cell in GRID] for i, j in ((0, 1), (0, 2), (1, 2))]


def test_effects_by_hand():
    """Means of means, and the spread of what neither cell nor seed explains: ((8 - 1)·(n - 1) degrees of freedom)."""
    seeds = 4
    figures = grid(np.random.default_rng(1), seeds, 0.3)
    y = np.array([[figures[cell, seed] for seed in range(seeds)] for cell in GRID])  # [cells, seeds]
    rest = y - y.mean(1, keepdims=True) - y.mean(0, keepdims=True) + y.mean()
    freedom = 7 * (seeds - 1)
    variance = (rest**2).sum() / freedom
    found = Design(figures, ROWS).estimates([*MAIN, *TWO])
    for one, weights in zip(found, np.array([*MAIN, *TWO]), strict=True):
        value = weights @ y.mean(1)
        error = (variance * (weights**2).sum() / seeds) ** 0.5
        assert one.value == pytest.approx(value)
        assert one.p == pytest.approx(2 * stats.t.sf(abs(value) / error, freedom))
        half = stats.t.ppf(0.975, freedom) * error
        assert one.interval == pytest.approx((value - half, value + half))


def test_planted_effects_are_found_and_those_that_are_not_there_are_not():
    figures = grid(np.random.default_rng(2), 5, 0.2)
    found = Design(figures, ROWS).estimates([*MAIN, *TWO])
    p = holm([one.p for one in found])
    assert [one < LEVEL for one in p] == [True, True, False, True, False, False]
    a, b, _, ab, *_ = found
    assert (a.value, b.value, ab.value) == pytest.approx((1.0 + 0.4, -1.0 + 0.4, 0.8), abs=0.2)


def test_effects_where_there_are_none():
    generator = np.random.default_rng(3)
    alarms = 0
    for _ in range(TABLES):
        noise = {(cell, seed): value for cell in GRID for seed, value in enumerate(generator.normal(0, 1, 3))}
        alarms += min(holm([one.p for one in Design(noise, ROWS).estimates([*MAIN, *TWO])])) < LEVEL
    assert 0 < alarms / TABLES <= LIMIT


def test_what_figures_do_not_determine():
    """Of a 2×2×2 without the cells where both a and b are, the interaction of a and b cannot be told."""
    figures = {(cell, seed): value for (cell, seed), value in grid(np.random.default_rng(4), 3, 0.2).items()
               if not (cell[0] and cell[1])}  # fmt: skip
    found = Design(figures, ROWS).estimates([*MAIN, *TWO])
    assert [one is None for one in found] == [True, True, True, True, True, True]
    additive = {cell: [1.0, *cell] for cell in GRID}
    weights = [[0.0, *(float(at == axis) for at in range(3))] for axis in range(3)]
    a, b, c = Design(figures, additive).estimates(weights)
    assert (a.value, b.value, c.value) == pytest.approx((1.0, -1.0, 0.0), abs=0.3)
    both = {key: value for key, value in figures.items() if key[0][0] == key[0][2]}  # a and c always together
    assert [one is None for one in Design(both, additive).estimates(weights)] == [True, False, True]


def test_a_run_that_is_missing_is_left_out_of_its_block_alone():
    figures = grid(np.random.default_rng(5), 4, 0.2)
    del figures[GRID[3], 2]
    a, b, *_ = Design(figures, ROWS).estimates(MAIN)
    assert (a.value, b.value) == pytest.approx((1.4, -0.6), abs=0.25)
    [none] = Design({(cell, 0): 1.0 for cell in GRID}, ROWS).estimates([MAIN[0]])
    assert (none.value, none.p) == (pytest.approx(0), None)


def test_spreads_that_differ_are_seen_and_those_that_do_not_are_not():
    generator = np.random.default_rng(7)
    even = sum(uneven(grid(generator, 4, 0.2)) for _ in range(100))
    assert even <= stats.binom.ppf(0.99, 100, 0.02)
    figures = grid(generator, 5, 0.05)
    assert uneven({key: value + generator.normal(0, 2) * (key[0] == GRID[0]) for key, value in figures.items()})
    assert not uneven(dict.fromkeys(figures, 1.0))
