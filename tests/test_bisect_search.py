"""The search of `archspec bisect` over oracles that train nothing: held to all subsets, one by one."""

from itertools import combinations, product
from math import ceil, log2
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archspec.bisect.coherent import Coherent
from archspec.bisect.folder import Trial, numbers
from archspec.bisect.minimise import Subset, asked, minimise, most, of_one_culprit, parts
from archspec.bisect.pair import listed
from archspec.bisect.search import Found, Search, seeds_up_to
from archspec.bisect.shown import culprits
from archspec.bisect.verdict import Scale, Score, Verdict, apart, scale_of
from archspec.diagnostics import SpecError


def subsets(whole: Subset) -> list[Subset]:
    """All of them, the smallest first."""
    return [frozenset(one) for size in range(len(whole) + 1) for one in combinations(sorted(whole), size)]


class Oracle:
    """Answers from a table of what is broken, and counts what it was asked."""

    def __init__(self, table: set[Subset]):
        self.table, self.asked = table, list[Subset]()

    def __call__(self, one: Subset) -> Subset | None:
        self.asked.append(one)
        return one if one in self.table else None


@st.composite
def monotone(draw: st.DrawFn) -> tuple[Subset, set[Subset]]:
    """Culprits, each some changes together: whatever holds all of one of them is broken."""
    whole = frozenset(range(draw(st.integers(1, 8))))
    some = st.frozensets(st.sampled_from(sorted(whole)), min_size=1)
    culprits = draw(st.lists(some, min_size=1, max_size=4))
    return whole, {one for one in subsets(whole) if any(culprit <= one for culprit in culprits)}


@st.composite
def anything(draw: st.DrawFn) -> tuple[Subset, set[Subset]]:
    """Any subsets that are broken, the whole among them and the empty one not."""
    whole = frozenset(range(draw(st.integers(1, 6))))
    between = subsets(whole)[1:-1]
    return whole, {whole, *(draw(st.sets(st.sampled_from(between))) if between else ())}


def check_minimal(whole: Subset, table: set[Subset], found: Subset) -> None:
    assert found in table
    assert not any(found - {one} in table for one in found)


@given(monotone())
def test_where_more_changes_never_mend_no_part_of_what_is_found_is_broken(case):
    whole, table = case
    found = minimise(whole, Oracle(table))
    least = [one for one in table if not any(other < one for other in table)]
    assert found in least


@given(anything())
def test_whatever_is_broken_no_single_change_can_be_left_out(case):
    whole, table = case
    oracle = Oracle(table)
    check_minimal(whole, table, minimise(whole, oracle))
    assert len(oracle.asked) <= len(whole) ** 2 + 3 * len(whole)
    assert len({*oracle.asked} - {frozenset(), whole}) <= most(len(whole))


def test_a_search_that_stops_at_halves_would_be_seen():
    whole = frozenset(range(4))
    table = {one for one in subsets(whole) if {0, 3} <= one}
    with pytest.raises(AssertionError):
        check_minimal(whole, table, whole)
    assert minimise(whole, Oracle(table)) == {0, 3}


def test_one_culprit_takes_two_questions_for_every_halving():
    for number in range(1, 65):
        assert of_one_culprit(number) <= 2 * ceil(log2(number))
        assert asked(number, number - 1) >= ceil(log2(number))


@given(st.lists(st.integers(), min_size=1, max_size=20, unique=True), st.data())
def test_parts_hold_everything_once_and_are_of_nearly_one_size(changes, data):
    number = data.draw(st.integers(1, len(changes)))
    found = parts(changes, number)
    assert sorted(one for part in found for one in part) == sorted(changes)
    assert max(map(len, found)) - min(map(len, found)) <= 1
    assert min(map(len, found)) > 0


@st.composite
def dependent(draw: st.DrawFn) -> tuple[Subset, dict[int, Subset], set[Subset]]:
    """What needs what, cycles included, and culprits."""
    whole, table = draw(monotone())
    needs = {one: draw(st.frozensets(st.sampled_from(sorted(whole)), max_size=2)) for one in whole}
    return whole, needs, table


def closed(some: Subset, needs: dict[int, Subset]) -> bool:
    return all(needs[one] <= some for one in some)


@st.composite
def paired(draw: st.DrawFn) -> tuple[Subset, dict[int, Subset]]:
    """What needs what without circles, apart from two that need each other."""
    order = draw(st.permutations(range(draw(st.integers(1, 6)))))
    needs: dict[int, Subset] = {}
    while len(needs) < len(order):
        unit = order[len(needs) : len(needs) + draw(st.integers(1, 2))]
        earlier = draw(st.frozensets(st.sampled_from([*needs]), max_size=2)) if needs else frozenset()
        needs |= {one: earlier | frozenset(unit) - {one} for one in unit}
    return frozenset(order), needs


@given(paired())
def test_what_needs_what_is_found_from_what_compiles(case):
    whole, needs = case
    coherent = Coherent(len(whole), lambda some: closed(some, needs))
    every = [some for some in subsets(whole) if closed(some, needs)]
    for one in whole:
        assert coherent.needs[one] == min((some for some in every if one in some), key=len) - {one}
    for some in subsets(whole):
        assert coherent.within(some) == max((one for one in every if one <= some), key=len)


@given(dependent())
def test_only_what_compiles_is_tried_and_every_change_of_the_answer_matters(case):
    whole, needs, table = case
    coherent = Coherent(len(whole), lambda some: closed(some, needs))

    def broken(some: Subset) -> Subset | None:
        made = coherent.within(some)
        return made if made in table else None

    found = minimise(whole, broken)
    assert closed(found, needs)
    assert found in table
    assert not any(coherent.within(found - {one}) in table for one in found)


@given(st.data())
def test_sets_of_changes_that_exclude_each_other_are_left_out(data):
    whole = frozenset(range(data.draw(st.integers(1, 6))))
    compiling = {frozenset(), whole, *data.draw(st.sets(st.sampled_from(subsets(whole))))}
    table = {whole, *data.draw(st.sets(st.sampled_from(subsets(whole)[1:])))}
    coherent = Coherent(len(whole), compiling.__contains__)

    def broken(some: Subset) -> Subset | None:
        made = coherent.within(some)
        assert made is None or made in compiling
        return made if made in table else None

    found = minimise(whole, broken)
    assert found in table & compiling
    assert not any(broken(found - {one}) for one in found)


SCALE = Scale(84.0, 54.0)

VERDICTS = [
    (SCALE, [84.0, 83.0], Verdict.WORKS),
    (SCALE, [90.0, 90.0], Verdict.WORKS),
    (SCALE, [54.0, 50.0], Verdict.BROKEN),
    (SCALE, [20.0], Verdict.BROKEN),
    (SCALE, [70.0, 70.0], Verdict.UNDECIDED),
    (SCALE, [84.0, 54.0], Verdict.UNDECIDED),
    (SCALE, [84.0, 84.0, 54.0], Verdict.UNDECIDED),
    (SCALE, [84.0, 84.0, 84.0, 54.0], Verdict.UNDECIDED),
    (SCALE, [None, None], Verdict.BROKEN),
    (SCALE, [None, 84.0], Verdict.UNDECIDED),
    (Scale(0.2, 0.9), [0.25, 0.2], Verdict.WORKS),
    (Scale(0.2, 0.9), [0.9, 5.0], Verdict.BROKEN),
    (Scale(0.2, 0.9), [0.9, 1.5], Verdict.BROKEN),
    (Scale(84.0, None), [50.0, 60.0], Verdict.WORKS),
    (Scale(84.0, None), [None, None], Verdict.BROKEN),
    (Scale(84.0, None), [None, 60.0], Verdict.UNDECIDED),
]


@pytest.mark.parametrize(("scale", "scores", "verdict"), VERDICTS)
def test_what_scores_come_to(scale, scores, verdict):
    assert scale.verdict(scores) is verdict


ENDS = [
    ([84.0, 84.2], [58.0, 57.0], True),
    ([84.0, 84.2], [84.1, 83.9], False),
    ([84.0, 84.2], [83.9, 83.8], False),
    ([84.0, 74.0], [73.0, 63.0], False),
    ([84.0, 84.2], [84.0, 84.2], False),
    ([84.0, 84.2], [None, None], True),
    ([84.0, 84.2], [None, 84.1], False),
    ([84.0, None], [50.0, 50.0], False),
    ([None, None], [50.0, 50.0], False),
    ([80.0, 80.0], [50.0, 50.0], True),
]


@pytest.mark.parametrize(("good", "bad", "differ"), ENDS)
def test_whether_both_ends_differ(good, bad, differ):
    scale = scale_of(good, bad)
    assert (scale is not None and apart(scale, good, bad)) is differ


def test_numbers_of_changes_and_further_seeds():
    for some in product((False, True), repeat=6):
        chosen = frozenset(at for at, there in enumerate(some) if there)
        ends = [[int(one) for one in part.split("-")] for part in filter(None, numbers(chosen).split(","))]
        assert {at for end in ends for at in range(end[0] - 1, end[-1])} == chosen
    assert numbers(frozenset({0, 1, 2, 4})) == "1-3,5"
    assert seeds_up_to([41, 95], 4) == [41, 95, 42, 43]
    assert seeds_up_to([0, 1, 2], 2) == [0, 1, 2]


CULPRITS = [
    ({0}, {}, "0 breaks"),
    ({0, 1}, {}, "0 and 1 together break"),
    ({0, 1}, {0: {1}}, "0 with 1, which it cannot be made without, breaks"),
    ({0, 1}, {0: {1}, 1: {0}}, "0 and 1, which cannot be made without each other, break"),
    ({0, 1, 2}, {0: {1}, 2: {1}}, "0 and 2 with 1, which they cannot be made without, together break"),
]


@pytest.mark.parametrize(("changes", "needs", "told"), CULPRITS)
def test_what_is_only_there_because_others_need_it_is_told_apart(changes, needs, told):
    pair = SimpleNamespace(
        coherent=Coherent(3, lambda some: all(needs.get(one, set()) <= some for one in some)),
        named=lambda some: listed([*map(str, sorted(some))]),
    )
    assert culprits(frozenset(changes), pair) == told


class Scores:
    """A folder whose runs have the scores of a table, which notes what is trained; `alike` have one normal form."""

    def __init__(self, table: dict[Subset, list[Score]], whole: Subset, alike: dict[Subset, Subset] | None = None):
        self.table, self.whole, self.alike = table, whole, alike or {}
        self.trained: list[tuple[Subset, int]] = []

    def trial(self, _pair: object, some: Subset) -> Trial:
        return Trial(numbers(some), some, self.alike.get(some, some))

    def ends(self, _pair: object) -> tuple[Trial, Trial]:
        return Trial("good", frozenset(), frozenset()), Trial("bad", self.whole, self.whole)

    def score(self, one: Trial, seed: int, _score: object) -> Score:
        assert (one.changes, seed) in self.trained
        return self.table[one.changes][seed]

    def train(self, runs: list[tuple[Trial, int]]) -> None:
        self.trained += [(one.changes, seed) for one, seed in runs if (one.changes, seed) not in self.trained]


class Three:
    """A pair with three changes that can all be made alone."""

    names = ("good", "bad")
    whole = frozenset(range(3))
    coherent = Coherent(3, lambda _: True)


GOOD, BAD, HALF = [84.0, 83.9, 84.1, 84.0], [50.0, 51.0, 50.5, 50.2], [67.0, 67.1, 66.9, 67.0]


def searched(scores: Scores, monkeypatch: pytest.MonkeyPatch) -> tuple[Found, Search]:
    monkeypatch.setattr("archspec.bisect.search.is_twin", lambda one, other: one == other)
    search = Search(Three(), scores, [0, 1], 4, ("val", "acc"))
    return search.run(scores.train, lambda _: None), search


def table(broken: Subset, **others: list[Score]) -> dict[Subset, list[Score]]:
    """Scores of which those with some changes are bad, and others that are given by their numbers."""
    found = {one: BAD if broken <= one else GOOD for one in subsets(Three.whole)}
    return found | {frozenset(int(number) - 1 for number in key[1:]): one for key, one in others.items()}


def test_what_two_seeds_do_not_decide_has_more_of_them_and_is_told_if_these_do_not_either(monkeypatch):
    scores = Scores(table(frozenset({0, 2}), _1=HALF), Three.whole)
    found, search = searched(scores, monkeypatch)
    assert (found.changes, found.undecided) == ({0, 2}, (2,))
    assert [seed for one, seed in scores.trained if one == {0}] == [0, 1, 2, 3]
    assert [seed for one, seed in scores.trained if one == {2}] == [0, 1]
    assert search.tried[frozenset({0})].verdict is Verdict.UNDECIDED
    assert found.opposite.verdict is Verdict.WORKS
    scores = Scores(table(frozenset({0, 2}), _1=[84.0, 60.0, 84.0, 84.0]), Three.whole)
    assert searched(scores, monkeypatch)[0].undecided == ()
    assert [seed for one, seed in scores.trained if one == {0}] == [0, 1, 2]


def test_two_things_that_break_it_each_by_itself_are_told_by_the_opposite(monkeypatch):
    scores = Scores(table(frozenset({0}), _3=BAD, _23=BAD), Three.whole)
    found, _ = searched(scores, monkeypatch)
    assert (found.changes, found.opposite.verdict) == ({0}, Verdict.BROKEN)


def test_one_normal_form_is_trained_once(monkeypatch):
    alike = {frozenset({0}): frozenset(), frozenset({1, 2}): Three.whole}
    scores = Scores(table(frozenset({1})), Three.whole, alike)
    found, search = searched(scores, monkeypatch)
    assert found.changes == {1}
    assert {one for one, _ in scores.trained}.isdisjoint(alike)
    assert search.tried[frozenset({1, 2})].twin == "bad"


def test_ends_that_two_seeds_do_not_tell_apart_have_more_of_them(monkeypatch):
    close = {frozenset(): [84.0, 70.0, 84.0, 84.0], Three.whole: [50.0, 69.0, 50.0, 50.0]}
    scores = Scores(table(frozenset({1})) | close, Three.whole)
    assert searched(scores, monkeypatch)[0].changes == {1}
    assert [seed for one, seed in scores.trained if not one] == [0, 1, 2, 3]
    scores = Scores(table(frozenset({1})) | {Three.whole: [84.0, 83.9, 84.0, 84.1]}, Three.whole)
    with pytest.raises(SpecError, match="do not differ in val acc beyond what 4 seeds spread"):
        searched(scores, monkeypatch)
    assert {one for one, _ in scores.trained} == {frozenset(), Three.whole}
