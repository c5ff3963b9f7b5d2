"""The runs that docs/ablations.md is made from are those of the sweeps, and its figures are what they come to."""

import re
import runpy
import statistics
from pathlib import Path

import pytest
from scipy import stats

from archspec.facts import with_defaults
from archspec.pipeline import facts_of
from archspec.sweep.cells import cells_of, ground_of
from archspec.sweep.file import read_sweep
from archspec.sweep.plan import plan

ROOT = Path(__file__).parent.parent
KEPT = sorted((ROOT / "benchmarks" / "results" / "ablations").glob("*.csv"))
made = runpy.run_path(str(ROOT / "docs" / "ablations.py"))
Results = made["Results"]


@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.stem)
def test_the_runs_are_those_of_the_sweep(path):
    sweep = read_sweep(ROOT / "sweeps" / f"{path.stem}.yaml")
    ground, _ = ground_of(sweep, ())
    cells = plan(ground, cells_of(sweep), lambda spec: with_defaults(spec, facts_of(spec)))
    found = Results.read(path.stem)
    assert found.axes == tuple(axis.name for axis in sweep.axes)
    assert {(found.cell(row), row["seed"]) for row in found.rows} == {
        (one.cell.labels, seed) for one in cells for seed in (sweep.seeds or "").strip(",").split(",")
    }
    assert len(found.rows) == len({(found.cell(row), row["seed"]) for row in found.rows})
    for one in cells:
        epochs = one.spec.settings.train.epochs
        assert {*found.of(one.cell.labels, "parameters").values()} == {one.parameters}
        assert {*found.of(one.cell.labels, "epochs").values()} == {epochs}
        assert all(len(row["val by epoch"].split()) == epochs for row in found.rows)


def test_the_page_is_of_runs_that_are_kept():
    page = (ROOT / "docs" / "ablations.md").read_text(encoding="utf-8")
    assert {path.stem for path in KEPT} == {*re.findall(r"<!-- generated: ablation cells (\w+)", page)} != set()


@pytest.fixture
def grid(monkeypatch, tmp_path):
    """Two axes and three seeds: `b` is worth 2 points, `a` 1 point where b is on; seeds shift all cells alike."""
    lines = ["a,b,seed,score,val,test,val floor,test floor,parameters,seconds"]
    noise = iter([0.01, -0.02, 0.01, 0.03, -0.01, 0.0, 0.02, -0.03, 0.01, 0.0, 0.01, -0.02])
    for a in (0, 1):
        for b in (0, 1):
            for seed in (1, 2, 3):
                score = (80 + 2 * b + a * b + 5 * seed + next(noise)) / 100
                lines.append(f"{('no', 'yes')[a]},{('no', 'yes')[b]},{seed},acc,{score},{score},0.5,0.5,10,1")
    (tmp_path / "grid.csv").write_text("\n".join(lines))
    monkeypatch.setitem(Results.read.__func__.__globals__, "RESULTS", tmp_path)
    return "grid"


def test_planted_effects_are_found_and_seeds_cancel_out(grid):
    found = {name: one.value for (name, _), one in made["estimates"](Results.read(grid)).items()}
    assert found == pytest.approx({"a": 0.5, "b": 2.5, "a × b": 1.0}, abs=0.02)
    assert made["effects"](grid).count("| there |") == 3


def test_a_cell_is_paired_by_seed(grid):
    table = made["cells"](grid, "no,no").splitlines()
    assert table[2].startswith("| yes | yes | 93.0")
    results = Results.read(grid)
    ones, others = (list(results.of(cell, "test").values()) for cell in (("yes", "yes"), ("no", "no")))
    differences = [one - other for one, other in zip(ones, others, strict=True)]
    bounds = stats.t.interval(
        0.95, 2, statistics.mean(differences), statistics.stdev(differences) / len(differences) ** 0.5
    )
    assert f"{statistics.mean(differences):+.2f} [{bounds[0]:+.2f}, {bounds[1]:+.2f}] | < .001" in table[2]
    assert table[2].endswith("| better |")
    assert "not decided" in next(line for line in table if line.startswith("| yes | no"))


def test_the_notebooks_effects_by_hand():
    there = {name: value for (name, _), value in made["notebooks"]().items()}
    off, on = 83.9 + 85.2 + 85.6 + 83.5, 83.7 + 83.9 + 85.1 + 83.5
    assert there["inner"] == pytest.approx((on - off) / 4)
    crossed = ((83.5 - 85.6) - (85.2 - 83.9) + (83.5 - 85.1) - (83.9 - 83.7)) / 2
    assert there["attention_norm × mlp_norm"] == pytest.approx(crossed)
