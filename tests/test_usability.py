"""What a new user runs into: every mistake is told where it is, with its cure, and none is called a bug of archspec."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from archspec.commands import main as command_line
from archspec.commands.main import run


def outcome(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[object, str, str]:
    """Exit code, output and errors of a command."""
    with pytest.raises(SystemExit) as ended:
        run(arguments)
    said = capsys.readouterr()
    return ended.value.code, said.out, said.err


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "code", "cure"),
    [
        (("show", "gin", "--as", "pln"), "E0044", "write `plan`"),
        (("--format", "jsn", "show", "gin"), "E0044", "write `json`"),
        (("check", "--static", "gni"), "E0001", "write `gin`"),
        (("check", "--static", "giin.yaml"), "E0001", "write `gin`"),
        (("show", "gin", "--as", "ir", "--set", "data.name=patern"), "E0401", "write `pattern`"),
        (("show", "gin", "--as", "params", "--set", "data=null"), "E0311", "add a `data:` section"),
        (("show", "gin", "--as", "code", "--set", "data=null"), "E0311", "add a `data:` section"),
        (("train", "gin", "--set", "train.seed=99999999999999999999"), "E0632", "less than"),
        (("train", "gin", "--set", "data.name=zinc"), "E0310", "a value per graph"),
        (("train", "gin", "--set", "train.loss=mse"), "E0617", "write `cross_entropy`"),
        (("train", "gin", "--set", "train.monitor=r2"), "E0618", "or `acc`"),
        (("train", "gin", "--set", "train.monitor=accurracy"), "E0632", "write `accuracy`"),
        (("train", "gin", "--set", "data.fold=1"), "E0414", "remove `data.fold`"),
        (("train", "gin", "--set", "data.options.shared=false"), "E0403", "it has `shared_patterns`"),
        (("train", "gin", "--set", "train.threads=100000"), "E0632", "at most"),
    ],
)
def test_mistakes_have_a_cure(
    arguments: tuple[str, ...], code: str, cure: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, _, said = outcome(capsys, *arguments)
    assert status == 1
    assert f"error[{code}]" in said
    assert cure in said


def test_a_name_like_no_other_gets_the_list(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "ro.yaml").write_text("name: ro\n", encoding="utf-8")
    _, _, said = outcome(capsys, "check", "--static", "nosuch.yaml")
    assert "ro.yaml" not in said
    assert "position_gating" in said


def test_a_link_to_nothing_is_not_its_own_cure(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "link.yaml").symlink_to("nowhere")
    _, _, said = outcome(capsys, "check", "--static", "link.yaml")
    assert "write `link.yaml`" not in said


def test_what_to_type_next_can_be_typed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, said, _ = outcome(capsys, "new", "my net")
    assert status == 0
    assert "archspec check 'my net.yaml'" in said


def test_too_little_memory_is_no_bug(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, _, said = outcome(capsys, "check", "gin", "--set", "model.sizes.d=10000000")
    assert status == 1
    assert "error[E0006]: there is not enough memory" in said
    assert "bug in archspec" not in said


class OutOfMemoryError(RuntimeError):
    """As torch's for GPUs is called."""


@pytest.mark.parametrize(
    "error", [MemoryError(), OutOfMemoryError("CUDA out of memory")], ids=lambda one: type(one).__name__
)
def test_memory_is_told_from_bugs(error: Exception) -> None:
    assert command_line.out_of_memory(error)
    assert command_line.of_memory(error).code == "E0006"


def test_other_errors_are_bugs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("the impossible")

    monkeypatch.setattr(command_line.main, "main", broken)
    status, _, said = outcome(capsys, "show", "gin")
    assert status == 70
    assert "bug in archspec: RuntimeError: the impossible" in said
    assert "not a mistake in your spec" in said


ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize(
    ("redirection", "status"),
    [
        (">&-", 0),
        ("| head -1", 0),
        pytest.param("> /dev/full", 1, marks=pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")),
    ],
)
def test_output_that_goes_nowhere(redirection: str, status: int, tmp_path: Path) -> None:
    done = subprocess.run(
        ["sh", "-c", f'"{sys.executable}" -m archspec show gin --as tree {redirection}'],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == status, done.stderr
    assert "bug in archspec" not in done.stderr
