"""Where generated data is kept, and the decision to read it or to generate it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from archspec.data.packed import Packed
from archspec.data.store import Damaged, Origin, read, write
from archspec.diagnostics import Diagnostic, SpecError
from archspec.facts.kept import VARIABLE, folder

__all__ = ["Draw", "Progress", "Report", "cached", "folder", "present"]

Report = Callable[[str], None]
"""Takes one line for the user."""
Progress = Callable[[int, int], None]
"""Takes how many graphs of how many are done."""


@dataclass(frozen=True)
class Draw:
    """A data set to be had: what it is called on disk, what it follows from, and how it is made."""

    file: str
    origin: Origin
    generate: Callable[[], Iterable[tuple[str, Iterable[Packed]]]]
    making: str = "generating"
    """What is said while it is made."""


def cached(draw: Draw, directory: Path, report: Report) -> dict[str, Packed]:
    """The splits from the cache; generated and kept first if they are not there or damaged, which `report` is told.

    Raises SpecError E0402 where the folder cannot be written.
    """
    path = directory / draw.file
    try:
        return read(path, draw.origin)
    except FileNotFoundError:
        report(f"{draw.making} {path}")
    except Damaged as damage:
        report(f"{path} {damage}; {draw.making} it again")
    try:
        write(path, draw.origin, draw.generate())
        return read(path, draw.origin)
    except (OSError, Damaged) as error:
        raise SpecError([unusable(path, error)]) from error


def present(draw: Draw, directory: Path) -> dict[str, Packed] | None:
    """The splits if they are in the cache and sound, else None."""
    try:
        return read(directory / draw.file, draw.origin)
    except (FileNotFoundError, Damaged):
        return None


def unusable(path: Path, error: Exception) -> Diagnostic:
    """E0402: a data file could not be kept."""
    reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return Diagnostic(
        "E0402",
        f"the data set cannot be kept in this folder: {reason}",
        path=str(path.parent),
        help=f"name a folder with space that you may write to, by `--data-dir` or the variable {VARIABLE}",
    )
