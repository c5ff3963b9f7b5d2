"""What can go wrong around a run: kills, two processes in one folder, damaged files, a full disk."""

import json
import os
import re
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from archspec.commands.main import run as command
from archspec.diagnostics import SpecError
from archspec.train import checkpoint, folder, weights
from archspec.train.display import Plain
from archspec.train.folder import RunFolder
from archspec.train.interrupt import Interrupted
from archspec.train.lock import Lock
from tests import training
from tests.training import Stops, differing, resume, start

ROOT = Path(__file__).parent.parent
HOLD = """
import sys, time
from pathlib import Path
from archspec.train.lock import Lock
with Lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("graphs")


@pytest.fixture(scope="module")
def unbroken(cache, tmp_path_factory) -> RunFolder:
    return start(cache, tmp_path_factory.mktemp("runs") / "unbroken")


def half(cache: Path, path: Path) -> RunFolder:
    """A run that was stopped in its third epoch."""
    with pytest.raises(Interrupted):
        start(cache, path, Stops(signal.SIGINT, 2, 3))
    return RunFolder(path)


def test_killed_at_any_moment(cache, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "tests.killing", str(cache), str(tmp_path)], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert sum(kind == "at_every_touch" for kind, _, _ in found) > 20
    assert sum(kind == "at_random" for kind, _, _ in found) == 2
    assert [one for one in found if one[0] != "with_a_fault" and one[2]] == []
    assert [what for kind, _, what in found if kind == "with_a_fault"] == [["metrics"]]  # it can tell a difference


@pytest.fixture
def held(cache, tmp_path):
    """A run whose folder another process writes."""
    made = half(cache, tmp_path / "run")
    with subprocess.Popen([sys.executable, "-c", HOLD, str(made.path)], cwd=ROOT, stdout=subprocess.PIPE) as other:
        assert other.stdout.readline() == b"held\n"
        yield made, other
        other.kill()


def test_a_second_process_is_refused_until_the_first_is_killed(cache, held, unbroken):
    made, other = held
    before = made.state.read_bytes()
    with pytest.raises(SpecError) as caught:
        resume(cache, made.path)
    (problem,) = caught.value.diagnostics
    assert problem.code == "E0660"
    assert re.search(rf"process {other.pid} on \S+, since \d{{4}}-", problem.message)
    assert made.state.read_bytes() == before
    assert checkpoint.read(made.state)["epoch"] == 2  # who only reads is not stopped
    other.kill()
    other.wait()
    assert differing(unbroken, resume(cache, made.path)) == []


def test_a_lock_is_one_for_its_holder_and_told_to_others(tmp_path):
    held = Lock(tmp_path)
    with held, held:
        pass
    with held:
        with pytest.raises(SpecError, match=f"process {os.getpid()} on "), Lock(tmp_path):
            pass
        (tmp_path / ".lock").write_text('{"pid": 1')
        with pytest.raises(SpecError, match="only just begun"), Lock(tmp_path):
            pass
    with Lock(tmp_path):
        pass


def test_two_that_begin_in_one_folder(tmp_path):
    with (
        folder.created(tmp_path / "run", "a", {}),
        pytest.raises(SpecError, match="another process"),
        folder.created(tmp_path / "run", "a", {}),
    ):
        pass
    with folder.created(tmp_path / "run", "a", {"model.py": "", "spec.yaml": ""}) as made:  # the first wrote no spec
        assert made.spec.exists()
    with pytest.raises(SpecError, match="not empty"), folder.created(tmp_path / "run", "a", {}):
        pass


def test_a_system_without_locks_is_told(cache, tmp_path, monkeypatch, capsys):
    def refuse(*_):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr("fcntl.flock", refuse)
    start(cache, tmp_path / "run", Plain(), epochs=1)
    assert "this file system has no locks (Operation not supported)" in capsys.readouterr().out


def spoil(path: Path, how: str, place: float = 0.7) -> None:
    """Damage a file at a place between 0, its begin, and 1."""
    content = bytearray(path.read_bytes())
    at = int(place * len(content))
    if how == "cut":
        content = content[:at]
    elif how == "emptied":
        content.clear()
    else:
        content[at] ^= 1
    path.write_bytes(content)


DAMAGE = ["cut", "emptied", "one bit turned"]


@pytest.mark.parametrize("how", DAMAGE)
def test_a_damaged_checkpoint_gives_way_to_the_previous(cache, unbroken, tmp_path, capsys, how):
    made = half(cache, tmp_path / "run")
    spoil(made.state, how)
    ended = resume(cache, made.path, Plain())
    said = capsys.readouterr().out
    assert "warning: cannot read the checkpoint" in said
    assert "going on from the one before it, of epoch 2" in said
    assert differing(unbroken, ended) == []
    assert (made.checkpoints / "last.damaged").exists()


def test_two_damaged_checkpoints_are_an_error(cache, tmp_path):
    made = half(cache, tmp_path / "run")
    spoil(made.state, "cut")
    spoil(made.previous, "cut")
    with pytest.raises(SpecError) as caught:
        resume(cache, made.path)
    assert (caught.value.diagnostics[0].code, caught.value.diagnostics[0].path) == ("E0615", str(made.state))


@pytest.mark.parametrize("place", [0.1, 0.9], ids=["header", "tensors"])
@pytest.mark.parametrize("how", DAMAGE)
def test_damaged_weights_are_told_and_written_anew(cache, tmp_path, how, place):
    made = start(cache, tmp_path / "run", epochs=1)
    best = made.weights("best")
    right = best.read_bytes()
    spoil(best, how, place)
    with pytest.raises(SpecError) as caught:
        weights.load(best)
    assert (caught.value.diagnostics[0].code, caught.value.diagnostics[0].path) == ("E0615", str(best))
    training.run.mend(made, training.run.metadata("small", "name: small\n"), Plain())
    assert best.read_bytes() == right


@pytest.mark.parametrize("name", ["environment.json", "done.json", "metrics.jsonl"])
def test_damaged_records_are_told(cache, tmp_path, name):
    made = start(cache, tmp_path / "run", epochs=1)
    (made.path / name).write_text("<<<<\n")
    with pytest.raises(SpecError) as caught:
        made.told(), made.result(), made.records()
    assert (caught.value.diagnostics[0].code, caught.value.diagnostics[0].path) == ("E0615", str(made.path / name))


@pytest.fixture
def small_disk():
    """A function that lets no file grow beyond so many bytes, as on a full disk; undone at the end."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


class Fills(training.Silent):
    """Fills the disk when an epoch is recorded, before its checkpoint is written."""

    def __init__(self, limit, size):
        self.limit, self.size = limit, size

    def epoch(self, record, state):
        if record["epoch"] == 3:
            self.limit(self.size)


@pytest.mark.parametrize("size", [0, 4000, 9000])
def test_a_full_disk_loses_no_checkpoint(cache, unbroken, tmp_path, small_disk, size):
    path = tmp_path / "run"
    with pytest.raises(SpecError) as caught:
        start(cache, path, Fills(small_disk, size))
    small_disk(resource.RLIM_INFINITY)
    (problem,) = caught.value.diagnostics
    assert problem.code == "E0661"
    assert "file too large" in problem.message
    assert f"archspec train --resume {path}" in problem.help
    made = RunFolder(path)
    assert checkpoint.read(made.state)["epoch"] in (2, 3)
    assert list(path.rglob("*.part")) == []  # what was begun takes no room
    assert differing(unbroken, resume(cache, path)) == []


def test_a_line_of_metrics_that_found_no_room(cache, unbroken, tmp_path, small_disk):
    made = half(cache, tmp_path / "run")
    small_disk(made.metrics.stat().st_size + 10)
    with pytest.raises(SpecError) as caught, made.writing():
        made.append({"epoch": 3, "filler": "x" * 100})
    small_disk(resource.RLIM_INFINITY)
    assert caught.value.diagnostics[0].code == "E0661"
    assert differing(unbroken, resume(cache, made.path)) == []


def test_a_file_in_the_place_of_a_folder(cache, tmp_path):
    """As root no folder is unwritable, but nothing can be written below a file."""
    made = half(cache, tmp_path / "run")
    state = made.state.read_bytes()
    for one in made.checkpoints.iterdir():
        one.unlink()
    made.checkpoints.rmdir()
    made.checkpoints.write_text("")
    with pytest.raises(SpecError) as caught:
        resume(cache, made.path)
    assert caught.value.diagnostics[0].code == "E0661"
    made.checkpoints.unlink()
    made.checkpoints.mkdir()
    made.state.write_bytes(state)
    resume(cache, made.path)


def test_the_command_says_it_at_once(held, monkeypatch, capsys):
    """Before data are read, which here there are none of."""
    made, _ = held
    monkeypatch.chdir(made.path.parent)
    made.spec.write_text(
        "name: tiny\nmodel: {input: 'x = encode(x, 4)', stack: 1 * layer, output: 'linear(x, out)', "
        "where: {layer: x = relu(x)}}\ndata: {name: pattern, limit: 4}\n"
        "train: {loss: weighted_cross_entropy, monitor: acc}\n"
    )
    with pytest.raises(SystemExit) as left:
        command(["train", "--resume", "run", "--data-dir", "nowhere"])
    assert left.value.code == 1
    assert "error[E0660]: another process writes this run" in capsys.readouterr().err
    assert not Path("nowhere").exists()
