"""Stopped in any way and resumed, a run ends with the bits of one that was never stopped."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from archspec.data.batching import BatchSampler, BatchSize
from archspec.train.checkpoint import read, save
from archspec.train.display import Plain
from archspec.train.folder import RunFolder
from archspec.train.interrupt import Interrupted
from tests import training
from tests.training import BATCH, Stops, differing, resume, start


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("graphs")


@pytest.fixture(scope="module")
def unbroken(cache, tmp_path_factory) -> RunFolder:
    return start(cache, tmp_path_factory.mktemp("runs") / "unbroken")


@pytest.mark.parametrize(
    ("epoch", "step", "every"),
    [("2", "3", "1"), ("3", "-", "2")],
    ids=["in the middle of an epoch", "with metrics ahead of the checkpoint"],
)
def test_killed_and_resumed(cache, unbroken, tmp_path, epoch, step, every):
    training.data(cache)  # in the cache before the other process asks for it
    path = tmp_path / "run"
    command = [sys.executable, "-m", "tests.training", str(cache), str(path), epoch, step, every]
    done = subprocess.run(command, cwd=Path(__file__).parent.parent, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    ahead = len(RunFolder(path).records())
    assert ahead == {"2": 2, "3": 3}[epoch]
    assert not RunFolder(path).done.exists()
    made = resume(cache, path, checkpoint_every=int(every))
    assert differing(unbroken, made) == []


@pytest.mark.parametrize("step", [1, 4, 5])  # 5 is the last of the epoch: the interruption is noticed before scoring
def test_interrupted_in_an_epoch_and_resumed(cache, unbroken, tmp_path, step):
    path = tmp_path / "run"
    with pytest.raises(Interrupted):
        start(cache, path, Stops(signal.SIGINT, 1, step))
    kept = read(RunFolder(path).state)
    assert (kept["epoch"], kept["step"]) == (1, step)
    assert differing(unbroken, resume(cache, path)) == []


class StopsScoring(Stops):
    """Asks to stop while a split is scored."""

    def step(self, state, loss, rate):
        self.epoch_now = state.epoch

    def watch(self, what):
        if (self.epoch_now, what) == self.at:
            signal.raise_signal(self.number)


@pytest.mark.parametrize("split", ["validation", "test"])
def test_interrupted_while_scoring_and_resumed(cache, unbroken, tmp_path, split):
    path = tmp_path / "run"
    with pytest.raises(Interrupted):
        start(cache, path, StopsScoring(signal.SIGINT, 2, split))
    assert len(RunFolder(path).records()) == 2
    assert differing(unbroken, resume(cache, path)) == []


def test_stopped_before_the_first_checkpoint(cache, unbroken, tmp_path):
    path = tmp_path / "run"
    with pytest.raises(Interrupted):
        start(cache, path, Stops(signal.SIGINT, 0, 2))
    for one in RunFolder(path).checkpoints.iterdir():
        one.unlink()
    assert differing(unbroken, resume(cache, path)) == []


def test_interrupted_many_times(cache, unbroken, tmp_path):
    path = tmp_path / "run"
    with pytest.raises(Interrupted):
        start(cache, path, Stops(signal.SIGINT, 0, 1))
    for epoch, step in ((0, 3), (1, 1), (3, 5)):
        with pytest.raises(Interrupted):
            resume(cache, path, Stops(signal.SIGINT, epoch, step))
    assert differing(unbroken, resume(cache, path)) == []
    assert len(RunFolder(path).told()["resumed"]) == 4


@pytest.mark.parametrize("size", [BatchSize(600, "nodes"), BatchSize(BATCH, "graphs")], ids=str)
def test_other_batches(cache, tmp_path, size):
    """Batches of nodes, sorted by size: interrupted twice in an epoch and once after one."""
    other = {"batches": (size, 2), "eval_batch_size": "300 nodes", "schedule": {"name": "cosine", "warmup": 1}}
    whole = start(cache, tmp_path / "whole", **other)
    assert whole.result()["best"] != start(cache, tmp_path / "usual", schedule=other["schedule"]).result()["best"]
    with pytest.raises(Interrupted):
        start(cache, tmp_path / "run", Stops(signal.SIGINT, 1, 1), **other)
    for epoch, step in ((1, 3), (2, None)):
        with pytest.raises(Interrupted):
            resume(cache, tmp_path / "run", Stops(signal.SIGINT, epoch, step), **other)
    assert differing(whole, resume(cache, tmp_path / "run", **other)) == []


@pytest.mark.parametrize(
    "schedule", [{"name": "plateau", "patience": 0, "threshold": 0.05}, {"name": "cosine", "warmup": 1}]
)
@pytest.mark.parametrize("name", ["sgd", "adamw", "rmsprop"])
def test_other_optimisers_and_schedules(cache, tmp_path, name, schedule):
    options = {
        "optimizer": {"name": name, "lr": 0.01} | ({"momentum": 0.9} if name != "adamw" else {}),
        "schedule": schedule,
    }
    whole = start(cache, tmp_path / "whole", **options)
    with pytest.raises(Interrupted):
        start(cache, tmp_path / "run", Stops(signal.SIGINT, 2, 3), **options)
    assert differing(whole, resume(cache, tmp_path / "run", **options)) == []


def test_more_epochs_go_on_where_the_run_ended(cache, unbroken, tmp_path):
    start(cache, tmp_path / "run", epochs=2)
    made = resume(cache, tmp_path / "run", epochs=4)
    assert differing(unbroken, made) == []


def test_a_line_cut_short_is_dropped(cache, unbroken, tmp_path):
    path = tmp_path / "run"
    with pytest.raises(Interrupted):
        start(cache, path, Stops(signal.SIGINT, 2, 1))
    with RunFolder(path).metrics.open("a") as file:
        file.write('{"epoch": 3, "lr": 0.0')
    assert differing(unbroken, resume(cache, path)) == []


def test_weights_from_after_the_checkpoint_are_replaced(cache, tmp_path):
    """A crash can leave best weights of an epoch that the resumed run never has, where it is not deterministic."""
    path = tmp_path / "run"
    with pytest.raises(Interrupted):
        start(cache, path, Stops(signal.SIGINT, 2, 1))
    made = RunFolder(path)
    right = made.weights("best").read_bytes()
    made.weights("best").write_bytes(b"from the future")
    with pytest.raises(Interrupted):
        resume(cache, path, Stops(signal.SIGINT, 2, 2))
    assert made.weights("best").read_bytes() == right


@pytest.mark.parametrize("part", ["random", "optimizer", "module"])
def test_the_comparison_can_fail(cache, unbroken, tmp_path, part):
    """Each part of the checkpoint is needed: without it the bits differ."""
    path = tmp_path / "run"
    with pytest.raises(Interrupted):
        start(cache, path, Stops(signal.SIGINT, 1, 3))
    kept, fresh = read(RunFolder(path).state), read(start(cache, tmp_path / "other", seed=7, epochs=1).state)
    save(RunFolder(path), kept | {part: fresh[part]})
    assert "last" in differing(unbroken, resume(cache, path))


def test_another_order_of_graphs_would_show(cache, unbroken, tmp_path, monkeypatch):
    path = tmp_path / "run"
    with pytest.raises(Interrupted):
        start(cache, path, Stops(signal.SIGINT, 1, 3))
    usual = BatchSampler.epoch
    monkeypatch.setattr(BatchSampler, "epoch", lambda sampler, epoch: usual(sampler, epoch - 1))
    assert "metrics" in differing(unbroken, resume(cache, path))


def test_a_changed_environment_is_told(cache, tmp_path, capsys):
    path = tmp_path / "run"
    with pytest.raises(Interrupted):
        start(cache, path, Stops(signal.SIGINT, 2, 1))
    made = RunFolder(path)
    made.environment.write_text(json.dumps(made.told() | {"threads": 64}))
    resume(cache, path, Plain())
    assert "threads: 64 → 1" in capsys.readouterr().out


def test_a_second_ctrl_c_ends_at_once(cache, tmp_path):
    class Impatient(Stops):
        def step(self, state, loss, rate):
            super().step(state, loss, rate)
            super().step(state, loss, rate)

    with pytest.raises(KeyboardInterrupt):
        start(cache, tmp_path / "run", Impatient(signal.SIGINT, 2, 1))
    assert read(RunFolder(tmp_path / "run").state)["epoch"] == 2
