"""What a sweep's folder says: means, paired differences, effects, what may not be compared."""

import json
import re
import statistics

import pytest

from archspec.diagnostics import SpecError
from archspec.statistics.paired import compare
from archspec.sweep.baseline import NoCell, find_cell
from archspec.sweep.table.blocks import differences, spread, table_of
from archspec.sweep.table.formats import FORMATS
from archspec.sweep.table.results import known_scores, read, with_baseline, with_score
from tests.planted import BETTER, NOISY, A, grid, page, plant, shown

pytestmark = pytest.mark.usefixtures("without_collection")


def line(text: str, start: str) -> str:
    """The one line that begins so."""
    [found] = [one for one in text.splitlines() if one.startswith(start)]
    return re.sub(r" {2,}", " | ", found)


def against(text: str) -> str:
    return next(part for part in text.split("\n\n") if "less that of" in part)


def test_means_and_paired_differences(tmp_path):
    path = plant(tmp_path / "s", {"a": A, "b": BETTER, "c": NOISY}, baseline="a", floor=0.5)
    text = shown(path)
    scores = text.split("\n\n")[0]
    mean, deviation = statistics.mean(A.values()), statistics.stdev(A.values())
    assert line(scores, "a ").startswith(f"a | {100 * mean:.2f} ± {100 * deviation:.2f} | ")
    assert "| 1,000 | 60 s | 0.02 to 3.5 | quiet | 3/3" in line(scores, "a ")
    assert [one[0] for one in scores.splitlines()[1:4]] == ["b", "c", "a"]
    assert line(scores, "floor").startswith("floor | 50.00 | 50.00")
    assert "test acc, %: less that of a, named in the sweep" in text
    by_hand = compare([100 * BETTER[seed] for seed in A], [100 * A[seed] for seed in A])
    low, high = by_hand.interval
    assert line(against(text), "b ") == f"b | {by_hand.mean:+.3f} | {low:+.3f} to {high:+.3f} | < 0.001 | 3 | better"
    assert line(against(text), "a ") == "a | baseline"
    assert re.search(r"not decided: 3 seeds cannot, (\d+|more than 50) would", line(against(text), "c "))


def test_errors_have_digits_that_say_something():
    assert spread("mae", [0.44, 0.4412, 0.4355]) == "0.4389 ± 0.0030"
    assert (spread("mae", [12.5]), spread("acc", [84.5, 84.7])) == ("12.50", "84.60 ± 0.14")
    pairs = [(0.0507512, (-0.077142, 0.17861)), (0.0869912, (0.07989, 0.0941))]
    assert differences("mae", pairs) == [("+0.0508", "-0.0771 to +0.1786"), ("+0.0870", "+0.0799 to +0.0941")]
    assert differences("mae", [(-1e-9, (-2e-9, 0.0))]) == [("+0.000000", "+0.000000 to +0.000000")]
    assert differences("mae", [(0.25, None)]) == [("+0.250", "-")]


def test_the_split_and_the_score_can_be_chosen(tmp_path):
    path = plant(tmp_path / "s", {"a": A, "b": BETTER}, baseline="a")
    for done in path.glob("b/*/done.json"):
        told = json.loads(done.read_text())
        told["best"]["val"] = {"acc": 0.2, "loss": 2.5}
        done.write_text(json.dumps(told))
    assert line(against(shown(path)), "b ").endswith("better")
    assert line(against(shown(path, split="val")), "b ").endswith("worse")
    assert known_scores(read(path)) == ["acc", "loss"]
    assert "b | 2.500 ± 0.000" in line(
        FORMATS["text"](table_of(with_score(read(path), "loss"), "val")).split("\n\n")[0], "b "
    )


def test_a_smaller_error_is_better(tmp_path):
    path = plant(tmp_path / "s", {"a": A, "b": BETTER}, baseline="a", score="mae", floor=0.1)
    text = shown(path)
    assert line(against(text), "b ").endswith("worse")
    assert "not above the floor: all 2 cells" in text
    assert [one[0] for one in text.splitlines()[1:3]] == ["a", "b"]


@pytest.mark.parametrize("others", [BETTER, {41: 0.1, 95: 0.0962, 12: 0.1129}])
def test_a_cell_that_diverged_is_told_and_never_better(tmp_path, others):
    path = plant(tmp_path / "s", {"a": A | {7: 0.85}, "b": {**others, 7: "diverged"}}, baseline="a")
    text = shown(path)
    row = line(against(text), "b ")
    assert "diverged with 1 of 4 seeds" in row
    assert "better" not in row
    assert ("worse where it did not" in row) == (others is not BETTER)
    assert "1 diverged" in line(text.split("\n\n")[0], "b ")
    assert "left out of b: seed 7: b diverged" in text
    assert "warning: the means are of the runs that did not diverge, in `b`" in text


def test_only_diverged_runs(tmp_path):
    path = plant(tmp_path / "s", {"a": A, "b": dict.fromkeys(A, "diverged")}, baseline="a")
    assert line(against(shown(path)), "b ") == "b | diverged with 3 of 3 seeds"
    assert "<svg" in page(path)


def test_runs_that_are_not_there_make_no_pair(tmp_path):
    path = plant(tmp_path / "s", {"a": A, "b": {41: 0.86, 95: None, 12: "damaged"}, "c": {41: None}}, baseline="a")
    text = shown(path)
    assert line(against(text), "b ").endswith("not decided: one pair has no spread")
    assert "left out of b: seed 12: b damaged; seed 95: b not finished" in text
    assert "not decided: no pair of runs" in line(against(text), "c ")
    assert "warning: left out, since it is damaged:" in text
    assert "b/seed-12/done.json" in text
    assert "4 runs not finished: the same command goes on" in text
    assert line(text.split("\n\n")[0], "c ").startswith("c | - | - ")


def test_one_seed_decides_nothing(tmp_path):
    text = shown(plant(tmp_path / "s", {"a": {0: 0.8}, "b": {0: 0.9}}, baseline="a"))
    assert "warning: one seed cannot tell a difference from chance" in text
    assert line(against(text), "b ") == "b | +10.00 | - | - | 1 | not decided: one pair has no spread"


def test_differences_without_spread_are_not_taken_for_certain(tmp_path):
    text = shown(plant(tmp_path / "s", {"a": A, "b": {seed: one + 0.01 for seed, one in A.items()}}, baseline="a"))
    assert line(against(text), "b ").endswith("the differences are all equal, so there is no spread to go by")


def test_twins_are_one_comparison(tmp_path):
    scores = {"a": A, "b": NOISY, "same": NOISY, "also": A}
    path = plant(tmp_path / "s", scores, baseline="a", same_as={"same": "b", "also": "a"})
    text = shown(path)
    assert "corrected for 1 comparison (Holm)" in text
    assert line(against(text), "same").partition(" | ")[2] == line(against(text), "b ").partition(" | ")[2]
    assert line(against(text), "also") == "also | the architecture of the baseline"


def test_without_a_baseline_that_is_said(tmp_path):
    text = shown(plant(tmp_path / "s", {"a": A, "b": BETTER}))
    assert "less that of" not in text
    assert "no comparison, since no cell is the base itself: name a `baseline:`" in text


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"fields": {"b": {"limit": 100}}}, "limit 100 and not none"),
        ({"fields": {"b": {"recipe": "pattern, version 2"}}}, "recipe pattern, version 2 and not pattern, version 1"),
        ({"torch": {"b": "2.12.0"}}, "torch 2.12.0 and not 2.13.0"),
    ],
)
def test_results_of_other_protocols_and_versions_are_not_compared(tmp_path, more, told):
    path = plant(tmp_path / "s", {"a": A, "b": BETTER, "c": NOISY}, baseline="a", **more)
    text = shown(path)
    assert f"warning: some scores may not be compared with the others: {told}" in text
    assert f"\nother results: {told}\n" in text
    assert not re.search(r"^b .*(better|worse|decided)", text, re.MULTILINE)
    assert "corrected for 1 comparison" in text
    assert [len(part.group.rows) for part in table_of(read(path)).parts] == [2, 1]


def test_results_of_one_cell_are_not_mixed_either(tmp_path):
    path = plant(tmp_path / "s", {"a": A, "b": BETTER}, baseline="a")
    file = path / "b" / "seed-12" / "environment.json"
    file.write_text(json.dumps({"torch": "2.12.0"}))
    one, other = table_of(read(path)).parts
    assert [[*row.scores] for row in one.group.rows] == [[41, 95], [41, 95, 12]]
    assert [[*row.scores] for row in other.group.rows] == [[12]]


def test_signs_of_trouble_stand_beside_the_score(tmp_path):
    path = plant(tmp_path / "s", {"a": A})
    event = {"sign": "dead", "epoch": 1, "step": 3, "message": "", "place": None, "help": ""}
    (path / "a" / "seed-41" / "health.jsonl").write_text(json.dumps(event) + "\n")
    assert "| dead 1/3 |" in line(shown(path), "a ")


def test_effects_of_axes(tmp_path):
    scores = grid()
    text = shown(plant(tmp_path / "s", scores, axes="one,two,three", baseline="off,off,off"))
    effects = text.split("effects on test acc, %\n")[1]
    y = {cell: 100 * statistics.mean(found.values()) for cell, found in scores.items()}
    main = statistics.mean(y[c] for c in y if c.startswith("on")) - statistics.mean(y[c] for c in y if c[:3] == "off")
    assert line(effects, "one: on - off  ").startswith(f"one: on - off | {main:+.3f} | ")
    assert line(effects, "one: on - off  ").endswith("< 0.001 | better")
    assert line(effects, "three: on - off").endswith("not decided")
    means = {(a, b): statistics.mean(y[f"{a},{b},{c}"] for c in ("off", "on")) for a in ("off", "on")
             for b in ("off", "on")}  # fmt: skip
    both = means["on", "on"] - means["off", "on"] - means["on", "off"] + means["off", "off"]
    assert line(effects, "one: on - off × two").startswith(f"one: on - off × two: on - off | {both:+.3f} | ")
    assert line(effects, "one: on - off × two").endswith("they interact")
    assert line(effects, "one: on - off × three").endswith("not decided")
    assert "p corrected for 6 effects" in effects


def test_one_noisy_cell_makes_effects_rough(tmp_path):
    scores = grid(seeds=5)
    assert "trust the pairs" not in shown(plant(tmp_path / "s", scores, axes="one,two,three"))
    scores["on,off,on"] = {seed: 0.7 + 0.05 * (-1) ** seed for seed in range(5)}
    assert "these p-values are rough: trust the pairs" in shown(plant(tmp_path / "t", scores, axes="one,two,three"))


def test_the_baseline_says_which_way_an_effect_is_written(tmp_path):
    text = shown(plant(tmp_path / "s", grid(), axes="one,two,three", baseline="on,on,on"))
    assert line(text, "one: off - on  ").endswith("worse")


def test_an_axis_that_changes_nothing_has_no_effect(tmp_path):
    scores = grid()
    same_as = {cell: f"{cell[: cell.rindex(',')]},off" for cell in scores if cell.endswith(",on")}
    text = shown(plant(tmp_path / "s", scores, axes="one,two,three", same_as=same_as))
    assert line(text, "three: on - off") == "three: on - off | +0.000 | - | - | none: the same architectures"
    three = line(text, "one: on - off  ").split(" | ")
    alone = shown(plant(tmp_path / "t", {cell[:-4]: scores[cell] for cell in same_as.values()}, axes="one,two"))
    assert three[:3] == line(alone, "one: on - off  ").split(" | ")[:3]  # no run counts twice


def test_what_listed_cells_do_not_tell(tmp_path):
    scores = {cell: found for cell, found in grid().items() if cell.count("on") < 2}
    text = shown(plant(tmp_path / "s", scores, axes="one,two,three", baseline="off,off,off"))
    assert "4 of the combinations are not in the sweep, so no interaction can be estimated" in text.replace("\n ", "")
    assert line(text, "one: on - off").endswith("better")
    assert "×" not in text.split("effects on")[1].partition("an axis by itself")[0]
    few = {cell: found for cell, found in scores.items() if cell in ("off,off,off", "on,off,off")}
    few |= {"off,on,on": scores["off,off,on"]}
    text = shown(plant(tmp_path / "t", few, axes="one,two,three", baseline="off,off,off"))
    assert "these cells do not determine `two: on - off`, `three: on - off`" in text


def test_a_search_tells_no_effects_of_axes(tmp_path):
    scores = {f"{at / 1000},{at % 7},{at % 3}": {0: 0.8 + at / 1000, 1: 0.81 + at / 900} for at in range(40)}
    path = plant(tmp_path / "s", scores, axes="lr,d,depth", baseline="0.0,0,0")
    assert "lr: 0.001 - 0.0" in shown(path)
    (path / "search.journal").write_text("")
    text = shown(path)
    assert "a search chose the cells by their scores, so effects of the axes cannot be estimated" in text
    assert "lr: " not in text


def test_many_levels_that_nothing_tells_apart(tmp_path):
    scores = {f"{at},{at},{at},{at},{at},{at}": {0: 0.8 + at / 1000, 1: 0.81 + at / 900} for at in range(60)}
    text = shown(plant(tmp_path / "s", scores, axes="a,b,c,d,e,f"))  # 60⁶ combinations
    assert "these 60 cells do not determine the effects of the axes" in text


def test_cells_that_were_given_up_tell_no_effects(tmp_path):
    path = plant(tmp_path / "s", grid(), axes="one,two,three")
    told = json.loads((path / "sweep.json").read_text())
    told["cells"]["off,on,off"]["stopped_at_epoch"] = 2
    (path / "sweep.json").write_text(json.dumps(told))
    text = shown(path)
    assert "1 cell were given up" not in text
    assert "1 cell was given up early, so effects of the axes cannot be estimated" in text
    assert "other results: stopped at epoch 2 and not to the end" in text


def test_effects_wait_for_every_cell(tmp_path):
    scores = grid() | {"on,on,on": dict.fromkeys(range(4), "diverged")}
    text = shown(plant(tmp_path / "s", scores, axes="one,two,three"))
    assert "effects need a run of every cell that did not diverge: `on, on, on`" in text


CELLS = {
    "off,batch": {"inner": "off", "norm": "batch"},
    "off,layer": {"inner": "off", "norm": "layer"},
    "on,batch": {"inner": "on", "norm": "batch"},
}


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("off,layer", "off,layer"), ("off, layer", "off,layer"), ("inner=on", "on,batch"), ("norm=layer", "off,layer"),
        ("inner=off, norm=batch", "off,batch"), ({"inner": "on"}, "on,batch"),
    ],
)  # fmt: skip
def test_a_cell_by_name_or_alternatives(said, found):
    assert find_cell(CELLS, said) == found


@pytest.mark.parametrize(
    ("said", "message", "help"),
    [
        ("of, layer", "there is no cell `of, layer`", "write `off, layer`"),
        ("zzz", "there is no cell `zzz`", "the cells are `off, batch`, `off, layer`, `on, batch`"),
        ("innr=on", "there is no axis `innr`", "write `inner`"),
        ("inner=onn", "no cell has `onn` of the axis `inner`", "write `on`"),
        ("inner=off", "2 cells have inner=off", "say also which of norm"),
        ("inner=on, norm=layer", "there is no cell with inner=on, norm=layer", "the cells are `off, batch`"),
    ],
)
def test_cells_that_are_none(said, message, help):
    with pytest.raises(NoCell, match=re.escape(message)) as caught:
        find_cell(CELLS, said)
    assert help in caught.value.help


def test_a_baseline_of_before_there_were_any(tmp_path):
    """A folder that an earlier version wrote says neither the score nor a baseline."""
    path = plant(tmp_path / "s", {"a": A, "b": BETTER})
    told = json.loads((path / "sweep.json").read_text())
    (path / "sweep.json").write_text(json.dumps({key: told[key] for key in ("name", "seeds", "cells")}))
    assert read(path).rank == ("val", "acc")
    assert "better" in FORMATS["text"](table_of(with_baseline(read(path), "a")))
    with pytest.raises(SpecError, match="there is no cell `c`"):
        with_baseline(read(path), "c")
