"""Facts measured when a data set was read, kept as JSON in the cache folder for commands that read no data."""

import json
import os
from dataclasses import asdict
from pathlib import Path

import platformdirs

from archspec.facts.table import Facts

VARIABLE = "ARCHSPEC_CACHE"
VERSION = 2


def folder(directory: Path | None) -> Path:
    """The folder for data: the one given (`--data-dir`), else `ARCHSPEC_CACHE`, else the platform's cache folder."""
    if directory is not None:
        return directory.expanduser()
    named = os.environ.get(VARIABLE)
    return Path(named).expanduser() if named else platformdirs.user_cache_path("archspec")


def path(key: str, directory: Path | None) -> Path:
    """Where the facts of a data set are kept."""
    return folder(directory) / f"{key}.facts.json"


def read(key: str, directory: Path | None) -> Facts | None:
    """The facts of a data set; None where they are not kept, or not as this version keeps them."""
    try:
        found = json.loads(path(key, directory).read_text(encoding="utf-8"))
        if found.pop("version") != VERSION:
            return None
        for name in ("benchmark", "letters", "edge_letters"):
            found[name] = tuple(found[name]) if isinstance(found[name], list) else found[name]
        return Facts(**found)
    except (OSError, ValueError, TypeError, KeyError):
        return None


def write(key: str, facts: Facts, directory: Path | None) -> None:
    """Keep the facts of a data set. Raises OSError."""
    target = path(key, directory)
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        part.write_text(json.dumps({"version": VERSION, **asdict(facts)}, indent=1) + "\n", encoding="utf-8")
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
