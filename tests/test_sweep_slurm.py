"""Sweeps on Slurm: an array job through submitit, whose command may end and be given again."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from archspec.sweep import on_slurm
from archspec.train.folder import RunFolder
from tests import slurm
from tests.test_sweep import ROOT, TINY, until
from tests.test_train_commands import call, place  # noqa: F401  fixtures
from tests.test_train_resume import differing

pytest.importorskip("submitit", reason="submitit is not installed")


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("graphs")


@pytest.fixture
def sums(place) -> Path:  # noqa: F811
    (place / "sums.yaml").write_text(TINY.replace("seeds: [41, 95]", "seeds: [41]\nset: {train: {threads: 1}}"))
    return place


@pytest.fixture
def queue(tmp_path_factory, monkeypatch) -> Path:
    """A Slurm of this machine."""
    folder = tmp_path_factory.mktemp("slurm") / "bin"
    slurm.install(folder)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setattr(on_slurm, "EVERY", 0.1)
    monkeypatch.setattr(on_slurm, "ASKED", 0.2)
    monkeypatch.setattr(on_slurm, "SETTLED", 0.5)
    return folder


MISTAKES = [
    (("--slurm", "partitoin=gpu"), "E0845", "write `partition`"),
    (("--slurm", "partition"), "E0845", "no option with a value"),
    (("--slurm", "time=1:00:00"), "E0845", "a number of minutes"),
    (("--gpus-per-run", "0.5"), "E0845", "whole GPUs"),
    (("--address", "a:1"), "E0840", "`--on ray`"),
    (("--slurm", "partition=no"), "E0844", "invalid partition specified"),
]


@pytest.mark.parametrize(("arguments", "code", "what"), MISTAKES)
def test_what_cannot_be_is_told_before_anything_runs(sums, queue, call, arguments, code, what):  # noqa: F811
    left, _, err = call("sweep", "sums.yaml", "--on", "slurm", *arguments)
    assert (left, code in err, what in err) == (1, True, True), err
    assert not [*Path().rglob("metrics.jsonl")]


def test_without_slurm_and_without_submitit(sums, call, monkeypatch):  # noqa: F811
    assert shutil.which("sbatch") is None
    left, out, err = call("sweep", "sums.yaml", "--on", "slurm")
    assert (left, out, "E0844" in err, "no `sbatch`" in err) == (1, "", True, True)
    monkeypatch.setitem(sys.modules, "submitit", None)
    left, _, err = call("sweep", "sums.yaml", "--on", "slurm")
    assert (left, "E0841" in err, 'pip install "archspec-nn[slurm]"' in err) == (1, True, True)


def test_jobs_outlive_the_command_and_the_same_command_collects_them(sums, queue, call):  # noqa: F811
    command = [sys.executable, "-m", "archspec", "sweep", "sums.yaml", "--on", "slurm", "--slurm", "partition=long"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as driver:
        until(lambda: Path("runs/sums/slurm.json").exists())
        os.kill(driver.pid, signal.SIGKILL)
    code, _, err = call("sweep", "sums.yaml", "--on", "slurm", "--slurm", "partition=long")
    assert (code, err) == (0, "")
    handed_in = (queue / "handed_in").read_text()
    assert handed_in.count("--array=0-1%2") == handed_in.count("partition=long") == handed_in.count("--\n") == 1
    for name in ("sum", "mean"):
        run = RunFolder(Path("runs/sums") / name / "seed-41")
        assert [record["epoch"] for record in run.records()] == [1, 2, 3]
        call("train", "--resume", str(run.path))  # which is finished
        sums_alone = ["train", f"runs/sums/{name}/seeds.yaml", "--set", "train.seeds=null", "--set", "train.seed=41"]
        assert call(*sums_alone, "--run-dir", f"alone/{name}")[0] == 0
        assert differing(RunFolder(Path("alone") / name), run) == []
    assert "2 runs, 0 to do" in call("sweep", "sums.yaml", "--on", "slurm")[1]


def test_a_job_that_is_cancelled_is_told(sums, queue, call):  # noqa: F811
    (queue / "srun.py").write_text("")  # its processes end at once, and leave nothing
    code, out, err = call("sweep", "sums.yaml", "--on", "slurm")
    assert (code, err.count("E0846")) == (1, 2)
    assert "left the queue" in err
    assert "2 runs not finished: the same command goes on" in out
