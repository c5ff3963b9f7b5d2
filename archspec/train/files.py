"""Files that are whole or absent: written beside their place, then renamed onto it."""

import json
import os
from pathlib import Path


def write(path: Path, content: bytes | str) -> None:
    """Put a file in place at once; after a crash the old one is there or the new one, never a part of one."""
    part = path.with_name(f".{path.name}.part")
    with part.open("wb") as file:
        file.write(content.encode() if isinstance(content, str) else content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def write_json(path: Path, data: object) -> None:
    """Put data in place as indented JSON."""
    write(path, json.dumps(data, indent=2, ensure_ascii=False) + "\n")
