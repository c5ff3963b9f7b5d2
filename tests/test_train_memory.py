"""The memory of a step, forecast before it is made: against torch's allocator, and what is refused."""

import re

import pytest
import torch

from archspec.commands.opening import assemble
from archspec.diagnostics import SpecError
from archspec.syntax.load import load_spec
from archspec.train import memory
from archspec.train.display import Silent
from archspec.train.engine import Engine
from archspec.train.tally import Tally
from archspec.train.task import Task
from tests.measuring import peak_bytes
from tests.training import CPU, start

SPECS = {"gin": 0.05, "gin_sigmoid_eps": 0.05, "position_gating": 0.1, "content_attention": 0.05, "gat": 0.1}
"""Within what share of the peak of a whole step, optimiser and scores included, the forecast is."""


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("graphs")


def prepared(cache, name: str, *settings: str) -> Task:
    """A task on a few graphs of PATTERN."""
    given = ("data={name: pattern, limit: 12, batch_size: 8}", *settings)
    spec = load_spec(name, given)
    return assemble(spec, cache, Silent())


@pytest.mark.parametrize(("name", "within"), SPECS.items())
def test_a_step_takes_what_is_forecast(cache, name, within):
    task = prepared(cache, name, "data.batch_size=12")
    engine = Engine(task, CPU.device)
    engine.module.train()
    batch = engine.task.data.train.batch(range(12))
    tally = Tally(engine.kind)
    engine.step(batch, 1, tally)  # the optimiser's own numbers are made, and the batch's sets
    engine.optimizer.zero_grad()
    measured = peak_bytes(lambda: engine.step(batch, 2, tally))
    held = 3 * 4 * sum(one.numel() for one in engine.module.parameters())  # weights and what Adam has
    made = sum(one.nbytes for one in (batch.x, batch.N.ptr, batch.N.source))
    found = next(memory.forecasts(task)).taken - held - made
    assert found == pytest.approx(measured, rel=within)


@pytest.mark.parametrize(
    ("settings", "key", "size"),
    [
        ((), "data.batch_size", r"(\d+)"),
        (("data.batch_size=600 nodes", "train.eval_batch_size=1"), "data.batch_size", r"'(\d+ nodes)'"),
        (("train.eval_batch_size=12", "data.batch_size=1"), "train.eval_batch_size", r"(\d+)"),
    ],
)
def test_what_does_not_fit_is_refused_with_what_does(cache, settings, key, size):
    task = prepared(cache, "gin", *settings)
    room = max(one.taken for one in memory.forecasts(task)) * 0.7
    memory.check_step(task, room / 0.7)
    with pytest.raises(SpecError) as caught:
        memory.check_step(task, room)
    (problem,) = caught.value.diagnostics
    assert problem.code == "E0006"
    found = re.search(rf"`--set {key}={size}`", problem.help)
    assert found, problem.help
    again = prepared(cache, "gin", *settings, f"{key}={found[1]}")
    memory.check_step(again, room)


def test_where_nothing_fits_the_model_has_to_be_smaller(cache):
    with pytest.raises(SpecError) as caught:
        memory.check_step(prepared(cache, "gin"), 1000)
    assert "make a size in `model.sizes` smaller" in caught.value.diagnostics[0].help


def test_a_guess_refuses_nothing(cache):
    layer = "model.where={layer: 'x = linear(sum[j in reach(3)](x[j]), d)'}"
    task = prepared(cache, "gin", layer, "model.output=linear(x, out)", "model.stack=1 * layer")
    memory.check_step(task, 1000)
    assert "guessed" in "\n".join(memory.lines(task, 1000))


@pytest.mark.parametrize(("precision", "factor"), [("64", 2.0), ("bf16", 0.5)])
def test_digits_count(cache, precision, factor):
    usual, other = (
        next(memory.forecasts(prepared(cache, "gin", f"train.precision={one}"))).taken for one in ("32", precision)
    )
    assert other == pytest.approx(factor * usual)


def test_processes_share_what_is_free(monkeypatch):
    monkeypatch.setattr("archspec.train.memory.available", lambda: 1000)
    assert memory.free(torch.device("cpu"), 4) == 250
    monkeypatch.setattr("torch.cuda.mem_get_info", lambda _device: (600, 1000))
    assert memory.free(torch.device("cuda", 1), 4) == 600


def test_a_module_without_a_plan_is_not_judged(cache, tmp_path, monkeypatch):
    monkeypatch.setattr("archspec.train.memory.available", lambda: 0)
    start(cache, tmp_path / "run", epochs=1)
