"""Sweeps on Ray: what is wrong is told in seconds, and what is killed loses an epoch at most."""

import json
import os
import signal
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from archspec.sweep import cluster
from archspec.sweep.worker import Order, Sight, look, train
from archspec.train.folder import RunFolder
from tests.test_sweep import ROOT, TINY, until, writer
from tests.test_train_commands import call, place  # noqa: F401  fixtures
from tests.test_train_resume import differing

pytest.importorskip("ray", reason="Ray is not installed")


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("graphs")


@pytest.fixture
def sums(place) -> Path:  # noqa: F811
    text = TINY.replace("seeds: [41, 95]", "seeds: [41]\nset: {train: {threads: 1, epochs: 40}}")
    (place / "sums.yaml").write_text(text)
    return place


@pytest.mark.parametrize(
    ("arguments", "code", "what"),
    [
        (("--address", "127.0.0.1:1"), "E0840", "write `--on ray`"),
        (("--gpus-per-run", "0.5"), "E0840", "`--gpus-per-run`"),
        (("--on", "ray", "--address", "127.0.0.1:1"), "E0842", "connection refused"),
        (("--on", "ray", "--address", "no"), "E0842", "it is not HOST:PORT"),
    ],
)
def test_what_cannot_be_is_told_before_anything_runs(sums, call, arguments, code, what):  # noqa: F811
    left, out, err = call("sweep", "sums.yaml", *arguments)
    assert (left, out) == (1, "")
    assert code in err
    assert what in err
    assert not Path("runs").exists()


def test_an_address_where_something_else_answers(sums, call, monkeypatch):  # noqa: F811
    monkeypatch.setattr(cluster, "HEALTH", 0.2)
    server = HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    Thread(target=server.serve_forever, daemon=True).start()
    left, _, err = call("sweep", "sums.yaml", "--on", "ray", "--address", f"127.0.0.1:{server.server_port}")
    server.shutdown()
    server.server_close()
    assert (left, "E0842" in err, "does not answer as Ray does" in err) == (1, True, True)


def test_without_ray(sums, call, monkeypatch):  # noqa: F811
    monkeypatch.setitem(sys.modules, "ray", None)
    left, _, err = call("sweep", "sums.yaml", "--on", "ray")
    assert (left, "E0841" in err, 'pip install "archspec-nn[ray]"' in err) == (1, True, True)


def test_a_worker_that_does_not_see_the_folder(tmp_path):
    sight = Sight(str(tmp_path / ".seen"), "this one")
    assert look(sight).code is None
    (tmp_path / ".seen").write_text("another one")
    order = Order("spec.yaml", str(tmp_path / "run"), (), {}, str(tmp_path), sight)
    assert train(order).code is None
    (tmp_path / ".seen").write_text("this one")
    assert look(sight).code == 0


def parent(process: int) -> int:
    return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])


def test_a_killed_worker_and_a_killed_ray_lose_an_epoch_at_most(sums, call):  # noqa: F811
    """The worker of a run is killed and another one goes on with it; then the driver is, and Ray with it."""
    command = [sys.executable, "-m", "archspec", "sweep", "sums.yaml", "--on", "ray", "--jobs", "1"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    one, other = (RunFolder(Path("runs/sums") / name / "seed-41") for name in ("sum", "mean"))
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment) as driver:
        until(lambda: one.epochs() > 1)
        os.kill(parent(before := writer(one)), signal.SIGKILL)
        until(lambda: one.done.exists())
        assert writer(one) != before
        until(lambda: other.epochs() > 1)
        finished = one.done.stat().st_mtime_ns
        os.kill(driver.pid, signal.SIGKILL)
    code, out, err = call("sweep", "sums.yaml", "--jobs", "1")
    assert (code, err) == (0, "")
    assert "2 runs, 1 to do" in out
    assert one.done.stat().st_mtime_ns == finished
    for run in (one, other):
        assert [record["epoch"] for record in run.records()] == [*range(1, 41)]
        assert json.loads(run.environment.read_text())["threads"] == 1
    call("sweep", "sums.yaml", "--jobs", "1", "--run-dir", "unbroken")
    for name, run in (("sum", one), ("mean", other)):
        assert differing(RunFolder(Path("unbroken") / name / "seed-41"), run) == []
