"""`archspec bisect` finds what was planted, says what it rests on, and trains nothing twice."""

import json
import os
from pathlib import Path

import pytest

from archspec.train import display
from archspec.train.folder import RunFolder
from tests.test_train_commands import call, place  # noqa: F401  fixtures
from tests.test_train_seeds import StopsIn

PLANTED = """\
name: planted
model:
  sizes: {d: 8, wide: 16}
  input: x = encode(x, d)
  stack: 2 * layer
  output: linear(x, out)
  where:
    layer: |
      x = x + update(gather(x))
    gather(x): x + near(x) + far(x)
    near(x): scale(sum[j in N](x[j]))
    far(x): scale(sum[j in N](relu(x[j])))
    scale(h): 0.03 * h
    update(h): h -> linear(wide) -> act -> linear(d)
    act: relu
data: {name: pattern, limit: 16, batch_size: 4}
train:
  epochs: 6
  checkpoint_every: 100
  test_every: null
  watch: {every: null}
  optimizer: {name: adam, lr: 2e-2}
"""

INNOCENT = {
    "d": ("d: 8", "d: 10"),
    "wide": ("wide: 16", "wide: 20"),
    "data.batch_size": ("batch_size: 4", "batch_size: 5"),
    "train.optimizer.lr": ("lr: 2e-2", "lr: 3e-2"),
    "update": ("update(h): h", "update(h): h -> dropout(0.02)"),
    "act": ("act: relu", "act: gelu"),
}

CULPRITS = {
    "output": ("linear(x, out)", "linear(0 * x, out)"),
    "scale": ("scale(h): 0.03 * h", "scale(h): 30 * h"),
    "gather": ("x + near(x) + far(x)", "x + 0 * near(x) + 0 * far(x)"),
}

TOGETHER = {
    "near": ("near(x): scale", "near(x): 0 * scale"),
    "far": ("far(x): scale", "far(x): 0 * scale"),
}
"""Either of them leaves the other, which is enough."""


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("graphs")


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """What is tested here is no crash of the machine."""
    monkeypatch.setattr(os, "fsync", lambda _: None)


def plant(place: Path, *replaced: tuple[str, str]) -> None:  # noqa: F811
    """A spec that works, and one in which these texts are replaced."""
    bad = PLANTED.replace("name: planted", "name: changed")
    for old, new in replaced:
        assert old in bad
        bad = bad.replace(old, new)
    (place / "good.yaml").write_text(PLANTED)
    (place / "bad.yaml").write_text(bad)


def found(call, *arguments: str) -> dict:  # noqa: F811
    code, out, err = call("bisect", "good.yaml", "bad.yaml", "--format", "json", *arguments)
    assert code == 0, err
    return json.loads(out)


def named(told: dict, numbers: list[int]) -> set[str]:
    return {told["changes"][str(one)] for one in numbers}


def runs() -> dict[str, RunFolder]:
    return {str(one.parent): RunFolder(one.parent) for one in Path("runs").rglob("spec.yaml")}


@pytest.mark.parametrize("culprit", CULPRITS)
def test_a_planted_culprit_is_found_wherever_it_stands(place, call, culprit):  # noqa: F811
    innocent = [*INNOCENT] if culprit == "gather" else ["d", "act"]
    plant(place, *(INNOCENT[name] for name in innocent), CULPRITS[culprit])
    told = found(call)
    assert {*told["changes"].values()} == {*innocent, culprit}
    assert named(told, told["smallest"]) == {culprit}
    assert told["undecided"] == []
    assert told["opposite"]["verdict"] == "works"
    assert len(told["tried"]) <= 2 + 2 * 3 + 1
    for one in told["tried"]:
        assert (one["verdict"] == "broken") == (culprit in named(told, one["changes"]))
        for seed, score in one["scores"].items():
            run = RunFolder(Path(told["folder"]) / one["folder"] / f"seed-{seed}")
            assert run.result()["best"]["val"]["acc"] == score
    [line] = told["difference"]["changes"]["architecture"]
    assert line["path"] == f"where.{culprit}" if culprit != "output" else "output"


def test_two_that_break_it_only_together_are_found_and_the_same_command_trains_nothing_again(place, call):  # noqa: F811
    plant(place, INNOCENT["d"], *TOGETHER.values())
    code, out, err = call("bisect", "good.yaml", "bad.yaml")
    assert (code, err) == (0, "")
    assert "near and far together break training (2 of 3 changes: 2-3)" in out
    assert "with either of them undone it works" in out
    assert "~ near(x): {+0 * +}scale(sum[j in N](x[j]))" in out
    assert "BAD without these changes works: val acc" in out
    assert "health: largest ‖g‖ of epoch 1" in out
    assert out.endswith(Path("runs/bisect-good-bad/report.txt").read_text())
    before = {name: run.done.stat().st_mtime_ns for name, run in runs().items()}
    told = found(call)
    assert {name: run.done.stat().st_mtime_ns for name, run in runs().items()} == before
    assert named(told, told["smallest"]) == {*TOGETHER}
    assert told == json.loads(Path("runs/bisect-good-bad/bisect.json").read_text())["found"]


def test_interrupted_and_begun_again_with_several_processes(place, call, monkeypatch):  # noqa: F811
    plant(place, CULPRITS["output"])
    with monkeypatch.context() as patch:
        patch.setattr(display, "choose", lambda *_: StopsIn(3))
        code, out, _ = call("bisect", "good.yaml", "bad.yaml")
    assert code == 130
    assert "not finished: the same command goes on" in out
    kept = {name: run.done.stat().st_mtime_ns for name, run in runs().items() if run.done.exists()}
    assert len(kept) == 2
    code, out, err = call("bisect", "good.yaml", "bad.yaml", "--jobs", "2")
    assert (code, err) == (0, "")
    assert "GOOD, seed 1: " in out
    assert "going on at epoch" in out
    assert "output breaks training (the only change: 1)" in out
    assert "BAD without these changes is GOOD" in out
    after = {name: run.done.stat().st_mtime_ns for name, run in runs().items()}
    assert (len(after), {name: after[name] for name in kept}) == (4, kept)


def test_a_spec_that_diverges_is_broken(place, call):  # noqa: F811
    short = ("epochs: 6", "epochs: 2")
    plant(place, short, ("name: adam, lr: 2e-2", "name: sgd, lr: 1e30"))
    (place / "good.yaml").write_text(PLANTED.replace(*short))
    told = found(call)
    assert named(told, told["smallest"]) <= {"train.optimizer", "train.optimizer.lr"}
    [broken] = [one for one in told["tried"] if one["changes"] == told["smallest"]]
    assert [*broken["scores"].values()] == [None, None]
    assert "epoch 1, step" in told["health"]


def test_the_forecast_trains_nothing(place, call):  # noqa: F811
    plant(place, *INNOCENT.values(), CULPRITS["gather"])
    code, out, err = call("bisect", "good.yaml", "bad.yaml", "--dry-run", "--seeds", "3")
    assert (code, err) == (0, "")
    assert "7 changes, 3 seeds each (0, 1 and 2), up to 4 where undecided" in out
    assert "if one change is to blame, at most 7 specs between: 21 runs" in out
    assert "whatever is to blame, at most 70 specs between: 210 runs" in out
    assert not Path("runs").exists()


MISTAKES = [
    ([], (), "E0860", "`archspec diff`"),
    ([("limit: 16", "limit: 12")], (), "E0862", "--set data.limit=16"),
    ([INNOCENT["d"]], ("--seeds", "1"), "E0863", "--seeds 2"),
    ([INNOCENT["d"]], ("--seeds", "3", "--max-seeds", "2"), "E0863", "--max-seeds 3"),
    ([INNOCENT["d"]], ("--score", "val.ac"), "E0864", "write `val.acc`"),
    ([("act: relu", "act: rleu")], (), "E0201", "relu"),
    ([INNOCENT["d"]], ("--run-dir", "."), "E0610", "--run-dir"),
    ([INNOCENT["d"]], ("--run-dir", "/proc/bisect"), "E0610", "--run-dir"),
    ([("d: 8", "d: 9")], ("--set", "model.input=x = 0 * encode(x, 9)", "--set", "model.sizes.d=9"), "E0860", "diff"),
]


@pytest.mark.parametrize(("replaced", "arguments", "code", "cure"), MISTAKES)
def test_mistakes_are_told_once_with_a_cure(place, call, replaced, arguments, code, cure):  # noqa: F811
    plant(place, *replaced)
    left, _, err = call("bisect", "good.yaml", "bad.yaml", *arguments)
    assert (left, err.count(code)) == (1, 1)
    assert cure in err


def test_ends_the_wrong_way_round_and_a_folder_of_others(place, call):  # noqa: F811
    plant(place, CULPRITS["output"])
    code, _, err = call("bisect", "bad.yaml", "good.yaml", "--run-dir", "runs/one", "--max-seeds", "2")
    assert (code, "E0861" in err, "does better than" in err) == (1, True, True)
    code, _, err = call("bisect", "bad.yaml", "good.yaml", "--run-dir", "runs/one", "--epochs", "5")
    assert (code, "E0865" in err, "there it is `6`" in err) == (1, True, True)
    plant(place, ("d: 8", "d: 9"))
    code, _, err = call("bisect", "good.yaml", "bad.yaml", "--epochs", "1", "--max-seeds", "2")
    assert (code, "these two do not differ in val acc" in err, "2 seeds" in err) == (1, True, True)
    code, _, err = call("bisect", "good.yaml", "nowhere.yaml")
    assert (code, "E0001" in err) == (1, True)
