"""Times of a step: what is read between measurements, what every kernel needs, and one measurement of each kind."""

from itertools import islice
from pathlib import Path

import pytest

from archspec.cost.bill import bill, graphs_of
from archspec.cost.extent import of_facts
from archspec.cost.figures import runs
from archspec.cost.machine import Machine, Point, between, keep, known, path, read, reference, written
from archspec.cost.table import COSTS
from archspec.cost.time import step
from archspec.facts import TABLE
from archspec.pipeline import compile_spec, facts_of
from archspec.syntax.load import load_spec
from archspec.train import calibrate
from tests.test_command_line import call

POINTS = (Point(10, 1e-3, 2e-3), Point(1000, 1e-1, 2e-1))

UNMEASURED = {"none", "foreign", "gather_cross", "neighbour_sum.gather", "weighted_sum.gather", "pair_matmul.gather"}
"""Kernels without a row: nothing to do, unknown modules, and forms that no plan chooses by itself."""


@pytest.mark.parametrize(("units", "seconds"), [(1, 1e-3), (10, 1e-3), (100, 1e-2), (1000, 1e-1), (4000, 4e-1)])
def test_times_between_measurements(units: float, seconds: float) -> None:
    assert between(POINTS, units, "forward") == pytest.approx(seconds)
    assert between(POINTS, units, "backward") == pytest.approx(2 * seconds)


def test_the_nearest_variant_is_taken() -> None:
    near, far = [Point(1, 1e-3, 0.0)], [Point(1, 5e-3, 0.0)]
    one = Machine("test", {"linear": {(16, 16): near, (128, 128): far}})
    assert one.seconds("linear", 1, (20, 12))[0] == 1e-3
    assert one.seconds("linear", 1, (100, 200))[0] == 5e-3
    assert one.seconds("unknown", 1) == (0.0, 0.0)
    assert one.seconds("linear", 0, (16, 16)) == (0.0, 0.0)


def test_every_kernel_was_measured() -> None:
    kernels = {cost.kernel for forms in COSTS.values() for cost in forms.values()}
    assert kernels - set(reference().curves) == UNMEASURED


def test_a_machine_reads_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = Machine("test", {"linear": {(16.0, 16.0): list(POINTS)}, "add": {(): list(POINTS)}})
    assert read(written(one)) == one
    monkeypatch.setenv("ARCHSPEC_CACHE", str(tmp_path))
    assert known() == reference()
    assert keep(one) == path()
    assert known() == one
    path().write_text('{"version": 0}')
    assert known() == reference()


def test_larger_batches_take_longer_and_shares_add_up() -> None:
    spec = load_spec("gps")
    compiled, facts = compile_spec(spec), facts_of(spec)
    times = [
        step(compiled.plan, runs(compiled.plan, extent), extent, reference()).training
        for extent in (of_facts(facts, graphs) for graphs in (8, 32, 128))
    ]
    assert times[0] < times[1] < times[2] < 16 * times[0]
    found = bill(spec, compiled.program, compiled.plan, facts, machine=reference())
    assert sum(line.seconds for line in found.lines) == pytest.approx(found.time.forward + found.time.backward)
    assert found.epoch is not None
    assert found.epoch > 10_000 / 32 * found.time.training


@pytest.mark.parametrize(
    ("size", "graphs"), [(32, 32), (20_000, 10_000), ("4000 nodes", 4000 / 115.716), ("1 nodes", 1)]
)
def test_graphs_of_a_batch(size: int | str, graphs: float) -> None:
    assert graphs_of(size, TABLE["pattern"]) == pytest.approx(graphs)


def test_a_forecast_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The command measures, keeps and uses what it measured; here of a few kernels alone."""
    monkeypatch.setenv("ARCHSPEC_CACHE", str(tmp_path))
    monkeypatch.setattr(calibrate, "PATIENCE", 0.001)
    monkeypatch.setattr(calibrate, "trials", lambda: islice(calibrate.by_numbers(), 12))
    monkeypatch.setattr(calibrate.malloc, "tune", lambda: False)
    assert call("cost", "gin", "--calibrate", "--format", "json") == 0
    measured = known()
    assert measured.name.endswith("1 thread")
    assert measured.curves["batch_norm"][()][0].backward > 0
    assert measured.curves["call"][()][0].units == 1


def test_one_trial_of_every_kind() -> None:
    """Each kind of work runs, forward and back, at its smallest size."""
    seen: dict[str, calibrate.Trial] = {}
    for kinds in (calibrate.by_numbers, calibrate.by_matrix, calibrate.of_a_batch):
        for kernel, _, trial in islice(kinds(), 20):
            seen.setdefault(kernel, trial)
    for trial in seen.values():
        trial.function(*trial.operands)
    assert {"add", "linear", "cut", "part.reverse"} <= set(seen)
