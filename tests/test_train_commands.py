"""`train`, `evaluate` and `predict` as a user calls them, on a small spec."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from archspec.commands.main import run
from archspec.train.folder import RunFolder
from tests.training import differing, untimed

ROOT = Path(__file__).parent.parent
SPEC = """\
name: tiny
model:
  sizes: {d: 8}
  input: x = encode(x, d)
  stack: 2 * layer
  output: linear(x, out)
  where:
    layer: |
      x = relu(batch_norm(linear(x, d) + sum[j in N](x[j]))) -> dropout(0.1)
data: {name: pattern, limit: 12, batch_size: 4}
train:
  epochs: 3
  optimizer: {name: adam, lr: 1e-2}
"""


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("graphs")


@pytest.fixture
def place(tmp_path, monkeypatch, cache) -> Path:
    """A folder with the spec, data cached elsewhere."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ARCHSPEC_CACHE", str(cache))
    (tmp_path / "tiny.yaml").write_text(SPEC)
    return tmp_path


@pytest.fixture
def call(place, capsys):
    """Run a command line; its exit code, what it printed, and its complaints."""

    def called(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            run(arguments)
        out, err = capsys.readouterr()
        return left.value.code, out, err

    return called


def test_train_evaluate_predict(place, call):
    code, out, err = call("train", "tiny.yaml")
    assert (code, err) == (0, "")
    assert "run folder: runs/tiny-1" in out
    assert "archspec evaluate runs/tiny-1" in out
    made = RunFolder(place / "runs" / "tiny-1")
    assert "class Model" in made.code.read_text()
    assert "limit: 12" in made.spec.read_text()

    (place / "tiny.yaml").unlink()  # the run's own spec is what counts
    for arguments in ((), ("--split", "val"), ("--checkpoint", "last")):
        code, out, err = call("evaluate", "runs/tiny-1", *arguments)
        assert (code, err) == (0, "")
        assert "the same as recorded, bit for bit" in out
    code, out, _ = call("evaluate", "runs/tiny-1", "--split", "train")
    assert code == 0
    assert "recorded" not in out

    code, out, err = call("predict", "runs/tiny-1", "-o", "p.csv")
    assert (code, err) == (0, "")
    nodes = int(out.split(" nodes")[0].replace(",", ""))
    assert len((place / "p.csv").read_text().splitlines()) == nodes + 1
    assert call("predict", "runs/tiny-1", "-o", "p.csv")[0] == 1
    assert call("predict", "runs/tiny-1", "-o", "p.csv", "--force")[0] == 0


def test_batches_of_nodes(place, call):
    of_nodes = ("data.batch_size=220 nodes", "data.buckets=2", "train.eval_batch_size=120 nodes")
    settings = [part for one in of_nodes for part in ("--set", one)]
    code, out, err = call("train", "tiny.yaml", *settings)
    assert (code, err) == (0, "")
    made = RunFolder(place / "runs" / "tiny-1")
    steps = made.records()[0]["steps"]
    assert 6 < steps < 12
    assert f"batches of at most 220 nodes: {steps} an epoch, of {12 / steps:.1f} graphs on average" in out
    assert "graphs of 2 batches at a time are sorted by their nodes" in out
    assert "note: batch norms see one size of graphs at a time" in out
    assert "note: 6 graphs of val are larger than 120 nodes, each a batch of its own" in out
    assert {record["steps"] for record in made.records()} == {steps}
    assert "the same as recorded, bit for bit" in call("evaluate", "runs/tiny-1")[1]
    assert call("predict", "runs/tiny-1", "-o", "p.csv")[0] == 0
    assert f"ms a step, {steps} steps an epoch" in call("train", "tiny.yaml", *settings, "--dry-run")[1]
    code, _, err = call(
        "train", "tiny.yaml", *settings, "--set", "data.batch_size=221 nodes", "--resume", "runs/tiny-1"
    )
    assert code == 1
    assert "E0614" in err


def test_structure_is_computed_once(place, call, monkeypatch):
    walks = ("--set", "model.input=x = encode(x, 4) -> concat(rwse(1..4))", "--set", "train.epochs=1")
    assert call("train", "tiny.yaml", *walks, "--dry-run")[1].count("computing rwse(1, 2, 3, 4)") == 3
    monkeypatch.setattr("archspec.data.structure.computed", lambda *_: pytest.fail("computed again"))
    monkeypatch.setattr("archspec.runtime.encodings.walks", None)  # a batch that computes its own fails
    for command in (
        ("train", "tiny.yaml", *walks),
        ("evaluate", "runs/tiny-1"),
        ("predict", "runs/tiny-1", "-o", "p.csv"),
    ):
        code, out, err = call(*command)
        assert (code, err) == (0, "")
        assert "computing" not in out


def test_evaluate_shows_a_difference(place, call):
    """The comparison with the records can fail."""
    call("train", "tiny.yaml", "--set", "train.epochs=1")
    made = RunFolder(place / "runs" / "tiny-1")
    (record,) = made.records()
    record["test"]["acc"] += 0.25
    made.metrics.write_text(json.dumps(record) + "\n")
    _, out, _ = call("evaluate", "runs/tiny-1")
    assert "the largest difference is 2.5e-01" in out


def test_dry_run_makes_no_folder(place, call):
    code, out, err = call("train", "tiny.yaml", "--dry-run")
    assert (code, err) == (0, "")
    for words in (
        "12 graphs",
        "parameters",
        "layers.0 … layers.1",
        "ms a step, 3 steps",
        "memory: about",
        "classes of",
    ):
        assert words in out
    assert sorted(one.name for one in place.iterdir()) == ["tiny.yaml"]


def test_the_same_command_twice_goes_on_or_says_it_is_done(place, call):
    assert call("train", "tiny.yaml", "--run-dir", "here")[0] == 0
    code, out, _ = call("train", "tiny.yaml", "--run-dir", "here")
    assert code == 0
    assert "this run is finished: all epochs are done" in out
    code, _, err = call("train", "tiny.yaml", "--run-dir", "here", "--set", "model.sizes.d=9")
    assert code == 1
    assert "E0610" in err


def test_resume_names_the_spec_in_another_form(place, call):
    """Spaces and comments are no changes."""
    call("train", "tiny.yaml", "--run-dir", "run", "--set", "train.epochs=1")
    (place / "tiny.yaml").write_text(
        SPEC.replace("sum[j in N](x[j]))", "sum[j in N]( x[j] ) )").replace("1e-2", "0.01")
    )
    code, _, err = call("train", "tiny.yaml", "--resume", "run", "--set", "train.epochs=2")
    assert (code, err) == (0, "")
    (place / "tiny.yaml").write_text(SPEC.replace("relu(", "tanh("))
    code, _, err = call("train", "tiny.yaml", "--resume", "run", "--set", "train.epochs=2")
    assert code == 1
    assert "`model.where.layer` differs" in err


def test_resume_finished_and_with_more_epochs(place, call):
    call("train", "tiny.yaml", "--run-dir", "long", "--set", "train.epochs=5")
    call("train", "tiny.yaml", "--run-dir", "short")
    code, out, _ = call("train", "--resume", "short")
    assert code == 0
    assert "finished" in out
    code, out, err = call("train", "--resume", "short", "--set", "train.epochs=5")
    assert (code, err) == (0, "")
    assert "going on at epoch 4, step 1" in out
    short, long = RunFolder(Path("short")), RunFolder(Path("long"))
    assert untimed(short.records()) == untimed(long.records())
    assert short.weights("last").read_bytes() == long.weights("last").read_bytes()


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("model.sizes.d=9", "`model.sizes.d` differs"),
        ("train.optimizer.lr=0.1", "`train.optimizer.lr` differs"),
        ("data.limit=11", "`data.limit` differs"),
        ("train.epochs=1", "2 epochs behind it"),
    ],
)
def test_resume_with_other_settings_is_refused(place, call, override, words):
    call("train", "tiny.yaml", "--run-dir", "run", "--set", "train.epochs=2")
    code, _, err = call("train", "--resume", "run", "--set", override)
    assert code == 1
    assert "E0614" in err
    assert words in err
    assert RunFolder(Path("run")).result()["epochs"] == 2


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("train",), "E0640"),
        (("train", "--resume", "a", "--run-dir", "b"), "E0641"),
        (("train", "--resume", "a", "--dry-run"), "E0641"),
        (("train", "tiny.yaml", "--device", "gpu"), "E0606"),
        (("train", "tiny.yaml", "--device", "meta"), "E0606"),
        (("train", "tiny.yaml", "--device", "cpu:3"), "E0606"),
        (("train", "tiny.yaml", "--device", "cuda:99"), "E0607"),
        (("train", "tiny.yaml", "--set", "train.optimizer.name=adamm"), "E0601"),
        (("train", "tiny.yaml", "--set", "train.optimizer.weigth_decay=0.1"), "E0602"),
        (("train", "tiny.yaml", "--set", "train.watch.parameters=[layers.9.*]"), "E0621"),
        (("train", "tiny.yaml", "--set", "train.watch.values=[layers.0.nothing]"), "E0621"),
        (("train", "--resume", "nowhere"), "E0611"),
        (("train", "--resume", "."), "E0612"),
        (("evaluate", "nowhere"), "E0611"),
        (("replay", "nowhere"), "E0611"),
        (("evaluate", "tiny.yaml"), "E0612"),
        (("predict", "nowhere", "-o", "x.csv"), "E0611"),
        (("predict", "nowhere", "-o", "x.doc"), "E0650"),
    ],
)
def test_mistakes_are_located_and_change_nothing(place, call, arguments, code):
    left, _, err = call(*arguments)
    assert left == 1
    assert err.startswith(f"error[{code}]")
    assert "= help: " in err
    assert sorted(one.name for one in place.iterdir()) == ["tiny.yaml"]


def test_an_optimiser_typo_is_shown_in_the_spec(place, call):
    (place / "tiny.yaml").write_text(SPEC.replace("lr: 1e-2", "lr: 1e-2, weight_deacy: 0.1"))
    _, _, err = call("train", "tiny.yaml")
    assert "tiny.yaml:13:" in err
    assert "write `weight_decay`" in err


def test_no_data(place, call):
    (place / "tiny.yaml").write_text(SPEC.replace("data: {name: pattern, limit: 12, batch_size: 4}\n", ""))
    code, _, err = call("train", "tiny.yaml")
    assert code == 1
    assert err.startswith("error[E")


def test_a_run_without_checkpoint(place, call):
    call("train", "tiny.yaml", "--run-dir", "run", "--set", "train.epochs=1")
    for one in Path("run/checkpoints").iterdir():
        one.unlink()
    code, _, err = call("evaluate", "run")
    assert code == 1
    assert "E0613" in err
    assert "archspec train --resume run" in err


def test_ctrl_c_and_resume_in_another_process(place, call, cache):
    """SIGINT to the process: exit code, message, and the bits at the end."""
    call("train", "tiny.yaml", "--run-dir", "whole", "--set", "train.epochs=15", "--set", "train.threads=1")
    command = [sys.executable, "-m", "archspec.commands.main", "train", "tiny.yaml", "--run-dir", "run"]
    command += ["--set", "train.epochs=15", "--set", "train.threads=1"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment)
    metrics = place / "run" / "metrics.jsonl"
    for _ in range(6000):
        if metrics.exists() or process.poll() is not None:
            break
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 130, out
    assert "archspec train --resume run" in out
    code, _, err = call("train", "--resume", "run")
    assert (code, err) == (0, "")
    run, whole = RunFolder(Path("run")), RunFolder(Path("whole"))
    assert untimed(run.records()) == untimed(whole.records())
    assert run.weights("last").read_bytes() == whole.weights("last").read_bytes()


def test_a_diverging_run_is_reported(place, call):
    code, _, err = call("train", "tiny.yaml", "--run-dir", "run", "--set", "train.optimizer={name: sgd, lr: 1.0e+30}")
    assert code == 1
    assert "E0620" in err
    assert "archspec replay run" in err
    assert "not finite" in err
    code, out, err = call("replay", "run")
    assert (code, err) == (1, "")
    assert "in training mode" in out
    assert "the first that is not finite is" in out
    assert "run/spec.yaml:" in out
    code, whole, _ = call("replay", "run", "--all")
    assert len(whole.splitlines()) >= len(out.splitlines())
    kept = Path("run/failure.pt")
    kept.write_bytes(kept.read_bytes()[:-9])
    code, _, err = call("replay", "run")
    assert (code, "E0615" in err) == (1, True)
    assert RunFolder(Path("run")).result()["reason"] == "diverged"
    code, out, _ = call("train", "--resume", "run")
    assert code == 0
    assert "finished" in out


def test_seeds_matter_and_repeat(place, call):
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        call("train", "tiny.yaml", "--run-dir", name, "--set", "train.epochs=1", "--set", f"train.seed={seed}")
    one, two, other = (RunFolder(Path(name)) for name in "abc")
    assert one.weights("last").read_bytes() == two.weights("last").read_bytes()
    assert one.weights("last").read_bytes() != other.weights("last").read_bytes()


def test_threads_are_those_of_the_run(place, call):
    call("train", "tiny.yaml", "--run-dir", "run", "--set", "train.epochs=1")
    made = RunFolder(Path("run"))
    made.environment.write_text(json.dumps(made.told() | {"threads": 2}))
    try:
        call("evaluate", "run")
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(1)


def test_help_needs_no_torch(place):
    code = "import sys; from archspec.commands import train, evaluate, predict; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_graphs_with_folds_from_the_command_line(place, call):
    text = SPEC.replace("linear(x, out)", "linear(mean[i in V](x[i]), out)").replace(
        "pattern, limit: 12", "csl, fold: 1"
    )
    (place / "csl.yaml").write_text(text)
    code, out, err = call("train", "csl.yaml", "--set", "train.epochs=1", "--set", "train.monitor=acc")
    assert (code, err) == (0, "")
    assert "graph classification, loss cross_entropy, best epoch by acc\n" in out
    assert "warning: classes 0" in out
    assert "loss: cross_entropy" in (place / "runs" / "tiny-1" / "spec.yaml").read_text()
    code, out, _ = call("evaluate", "runs/tiny-1")
    assert "test: 30 graphs" in out
    assert "the same as recorded, bit for bit" in out
    assert call("predict", "runs/tiny-1", "-o", "a.csv")[1] == "30 graphs → a.csv\n"
    code, out, err = call(
        "train", "--resume", "runs/tiny-1", "--set", "train.epochs=2"
    )  # what was filled in is no change
    assert (code, err) == (0, "")
    code, _, err = call("train", "csl.yaml", "--set", "data.fold=5")
    assert code == 1
    assert "E0414" in err


def test_a_run_that_pauses_goes_on_with_the_bits_of_one_that_does_not(place, call):
    assert call("train", "tiny.yaml", "--run-dir", "whole")[0] == 0
    code, out, err = call("train", "tiny.yaml", "--run-dir", "runs/paused", "--until", "2")
    assert (code, err) == (0, "")
    assert "paused after epoch 2 of 3" in out
    assert "go on with: archspec train --resume runs/paused" in out
    paused = RunFolder(place / "runs/paused")
    assert (paused.result()["reason"], paused.result()["last"]["epoch"]) == ("paused", 2)
    assert "stopped" in call("runs")[1]
    code, out, err = call("train", "--resume", "runs/paused")
    assert (code, err) == (0, "")
    assert "going on at epoch 3, step 1" in out
    assert paused.result()["reason"] == "epochs"
    assert differing(RunFolder(place / "whole"), paused) == []
