"""Processes of runs: a fork does what a process that is started anew does, with the same bits, codes and messages."""

import json
import os
import signal
import sys
from multiprocessing import forkserver
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from archspec.commands.origins import Anew, Forked, Forks, Process, origin
from archspec.train.folder import RunFolder
from tests.test_train_commands import ROOT, call, place  # noqa: F401  fixtures
from tests.test_train_resume import differing


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("graphs")


def end(process: Process) -> tuple[int, str, str]:
    assert process.stdout
    assert process.stderr
    with process.stdout, process.stderr:
        said = process.stdout.read(), process.stderr.read()
    return process.wait(), *said


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere processes are started anew")
def test_a_fork_is_as_a_process_of_its_own(place, call):  # noqa: F811
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    forks, settings = Forks(environment), ["--set", "train.threads=1"]
    good, killed, absent = (
        forks.begin(["train", name, "--run-dir", folder, *settings])
        for name, folder in (("tiny.yaml", "fork"), ("tiny.yaml", "killed"), ("absent.yaml", "none"))
    )
    assert isinstance(killed, Forked)
    assert killed.pid
    killed.send_signal(signal.SIGKILL)
    assert end(killed)[0] == -signal.SIGKILL
    killed.send_signal(signal.SIGINT)  # which is too late
    code, out, err = end(absent)
    assert (code, out) == (1, "")
    assert err == call("train", "absent.yaml")[2]
    os.kill(forkserver._forkserver._forkserver_pid, signal.SIGKILL)  # type: ignore[attr-defined]  # good goes on
    code, out, err = end(good)
    assert (code, err) == (0, "")
    assert "epoch 3/3" in out
    call("train", "tiny.yaml", "--run-dir", "alone", *settings)
    assert differing(RunFolder(Path("alone")), RunFolder(Path("fork"))) == []
    command = json.loads(Path("fork/environment.json").read_text())["command"]
    assert command == [str(ROOT / "archspec/__main__.py"), "train", "tiny.yaml", "--run-dir", "fork", *settings]
    again = forks.begin(["--version"])
    assert isinstance(again, Forked)
    assert end(again)[0] == 0
    other = Forks(environment | {"OMP_NUM_THREADS": "2"}).begin(["--version"])
    assert not isinstance(other, Forked)
    assert end(other)[0] == 0


COMMAND = {"__spec__": SimpleNamespace(name="archspec.__main__")}
SCRIPT = {"__file__": "/usr/bin/archspec"}
OWN = {"__file__": "/home/me/experiment.py"}


@pytest.mark.parametrize(
    ("platform", "device", "main", "kind"),
    [
        ("linux", "cpu", COMMAND, Forks),
        ("linux", "cpu", SCRIPT, Forks),
        ("linux", "cpu", OWN, Anew),
        ("linux", "cpu", {"__spec__": SimpleNamespace(name="pytest.__main__")}, Anew),
        ("linux", "cpu", {}, Anew),
        ("linux", "cuda", COMMAND, Anew),
        ("darwin", "cpu", COMMAND, Anew),
    ],
)
def test_where_runs_come_from(monkeypatch, platform, device, main, kind):
    module = ModuleType("__main__")
    vars(module).update(main)
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "__main__", module)
        patch.setattr(sys, "platform", platform)
        assert isinstance(origin({}, device), kind)
