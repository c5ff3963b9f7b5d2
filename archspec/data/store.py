"""Packed graphs in one file: a header that names every column, then the columns, memory-mapped when read.

    archspec graphs 2 crc32=89abcdef        format version, checksum of the rest of the header
    {"made_by": …, "columns": …}            JSON, padded with spaces to 8,192 bytes
    train.source …                          little-endian columns at multiples of 64 bytes

A file appears under its name only when it is complete, so readers never see half of one and writers need no lock.
"""

import glob
import json
import math
import mmap
import os
import secrets
import time
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from archspec.data.packed import Packed, Rows, joined

MAGIC = b"archspec graphs 2 crc32="
HEADER = 8192
ALIGN = 64
ABANDONED = 3600  # seconds
Origin = Mapping[str, object]
"""What the content follows from (recipe, version, seed, graphs): JSON data, compared when a file is read."""


@dataclass(frozen=True)
class Column:
    """A column as the header names it."""

    at: int
    dtype: str
    shape: tuple[int, ...]
    crc32: str
    rows: Rows
    """What it has a row for."""


class Damaged(Exception):
    """A file is not what it should be; the message completes the sentence `PATH …`."""


def write(path: Path, origin: Origin, splits: Iterable[tuple[str, Iterable[Packed]]]) -> None:
    """Write the splits, given as chunks of graphs, and put the file in place of any older one.

    Edges go to the disk as they come; what is kept until the end of a split is a few bytes a node. Raises OSError.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as file:
        file.write(bytes(HEADER))
        columns: dict[str, Column] = {}
        for split, chunks in splits:
            columns |= write_split(file, split, chunks)
        file.seek(0)
        file.write(header(origin, columns))


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A new file beside `path` that takes its place at the end, and is removed if that is not reached."""
    remove_abandoned(path)
    partial = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.partial")
    try:
        with partial.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    finally:
        with suppress(OSError):
            partial.unlink()


def remove_abandoned(path: Path) -> None:
    """Remove what killed processes left of their attempts at this file; a living one writes several times a second."""
    for partial in path.parent.glob(f".{glob.escape(path.name)}.*.partial"):
        with suppress(OSError):
            if time.time() - partial.stat().st_mtime > ABANDONED:
                partial.unlink()


def write_split(file: BinaryIO, split: str, chunks: Iterable[Packed]) -> dict[str, Column]:
    """Write the columns of a split, the edges first; returns their places for the header."""
    small: list[Packed] = []
    start, checksum, edges = align(file), 0, 0
    for chunk in chunks:
        data = little(chunk.source)
        file.write(data.data)
        checksum, edges = zlib.crc32(data.data, checksum), edges + len(data)
        small.append(replace(chunk, source=chunk.source[:0]))
    packed = joined(small)
    columns = {f"{split}.source": column(start, packed.source.dtype, (edges,), checksum, "edge")}
    for name, values in packed.columns.items():
        if name != "source":
            data, start = little(values), align(file)
            file.write(data.data)
            one = column(start, data.dtype, data.shape, zlib.crc32(data.data), packed.rows(name))
            columns[f"{split}.{name}"] = one
    return columns


def little(array: NDArray[Any]) -> NDArray[Any]:
    """The array contiguous and in the byte order of the file."""
    return np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))


def column(at: int, dtype: np.dtype[Any], shape: tuple[int, ...], checksum: int, rows: Rows) -> Column:
    """A column written in the byte order of the file."""
    return Column(at, dtype.newbyteorder("<").str, shape, f"{checksum:08x}", rows)


def align(file: BinaryIO) -> int:
    """Fill up to the next multiple of 64 bytes; returns the position."""
    file.write(bytes(-file.tell() % ALIGN))
    return file.tell()


def header(origin: Origin, columns: Mapping[str, Column]) -> bytes:
    """The first bytes of a file."""
    text = json.dumps({"made_by": origin, "columns": {name: asdict(one) for name, one in columns.items()}}).encode()
    body = text.ljust(HEADER - len(MAGIC) - len("89abcdef\n\n")) + b"\n"
    whole = MAGIC + f"{zlib.crc32(body):08x}\n".encode() + body
    if len(whole) != HEADER:
        raise ValueError(f"the header needs {len(whole)} bytes, {HEADER} are there")
    return whole


def read(path: Path, origin: Origin) -> dict[str, Packed]:
    """The splits in a file, as read-only views of the mapped file, after all checksums were compared.

    Raises FileNotFoundError, or Damaged if the file is cut short, altered or made from something else than `origin`.
    """
    content = mapped(path)
    columns = read_header(content, origin)
    splits: dict[str, dict[str, NDArray[Any]]] = {}
    for name, one in columns.items():
        split, _, own = name.partition(".")
        splits.setdefault(split, {})[own] = read_column(content, name, one)
    return {split: Packed(**found, level=columns[f"{split}.y"].rows) for split, found in splits.items()}


def mapped(path: Path) -> mmap.mmap:
    """A file in memory, page by page as it is read. Raises FileNotFoundError or Damaged."""
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_size < HEADER:
                raise Damaged("is cut short")
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise Damaged(f"cannot be read ({error.strerror or error})") from error


def read_header(content: mmap.mmap, origin: Origin) -> dict[str, Column]:
    """The columns of a file by name; Damaged if the header is not ours, altered or tells another origin."""
    if content[: len(MAGIC)] != MAGIC:
        raise Damaged("is not a file of this version of archspec")
    checksum, body = content[len(MAGIC) : len(MAGIC) + 8], content[len(MAGIC) + 9 : HEADER]
    if checksum != f"{zlib.crc32(body):08x}".encode():
        raise Damaged("does not match its checksum (header)")
    found = json.loads(body)
    if found["made_by"] != origin:
        raise Damaged("was made from something else")
    return {name: Column(**{**one, "shape": tuple(one["shape"])}) for name, one in found["columns"].items()}


def read_column(content: mmap.mmap, name: str, one: Column) -> NDArray[Any]:
    """A column as a view of the file, in its little-endian dtype, its checksum compared."""
    dtype, count = np.dtype(one.dtype), math.prod(one.shape)
    if one.at + count * dtype.itemsize > len(content):
        raise Damaged("is cut short")
    array: NDArray[Any] = np.frombuffer(content, dtype, count, one.at)
    if f"{zlib.crc32(array.data):08x}" != one.crc32:
        raise Damaged(f"does not match its checksum ({name})")
    return array.reshape(one.shape)
