"""A run from its start: the folder, what is recorded, why it stops, and what is refused."""

import json
import signal

import pytest
import torch
from torch import nn

from archspec.data.load import DataSet
from archspec.diagnostics import SpecError
from archspec.train import checkpoint, folder, report, run, weights
from archspec.train.display import Plain
from archspec.train.engine import Engine, Evaluator
from archspec.train.folder import RunFolder
from archspec.train.interrupt import Interrupted
from archspec.train.tally import Tally
from tests.training import BATCH, CPU, GRAPHS, Small, Stops, start, task


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("graphs")


@pytest.fixture(scope="module")
def done(cache, tmp_path_factory) -> RunFolder:
    return start(cache, tmp_path_factory.mktemp("runs") / "a" / "run")


def test_the_folder(done):
    assert sorted(one.name for one in done.path.iterdir()) == [
        ".lock",
        "checkpoints",
        "done.json",
        "environment.json",
        "metrics.jsonl",
        "model.py",
        "places.json",
        "spec.yaml",
    ]
    assert sorted(one.name for one in done.checkpoints.iterdir()) == [
        "best.safetensors",
        "last.pt",
        "last.safetensors",
        "previous.pt",
    ]
    assert done.spec.read_text() == "name: small\n"
    told = done.told()
    assert told["torch"] == torch.__version__
    assert told["threads"] == 1
    assert told["processor"]
    assert told["command"]


def test_metrics_have_all_splits_each_epoch(done):
    records = done.records()
    assert [one["epoch"] for one in records] == [1, 2, 3, 4]
    for one in records:
        assert one["steps"] == -(-GRAPHS // BATCH)
        assert 0 < one["gradient_norm"]["mean"] <= one["gradient_norm"]["max"]
        for split in ("train", "val", "test"):
            assert set(one[split]) == {"loss", "accuracy", "acc", "acc_0", "acc_1"}
            assert one[split]["acc"] == pytest.approx((one[split]["acc_0"] + one[split]["acc_1"]) / 2)


def test_result(done):
    result, records = done.result(), done.records()
    best = max(records, key=lambda one: one["val"]["acc"])
    assert result["reason"] == "epochs"
    assert result["best"]["epoch"] == best["epoch"]
    assert result["best"]["test"] == best["test"]
    assert result["last"]["test"] == records[-1]["test"]
    assert 0.5 < result["floor"]["test"]["acc"] < 1
    assert "redraws" in result["ceiling"]["what"]


def test_the_final_table_names_floor_ceiling_and_next_command(done):
    text = report.table(done.result(), done.path)
    assert "fitted on the training split" in text
    assert "measured on redraws" in text
    assert f"archspec evaluate {done.path}" in text
    best = next(line for line in text.splitlines() if line.startswith("best validation"))
    assert f"{100 * done.result()['best']['test']['acc_1']:.2f}" in best


@pytest.mark.parametrize("which", ["best", "last"])
def test_weights_give_the_recorded_scores(cache, done, which):
    evaluator = Evaluator(task(cache, seed=99), CPU.device)  # other weights before they are loaded
    about = run.load_weights(evaluator, done, which)
    record = done.records()[int(about["epoch"]) - 1]
    assert evaluator.scores(evaluator.task.data.val, lambda: None) == record["val"]
    assert evaluator.scores(evaluator.task.data.test, lambda: None) == record["test"]
    assert about["spec"] == "name: small\n"
    assert len(about["spec_sha256"]) == 64


def test_scores_do_not_depend_on_the_evaluation_batch(cache, done):
    evaluators = [Evaluator(task(cache, eval_batch_size=size), CPU.device) for size in (3, 128)]
    found = []
    for one in evaluators:
        run.load_weights(one, done, "last")
        found.append(one.scores(one.task.data.test, lambda: None))
    assert found[0] == pytest.approx(found[1], abs=1e-7)


def test_the_checkpoint_is_plain_data(done):
    kept = torch.load(done.state, weights_only=True)
    assert kept["epoch"] == 4
    assert kept["step"] == 0


def test_training_learns(cache, tmp_path):
    records = start(cache, tmp_path / "run", epochs=12).records()
    assert records[-1]["train"]["loss"] < records[0]["train"]["loss"] - 0.05


def test_test_scores_can_be_left_to_the_end(cache, done, tmp_path):
    """Scoring the test split on the way changes nothing else, and the end has both rows anyway."""
    other = start(cache, tmp_path / "run", test_every=None)
    assert not any("test" in one for one in other.records())
    assert [one["val"] for one in other.records()] == [one["val"] for one in done.records()]
    assert other.result()["best"] == done.result()["best"]
    assert other.result()["last"] == done.result()["last"]


def test_early_stop(cache, tmp_path):
    found = start(cache, tmp_path / "run", epochs=50, patience=2, optimizer={"lr": 1e-6}).result()
    assert found["reason"] == "patience"
    assert found["epochs"] == found["best"]["epoch"] + 2


def test_the_best_epoch_by_loss(cache, tmp_path):
    made = start(cache, tmp_path / "run", monitor="loss")
    assert made.result()["best"]["epoch"] == min(made.records(), key=lambda one: one["val"]["loss"])["epoch"]


def test_plateau_ends_the_run(cache, tmp_path):
    schedule = {"name": "plateau", "patience": 0, "factor": 0.1, "min_lr": 1e-5, "threshold": 0.9}
    found = start(cache, tmp_path / "run", epochs=50, schedule=schedule, optimizer={"lr": 1e-4})
    assert found.result()["reason"] == "schedule"
    assert found.records()[-1]["lr"] < found.records()[0]["lr"]


def test_clipping_bounds_the_step_and_records_the_norm_before(cache):
    engine = Engine(task(cache, clip=1e-3, optimizer={"name": "sgd", "lr": 1.0}), CPU.device)
    before = nn.utils.parameters_to_vector(engine.module.parameters()).detach().clone()
    _loss, norm, _penalty = engine.step(engine.task.data.train.batch(range(5)), 0, Tally(engine.kind))
    moved = (nn.utils.parameters_to_vector(engine.module.parameters()).detach() - before).norm()
    assert norm > 1e-2
    assert float(moved) == pytest.approx(1e-3, rel=1e-3)


def test_double_precision(cache):
    engine = Engine(task(cache, precision=64), CPU.device)
    engine.step(engine.task.data.train.batch(range(5)), 0, Tally(engine.kind))
    logits, nll, *_ = engine.measure(engine.task.data.val.batch([0]))
    assert logits.dtype == nll.dtype == engine.module.head.weight.dtype == torch.float64


def test_inside_the_job_of_a_cluster(cache, monkeypatch):
    """A job of many tasks does not make Fabric ask for as many processes."""
    for name, value in {"SLURM_JOB_ID": "1", "SLURM_JOB_NAME": "job", "SLURM_NTASKS": "4", "SLURM_PROCID": "3"}.items():
        monkeypatch.setenv(name, value)
    assert Engine(task(cache), CPU.device).fabric.world_size == 1


class Explodes(Small):
    """Turns one weight into infinity after some steps."""

    def __init__(self, steps: int):
        super().__init__()
        self.left = steps

    def forward(self, batch):
        if self.training:
            self.left -= 1
        if self.left < 0:
            with torch.no_grad():
                self.head.weight[0, 0] = torch.inf
        return super().forward(batch)


def test_divergence_names_the_tensor_and_keeps_the_last_checkpoint(cache, tmp_path):
    module = Explodes(12)
    with pytest.raises(SpecError) as caught:
        run.start(task(cache, module), tmp_path / "run", CPU, Plain(), {})
    problem = caught.value.diagnostics[0]
    assert problem.code == "E0620"
    assert "in epoch 3, step 3" in problem.message
    assert problem.notes == ("the first that is not finite is `head.weight`",)
    assert "train.optimizer.lr" in problem.help
    made = RunFolder(tmp_path / "run")
    kept = checkpoint.read(made.state)
    assert kept["epoch"] == 2
    assert torch.isfinite(kept["module"]["head.weight"]).all()
    assert made.result()["reason"] == "diverged"
    assert made.result()["last"]["epoch"] == 2


class BadGradient(Small):
    """A finite loss with a gradient that is not: the square root at 0."""

    def forward(self, batch):
        return super().forward(batch) + (self.head.bias * 0).sqrt()


@pytest.mark.parametrize("clip", [None, 1.0])
def test_a_gradient_that_is_not_finite_stops_before_the_step(cache, clip):
    engine = Engine(task(cache, BadGradient(), clip=clip), CPU.device)
    nn.init.constant_(engine.module.head.bias, 0.0)
    before = engine.module.head.weight.clone()
    with pytest.raises(SpecError, match="norm of the gradient became nan") as caught:
        engine.step(engine.task.data.train.batch(range(5)), 0, Tally(engine.kind))
    assert "is that of `head.bias`" in caught.value.diagnostics[0].notes[0]
    assert torch.equal(before, engine.module.head.weight)


def test_a_folder_that_is_taken(cache, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(SpecError) as caught:
        start(cache, tmp_path)
    assert caught.value.diagnostics[0].code == "E0610"
    assert caught.value.diagnostics[0].path == str(tmp_path)
    with pytest.raises(SpecError, match="is a file"):
        start(cache, tmp_path / "notes.txt")


def test_folders_are_numbered(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = []
    for name in ("gin", "gin", "my net/2", "gin"):
        with folder.created(None, name, {}) as one:
            made.append(str(one.path))
    assert made == ["runs/gin-1", "runs/gin-2", "runs/my_net_2-1", "runs/gin-3"]


def test_folders_that_are_no_runs(done, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for path, code in ((tmp_path / "no", "E0611"), (tmp_path, "E0612"), (done.metrics, "E0612")):
        with pytest.raises(SpecError) as caught:
            folder.find(path)
        assert caught.value.diagnostics[0].code == code
        assert caught.value.diagnostics[0].help
    with pytest.raises(SpecError) as caught:
        folder.find(done.path.with_name("rnu"))
    assert str(done.path) in caught.value.diagnostics[0].help


def test_damaged_files(cache, done, tmp_path):
    broken = RunFolder(tmp_path / "run")
    broken.checkpoints.mkdir(parents=True)
    with pytest.raises(SpecError) as caught:
        run.load_weights(Evaluator(task(cache), CPU.device), broken, "best")
    assert caught.value.diagnostics[0].code == "E0613"
    for path in (broken.weights("best"), broken.state):
        path.write_bytes(done.path.joinpath("checkpoints", path.name).read_bytes()[:300])
    for read in (lambda: weights.load(broken.weights("best")), lambda: checkpoint.read(broken.state)):
        with pytest.raises(SpecError) as caught:
            read()
        assert caught.value.diagnostics[0].code == "E0615"


def test_weights_of_another_module(cache, done):
    with pytest.raises(SpecError, match=r"`encode.weight` differs") as caught:
        run.load_weights(Evaluator(task(cache, Small(4)), CPU.device), done, "best")
    assert caught.value.diagnostics[0].code == "E0616"


def test_tied_weights_are_written_once_and_read_under_all_names(tmp_path):
    one = torch.arange(6.0).reshape(2, 3)
    file = tmp_path / "w.safetensors"
    weights.save(file, {"a": one, "b": one, "c": one.clone(), "d": one[0], "e": one.T}, {"epoch": "1"})
    found, about = weights.load(file)
    assert json.loads(about["shared"]) == {"b": "a"}
    assert {name: value.tolist() for name, value in found.items()} == {
        "a": one.tolist(),
        "b": one.tolist(),
        "c": one.tolist(),
        "d": one[0].tolist(),
        "e": one.T.tolist(),
    }


def test_lines_without_a_terminal(cache, tmp_path, capsys):
    run.start(task(cache), tmp_path / "run", CPU, Plain(), {})
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("small: 90 parameters, 22 graphs of pattern, 4 epochs, on cpu with 1 thread → ")
    assert lines[1] == "node classification, loss weighted_cross_entropy, best epoch by acc"
    assert [line.split("  ")[0] for line in lines[2:]] == ["epoch 1/4", "epoch 2/4", "epoch 3/4", "epoch 4/4"]
    assert "left 0:00" in lines[-1]


def test_an_interrupted_run_says_how_to_go_on(cache, tmp_path, capsys):
    class Both(Stops, Plain):
        def __init__(self):
            Plain.__init__(self)
            Stops.__init__(self, signal.SIGTERM, 1, 2)

    with pytest.raises(Interrupted) as caught:
        run.start(task(cache), tmp_path / "run", CPU, Both(), {})
    assert caught.value.exit_code == 143
    out = capsys.readouterr().out
    assert "stopped in epoch 2 after step 2" in out
    assert f"archspec train --resume {tmp_path / 'run'}" in out


def test_signals_are_as_before_after_a_run(done):
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_splits_are_what_the_small_data_set_says(cache):
    data: DataSet = task(cache).data
    assert [len(one) for one in data.splits.values()] == [GRAPHS] * 3
