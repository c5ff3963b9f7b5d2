"""The cell that others are compared with: by its name, or by its alternatives of some axes."""

from collections.abc import Iterable, Mapping

from archspec.check.suggest import nearest

Labels = Mapping[str, str]
"""The alternative of every axis."""


class NoCell(Exception):
    """No cell is meant, or several are: what is wrong, and what to write."""

    def __init__(self, message: str, help: str):
        super().__init__(message)
        self.message = message
        self.help = help


def find_cell(cells: Mapping[str, Labels], said: str | Labels) -> str:
    """The key of the one cell that is meant: by its key, its labels in order, or `axis=label` of some axes."""
    if isinstance(said, str):
        if said in cells or (named := by_name(cells, said)):
            return said if said in cells else named
        if "=" not in said:
            names = [name_of(labels) for labels in cells.values()]
            raise NoCell(f"there is no cell `{said}`", nearest(said, names) or f"the cells are {listing(names)}")
        said = {key.strip(): label.strip() for key, _, label in (one.partition("=") for one in said.split(","))}
    check_labels(cells, said)
    found = [key for key, labels in cells.items() if all(labels[axis] == label for axis, label in said.items())]
    if len(found) == 1:
        return found[0]
    what = ", ".join(f"{axis}={label}" for axis, label in said.items())
    if not found:
        names = [name_of(labels) for labels in cells.values()]
        raise NoCell(f"there is no cell with {what}", f"the cells are {listing(names)}")
    missing = [axis for axis in cells[found[0]] if axis not in said]
    raise NoCell(f"{len(found)} cells have {what}", f"say also which of {', '.join(missing)}")


def by_name(cells: Mapping[str, Labels], said: str) -> str:
    """The key of the cell with these labels, however the commas are spaced; nothing where there is none."""
    wanted = [one.strip() for one in said.split(",")]
    return next((key for key, labels in cells.items() if [*labels.values()] == wanted), "")


def check_labels(cells: Mapping[str, Labels], said: Labels) -> None:
    """Every axis and every alternative has to be one of the cells'."""
    for axis, label in said.items():
        known = dict.fromkeys(labels[axis] for labels in cells.values() if axis in labels)
        axes = dict.fromkeys(axis for labels in cells.values() for axis in labels)
        if axis not in axes:
            raise NoCell(f"there is no axis `{axis}`", nearest(axis, axes) or f"the axes are {', '.join(axes)}")
        if label not in known:
            message = f"no cell has `{label}` of the axis `{axis}`"
            raise NoCell(message, nearest(label, known) or f"there are {', '.join(known)}")


def name_of(labels: Labels) -> str:
    """What a cell is called."""
    return ", ".join(labels.values())


def listing(names: Iterable[str]) -> str:
    """Some names, the first of many."""
    found = [f"`{one}`" for one in names]
    return ", ".join(found[:MOST]) + (f" and {len(found) - MOST} more" if len(found) > MOST else "")


MOST = 8
"""Names that are listed."""
