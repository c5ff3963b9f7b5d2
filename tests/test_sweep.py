"""Sweeps: the file is checked whole before anything runs, every run is that of `archspec train`, nothing runs twice."""

import json
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from archspec.diagnostics import SpecError
from archspec.facts import with_defaults
from archspec.pipeline import facts_of
from archspec.sweep.cells import cells_of, ground_of
from archspec.sweep.file import read_sweep
from archspec.sweep.folder import baseline_entry
from archspec.sweep.plan import Planned, plan
from archspec.syntax.load import load_spec, shipped_specs
from archspec.train import display
from archspec.train.folder import RunFolder
from tests.test_train_commands import call, place  # noqa: F401  fixtures
from tests.test_train_resume import differing
from tests.test_train_seeds import StopsIn

ROOT = Path(__file__).parent.parent

TINY = """\
base: tiny
axes:
  model.where.layer:
    sum: |
      x = relu(batch_norm(linear(x, d) + sum[j in N](x[j]))) -> dropout(0.1)
    mean: |
      x = relu(batch_norm(linear(x, d) + mean[j in N](x[j]))) -> dropout(0.1)
    same: |
      x = relu(batch_norm(sum[j in N](x[j]) + linear(x, d))) -> dropout(0.1)
seeds: [41, 95]
"""


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("graphs")


def planned(path: Path, text: str, *overrides: str) -> list[Planned]:
    file = path / "sweep.yaml"
    file.write_text(text)
    sweep = read_sweep(file)
    ground, _ = ground_of(sweep, overrides)
    return plan(ground, cells_of(sweep), lambda spec: with_defaults(spec, facts_of(spec)))


def test_the_notebooks_grid_is_the_eight_specs_that_come_with_archspec():
    sweep = read_sweep(ROOT / "sweeps" / "gating_norms.yaml")
    ground, _ = ground_of(sweep, ())
    cells = {cell.folder: ground.spec(cell) for cell in cells_of(sweep)}
    assert len(cells) == 8
    for folder, spec in cells.items():
        same = load_spec(f"gating_norms_{folder.replace(',', '_')}")
        assert spec.settings.model == same.settings.model
    assert len({spec.text for spec in cells.values()}) == 8


ALTERNATIVES = """\
base: gin
set: {train: {schedule: {name: plateau, patience: 5}}}
axes:
  data.batch_size, train.optimizer.lr: {large: [64, 2e-3]}
  "model.where.mlp(h)":
    short: "h -> linear(d)"
    again: linear(h, d)
    long: |
      u = linear(h, 2 * d)
      relu(u) -> linear(d)
  train.schedule: [{name: cosine, warmup: 1}, {name: constant}]
  train.clip: [null, 0.5]
"""


def test_a_grid_of_zipped_axes_definitions_and_sections(tmp_path):
    cells = planned(tmp_path, ALTERNATIVES)
    assert len(cells) == 1 * 3 * 2 * 2
    one = next(cell for cell in cells if cell.cell.labels == ("large", "long", "cosine", "0.5"))
    settings = one.spec.settings
    assert (settings.data.batch_size, settings.train.optimizer.lr, settings.train.clip) == (64, 2e-3, 0.5)
    assert settings.train.schedule.model_dump(exclude_none=True)["name"] == "cosine"
    assert settings.model.where["mlp(h)"] == "u = linear(h, 2 * d)\nrelu(u) -> linear(d)"
    again = [cell for cell in cells if cell.cell.labels[1] == "again"]
    assert [cell.twin.labels for cell in again] == [(a, "short", c, d) for a, _, c, d in (x.cell.labels for x in again)]
    assert sum(cell.twin is not None for cell in cells) == 4


def test_cells_that_are_trained_otherwise_would_be_taken_for_one_without_their_settings(tmp_path, monkeypatch):
    monkeypatch.setattr("archspec.sweep.plan.outside", lambda _: {})
    assert sum(cell.twin is not None for cell in planned(tmp_path, ALTERNATIVES)) > 4


def test_listed_cells_at_an_equal_budget_and_what_the_command_line_sets(tmp_path):
    text = """\
base: gin
axes:
  "model.where.mlp(h)": {short: "h -> linear(d)", two: "h -> linear(d) -> relu -> linear(d)"}
  train.epochs: [5, 6]
cells: [{mlp: short, epochs: 5}, {mlp: two}]
budget: {params: 20k, solve: d}
"""
    first, second = planned(tmp_path, text, "train.epochs=3", "data.limit=9")
    assert (first.cell.labels, second.cell.labels) == (("short", "5"), ("two", "base"))
    assert (first.spec.settings.train.epochs, second.spec.settings.train.epochs) == (5, 3)
    assert first.width[1] > second.width[1]
    for cell in (first, second):
        assert 0.9 * 20_000 < cell.parameters <= 20_000
        assert cell.spec.settings.model.sizes["d"] == cell.width[1]
        assert cell.spec.settings.data.limit == 9


SPECS = """\
axes:
  base, train.optimizer.lr: {gin: [gin, 2e-3], ours: [specs/ours.yaml, 1e-3]}
  data.batch_size: [8, 16]
set: {train: {epochs: 3}}
"""


def test_an_axis_of_specs(tmp_path):
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "ours.yaml").write_text("name: ours\nextends: gcn\n")
    cells = planned(tmp_path, SPECS + "budget: {params: 20k, solve: d}\n")
    found = [(one.cell.labels, one.spec.settings.name, one.spec.settings.train.optimizer.lr) for one in cells]
    assert found == [
        (("gin", "8"), "gin", 2e-3),
        (("gin", "16"), "gin", 2e-3),
        (("ours", "8"), "ours", 1e-3),
        (("ours", "16"), "ours", 1e-3),
    ]
    gin, _, gcn, _ = cells
    assert (gin.spec.settings.model.where["eps"], "gcn(x)" in gcn.spec.settings.model.where) == ("scalar(0)", True)
    assert {one.spec.settings.train.epochs for one in cells} == {3}
    assert all(0.9 * 20_000 < one.parameters <= 20_000 for one in cells)
    assert gin.width != gcn.width
    [only] = planned(tmp_path, SPECS + 'cells: [{"base+lr": ours, batch_size: 8}]\n')
    assert (only.spec.settings.name, only.cell.folder) == ("ours", "ours,8")


def test_the_comparison_of_six_architectures_is_at_an_equal_budget():
    for name, facts in (("six_pattern", "pattern"), ("six_zinc", "zinc")):
        sweep = read_sweep(ROOT / "sweeps" / f"{name}.yaml")
        ground, _ = ground_of(sweep, ())
        cells = plan(ground, cells_of(sweep), lambda spec: with_defaults(spec, facts_of(spec)))
        assert len(cells) == 6
        assert {one.spec.settings.data.name for one in cells} == {facts}
        assert all(95_000 < one.parameters <= 100_000 for one in cells)
        trained = {one.spec.settings.train.model_dump_json() for one in cells}
        assert len(trained) == 1


SMALL = "base: gin\naxes: {model.sizes.d: [8]}\n"
MLP = 'base: gin\naxes: {"model.where.mlp(h)": {a: "h -> linear(d)", b: "h -> linaer(d)"}}\n'

MISTAKES = [
    ("base: gni\naxes: {model.sizes.d: [8]}\n", "E0001", "gni", "write `gin`"),
    ("axes: {model.sizes.d: [8]}\n", "E0831", "a", "write `base: …`"),
    ("base: gin\n", "E0831", "b", "write `axes: …`"),
    ("base: gin\naxes: {base: [gin, gcn]}\n", "E0801", "base", "leave out one"),
    ("axes: {base: [gin, {name: gcn}]}\n", "E0802", "{name: gcn}", "a file, or the name"),
    ("axes: {base: [gin, gnc]}\n", "E0001", "gnc", "write `gcn`"),
    ("axes: {base: [gcn, gin], model.where.eps: [scalar(1)]}\n", "E0801", "model.where.eps", "write `"),
    ("axes: {base: [gin, gcn], model.sizes.d: [8, 9]}\ncells: [{d: 8}]\n", "E0803", "{d: 8}", "write `base: gin`"),
    ("base: gin\naxes: {}\n", "E0832", "{}", "path: [alternatives]"),
    (SMALL + "seed: 3\n", "E0830", "seed", "write `seeds`"),
    (SMALL + "seeds: [1, 1]\n", "E0832", "[1, 1]", "different ones"),
    (SMALL + "seeds: 0\n", "E0832", "0", "a number of seeds"),
    (SMALL + "budget: {params: many}\n", "E0832", "{params: many}", "params: 100k"),
    (SMALL + "cells: []\n", "E0832", "[]", "a list of"),
    ("base: gin\naxes: {model.sizes.dd: [8]}\n", "E0801", "model.sizes.dd", "write `d`"),
    ("base: gin\naxes: {model.where.mpl: [relu]}\n", "E0801", "model.where.mpl", "write `mlp`"),
    ("base: gin\naxes: {train.seed: [1, 2]}\n", "E0801", "train.seed", "write `seeds: 3`"),
    ("base: gin\naxes: {name: [a, b]}\n", "E0801", "name", "`model`"),
    ('base: gin\naxes: {"": [1]}\n', "E0801", '""', "model.sizes.d"),
    ("base: gin\naxes: {train.epoch: [1]}\n", "E0630", "epoch", "write `epochs`"),
    ("base: gin\naxes: {model.sizes.d: []}\n", "E0802", "[]", "write a list"),
    ("base: gin\naxes: {model.sizes.d: [8, 8]}\n", "E0802", "8", "names"),
    ('base: gin\naxes: {model.output: ["linear(x, out) + linear(x, out)"]}\n', "E0802",
     '"linear(x, out) + linear(x, out)"', "write a section"),
    ("base: gin\naxes: {'model.sizes.d, train.clip': [[8, 1], [9]]}\n", "E0802", "[9]", "a list of 2 values"),
    ("base: gin\naxes: {model.sizes.d: [8], 'model.sizes.d, train.clip': {a: [8, 1]}}\n", "E0801",
     "'model.sizes.d, train.clip'", "one axis"),
    ("base: gin\naxes: {train.optimizer.lr: [1], train.optimizer: [{name: adam, lr: 2}]}\n", "E0801",
     "train.optimizer", "one axis"),
    ("base: gin\naxes: {'train.clip, train.clip': {a: [8, 1]}}\n", "E0801", "'train.clip, train.clip'", "once"),
    (SMALL + "cells: [{e: 8}]\n", "E0803", "e", "the axes are d"),
    (SMALL + "cells: [{d: 9}]\n", "E0803", "9", "its alternatives are 8"),
    (SMALL + "cells: [{d: 8}, {d: 8}]\n", "E0803", "{d: 8}", "list the cell once"),
    ("base: gin\naxes: {model.sizes.d: {a/b: 8, a b: 9}}\n", "E0803", "9", "otherwise"),
    (SMALL + "baseline: 9\n", "E0807", "9", "the cells are `8`"),
    (SMALL + "baseline: {e: 8}\n", "E0807", "{e: 8}", "the axes are d"),
    (SMALL + "baseline: [8]\n", "E0832", "[8]", "`{axis: alternative}`"),
    (SMALL.replace("[8]", "[8, 9], train.epochs: [1, 2]") + "baseline: {d: 8}\n", "E0807", "{d: 8}", "epochs"),
    (SMALL + "budget: {params: 100}\n", "E0804", "{params: 100}", "solve: d"),
    (SMALL + "budget: {params: 100k, solve: d}\n", "E0801", "model.sizes.d", "leave out `solve`"),
    (SMALL + "rank_by: test.mae\n", "E0805", "test.mae", "write `test.acc`"),
    (MLP, "E0201", "linaer", "linear"),
    ('base: gin\naxes: {"model.where.mlp(h)": {a: "h -> linear(d"}}\n', "E0102", "(", "missing `)`"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "code", "at", "cure"), MISTAKES)
def test_mistakes_are_told_at_their_place_before_anything_runs(tmp_path, text, code, at, cure):
    with pytest.raises(SpecError) as caught:
        planned(tmp_path, text)
    [problem] = caught.value.diagnostics
    assert problem.code == code
    span = problem.span
    assert span.source.path == str(tmp_path / "sweep.yaml")
    assert text[span.start : span.end].startswith(at[: span.end - span.start])
    assert cure in problem.help


def test_of_an_empty_file_it_is_told_what_to_write(tmp_path):
    (tmp_path / "empty.yaml").touch()
    with pytest.raises(SpecError) as caught:
        read_sweep(tmp_path / "empty.yaml")
    [problem] = caught.value.diagnostics
    assert (problem.code, "`base:`" in problem.help) == ("E0004", True)


@pytest.mark.parametrize("name", ["gin", "another"])
def test_a_sweep_or_one_beside_it_may_have_the_name_of_its_base(tmp_path, name):
    for one in ("gin", name):
        (tmp_path / f"{one}.yaml").write_text(SMALL)
    _, base = ground_of(read_sweep(tmp_path / f"{name}.yaml"), ())
    assert base.source.path == str(shipped_specs()["gin"])


@pytest.mark.parametrize(
    ("more", "folder"),
    [("", "8,4"), ("baseline: 9, 4\n", "9,4"), ("baseline: {d: 9, train.epochs: 5}\n", "9,5")],
)
def test_the_baseline_is_the_cell_that_is_named_else_the_base_itself(tmp_path, more, folder):
    text = "base: gin\naxes: {model.sizes.d: [8, 9], train.epochs: [4, 5]}\n" + more
    cells = planned(tmp_path, text, "model.sizes.d=8", "train.epochs=4")
    assert baseline_entry(read_sweep(tmp_path / "sweep.yaml"), cells)["cell"] == folder


def test_a_base_that_is_no_cell_is_no_baseline(tmp_path):
    cells = planned(tmp_path, SMALL, "model.sizes.d=9")
    assert baseline_entry(read_sweep(tmp_path / "sweep.yaml"), cells) is None


def test_sweeps_that_come_with_archspec_are_found_by_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert len(cells_of(read_sweep("gating_norms"))) == 8
    with pytest.raises(SpecError) as caught:
        read_sweep("gating_norm")
    assert caught.value.diagnostics[0].help == "write `gating_norms`"
    (tmp_path / "gating_norms.yaml").write_text(SMALL)  # a file of one's own stands before it
    assert len(cells_of(read_sweep("gating_norms"))) == 1


def sweep_runs(path: str) -> dict[str, RunFolder]:
    return {str(one.parent.relative_to(path)): RunFolder(one.parent) for one in Path(path).rglob("spec.yaml")}


def test_every_run_is_that_of_train_and_the_table_says_what_they_come_to(place, call):  # noqa: F811
    (place / "sums.yaml").write_text(TINY)
    code, out, err = call("sweep", "sums.yaml", "--dry-run")
    assert (code, err) == (0, "")
    assert "3 cells, 2 seeds (41 and 95): 4 runs" in out
    assert "= sum" in out
    assert not Path("runs").exists()

    code, out, err = call("sweep", "sums.yaml")
    assert (code, err) == (0, "")
    made = sweep_runs("runs/sums")
    assert sorted(made) == ["mean/seed-41", "mean/seed-95", "sum/seed-41", "sum/seed-95"]
    call("train", "tiny.yaml", "--set", "train.seed=95", "--run-dir", "alone")
    assert differing(RunFolder(Path("alone")), made["sum/seed-95"]) == []
    accs = [made[f"mean/seed-{seed}"].result()["best"]["test"]["acc"] for seed in (41, 95)]
    shown = f"{100 * statistics.mean(accs):.2f} ± {100 * statistics.stdev(accs):.2f}"
    [line] = [line for line in out.splitlines() if line.startswith("mean ") and "±" in line and "2/2" in line]
    assert shown in line
    val = {name: statistics.mean(made[f"{name}/seed-{seed}"].result()["best"]["val"]["acc"] for seed in (41, 95))
           for name in ("sum", "mean")}  # fmt: skip
    rows = [line.split()[0] for line in out.splitlines() if "2/2" in line]
    assert (rows.index("sum") < rows.index("mean")) == (val["sum"] > val["mean"])
    assert out.endswith(Path("runs/sums/table.txt").read_text() + "page: runs/sums/table.html\n")
    assert "test acc, %: less that of sum, which is the base itself" in out
    assert "<title>sums</title>" in Path("runs/sums/table.html").read_text()
    assert json.loads(Path("runs/sums/sweep.json").read_text())["cells"]["same"]["same_as"] == "sum"

    before = {name: run.state.stat().st_mtime_ns for name, run in made.items()}
    code, out, _ = call("sweep", "sums.yaml", "--seeds", "41,95,7")
    assert (code, "3 cells, 6 runs, 2 to do" in out) == (0, True)
    assert {name: run.state.stat().st_mtime_ns for name, run in made.items()} == before
    assert len(sweep_runs("runs/sums")) == 6

    code, _, err = call("sweep", "sums.yaml", "--set", "train.optimizer.lr=1")
    assert (code, "E0806" in err, "there it is `0.01`" in err) == (1, True, True)
    for path in (".", "/dev/null/sums"):
        code, _, err = call("sweep", "sums.yaml", "--run-dir", path)
        assert (code, "E0610" in err) == (1, True), path
    Path("others.yaml").write_text(Path("sums.yaml").read_text())
    before = Path("runs/sums/sweep.json").read_bytes()
    code, _, err = call("sweep", "others.yaml", "--run-dir", "runs/sums")
    assert (code, "E0806" in err, "another sweep, `sums`" in err) == (1, True, True)
    assert Path("runs/sums/sweep.json").read_bytes() == before


def test_scores_of_different_protocols_are_not_mixed_silently(place, call):  # noqa: F811
    (place / "limits.yaml").write_text("base: tiny\nset: {train: {epochs: 1}}\naxes: {data.limit: [6, 12]}\n")
    code, out, _ = call("sweep", "limits.yaml")
    assert code == 0
    assert "other results: limit 6 and not 12; graphs.train 6 and not 12" in out
    assert "warning: some scores may not be compared with the others: limit 6 and not 12" in out
    assert "one seed cannot tell a difference from chance" in out


def test_a_device_that_is_not_there_is_told_before_there_is_a_folder(place, call):  # noqa: F811
    (place / "sums.yaml").write_text(TINY)
    code, out, err = call("sweep", "sums.yaml", "--device", "cudaa")
    assert (code, out) == (1, "")
    assert "cudaa" in err
    assert not Path("runs/sums").exists()


def test_a_run_whose_result_is_damaged_is_had_again_as_the_error_says(place, call):  # noqa: F811
    (place / "sums.yaml").write_text(TINY.replace("[41, 95]", "[41]"))
    assert call("sweep", "sums.yaml")[0] == 0
    done = Path("runs/sums/mean/seed-41/done.json")
    whole = json.loads(done.read_text())
    done.write_bytes(done.read_bytes()[:20])
    code, _, err = call("sweep", "sums.yaml")
    assert (code, "E0615" in err, "remove it, then the same command goes on" in err) == (1, True, True)
    done.unlink()
    code, out, _ = call("sweep", "sums.yaml")
    assert (code, "2 runs, 1 to do" in out) == (0, True)
    assert json.loads(done.read_text())["best"] == whole["best"]


def test_a_cell_that_diverges_is_a_result(place, call):  # noqa: F811
    (place / "rates.yaml").write_text(
        "base: tiny\nset: {train: {epochs: 2, optimizer: {name: sgd}}}\naxes: {train.optimizer.lr: [1e30, 1e-2]}\n"
    )
    for _ in range(2):
        code, out, err = call("sweep", "rates.yaml")
        assert (code, err) == (0, "")
        assert "1 diverged" in out
    assert "2 runs, 0 to do" in out


def test_interrupted_and_begun_again(place, call, monkeypatch):  # noqa: F811
    (place / "sums.yaml").write_text(TINY.replace("[41, 95]", "[41]"))
    with monkeypatch.context() as patch:
        patch.setattr(display, "choose", lambda *_: StopsIn(2))
        code, out, _ = call("sweep", "sums.yaml")
    assert code == 130
    assert "1 run not finished: the same command goes on" in out
    code, out, err = call("sweep", "sums.yaml")
    assert (code, err) == (0, "")
    assert "2 runs, 1 to do" in out
    assert "going on at epoch 2" in out


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 120
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def writer(run: RunFolder) -> int:
    """The process that writes a run."""
    return int(json.loads((run.path / ".lock").read_text())["pid"])


def test_killed_workers_and_a_killed_driver_lose_an_epoch_at_most(place, call):  # noqa: F811
    """One worker of two is killed, then the driver; the other worker ends by itself, and the same command goes on."""
    text = TINY.replace("seeds: [41, 95]", "seeds: [41]\nset: {train: {threads: 1, epochs: 12}}")
    (place / "sums.yaml").write_text(text)
    command = [sys.executable, "-m", "archspec", "sweep", "sums.yaml", "--jobs", "2"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment) as driver:
        one, other = (RunFolder(Path("runs/sums") / name / "seed-41") for name in ("sum", "mean"))
        until(lambda: one.epochs() > 1)
        assert sys.platform != "linux" or "forkserver" in Path(f"/proc/{writer(one)}/cmdline").read_text()
        os.kill(writer(one), signal.SIGKILL)
        os.kill(driver.pid, signal.SIGKILL)
    done = one.epochs()
    assert 0 < done < 12
    code, out, err = call("sweep", "sums.yaml", "--jobs", "1")
    assert (code, err) == (0, "")
    [begun] = [line for line in out.splitlines() if "runs/sums/sum/seed-41" in line and "going on at epoch" in line]
    assert int(begun.partition("going on at epoch ")[2].split(",")[0]) in (done, done + 1)
    for run in (one, other):
        assert [record["epoch"] for record in run.records()] == [*range(1, 13)]
    call("sweep", "sums.yaml", "--jobs", "1", "--run-dir", "unbroken")
    for name, run in (("sum", one), ("mean", other)):
        assert differing(RunFolder(Path("unbroken") / name / "seed-41"), run) == []
