"""Runs as a table: every folder has a row, whatever is in it; conditions are read, not run."""

import json
from pathlib import Path
from random import Random

import pytest
from click.testing import CliRunner, Result

from archspec.commands.main import main
from archspec.diagnostics import SpecError
from archspec.runs import where
from archspec.runs.row import Row, find, read
from archspec.train.lock import held
from tests.folders import record, run_folder


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of runs in several states, one in a group."""
    monkeypatch.chdir(tmp_path)
    root = tmp_path / "runs"
    run_folder(root / "gin-1", started="2026-01-01T10:00:00+00:00")
    run_folder(root / "wide-1", "name=wide", "model.sizes.d=200", started="2026-01-02T10:00:00+00:00")
    run_folder(root / "group" / "s41", "train.seed=41", reason="diverged", started="2026-01-03T10:00:00+00:00")
    run_folder(root / "stopped-1", reason=None, started="2026-01-04T10:00:00+00:00")
    return root


def archspec(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["runs", *arguments], standalone_mode=False, obj={"format": "pretty"})


def listed(*arguments: str) -> list[str]:
    """The names of the runs in the table."""
    done = archspec(*arguments)
    assert done.exception is None
    return [line.split()[0] for line in done.output.splitlines()[1:]]


def test_every_run_has_a_line_with_its_state(runs: Path) -> None:
    lines = archspec().output.splitlines()
    assert lines[0].split() == list(where.COLUMNS)
    states = {line.split()[0]: line.split()[1] for line in lines[1:]}
    assert states == {
        "runs/gin-1": "finished", "runs/wide-1": "finished", "runs/group/s41": "diverged", "runs/stopped-1": "stopped",
    }  # fmt: skip


def test_scores_are_those_of_the_best_validation_epoch(runs: Path) -> None:
    (row,) = [json.loads(archspec("--where", "run ~ *gin-1", "--format", "json").output)[0]]
    best = json.loads((runs / "gin-1" / "done.json").read_text())["best"]
    assert row["val"] == 100 * best["val"]["acc"]
    assert row["test"] == row["test.acc"] == 100 * best["test"]["acc"]
    assert row["test.loss"] == best["test"]["loss"]
    assert (row["epochs"], row["of"], row["seed"]) == (3, 15, 0)


def test_an_unfinished_run_has_the_scores_it_has(runs: Path) -> None:
    unfinished = read(runs / "stopped-1", "a")
    records = [json.loads(one) for one in (runs / "stopped-1" / "metrics.jsonl").read_text().splitlines()]
    assert unfinished.fields["val"] == 100 * max(one["val"]["acc"] for one in records)
    assert unfinished.fields["last.val.acc"] == 100 * records[-1]["val"]["acc"]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("state = finished", ["gin-1", "wide-1"]),
        ("state != finished", ["group/s41", "stopped-1"]),
        ("model.sizes.d >= 200", ["wide-1"]),
        ("model.sizes.d < 200 and seed = 41", ["group/s41"]),
        ("name ~ w*", ["wide-1"]),
        ("name == 'wide'", ["wide-1"]),
        ("started > 2026-01-02", ["wide-1", "group/s41", "stopped-1"]),
        ("test > -1", ["gin-1", "wide-1", "group/s41", "stopped-1"]),
        ("test > 100", []),
    ],
)
def test_conditions(runs: Path, condition: str, expected: list[str]) -> None:
    assert listed("--where", condition) == ([f"runs/{one}" for one in expected] or [])


def test_several_conditions_all_hold(runs: Path) -> None:
    assert listed("--where", "state = finished", "--where", "seed = 0", "--where", "name = wide") == ["runs/wide-1"]


def test_sorting(runs: Path) -> None:
    assert listed("--sort", "model.sizes.d")[-1] == "runs/wide-1"
    assert listed("--sort=-model.sizes.d")[0] == "runs/wide-1"
    values = [float(line.split()[4]) for line in archspec("--sort=-val").output.splitlines()[1:]]
    assert values == sorted(values, reverse=True)


def test_further_columns(runs: Path) -> None:
    lines = archspec("--columns", "model.sizes.d,model.where.mlp(h)").output.splitlines()
    assert lines[0].endswith("model.sizes.d  model.where.mlp(h)")
    assert lines[2].split("  ")[-1] == "h -> linear(d) -> inner -> relu -> linear(d)"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--where", "tets > 3"], "E0670 no run has a field `tets` (write `test`)"),
        (["--sort", "sead"], "E0670 no run has a field `sead` (write `seed`)"),
        (["--columns", "trian.epochs"], "E0670 no run has a field `trian.epochs` (write `train.epochs`)"),
        (["--where", "test"], "E0671 `test` is no condition"),
        (["--where", "__import__('os').system('x') > 1"], "E0671"),
        (["--in", "nowhere"], "E0611 there is no such folder"),
    ],
)
def test_mistakes(runs: Path, arguments: list[str], message: str) -> None:
    problem = archspec(*arguments).exception
    assert isinstance(problem, SpecError)
    assert message in str(problem)


def test_where_there_are_no_runs_it_says_how_to_make_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert archspec().output == "there are no runs in runs: `archspec train SPEC` makes one\n"


DAMAGE = {
    "spec.yaml": ["", "name: [", "just text", "name: x", None],
    "done.json": ["", "{", "[]", "{}"],
    "environment.json": ["", "[1]", "nonsense"],
    "metrics.jsonl": ["nonsense\n", "[]\n", '{"epoch": 1}\n', '{"val": 3}\n'],
}
"""What may stand in a file of a run; None takes it away."""


@pytest.mark.parametrize(("file", "text"), [(file, text) for file, texts in DAMAGE.items() for text in texts])
def test_damaged_folders_are_rows(runs: Path, file: str, text: str | None) -> None:
    path = runs / "stopped-1" / file
    path.unlink(missing_ok=True)
    if text is not None:
        path.write_text(text)
    lines = archspec().output.splitlines()
    (row,) = [line for line in lines if line.startswith("runs/stopped-1 ")]
    assert row.split()[1] == "damaged"
    assert [line for line in lines if line.startswith("runs/stopped-1: damaged: ")]
    assert len(lines) == 6


def test_a_line_that_a_crash_cut_short_is_no_damage(runs: Path) -> None:
    with (runs / "stopped-1" / "metrics.jsonl").open("a") as file:
        file.write('{"epoch": 4, "lr"')
    assert read(runs / "stopped-1", "a").state == "stopped"


def test_a_run_whose_lock_is_held_is_running(runs: Path) -> None:
    from archspec.train.folder import RunFolder

    folder = RunFolder(runs / "stopped-1")
    assert not held(folder.path)
    with folder.lock:
        assert held(folder.path)
        assert read(folder.path, "a").state == "running"
    assert not held(folder.path)
    folder.lock.path.write_text('{"pid": 999999999, "host": "' + __import__("socket").gethostname() + '"}')
    assert not held(folder.path)


def test_links_are_not_followed(runs: Path) -> None:
    (runs / "again").symlink_to(runs)
    assert len(list(find(runs))) == 4


def test_a_condition_on_what_a_row_lacks_does_not_hold() -> None:
    (condition,) = where.read("test != 3")
    assert not condition(Row(Path("a"), "damaged", {}))


# comparing


def compared(*names: str) -> Result:
    return archspec("compare", *names)


def test_scores_stand_beside_what_the_specs_differ_in(runs: Path) -> None:
    run_folder(runs / "off-1", spec="gin_inner_off", parameters=100_004)
    lines = compared("runs/gin-1", "runs/off-1").output.splitlines()
    one, other = (json.loads((runs / name / "done.json").read_text())["best"] for name in ("gin-1", "off-1"))
    figures = {split: [100 * entry[split]["acc"] for entry in (one, other)] for split in ("val", "test")}
    rows = {line[:16].strip(): line[16:].split() for line in lines if line.startswith("acc, ")}
    for title, split in (("acc, validation", "val"), ("acc, test", "test")):
        old, new = figures[split]
        assert rows[title][-3:] == [f"{old:.2f}", f"{new:.2f}", f"{new - old:+.2f}"]
    assert "  ~ inner: [-batch_norm-]{+identity+}" in lines
    assert [line.split()[1:] for line in lines if line.startswith("parameters ")] == [["100,884", "100,004", "-880"]]
    assert not [line for line in lines if "protocol" in line]


def test_the_health_of_both_is_told(runs: Path) -> None:
    folder = run_folder(runs / "watched-1")
    parameters = {
        "a.weight": {"ratio": 2.0, "update": 1e-3},
        "b.weight": {"ratio": 0.5, "update": None},
        "c.bias": {"ratio": 9.0},
    }
    values = {"h": {"mean": 0.0, "std": 12.0, "dead": 0.25}, "g": {"mean": 0.0, "std": 3.0, "dead": None}}
    for epoch, looks in ((4, 2), (5, 1), (6, 3), (7, 0)):
        norm = {"mean": 1.0, "max": 10.0 * epoch}
        health = {"looks": looks, "parameters": parameters, "values": values}
        folder.append(record(epoch, Random(0)) | {"gradient_norm": norm, "health": health})
    folder.health.write_text("".join(json.dumps({"sign": sign}) + "\n" for sign in ("dead", "flips", "dead")))
    lines = compared("runs/gin-1", "runs/watched-1").output.splitlines()
    first = lines.index("runs/watched-1, epoch 4: largest ‖g‖ 40")
    assert lines[first + 1 : first + 5] == [
        "  ‖g‖/‖w‖ of weights: 0.5 (`b.weight`) to 2 (`a.weight`)",
        "  update/weight: 0.001 everywhere",
        "  deviation of values: 3 (`g`) to 12 (`h`)",
        "  dead features of relus: 0.25 everywhere",
    ]
    assert [line for line in lines if "largest" in line][1:] == ["runs/watched-1, epoch 6: largest ‖g‖ 60"]
    assert "  told of dead (2), flips (1)" in lines


def test_scores_of_different_protocols_are_said_to_be(runs: Path) -> None:
    for name, graphs in (("gin-1", 100), ("wide-1", 200)):
        path = runs / name / "done.json"
        done = json.loads(path.read_text()) | {"protocol": {"hash": "x", "fields": {"limit": graphs, "metric": "acc"}}}
        path.write_text(json.dumps(done))
    found = [line for line in compared("runs/gin-1", "runs/wide-1").output.splitlines() if "protocol" in line]
    assert found == ["the scores are of different protocols, so they are not to be compared: limit 100 and not 200"]


def test_unfinished_and_damaged_runs_are_compared_as_far_as_can_be(runs: Path) -> None:
    text = compared("runs/gin-1", "runs/stopped-1").output
    assert "runs/stopped-1: stopped" in text
    assert "no architectural difference" in text
    (runs / "wide-1" / "done.json").write_text("{")
    text = compared("runs/gin-1", "runs/wide-1", "runs/stopped-1").output
    assert "runs/wide-1: damaged: this file of a run is damaged" in text
    assert "runs/stopped-1: stopped" in text


def test_scores_of_different_metrics_do_not_stand_beside_each_other(runs: Path) -> None:
    run_folder(runs / "zinc-1", "data={name: zinc}", "model.output=mean[i in V](x[i]) -> linear(out)", score="loss")
    lines = compared("runs/gin-1", "runs/zinc-1").output.splitlines()
    assert not [line for line in lines if line.startswith(("acc", "loss", "mae"))]
    assert [line for line in lines if line.startswith("parameters")]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["runs/gin-1"], "E0044 `compare` compares runs, not 1"),
        (["runs/gin-1", "runs/nothing"], "E0611 there is no such run folder"),
        (["runs/gin-1", "runs/gin-1/spec.yaml"], "E0612 a run is a folder"),
    ],
)
def test_mistakes_of_comparing(runs: Path, names: list[str], message: str) -> None:
    problem = compared(*names).exception
    assert isinstance(problem, SpecError)
    assert message in str(problem)
