"""Texts compared with files kept beside the tests; `pytest --update-golden` rewrites the files."""

import difflib
from pathlib import Path

import pytest


def updating(config: pytest.Config) -> bool:
    """Whether files are to be rewritten."""
    return bool(config.getoption("--update-golden", default=False))


def check_golden(path: Path, text: str, config: pytest.Config) -> None:
    """Hold a text to a file, or write it there; the failure shows what differs."""
    if updating(config):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return
    assert path.exists(), f"{path.name} is not there: run `pytest --update-golden`"
    old = path.read_text(encoding="utf-8")
    if old != text:
        lines = difflib.unified_diff(old.splitlines(), text.splitlines(), "golden", "now", lineterm="")
        pytest.fail("\n".join([f"{path} differs; `pytest --update-golden` accepts this:", *lines]), pytrace=False)
