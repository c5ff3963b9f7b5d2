"""Every malformed spec in `tests/errors` gives its message, place and code: the text beside it, as it is printed."""

import os
from pathlib import Path

import pytest

from archspec.diagnostics import SpecError, render
from archspec.syntax.load import load_spec

FOLDER = Path(__file__).parent / "errors"
SPECS = sorted(FOLDER.glob("*.yaml"))


@pytest.fixture
def in_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """Messages show paths as they were given."""
    monkeypatch.chdir(FOLDER)


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_message(path: Path, in_folder: None, request: pytest.FixtureRequest) -> None:
    with pytest.raises(SpecError) as caught:
        load_spec(path.name)
    text = render(caught.value.diagnostics) + "\n"
    golden = path.with_suffix(".txt")
    if request.config.getoption("--update-golden", default=False) and not os.environ.get("CI"):
        golden.write_text(text)
    assert text == golden.read_text()


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_every_problem_has_a_place_and_a_cure(path: Path, in_folder: None) -> None:
    with pytest.raises(SpecError) as caught:
        load_spec(path.name)
    for one in caught.value.diagnostics:
        assert one.span is not None
        assert one.span.source.path == path.name
        assert one.help
        assert one.message[0] == one.message[0].lower() or one.message.startswith("YAML")
        assert not one.message.endswith(".")


def message(path: str) -> str:
    """The one problem of a file, on one line."""
    with pytest.raises(SpecError) as caught:
        load_spec(path)
    assert len(caught.value.diagnostics) == 1
    return render(caught.value.diagnostics, "concise")


def test_files_that_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "binary.yaml").write_bytes(b"\x80\x04\x95\xff\x00")
    (tmp_path / "zeros.yaml").write_bytes(b"name: \0\0\0")
    (tmp_path / "empty.yaml").write_text("")
    (tmp_path / "blank.yaml").write_text("\n\n")
    (tmp_path / "comment.yaml").write_text("# nothing\n")
    assert message("gni.yaml") == "gni.yaml: E0001 there is no file `gni.yaml` (write `gin`)"
    assert message("binray.yaml") == "binray.yaml: E0001 there is no file `binray.yaml` (write `binary.yaml`)"
    assert message("folder").startswith("folder: E0002 `folder` is a folder")
    assert message("binary.yaml").startswith("binary.yaml: E0003 `binary.yaml` is not a text file")
    assert message("zeros.yaml").startswith("zeros.yaml: E0003")
    for empty in ("empty.yaml", "blank.yaml", "comment.yaml"):
        assert message(empty).startswith(f"{empty}: E0004 `{empty}` is empty")


def test_a_name_too_long_for_a_file_is_no_bug() -> None:
    assert "E0005" in message("x" * 5000)
