"""Trackers take every number of a run, each once, whatever happens; one that fails touches nothing else."""

import fcntl
import json
import random
import sqlite3
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

from archspec.commands.main import main
from archspec.syntax.load import load_spec
from archspec.track import feed, session, table
from archspec.track.about import figures, flat, read
from archspec.track.session import Session
from archspec.train import run, sink
from archspec.train.folder import RunFolder
from tests.folders import finish, record, run_folder
from tests.serving import Server

OWN = "process duration"
"""A metric that Comet adds by itself."""

Numbers = dict[tuple[str, int], float]


@pytest.fixture(autouse=True)
def no_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("COMET_API_KEY", raising=False)
    monkeypatch.setenv("COMET_CONFIG", str(tmp_path / "no.config"))


def sent(folder: RunFolder) -> Numbers:
    """Every number of the metrics, by its name and epoch."""
    return {(name, one["epoch"]): value for one in folder.records() for name, value in figures(one).items()}


def track(folder: RunFolder, *names: str) -> list[str]:
    """Hand a run to trackers in this process; what is said."""
    said: list[str] = []
    Session(read(folder), names, said.append).finish()
    return said


def archive(folder: RunFolder) -> zipfile.ZipFile:
    (path,) = (folder.path / "track" / "comet").glob("*.zip")
    return zipfile.ZipFile(path)


def messages(file: zipfile.ZipFile, kind: str) -> list[dict[str, Any]]:
    lines = file.read("messages.json").decode().splitlines()
    return [one["payload"] for one in map(json.loads, lines) if one["type"] == kind]


def metrics(file: zipfile.ZipFile) -> list[tuple[tuple[str, int], float]]:
    """Every metric in an archive that is of a record, repeated ones repeatedly."""
    found = [one["metric"] for one in messages(file, "metric_msg") if one["metric"]["metricName"] != OWN]
    return [((one["metricName"], one["epoch"]), one["metricValue"]) for one in found]


def uploads(file: zipfile.ZipFile) -> dict[str, bytes]:
    """The files in an archive, by the names they are logged under."""
    found = messages(file, "file_upload")
    return {one["additional_params"]["fileName"]: file.read(one["file_path"]) for one in found}


def events(folder: RunFolder) -> list[tuple[tuple[str, int], float]]:
    """Every number that TensorBoard reads, in single precision."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = EventAccumulator(str(folder.path / "track" / "tensorboard"), {"tensors": 0}).Reload()
    tensors = [(tag, one) for tag in found.Tags()["tensors"] for one in found.Tensors(tag)]
    return [((tag, one.step), float(one.tensor_proto.float_val[0])) for tag, one in tensors]


# what is told


def test_figures_are_all_numbers_that_are_known() -> None:
    found = {"epoch": 3, "lr": 0.1, "val": {"acc": 1, "acc_0": None}, "health": {"w": {"norm": 2.5, "at": "layer"}}}
    assert figures(found) == {"lr": 0.1, "val/acc": 1, "health/w/norm": 2.5}


def test_parameters_are_every_setting_and_equation(tmp_path: Path) -> None:
    told = read(run_folder(tmp_path / "a", "model.sizes.d=8", "track.comet={project: p}")).parameters()
    assert told["model.sizes.d"] == 8
    assert told["model.where.inner"] == "batch_norm"
    assert told["train.optimizer.lr"] == load_spec("gin").settings.train.optimizer.lr
    assert not any(name.startswith("track") for name in told)


def test_a_run_of_several_seeds_is_called_after_all_of_them(tmp_path: Path) -> None:
    folder = run_folder(tmp_path / "gin-1" / "seed-41")
    assert read(folder).title == "seed-41"
    (tmp_path / "gin-1" / "seeds.json").write_text("{}")
    assert read(folder).title == "gin-1-seed-41"


def test_lists_are_texts() -> None:
    assert dict(flat({"a": {"b": [1, 2]}, "c": None}, ".")) == {"a.b": "[1, 2]"}


# Comet


def test_the_archive_holds_every_number_and_file_also_after_the_run_goes_on(tmp_path: Path) -> None:
    before = run_folder(tmp_path / "before", started="2025-01-01T00:00:00+00:00")
    folder = run_folder(tmp_path / "run", "model.where.inner=identity", reason=None)
    track(folder, "comet")
    first = archive(folder)
    assert dict(metrics(first)) == sent(folder)
    finish(folder, record(4, random.Random(4)))
    assert dict(metrics(first)) != sent(folder)
    said = track(folder, "comet")
    file = archive(folder)
    assert file.filename == first.filename
    assert sorted(metrics(file)) == sorted(sent(folder).items())
    files = uploads(file)
    for path in (folder.spec, folder.code, folder.metrics, folder.weights("best")):
        assert files[path.name] == path.read_bytes()
    assert "  ~ inner: [-batch_norm-]{+identity+}" in files["difference.txt"].decode().splitlines()
    others = {one["key"]: one["value"] for one in messages(file, "log_other")}
    assert others["parent"] == before.path.name
    assert others["best/epoch"] == json.loads(folder.done.read_text())["best"]["epoch"]
    assert said[-1].endswith(f"`comet upload {file.filename}` sends it")


def test_the_server_gets_every_number_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = run_folder(tmp_path / "run", reason=None)
    with Server(monkeypatch) as server:
        assert not track(folder, "comet")[0].startswith("comet: there is no key")
        folder.append(record(4, random.Random(4)))
        track(folder, "comet")
    metrics = [one for batch in server.batches() for one in batch["values"] if one["metricName"] != OWN]
    found = [((one["metricName"], one["epoch"]), one["metricValue"]) for one in metrics]
    assert sorted(found) == sorted(sent(folder).items())
    assert len({batch["experimentKey"] for batch in server.batches()}) == 1
    assert list((folder.path / "track" / "comet").glob("*.zip")) == []


def test_where_the_server_does_not_answer_there_is_an_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("comet_ml").start

    def refuse(**options: object) -> object:
        if options["online"]:
            raise ConnectionError("no route")
        return start(**options)

    import comet_ml

    start = comet_ml.start
    monkeypatch.setattr(comet_ml, "start", refuse)
    folder = run_folder(tmp_path / "run", "track.comet={mode: online}")
    assert track(folder, "comet")[0].startswith("comet: the server cannot be used (ConnectionError")
    assert dict(metrics(archive(folder))) == sent(folder)


# TensorBoard and trackio


def test_tensorboard_shows_what_the_run_recorded(tmp_path: Path) -> None:
    folder = run_folder(tmp_path / "run", reason=None)
    track(folder, "tensorboard")
    folder.append(record(4, random.Random(4)))
    track(folder, "tensorboard")
    assert dict(events(folder)) == pytest.approx(sent(folder), rel=1e-6)
    assert len(events(folder)) == len(sent(folder))


def test_trackio_gets_every_number_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trackio.utils.TRACKIO_DIR", tmp_path / "kept")
    monkeypatch.setattr("trackio.sqlite_storage.TRACKIO_DIR", tmp_path / "kept")
    folder = run_folder(tmp_path / "run", "track.trackio={project: mine}", reason=None)
    track(folder, "trackio")
    folder.append(record(4, random.Random(4)))
    track(folder, "trackio")
    with sqlite3.connect(tmp_path / "kept" / "mine.db") as database:
        rows = database.execute("select run_id, step, metrics from metrics").fetchall()
    found = [((name, step), value) for _, step, text in rows for name, value in json.loads(text).items()]
    assert sorted(found) == sorted(sent(folder).items())
    assert len({name for name, _, _ in rows}) == 1


# failures


class Broken:
    """Fails in one of its methods."""

    at = "begin"

    def __getattr__(self, name: str) -> object:
        def act(*_: object) -> str:
            if name == self.at:
                raise RuntimeError(f"no {name}\nand more")
            return ""

        return act


@pytest.mark.parametrize("at", ["begin", "epoch", "end"])
def test_a_tracker_that_fails_is_left_out(at: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Broken, "at", at)
    monkeypatch.setattr(session, "make", lambda name: Broken() if name == "trackio" else table.make(name))
    folder = run_folder(tmp_path / "run")
    said = track(folder, "trackio", "tensorboard")
    assert f"trackio: failed and left out, nothing else is touched by it: no {at}" in said
    assert sorted(name for name, _ in events(folder)) == sorted(sent(folder))


def test_a_package_that_is_not_there_is_named_with_its_cure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "tensorboard.summary", None)
    monkeypatch.delitem(__import__("sys").modules, "archspec.track.tensorboard", raising=False)
    (line,) = track(run_folder(tmp_path / "run"), "tensorboard")
    assert line.endswith('`tensorboard.summary` is not installed: pip install "archspec-nn[tensorboard]"')


def test_a_folder_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    folder = run_folder(tmp_path / "run")
    (folder.path / "track").write_text("a file in the folder's place")
    said = track(folder, "tensorboard")
    assert len(said) >= 1
    assert all("\n" not in line for line in said)


# the process


def test_the_process_finishes_when_its_input_ends(tmp_path: Path) -> None:
    folder = run_folder(tmp_path / "run", "track.tensorboard={}")
    said: list[str] = []
    follower = feed.follow(folder, said.append)
    follower.epoch()
    follower.close()
    assert list((folder.path / "track" / "tensorboard").iterdir())
    assert said == [f"tensorboard: `tensorboard --logdir {tmp_path}` shows it"]


def test_a_process_that_cannot_start_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", str(tmp_path / "nothing"))
    said: list[str] = []
    follower = feed.follow(run_folder(tmp_path / "run"), said.append)
    follower.epoch()
    follower.close()
    assert len(said) == 1
    assert said[0].startswith("track: left out, the run goes on:")


def test_a_process_that_fails_is_told(tmp_path: Path) -> None:
    folder = run_folder(tmp_path / "run")
    folder.spec.write_text("name: [")
    said: list[str] = []
    follower = feed.follow(folder, said.append)
    follower.epoch()
    follower.close()
    assert said == [f"track: the trackers have failed, the run has not; see {folder.path / 'track' / 'log.txt'}"]


def test_a_process_waits_for_the_one_before(tmp_path: Path) -> None:
    folder = run_folder(tmp_path / "run", "track.tensorboard={}")
    (folder.path / "track").mkdir()
    said: list[str] = []
    with (folder.path / "track" / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        waiting = feed.Feed(folder, said.append, feed.start(folder), patience=0.5)
        waiting.close()
        assert said == ["track: the trackers are still sending, and go on by themselves"]
    assert waiting.process.wait(60) == 0
    assert list((folder.path / "track" / "tensorboard").iterdir())


@pytest.mark.parametrize(("number", "followed"), [(0, 1), (1, 0)])
def test_of_several_processes_the_first_is_followed(
    number: int, followed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "finish", lambda one: one.folder)
    engine = SimpleNamespace(processes=SimpleNamespace(number=number))
    training: Any = SimpleNamespace(engine=engine, folder="folder", display=SimpleNamespace(say=print))
    begun: list[object] = []

    def follow(*what: object) -> sink.Sink:
        begun.append(what)
        return sink.Nobody()

    assert run.followed(training, follow) == "folder"
    assert len(begun) == followed


def test_upload_makes_the_archive_of_a_killed_run(tmp_path: Path) -> None:
    folder = run_folder(tmp_path / "run", reason=None)
    with folder.metrics.open("a") as file:
        file.write('{"epoch": 4, "lr"')  # cut short
    done = CliRunner().invoke(main, ["upload", str(folder.path)], standalone_mode=False)
    assert done.exception is None
    assert "comet upload" in done.output
    assert dict(metrics(archive(folder))) == sent(folder)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("track={commet: {}}", "E0730 unknown key `commet` in `track` (write `comet`)"),
        ("track.comet={projct: x}", "E0730 unknown key `projct` in `track.comet` (write `project`)"),
        ("track.comet.mode=onlin", "E0732 `track.comet.mode` cannot be the text `onlin` (write `online`"),
        ("track.trackio.project=3", "E0732 `track.trackio.project` must be text"),
        ("track.comet=null", "E0042 there is no `comet` to remove"),
    ],
)
def test_mistakes_in_the_section(given: str, message: str) -> None:
    from archspec.diagnostics import SpecError

    with pytest.raises(SpecError) as found:
        load_spec("gin", [given])
    assert message in str(found.value)


def test_an_unknown_tracker_is_told_before_anything(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["train", "gin", "--track", "tensorbord"], standalone_mode=False)
    assert "E0730 there is no tracker `tensorbord` (write `tensorboard`)" in str(done.exception)


def test_what_track_adds_stays_beside_the_settings_of_the_spec() -> None:
    spec = load_spec("gin", ["track.comet={project: p}", "track.comet={}", "track.tensorboard={}"])
    assert spec.settings.track
    assert spec.settings.track.chosen == ("comet", "tensorboard")
    assert spec.settings.track.comet
    assert spec.settings.track.comet.project == "p"
    assert "track:" in spec.text
    assert "track" not in load_spec("gin").text
