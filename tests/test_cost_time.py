"""Times of a step: what is read between measurements, what every kernel needs, and one measurement of each kind."""

from collections import Counter
from itertools import islice
from pathlib import Path

import pytest
import torch

from archspec.cost.bill import bill, graphs_of
from archspec.cost.extent import of_facts
from archspec.cost.figures import runs
from archspec.cost.machine import Machine, Point, between, keep, known, path, read, reference, written
from archspec.cost.table import COSTS
from archspec.cost.time import step
from archspec.cost.work import WORK, Work
from archspec.facts import TABLE
from archspec.pipeline import compile_spec, facts_of
from archspec.syntax.load import load_spec, parse_spec
from archspec.train.calibrate import batches, machine, measuring, numbers, products
from archspec.train.calibrate.measuring import Meter, Run, Trial
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
    measured = set(reference().curves)
    cases = {name.split(".")[0] for name in measured if name.split(".")[0] in ("add", "mul", "div")}
    assert kernels - measured - cases == UNMEASURED


def test_every_variant_was_measured_at_several_sizes() -> None:
    """A variant of one size alone would be read as if all work took as long."""
    alone = {name for name, variants in reference().curves.items() if any(len(one) < 2 for one in variants.values())}
    assert alone == {"call", "step"}
    variants = [(kernel, variant) for kernel, variant, _ in islice(products.on_all_pairs(), 40)]
    assert min(Counter(variants).values()) > 1


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


@pytest.mark.parametrize(("limit", "graphs"), [(100, 100), (None, 10_000), (20_000, 10_000)])
def test_an_epoch_is_of_the_graphs_that_are_read(limit: int | None, graphs: int) -> None:
    spec = load_spec("gin", [f"data.limit={limit or 'null'}", "train.test_every=null"])
    compiled, facts = compile_spec(spec), facts_of(spec)
    found = bill(spec, compiled.program, compiled.plan, facts, machine=reference())
    assert facts is not None
    scored = min(limit or 20_000, facts.graphs["val"]) / 32 * (found.time.cut + found.time.forward)
    assert found.epoch == pytest.approx(graphs / 32 * found.time.training + scored)


SPEC = """
name: cases
model:
  sizes: {{d: 16}}
  input: x = encode(x, d)
  stack: layer
  output: linear(x, out)
  where:
    layer: x = {}
    w: vector(d, 1)
    s: scalar(1)
data: {{name: pattern}}
"""

CASES = {
    "x * sin(x)": {"sin", "mul.full.11"},
    "x * detach(sin(x))": {"sin", "mul.full.10"},
    "sin(x) / (1 + exp(x))": {"sin", "exp", "add.number.00", "div.full.11"},
    "x * 3": {"mul.number.10"},
    "x * w": {"mul.column.11"},
    "x * s": {"mul.number.11"},
    "x + w": {"add.column.01"},
    "x + sin(x)": {"sin", "add.full.00"},
    "1 / exp(x)": {"exp", "div.inverse.01"},
    "maximum(x, sin(x))": {"sin", "maximum"},
    "linear(x, d)": {"linear"},
    "x * sum[j in N](1)": {"mul.row.10"},
}
"""Expressions and the names under which some of their kernels were measured."""


@pytest.mark.parametrize("expression", CASES)
def test_kernels_by_where_gradients_flow(expression: str) -> None:
    compiled = compile_spec(parse_spec(SPEC.format(expression), "cases.yaml"))
    ran = runs(compiled.plan, of_facts(TABLE["pattern"], 4))
    names = {WORK.get(run.cost.kernel, Work()).kernel(run.cost.kernel, run.at) for run in ran}
    assert CASES[expression] <= names


def test_runs_that_were_given_memory_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """A median of all runs would be 5 s, that of the first ones too."""
    monkeypatch.setattr(measuring, "FRESH", 2**20)
    monkeypatch.setattr(measuring, "PATIENCE", 0.0)
    meter = Meter()
    taken = iter([*([Run(5.0, 9.0, 100)] * 12), *([Run(1.0, 3.0, 0)] * 18)])
    monkeypatch.setattr(measuring, "run", lambda trial, operands, held: next(taken))
    point = meter.point(Trial(7, torch.relu, [torch.rand(8)]))
    assert (point.units, point.forward) == (7, pytest.approx(1.0, abs=1e-3))
    assert point.backward == pytest.approx(3.0, abs=1e-3)


def test_a_forecast_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The command measures, keeps and uses what it measured; here of a few kernels alone."""
    monkeypatch.setenv("ARCHSPEC_CACHE", str(tmp_path))
    monkeypatch.setattr(measuring, "PATIENCE", 0.001)
    monkeypatch.setattr(measuring, "FRESH", 2**20)
    monkeypatch.setattr(machine, "trials", lambda: islice(numbers.normalised(31), 4))
    monkeypatch.setattr(machine.malloc, "tune", lambda: False)
    assert call("cost", "gin", "--calibrate", "--format", "json") == 0
    measured = known()
    assert measured.name.endswith("1 thread")
    assert measured.curves["batch_norm"][(64,)][0].forward > 0
    assert [measured.curves[kernel][()][0].units for kernel in ("call", "step")] == [1, 1]
    assert measured.curves["step"][()][0].forward > 0


def test_one_trial_of_every_kind() -> None:
    """Each kind of work runs, forward and back, at its smallest size."""
    seen: dict[str, Trial] = {}
    kinds = {numbers.by_numbers: 120, products.by_matrix: 30, products.on_sparse_sets: 5, batches.of_a_batch: 12}
    for kind, first in kinds.items():
        for kernel, _, trial in islice(kind(), first):
            seen.setdefault(kernel, trial)
    for trial in seen.values():
        trial.function(*trial.operands)
    assert {"add.full.00", "mul.row.01", "linear", "linear.leaf", "cut", "part.reverse", "sqrt", "softsign"} <= set(
        seen
    )
