"""Files that are whole or absent: written beside their place, then renamed onto it; and what tells damaged ones."""

import hashlib
import json
import os
from contextlib import suppress
from pathlib import Path


def write(path: Path, content: bytes | str) -> None:
    """Put a file in place at once; after a crash the old one is there or the new one, never a part of one.

    An OSError names the file and leaves the old one, and nothing that takes the room of a disk that is full.
    """
    put(written(path, content), path)
    settle(path.parent)


def written(path: Path, content: bytes | str) -> Path:
    """The content on the disk, beside the place of its file."""
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
    except OSError as problem:
        with suppress(OSError):
            part.unlink()
        raise named(problem, path) from problem
    return part


def put(part: Path, path: Path) -> None:
    """Rename a file to its place; `settle` waits until that is on the disk."""
    try:
        part.replace(path)
    except OSError as problem:
        raise named(problem, path) from problem


def settle(folder: Path) -> None:
    """Put the names in a folder on the disk, so that a machine that loses its power finds them."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def append(path: Path, line: str) -> None:
    """Add a line to a file, on its way to the disk when this returns; an OSError names the file."""
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as problem:
        raise named(problem, path) from problem


def named(problem: OSError, path: Path) -> OSError:
    """The same error with the name of its file, which those of writing lack."""
    return OSError(problem.errno, problem.strerror, str(path))


def write_json(path: Path, data: object) -> None:
    """Put data in place as indented JSON."""
    write(path, as_json(data))


def as_json(data: object) -> str:
    """Data as indented JSON."""
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


MARK = b"\nsha256 "
"""Before the digest at the end of a sealed file."""


def sealed(content: bytes) -> bytes:
    """The content with its digest behind it."""
    return content + MARK + hashlib.sha256(content).hexdigest().encode()


def unsealed(content: bytes) -> bytes:
    """The content of a sealed file; ValueError where a byte of it is not what was written, or some are missing."""
    body, mark, digest = content.rpartition(MARK)
    if not mark:
        raise ValueError("it is cut short" if content else "it is empty")
    if hashlib.sha256(body).hexdigest().encode() != digest:
        raise ValueError("its content is not what was written")
    return body
