"""Finding and reading spec files: given by path, or by the name of a spec that comes with archspec."""

import difflib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from archspec.diagnostics import Diagnostic, Problems
from archspec.source import SourceFile

LARGEST = 10_000_000
"""Characters a spec file may have."""


@cache
def shipped_specs() -> Mapping[str, Path]:
    """The specs that come with archspec, by name."""
    return shipped("specs")


@cache
def shipped_sweeps() -> Mapping[str, Path]:
    """The sweeps that come with archspec, by name."""
    return shipped("sweeps")


def shipped(kind: str) -> Mapping[str, Path]:
    """The files of a folder that comes with archspec, by name: from the installed package, or from a checkout."""
    package = Path(__file__).parent.parent
    for folder in (package / kind, package.parent / kind):
        if folder.is_dir():
            return {path.stem: path for path in sorted(folder.glob("*.yaml"))}
    return {}


def find(name: str, folder: Path) -> Path:
    """The file a name stands for, seen from a folder: a path, with or without `.yaml`, or a shipped spec."""
    return find_among(name, folder, "specs", shipped_specs())


def find_sweep(name: str) -> Path:
    """The same for a sweep, seen from here."""
    return find_among(name, Path(), "sweeps", shipped_sweeps())


def find_among(name: str, folder: Path, kind: str, known: Mapping[str, Path]) -> Path:
    """A path, with or without `.yaml`, or a file of a kind that comes with archspec."""
    path = folder / name
    if is_there(path):
        return path
    longer = Path(f"{path}.yaml")
    asked = Path(name)
    if is_there(longer):
        return longer
    if str(asked.parent) in (".", kind) and asked.suffix in ("", ".yaml"):
        return known.get(asked.stem, path)
    return path


def is_there(path: Path) -> bool:
    """Whether there is something at a path; a path no file can have is not there."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def read_source(path: Path, problems: Problems, asked: str = "") -> SourceFile | None:
    """The text of a file; None, with a problem, where there is none."""
    shown = str(path)
    try:
        text = path.read_bytes().decode("utf-8").removeprefix("\ufeff")
    except FileNotFoundError:
        problems.add(Diagnostic("E0001", f"there is no file `{asked or shown}`", path=shown, help=nearest_file(path)))
    except IsADirectoryError:
        specs = ", ".join(f"`{one}`" for one in sorted(path.glob("*.yaml"))[:5])
        help = f"name a file in it: {specs}" if specs else "name a spec file"
        problems.add(Diagnostic("E0002", f"`{shown}` is a folder", path=shown, help=help))
    except UnicodeDecodeError as error:
        note = f"byte {error.start + 1} is not UTF-8"
        problems.add(
            Diagnostic("E0003", f"`{shown}` is not a text file", path=shown, notes=(note,), help="name a spec file")
        )
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        problems.add(
            Diagnostic(
                "E0005", f"`{shown[:80]}` cannot be read: {reason.lower()}", path=shown[:80], help="name another file"
            )
        )
    else:
        if "\0" in text or len(text) > LARGEST:
            problems.add(Diagnostic("E0003", f"`{shown}` is not a text file", path=shown, help="name a spec file"))
        elif not any(line.strip() and not line.strip().startswith("#") for line in text.splitlines()):
            help = "write a spec, or copy one: `archspec new NAME --from gin`"
            problems.add(Diagnostic("E0004", f"`{shown}` is empty", path=shown, help=help))
        else:
            return SourceFile(shown, text)
    return None


def nearest_file(path: Path) -> str:
    """What to write in place of a file that is not there: first a name of the same letters, as in `gni` for `gin`."""
    beside = {one.stem: str(one) for one in path.parent.glob("*.yaml") if one.is_file()} if path.parent.is_dir() else {}
    names = {**{name: name for name in shipped_specs()}, **beside}
    swapped = [name for name in names if sorted(name) == sorted(path.stem)]
    close = swapped or difflib.get_close_matches(path.stem, names, 1)
    if close:
        return f"write `{names[close[0]]}`"
    return f"the specs that come with archspec: {', '.join(shipped_specs())}" if shipped_specs() else ""
