"""The parser's tables, kept between runs: building them takes longer than reading all specs.

They lie in the user's cache folder under a name that says grammar and versions; a file that is not the user's own, or
that others may write to, is not read. Without a usable folder they are built each time.
"""

import hashlib
import os
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import lark
from lark import Lark


def kept_tables(grammar: str, build: Callable[[], Lark]) -> Lark:
    """The parser of a grammar, from its tables if they are there, else built and its tables kept."""
    file = place(grammar)
    with suppress(Exception):  # a file from another version, or broken: whatever it is, the parser can be built
        if file and is_own(file):
            with file.open("rb") as stream:
                return Lark.load(stream)
    parser = build()
    if file:
        with suppress(OSError):
            keep(parser, file)
    return parser


def place(grammar: str) -> Path | None:
    """Where the tables of a grammar lie; nowhere on systems without a home."""
    versions = f"{lark.__version__} {sys.version} {grammar}"
    name = f"grammar-{hashlib.sha256(versions.encode()).hexdigest()[:16]}.tables"
    base = os.environ.get("XDG_CACHE_HOME") or (Path.home() / ".cache" if hasattr(os, "getuid") else "")
    return Path(base) / "archspec" / name if base else None


def is_own(file: Path) -> bool:
    """Whether a file is the user's, and nobody else may write to it."""
    status = file.stat()
    return status.st_uid == os.getuid() and not status.st_mode & 0o022


def keep(parser: Lark, file: Path) -> None:
    """Write the tables, as a whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=file.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            parser.save(stream)
        os.replace(temporary, file)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
