"""Several seeds: each run is the one that it would be alone, none is trained twice, and what they come to is right."""

import json
import re
import signal
import statistics
from dataclasses import replace
from pathlib import Path

import pytest

from archspec.commands import seeds as several
from archspec.diagnostics import SpecError
from archspec.syntax.load import parse_spec
from archspec.syntax.spec import Spec
from archspec.train import display, group
from archspec.train.folder import RunFolder
from archspec.train.group import Group, summary, table, with_seed
from tests.test_train_commands import SPEC, call, place  # noqa: F401  fixtures
from tests.test_train_resume import differing


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("graphs")


def runs(path: str, *seeds: int) -> list[RunFolder]:
    return [Group(Path(path)).run(seed) for seed in seeds]


def test_every_run_is_the_one_that_it_would_be_alone(place, call):  # noqa: F811
    code, out, err = call("train", "tiny.yaml", "--set", "train.seeds=[41, 95]")
    assert (code, err) == (0, "")
    for seed, made in zip((41, 95), runs("runs/tiny-1", 41, 95), strict=True):
        call("train", "tiny.yaml", "--set", f"train.seed={seed}", "--run-dir", f"alone-{seed}")
        alone = RunFolder(Path(f"alone-{seed}"))
        assert differing(alone, made) == []
        assert made.spec.read_text() == alone.spec.read_text()
    assert differing(*runs("runs/tiny-1", 41, 95)) != []
    assert "mean ± standard deviation (n - 1) over 2 seeds" in out
    told = json.loads(Path("runs/tiny-1/seeds.json").read_text())
    accs = [one.result()["best"]["test"]["acc"] for one in runs("runs/tiny-1", 41, 95)]
    assert told["best"]["test"]["acc"] == {"mean": statistics.mean(accs), "std": statistics.stdev(accs), "n": 2}
    assert f"{100 * statistics.mean(accs):.2f} ± {100 * statistics.stdev(accs):.2f}" in out
    assert told["protocol"]["hash"] == runs("runs/tiny-1", 41)[0].result()["protocol"]["hash"]
    code, _, err = call("evaluate", "runs/tiny-1")
    assert (code, "name one of them: `runs/tiny-1/seed-41`" in err) == (1, True)


class StopsIn(display.Silent):
    """Raises SIGINT in one run of several, in its second epoch."""

    def __init__(self, run: int):
        self.left = run

    def start(self, epochs, steps, state) -> None:
        self.left -= 1

    def step(self, state, loss, rate) -> None:
        if self.left == 0 and state.epoch == 1:
            signal.raise_signal(signal.SIGINT)


def test_interrupted_and_resumed_without_training_twice(place, call, monkeypatch):  # noqa: F811
    call("train", "tiny.yaml", "--seeds", "3", "--run-dir", "whole")
    with monkeypatch.context() as patch:
        patch.setattr(display, "choose", lambda talks: StopsIn(2))
        code, out, _ = call("train", "tiny.yaml", "--seeds", "3", "--run-dir", "run")
    assert code == 130
    assert "not finished: seed 1, 2" in out
    assert "archspec train --resume run" in out
    first = Group(Path("run")).run(0)
    before = first.state.stat().st_mtime_ns
    code, out, err = call("train", "tiny.yaml", "--resume", "run")
    assert (code, err) == (0, "")
    assert "going on at epoch 2" in out
    for one, other in zip(runs("whole", 0, 1, 2), runs("run", 0, 1, 2), strict=True):
        assert differing(one, other) == []
    assert first.state.stat().st_mtime_ns == before
    whole, again = (json.loads(Path(name, "seeds.json").read_text()) for name in ("whole", "run"))
    assert (whole["best"], whole["last"]) == (again["best"], again["last"])
    assert "this run is finished" in call("train", "tiny.yaml", "--seeds", "3", "--run-dir", "run")[1]
    assert call("train", "--resume", "run", "--seeds", "0,7", "--set", "train.epochs=3")[0] == 0
    assert Group(Path("run")).seeds == [0, 1, 2, 7]


def test_side_by_side_they_have_the_same_bits(place, call):  # noqa: F811
    code, out, err = call("train", "tiny.yaml", "--seeds", "5,6", "--set", "train.threads=1", "--jobs", "2")
    assert (code, err) == (0, "")
    assert "seed 5: epoch 3/3" in out
    assert "2 runs at a time, each with 1 thread" in out
    call("train", "tiny.yaml", "--set", "train.seed=6", "--set", "train.threads=1", "--run-dir", "alone")
    assert differing(RunFolder(Path("alone")), *runs("runs/tiny-1", 6)) == []


def test_a_run_that_diverges_stops_no_other(place, call, monkeypatch):  # noqa: F811
    rate = {0: "1.0e+30", 1: "1.0e-2"}
    usual = group.with_seed

    def spoilt(spec, seed):
        return parse_spec(re.sub("lr: [0-9.e+-]+", f"lr: {rate[seed]}", usual(spec, seed).text))

    monkeypatch.setattr(group, "with_seed", spoilt)
    code, out, err = call("train", "tiny.yaml", "--seeds", "2", "--run-dir", "run", "--set", "train.optimizer.name=sgd")
    assert (code, "E0620" in err) == (1, True)
    assert "warning: diverged and left out: seed 0" in out
    told = Group(Path("run")).told()
    assert (told["finished"], told["diverged"], told["best"]["test"]["acc"]["n"]) == ([0, 1], [0], 1)
    assert told["best"]["test"]["acc"]["std"] is None


def spec_with(**train: object) -> Spec:
    spec = parse_spec(SPEC)
    changed = spec.settings.train.model_copy(update=train)
    return replace(spec, settings=spec.settings.model_copy(update={"train": changed}))


@pytest.mark.parametrize(
    ("train", "option", "found"),
    [
        ({}, None, None),
        ({"seeds": [3, 1]}, None, [3, 1]),
        ({}, "3", [0, 1, 2]),
        ({"seed": 7}, "2", [7, 8]),
        ({"seeds": [3, 1]}, "1", [3]),
        ({"seeds": [3, 1], "seed": 5}, "3", [5, 6, 7]),
        ({"seeds": [3, 1]}, "41,95", [41, 95]),
        ({}, " 41, 95, ", [41, 95]),
        ({}, "41,", [41]),
    ],
)
def test_which_seeds(train, option, found):
    assert several.chosen(spec_with(**train), option) == found


@pytest.mark.parametrize("option", ["x", "0", "3,3", "-1", "1.5", "", f"{2**63},1"])
def test_seeds_that_cannot_be(option):
    with pytest.raises(SpecError) as caught:
        several.chosen(parse_spec(SPEC), option)
    assert caught.value.diagnostics[0].code == "E0642"


def test_jobs(monkeypatch):
    monkeypatch.setattr(several, "cores", lambda: 8)
    threads, seeds = parse_spec(SPEC.replace("epochs: 3", "threads: 2")), [1, 2, 3, 4, 5, 6]
    assert several.jobs_for(parse_spec(SPEC), seeds, None, "cpu") == 1
    assert several.jobs_for(threads, seeds, None, "cpu") == 4
    assert several.jobs_for(threads, seeds[:3], None, "cpu") == 3
    assert several.jobs_for(threads, seeds, None, "cuda") == 1
    assert several.jobs_for(threads, seeds, 2, "cuda") == 2


def test_scores_of_different_protocols_are_told(place, call):  # noqa: F811
    call("train", "tiny.yaml", "--seeds", "2", "--run-dir", "run", "--set", "train.epochs=1")
    made = Group(Path("run"))
    assert "not of one protocol" not in table(made, made.told())
    result = made.run(1).result()
    result["protocol"]["fields"]["loss"] = "cross_entropy"
    made.run(1).done.write_text(json.dumps(result))
    wanted = "warning: the scores are not of one protocol: loss weighted_cross_entropy and not cross_entropy"
    assert wanted in table(made, made.told())


def test_the_spec_of_a_run_has_one_seed():
    spec = parse_spec(SPEC.replace("epochs: 3", "seeds: [3, 1]"))
    assert with_seed(spec, 3).settings.train.seeds is None
    assert parse_spec(with_seed(spec, 3).text).settings.train.seed == 3
    assert summary({})["finished"] == []
