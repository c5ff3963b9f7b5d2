"""The tables of the parser kept between runs: as good as built ones, and never in the way."""

from pathlib import Path

import pytest
from lark import Lark

from archspec.syntax import tables
from archspec.syntax.tables import kept_tables

GRAMMAR = 'start: "a" start | "b"'


def build() -> Lark:
    """The parser of the grammar."""
    return Lark(GRAMMAR, parser="lalr", propagate_positions=True)


def never() -> Lark:
    """For parsers that have to come from their tables."""
    raise AssertionError("built again")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder that is not there yet."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "archspec"


def test_tables_are_kept(folder: Path) -> None:
    built = kept_tables(GRAMMAR, build)
    assert kept_tables(GRAMMAR, never).parse("aab") == built.parse("aab")
    with pytest.raises(AssertionError):
        kept_tables(GRAMMAR + "\n", never)
    assert len(list(folder.iterdir())) == 1


def test_broken_and_foreign_tables_are_not_read(folder: Path) -> None:
    kept_tables(GRAMMAR, build)
    (file,) = folder.iterdir()
    file.chmod(0o666)
    with pytest.raises(AssertionError):
        kept_tables(GRAMMAR, never)
    file.write_bytes(file.read_bytes()[:100])
    file.chmod(0o600)
    assert kept_tables(GRAMMAR, build).parse("b")
    assert kept_tables(GRAMMAR, never).parse("b")


def test_no_folder_to_keep_them_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cache").write_text("a file")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert kept_tables(GRAMMAR, build).parse("b")
    monkeypatch.setattr(tables, "place", lambda grammar: None)
    assert kept_tables(GRAMMAR, build).parse("b")
