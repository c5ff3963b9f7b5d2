"""Stored data: what is written is read, and a file that is not right is noticed and made again."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from archspec.data import store
from archspec.data.cache import Draw, cached, folder, present
from archspec.data.packed import Packed, joined
from archspec.data.pattern import generate
from archspec.data.store import HEADER, Damaged, read, write
from archspec.diagnostics import SpecError

ORIGIN = {"name": "pattern", "seed": 3}
WIDE = Packed(  # two-byte sources, numeric features, a graph without edges
    np.array([2, 1], dtype=np.int32),
    np.array([[0.5, 1.0], [2.0, 3.0], [-1.0, 0.0]], dtype=np.float32),
    np.array([0, 1, 0], dtype=np.uint8),
    np.array([1, 2, 0], dtype=np.uint16),
    np.array([1, 0, 300], dtype=np.uint16),
)


def splits():
    return ((split, generate(3, split, 12)) for split in ("train", "val"))


DRAW = Draw("small.graphs", ORIGIN, splits)


@pytest.fixture
def path(tmp_path) -> Path:
    write(tmp_path / DRAW.file, ORIGIN, splits())
    return tmp_path / DRAW.file


def same(one: Packed, other: Packed) -> bool:
    mine, others = one.columns, other.columns
    return (
        one.level == other.level
        and list(mine) == list(others)
        and all(mine[name].dtype == others[name].dtype for name in mine)
        and all(np.array_equal(mine[name], others[name], equal_nan=mine[name].dtype.kind == "f") for name in mine)
    )


def test_what_is_written_is_read(path):
    found = read(path, ORIGIN)
    assert list(found) == ["train", "val"]
    for split in found:
        assert same(found[split], next(iter(generate(3, split, 12))))
    assert not same(found["train"], found["val"])  # the comparison can fail


def test_chunks_and_other_types_of_columns(tmp_path):
    write(tmp_path / "a", ORIGIN, [("train", [WIDE, WIDE])])
    found = read(tmp_path / "a", ORIGIN)["train"]
    assert same(found.first(2), WIDE)
    assert found.x.shape == (6, 2)
    assert found.source.tolist() == [1, 0, 300] * 2


def test_columns_lie_at_multiples_of_64_bytes_and_are_read_only(path):
    column = read(path, ORIGIN)["val"].sizes
    assert column.ctypes.data % 64 == 0
    with pytest.raises(ValueError, match="read-only"):
        column[0] = 1


def damage_by(change):
    """A function that rewrites a file with its changed content."""
    return lambda path: path.write_bytes(change(path.read_bytes()))


def flipped(content: bytes, at: int) -> bytes:
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


DAMAGES = {
    "empty": (damage_by(lambda content: b""), "is cut short"),
    "half a header": (damage_by(lambda content: content[: HEADER // 2]), "is cut short"),
    "header alone": (damage_by(lambda content: content[:HEADER]), "is cut short"),
    "last byte missing": (damage_by(lambda content: content[:-1]), "is cut short"),
    "bit in the edges": (damage_by(lambda content: flipped(content, HEADER + 100)), r"\(train.source\)"),
    "last bit": (damage_by(lambda content: flipped(content, len(content) - 1)), r"\(val.degree\)"),
    "bit in the header": (damage_by(lambda content: flipped(content, 60)), r"\(header\)"),
    "another version": (
        damage_by(lambda content: content.replace(b"graphs 2", b"graphs 1", 1)),
        "not a file of this version",
    ),
    "another program": (damage_by(lambda content: b"PK\3\4" * HEADER), "not a file of this version"),
    "another seed": (lambda path: write(path, {**ORIGIN, "seed": 4}, splits()), "made from something else"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_noticed_and_repaired_with_one_line(path, damage):
    inflict, message = DAMAGES[damage]
    sound = path.read_bytes()
    inflict(path)
    with pytest.raises(Damaged, match=message):
        read(path, ORIGIN)
    lines = []
    assert same(cached(DRAW, path.parent, lines.append)["val"], next(iter(generate(3, "val", 12))))
    assert len(lines) == 1
    assert lines[0].startswith(str(path))
    assert lines[0].endswith("; generating it again")
    assert path.read_bytes() == sound
    cached(DRAW, path.parent, lines.append)
    assert len(lines) == 1
    assert list(path.parent.iterdir()) == [path]


def test_without_the_checksum_a_flipped_bit_would_pass(path, monkeypatch):
    DAMAGES["bit in the edges"][0](path)
    monkeypatch.setattr(store, "read_column", lambda content, name, one: np.frombuffer(content, one.dtype, 1, one.at))
    read(path, ORIGIN)


def test_every_byte_of_a_column_is_covered(path):
    content = path.read_bytes()
    for at in range(HEADER, HEADER + 200):
        path.write_bytes(flipped(content, at))
        with pytest.raises(Damaged, match="checksum"):
            read(path, ORIGIN)


def test_first_use_generates_with_one_line(tmp_path):
    lines = []
    cached(DRAW, tmp_path / "deep" / "folder", lines.append)
    assert lines == [f"generating {tmp_path / 'deep' / 'folder' / DRAW.file}"]
    assert present(DRAW, tmp_path) is None
    assert present(DRAW, tmp_path / "deep" / "folder") is not None


def refused(draw: Draw, directory: Path) -> str:
    with pytest.raises(SpecError) as caught:
        cached(draw, directory, lambda line: None)
    return str(caught.value)


def test_folder_that_cannot_be_written_is_answered_with_the_cure(tmp_path):
    (tmp_path / "file").touch()
    message = refused(DRAW, tmp_path / "file" / "cache")
    assert message.startswith(
        f"{tmp_path / 'file' / 'cache'}: E0402 the data set cannot be kept in this folder: Not a dir"
    )
    assert "`--data-dir`" in message
    assert "ARCHSPEC_CACHE" in message


def test_folder_in_the_place_of_the_file(tmp_path):
    (tmp_path / DRAW.file / "inside").mkdir(parents=True)
    assert "E0402" in refused(DRAW, tmp_path)


def test_full_disk_leaves_nothing_behind(tmp_path):
    def until_full():
        yield next(iter(generate(3, "train", 12)))
        raise OSError(errno.ENOSPC, "No space left on device")

    message = refused(Draw(DRAW.file, ORIGIN, lambda: [("train", until_full())]), tmp_path)
    assert "No space left on device" in message
    assert list(tmp_path.iterdir()) == []


def test_interrupted_generation_leaves_the_old_file(path):
    def until_interrupted():
        yield next(iter(generate(3, "train", 12)))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(path, ORIGIN, [("train", until_interrupted())])
    assert list(read(path, ORIGIN)) == ["train", "val"]
    assert list(path.parent.iterdir()) == [path]


def test_what_a_killed_process_left_is_removed_but_not_what_a_living_one_writes(path):
    old, new = (path.with_name(f".{path.name}.{name}.partial") for name in ("1-old", "2-new"))
    old.touch()
    new.touch()
    os.utime(old, (0, 0))
    write(path, ORIGIN, splits())
    assert sorted(path.parent.iterdir()) == [new, path]


WRITER = """
import sys, time
from pathlib import Path
from archspec.data.cache import Draw, cached
from archspec.data.pattern import generate
directory = Path(sys.argv[1])
while not (directory / "go").exists():
    time.sleep(0.001)
splits = lambda: ((split, generate(3, split, 300)) for split in ("train", "val"))
found = cached(Draw("shared.graphs", {"seed": 3}, splits), directory, print)
print(found["train"].graphs, found["val"].x.sum())
"""


def test_processes_that_build_at_the_same_time_agree(tmp_path):
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    writers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    (tmp_path / "go").touch()
    answers = [writer.communicate(timeout=60)[0].splitlines() for writer in writers]
    assert [writer.returncode for writer in writers] == [0, 0, 0]
    assert len({answer[-1] for answer in answers}) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["go", "shared.graphs"]
    assert read(tmp_path / "shared.graphs", {"seed": 3})["train"].graphs == 300


def test_folder_is_the_argument_then_the_variable_then_the_platforms(tmp_path, monkeypatch):
    monkeypatch.setenv("ARCHSPEC_CACHE", str(tmp_path / "variable"))
    assert folder(tmp_path / "argument") == tmp_path / "argument"
    assert folder(None) == tmp_path / "variable"
    assert folder(Path("~/data")) == Path.home() / "data"
    monkeypatch.setenv("ARCHSPEC_CACHE", "")
    assert folder(None).name == "archspec"
    assert folder(None).is_absolute()


def test_a_header_that_would_not_fit_is_refused(tmp_path):
    with pytest.raises(ValueError, match="the header needs"):
        write(tmp_path / "a", {"note": "x" * HEADER}, [("train", [WIDE])])
    assert list(tmp_path.iterdir()) == []


def everything(level: str, y: np.ndarray) -> Packed:
    """Two graphs of 2 and 1 nodes with every column there can be."""
    return Packed(
        np.array([2, 1], np.int32),
        np.array([[1, 0], [2, 5], [0, 0]], np.uint8),
        y,
        np.array([1, 2, 0], np.uint8),
        np.array([1, 0, 1], np.uint8),
        np.array([[0.5], [1.5], [-1.0]], np.float32),
        np.arange(9, dtype=np.float32).reshape(3, 3),
        np.array([[1, 2], [2, 4], [4, 1]], np.uint8)[: len(y)],
        np.array([2, 1], np.int32),
        np.array([[0, 1], [1, 0], [0, 0]], np.uint8),
        level,
    )


LEVELS = {
    "node": np.array([0, 2, 1], np.uint8),
    "edge": np.array([[0.0], [np.nan], [1.0]], np.float32),
    "pair": np.array([1, 0, 1], np.uint8),
    "graph": np.array([[0.5, np.nan], [1.0, 2.0]], np.float32),
}


@pytest.mark.parametrize("level", LEVELS)
def test_every_column_at_every_level(tmp_path, level):
    whole = everything(level, LEVELS[level])
    write(tmp_path / "a", ORIGIN, [("all", [whole, whole])])
    found = read(tmp_path / "a", ORIGIN)["all"]
    assert same(found, joined([whole, whole]))
    assert same(found.first(2), whole)
    assert same(found.take(np.array([2, 1])), whole)
    assert same(found.take(np.array([3, 0])).first(1), whole.take(np.array([1])))
    assert not same(found.take(np.array([3, 0])), whole)
