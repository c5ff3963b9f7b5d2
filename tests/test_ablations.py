"""The runs that docs/ablations.md is made from are those of the sweeps, and its figures are what they come to."""

import re
import runpy
import statistics
from pathlib import Path

import pytest
from scipy import stats

from archspec.facts import tasks, with_defaults
from archspec.pipeline import facts_of
from archspec.sweep.cells import cells_of, ground_of
from archspec.sweep.file import read_sweep
from archspec.sweep.plan import plan

ROOT = Path(__file__).parent.parent
KEPT = sorted((ROOT / "benchmarks" / "results" / "ablations").glob("*.csv"))
made = runpy.run_path(str(ROOT / "docs" / "ablations.py"))
Kept = made["Kept"]


@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.stem)
def test_the_runs_are_those_of_the_sweep(path):
    sweep = read_sweep(ROOT / "sweeps" / f"{path.stem}.yaml")
    ground, _ = ground_of(sweep, ())
    cells = plan(ground, cells_of(sweep), lambda spec: with_defaults(spec, facts_of(spec)))
    kept = Kept.read(path.stem)
    assert kept.axes == [axis.name for axis in sweep.axes]
    seeds = (sweep.seeds or "").strip(",").split(",")
    assert {folder: [row["seed"] for row in rows] for folder, rows in kept.by_cell.items()} == {
        one.cell.folder: seeds for one in cells
    }
    for one in cells:
        for row in kept.by_cell[one.cell.folder]:
            epochs = one.spec.settings.train.epochs
            assert (int(row["parameters"]), int(row["epochs"])) == (one.parameters, epochs)
            curve = row["val by epoch"].split()
            assert len(curve) == epochs
            assert f"{float(row['val']):.4f}" == curve[int(row["epoch"]) - 1]
            assert f"{float(row['val last']):.4f}" == curve[-1]
            best = max if tasks.score(row["score"]).larger_is_better else min
            assert curve[int(row["epoch"]) - 1] == best(curve, key=float)


def test_the_page_is_of_runs_that_are_kept():
    page = (ROOT / "docs" / "ablations.md").read_text(encoding="utf-8")
    assert {path.stem for path in KEPT} == {*re.findall(r"<!-- generated: ablation cells (\w+)", page)} != set()


def test_gcn_is_trained_alike_in_two_sweeps():
    """The bits of a run follow from what is trained, not from the sweep it is in."""
    one, other = Kept.read("six_pattern").by_cell["gcn"], Kept.read("gcn_weights").by_cell["degrees"]
    assert [row["val by epoch"] for row in one] == [row["val by epoch"] for row in other]
    assert [row["test"] for row in one] == [row["test"] for row in other]


@pytest.fixture
def grid(monkeypatch, tmp_path):
    """Two axes and three seeds: `b` is worth 2 points, `a` 1 point where b is on; seeds shift all cells alike."""
    names = "a,b,seed,score,val,test,val last,test last,val floor,test floor,floor rule,parameters,seconds,reason,torch"
    lines = [names]
    noise = iter([0.01, -0.02, 0.01, 0.03, -0.01, 0.0, 0.02, -0.03, 0.01, 0.0, 0.01, -0.02])
    for a in (0, 1):
        for b in (0, 1):
            for seed in (1, 2, 3):
                score = (80 + 2 * b + a * b + 5 * seed + next(noise)) / 100
                cell = f"{('no', 'yes')[a]},{('no', 'yes')[b]}"
                lines.append(f"{cell},{seed},acc,{score},{score},{score},{score},0.5,0.5,half,10,1,epochs,2.13.0")
    (tmp_path / "grid.csv").write_text("\n".join(lines))
    monkeypatch.setitem(Kept.read.__func__.__globals__, "RESULTS", tmp_path)
    return "grid"


def test_planted_effects_are_found_and_seeds_cancel_out(grid):
    rows = made["effects"](grid, "no,no").splitlines()[2:]
    found = {row.split(" | ")[0].strip("| "): float(row.split(" | ")[1]) for row in rows}
    assert found == pytest.approx({"a: yes - no": 0.5, "b: yes - no": 2.5, "a: yes - no × b: yes - no": 1.0}, abs=0.02)


def test_a_cell_is_paired_by_seed(grid):
    rows = made["against"](grid, "no,no").splitlines()[2:]
    scores = {folder: [100 * float(row["test"]) for row in rows] for folder, rows in Kept.read(grid).by_cell.items()}
    differences = [one - other for one, other in zip(scores["yes,yes"], scores["no,no"], strict=True)]
    mean, error = statistics.mean(differences), statistics.stdev(differences) / len(differences) ** 0.5
    low, high = stats.t.interval(0.95, 2, mean, error)
    assert rows[0] == f"| yes | yes | {mean:+.3f} | {low:+.3f} to {high:+.3f} | < 0.001 | 3 | better |"
    assert "not decided" in next(row for row in rows if row.startswith("| yes | no"))


def test_the_notebooks_effects_by_hand():
    rows = made["beside_notebook"]("gating_norms", "off,layer,batch").splitlines()[2:]
    there = {row.split(" | ")[0].strip("| "): float(row.split(" | ")[1]) for row in rows}
    off, on = 83.9 + 85.2 + 85.6 + 83.5, 83.7 + 83.9 + 85.1 + 83.5
    assert there["inner: on - off"] == pytest.approx((on - off) / 4, abs=0.005)
    crossed = ((83.9 - 85.2) - (85.6 - 83.5) + (83.7 - 83.9) - (85.1 - 83.5)) / 2
    assert there["attention_norm: batch - layer × mlp_norm: layer - batch"] == pytest.approx(-crossed, abs=0.005)


def test_scores_go_up_and_down_as_the_curves_do(tmp_path, monkeypatch):
    (tmp_path / "two.csv").write_text(
        "a,seed,score,val by epoch\n"
        "no,1,acc,0.5 0.6 0.5 0.6 0.5 0.8 0.8 0.8 0.8 0.8\n"
        "yes,1,acc,0.7 0.7 0.7 0.7 0.7 0.8 0.8 0.8 0.8 0.8\n"
    )
    monkeypatch.setitem(Kept.read.__func__.__globals__, "RESULTS", tmp_path)
    first, last = made["swings"]("two").splitlines()[2:]
    assert first.startswith("| 1 to 5 | 50.00 | 70.00 | 5.00 | 20.0 (10.0 to 20.0)")
    assert last.startswith("| 6 to 10 | 80.00 | 80.00 | 0.00 | 0.0 (0.0 to 0.0)")
