"""Searches and halving: what goes on after an interruption is what would have been, and nothing is trained twice."""

import json
import sys
from pathlib import Path

import pytest

from archspec.commands.sweep import Work
from archspec.diagnostics import SpecError
from archspec.sweep.file import read_sweep
from archspec.train import display
from archspec.train.folder import RunFolder
from tests.test_sweep import MLP, SMALL, planned, sweep_runs
from tests.test_train_commands import call, place  # noqa: F401  fixtures
from tests.test_train_resume import differing
from tests.test_train_seeds import StopsIn

SEARCH = """\
base: tiny
set: {train: {epochs: 2}}
axes:
  train.optimizer.lr: {from: 1e-4, to: 1e-1, scale: log}
  model.sizes.d: {from: 4, to: 12, step: 4}
  train.clip: [null, 0.5]
search: {trials: 4, seed: 1}
seeds: 2
"""
LR = "base: gin\naxes: {train.optimizer.lr: {from: 1e-4, to: 1e-2}}\n"


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("graphs")


@pytest.fixture(autouse=True)
def no_page(monkeypatch):
    """Drawing the page of a table takes longer than these runs, and has tests of its own."""
    monkeypatch.setattr(Work, "write_page", lambda _: None)


def ranged(text: str) -> str:
    return f"base: gin\naxes: {{train.optimizer.lr: {text}}}\nsearch: {{trials: 2}}\n"


MISTAKES = [
    (ranged("{from: 1e-2, to: 1e-4}"), "E0847", "{from", "write `{from: 1e-4"),
    (ranged("{from: 0, to: 1, scale: log}"), "E0847", "{from", "begin above 0"),
    (ranged("{from: 0, to: 1, scale: logarithmic}"), "E0847", "{from", "log"),
    (ranged("{from: 0, to: 1, step: 2}"), "E0847", "{from", "a smaller step"),
    (ranged("{from: 1, to: 8, step: 2, scale: log}"), "E0847", "{from", "leave one out"),
    (ranged("{from: low, to: 1}"), "E0847", "{from", "scale: log"),
    (ranged("{from: 1e-4, to: 1, scal: log}"), "E0847", "scal", "write `scale`"),
    (ranged("{from: 1e-4}"), "E0847", "{from", "to: 1e-2"),
    (ranged("{from: -1, to: 1}"), "E0632", "-1", ""),  # each end is a spec that is checked
    (LR, "E0848", "train.optimizer.lr", "search: {trials: 40}"),
    (LR + "search: {trials: 0}\n", "E0848", "{trials", "trials: 40"),
    (LR + "search: {trials: 2, sampler: tpa}\n", "E0848", "{trials", "sampler: tpe"),
    (LR + "search: {trials: 2}\ncells: [{lr: 1}]\n", "E0848", "{trials", "leave out `cells`"),
    (LR + "search: {trials: 2}\nhalving: {rungs: [1]}\n", "E0848", "{rungs", "leave one out"),
    (SMALL + "halving: {rungs: [3, 2]}\n", "E0849", "{rungs", "epochs that grow"),
    (SMALL + "set: {train: {epochs: 3}}\nhalving: {rungs: [1, 3]}\n", "E0849", "{rungs", "before the last"),
    (SMALL + "halving: {rungs: [3], keep: 1}\n", "E0849", "{rungs", "the share"),
    (MLP + "search: {trials: 2}\n", "E0201", "linaer", "linear"),
]


@pytest.mark.parametrize(("text", "code", "at", "cure"), MISTAKES)
def test_mistakes_are_told_at_their_place_before_anything_runs(tmp_path, text, code, at, cure):
    with pytest.raises(SpecError) as caught:
        planned(tmp_path, text)
    [problem] = caught.value.diagnostics
    assert (problem.code, cure in problem.help) == (code, True), problem
    span = problem.span
    assert Path(span.source.path).name == "sweep.yaml"
    assert span.source.text[span.start : span.end].startswith(at[: span.end - span.start])


def test_both_ends_of_ranges_are_checked_with_all_alternatives(tmp_path):
    (tmp_path / "tiny.yaml").write_text("extends: gin\n")
    found = [one.cell.labels for one in planned(tmp_path, SEARCH)]
    low, high = ("0.0001", "4"), ("0.1", "12")
    assert found == [(*low, "null"), (*low, "0.5"), (*high, "null"), (*high, "0.5")]
    axis = read_sweep(tmp_path / "sweep.yaml").axes[1]
    assert (axis.range.text(8.0), axis.range.ends) == ("8", ("4", "12"))


def trials(folder: str) -> dict[str, dict[str, str]]:
    cells = json.loads((Path(folder) / "sweep.json").read_text())["cells"]
    return {name: cell["axes"] for name, cell in cells.items()}


def test_a_damaged_journal_is_told_and_a_search_without_it_comes_to_the_same_trials(place, call):  # noqa: F811
    pytest.importorskip("optuna", reason="Optuna is not installed")
    (place / "search.yaml").write_text(SEARCH.replace("seeds: 2", "seeds: 1").replace("trials: 4", "trials: 2"))
    assert call("sweep", "search.yaml")[0] == 0
    before, journal = trials("runs/search"), place / "runs/search/search.journal"
    for damage in (b"garbage\n", b"[]\n", b"\xff\n"):
        journal.write_bytes(damage)
        code, out, err = call("sweep", "search.yaml")
        assert (code, "E0615" in err, "line 1" in err, "or remove it" in err) == (1, True, True, True)
    journal.unlink()
    code, out, _ = call("sweep", "search.yaml")
    assert (code, trials("runs/search")) == (0, before)
    assert "epoch 1/2" not in out


def test_a_search_that_was_interrupted_goes_on_as_it_would_have(place, call, monkeypatch):  # noqa: F811
    pytest.importorskip("optuna", reason="Optuna is not installed")
    (place / "search.yaml").write_text(SEARCH)
    code, out, err = call("sweep", "search.yaml", "--dry-run")
    assert (code, err) == (0, "")
    assert "4 trials, 2 seeds (0 and 1): 8 runs" in out
    assert call("sweep", "search.yaml", "--run-dir", "unbroken")[0] == 0
    wanted = trials("unbroken")
    assert len(wanted) == 4
    for values in wanted.values():
        assert 1e-4 <= float(values["lr"]) <= 1e-1
        assert values["d"] in ("4", "8", "12")

    with monkeypatch.context() as patch:
        patch.setattr(display, "choose", lambda *_: StopsIn(3))
        assert call("sweep", "search.yaml")[0] == 130
    begun = trials("runs/search")
    assert begun.items() <= wanted.items()
    with (place / "runs/search/search.journal").open("a") as file:
        file.write('{"op_code": 4, "wor')  # a kill has cut a line short
    code, out, err = call("sweep", "search.yaml")
    assert (code, err) == (0, "")
    assert trials("runs/search") == wanted
    made, other = sweep_runs("runs/search"), sweep_runs("unbroken")
    assert made.keys() == other.keys()
    for name, run in made.items():
        assert differing(other[name], run) == []
    assert "4 trials, 8 runs, 0 to do" in call("sweep", "search.yaml")[1]

    for was, now in (("  train.clip: [null, 0.5]\n", ""), ("0.5", "0.25"), ("1e-1", "1e-2"), ("step: 4", "step: 2")):
        (place / "search.yaml").write_text(SEARCH.replace(was, now))
        code, _, err = call("sweep", "search.yaml")
        assert (code, "E0806" in err, "of other axes" in err) == (1, True, True), now
    monkeypatch.setitem(sys.modules, "optuna", None)
    code, _, err = call("sweep", "search.yaml", "--run-dir", "other")
    assert (code, "E0841" in err, 'pip install "archspec-nn[search]"' in err) == (1, True, True)


ODD = """\
base: tiny
set:
  train: {epochs: 1}
  model: {sizes: {c: d / 3}, output: "linear(linear(x, c), out)"}
axes: {model.sizes.d: {from: 3, to: 6}}
search: {trials: 5, sampler: random}
"""


def test_a_trial_that_does_not_compile_stops_no_other(place, call):  # noqa: F811
    pytest.importorskip("optuna", reason="Optuna is not installed")
    (place / "odd.yaml").write_text(ODD)
    code, out, err = call("sweep", "odd.yaml")
    assert code == 1
    told = [line for line in err.splitlines() if "in the cell" in line]
    assert err.count("E0301") == len(told) == len({*told}) > 0
    assert {one["d"] for one in trials("runs/odd").values()} <= {"3", "6"}
    assert "not finished" not in out


HALVING = """\
base: tiny
axes: {train.optimizer.lr: [1e-30, 1e-2, 2e-2]}
halving: {rungs: [1, 2], keep: 0.5}
seeds: 2
"""


def test_halving_gives_up_cells_and_leaves_the_others_as_they_would_be(place, call, monkeypatch):  # noqa: F811
    (place / "rates.yaml").write_text(HALVING)
    assert call("sweep", "rates.yaml", "--set", "train.epochs=2")[2].count("E0849") == 1
    with monkeypatch.context() as patch:
        patch.setattr(display, "choose", lambda *_: StopsIn(7))
        assert call("sweep", "rates.yaml")[0] == 130
    code, out, err = call("sweep", "rates.yaml")
    assert (code, err) == (0, "")
    told = json.loads(Path("runs/rates/sweep.json").read_text())["cells"]
    stopped = {name: cell.get("stopped_at_epoch") for name, cell in told.items()}
    assert sorted(stopped.values(), key=str) == [1, 2, None]
    for name, epoch in stopped.items():
        for seed in (0, 1):
            run = RunFolder(Path("runs/rates") / name / f"seed-{seed}")
            assert run.epochs() == (epoch or 3)
            assert run.result()["reason"] == ("paused" if epoch else "epochs")
    rows = {line.split()[0]: line for line in out.splitlines() if "2/2" in line}
    assert {name: "stopped at epoch" in line for name, line in rows.items()} == {
        name: epoch is not None for name, epoch in stopped.items()
    }
    assert next(iter(rows)) == next(name for name, epoch in stopped.items() if epoch is None)

    before = Path("runs/rates/table.txt").read_text()
    code, out, _ = call("sweep", "rates.yaml")
    assert (code, "0 to do" in out) == (0, True)
    assert Path("runs/rates/table.txt").read_text() == before

    (place / "rates.yaml").write_text(HALVING.replace("halving: {rungs: [1, 2], keep: 0.5}\n", ""))
    code, out, err = call("sweep", "rates.yaml")  # without halving those that were given up go on
    assert (code, err) == (0, "")
    assert "4 to do" in out
    assert call("sweep", "rates.yaml", "--run-dir", "whole")[0] == 0
    made, other = sweep_runs("runs/rates"), sweep_runs("whole")
    for name, run in made.items():
        assert differing(other[name], run) == []
