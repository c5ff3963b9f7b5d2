"""Data of the user's own, told by its name: a folder (`./my_graphs`) or a Python function (`package.module:function`).

What it is kept under follows from the content of its files, so that changed files are other data. Nothing is imported
or run here.
"""

import hashlib
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Literal

from archspec.syntax.schema import DataSettings

VERSION = 2
"""Counts changes of how files are converted."""

SPLITS = ("train", "val", "test")
TABLES = ("nodes", "edges", "pairs", "graphs")
ENTRY = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")
CHUNK = 1 << 20


@dataclass(frozen=True)
class Layout:
    """What a folder of data holds."""

    form: Literal["pt", "csv", "parquet"]
    files: Mapping[str, tuple[Path, ...]]
    """The files of every split (or of `all`), or of every table."""


def is_folder(name: str) -> bool:
    """Whether the name of a data set is that of a folder: it has a separator or begins with `.` or `~`."""
    return not is_entry(name) and ("/" in name or "\\" in name or name.startswith((".", "~")))


def is_entry(name: str) -> bool:
    """Whether the name of a data set is that of a function."""
    return ENTRY.fullmatch(name) is not None


def is_own(name: str) -> bool:
    """Whether a name stands for data of the user's own."""
    return is_folder(name) or is_entry(name)


def folder(name: str) -> Path:
    """The folder of a name, from the current one."""
    return Path(name).expanduser()


def layouts(place: Path) -> list[Layout]:
    """What a folder could be read as; a data set if it is one thing. Raises OSError."""
    names = {one.name for one in place.iterdir()}
    found: list[Layout] = []
    for form in ("csv", "parquet"):
        tables = {table: (place / f"{table}.{form}",) for table in TABLES if f"{table}.{form}" in names}
        if tables:
            found.append(Layout(form, tables))
    splits = {split: files for split in SPLITS if (files := graph_files(place, split))}
    if whole := tuple(sorted(place.glob("*.pt"))):
        splits = splits or {"all": whole}
    return [*found, Layout("pt", splits)] if splits else found


def graph_files(place: Path, split: str) -> tuple[Path, ...]:
    """The files of graphs of a split: `train.pt`, or all in the folder `train`, by name."""
    one = place / f"{split}.pt"
    return (*((one,) if one.is_file() else ()), *sorted((place / split).glob("*.pt")))


def key(settings: DataSettings) -> str | None:
    """What the files of a data set are called, equal for equal content and options.

    None where it is not the user's own, or no content is found.
    """
    if not is_own(settings.name):
        return None
    content = "".join(f"{name} {digest}\n" for name, digest in contents(settings.name))
    if not content:
        return None
    options = "".join(f"{name}={value!r}\n" for name, value in sorted(settings.options.items()))
    said = settings.name if is_entry(settings.name) else folder(settings.name).resolve().name
    plain = re.sub(r"[^A-Za-z0-9._-]", "_", said)
    whole = hashlib.blake2b(f"{VERSION}\n{options}{content}".encode(), digest_size=8)
    return f"own-{plain}-{whole.hexdigest()}"


def contents(name: str) -> Iterator[tuple[str, str]]:
    """The files that a data set follows from, with digests."""
    if is_entry(name):
        file = module_file(name.partition(":")[0])
        if file is not None:
            yield name, digest(file)
        return
    place = folder(name)
    try:
        found = sorted({file for one in layouts(place) for files in one.files.values() for file in files})
        for file in found:
            yield file.relative_to(place).as_posix(), digest(file)
    except OSError:
        return


def module_file(name: str) -> Path | None:
    """The file of a module on Python's path or in the current folder, looked for without importing its packages."""
    path: list[str] | None = [*sys.path, str(Path.cwd())]
    spec = None
    parts = name.split(".")
    for count in range(1, len(parts) + 1):
        spec = PathFinder.find_spec(".".join(parts[:count]), path)
        if spec is None:
            return None
        path = list(spec.submodule_search_locations or ())
    return Path(spec.origin) if spec is not None and spec.origin else None


def digest(file: Path) -> str:
    """A digest of a file's content. Raises OSError."""
    about = file.stat()
    return digest_of(file, about.st_size, about.st_mtime_ns)


@cache
def digest_of(file: Path, _size: int, _changed: int) -> str:
    """The digest, computed once while size and time stay."""
    found = hashlib.blake2b(digest_size=16)
    with file.open("rb") as content:
        while chunk := content.read(CHUNK):
            found.update(chunk)
    return found.hexdigest()
