"""What a machine takes for every kind of work, as it was measured: seconds by size, read between what was measured.

The machine of the table is the one that `reference.json` names; `archspec cost --calibrate` measures this one and keeps
it in the cache folder.
"""

import json
import os
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log
from pathlib import Path

from archspec.facts import kept

REFERENCE = Path(__file__).with_name("reference.json")
FILE = "machine.json"
VERSION = 2

Variant = tuple[float, ...]


@dataclass(frozen=True)
class Point:
    """One measurement: so many units of work took so many seconds forward, and back."""

    units: float
    forward: float
    backward: float


@dataclass(frozen=True)
class Machine:
    """Measurements by kernel and variant, such as the numbers of features and of nodes, ascending by units."""

    name: str
    curves: Mapping[str, Mapping[Variant, Sequence[Point]]]

    def seconds(self, kernel: str, units: float, variant: Variant = ()) -> tuple[float, float]:
        """Forward and back; 0 for work that was not measured, and for none.

        Where a case of a kernel (`weighted_sum.csr.fixed`) was not measured, the kernel itself counts.
        """
        variants = self.curves.get(kernel) or self.curves.get(kernel.rpartition(".")[0])
        if not variants or units <= 0:
            return 0.0, 0.0
        points = variants[min(variants, key=lambda one: apart(one, variant))]
        return between(points, units, "forward"), between(points, units, "backward")


def apart(one: Variant, other: Variant) -> float:
    """How far two variants are from each other, in factors."""
    return sum(abs(log((a + 1) / (b + 1))) for a, b in zip(one, other, strict=False))


def between(points: Sequence[Point], units: float, way: str) -> float:
    """The time of so many units: on the line between two measurements; that of the first below, in proportion above.

    A kernel takes a time to call and a time for every unit, which is a line as long as caches make no difference.
    """
    sizes = [point.units for point in points]
    times = [float(getattr(point, way)) for point in points]
    if units <= sizes[0]:
        return times[0]
    if units >= sizes[-1]:
        return times[-1] * units / sizes[-1]
    at = bisect_left(sizes, units)
    share = (units - sizes[at - 1]) / (sizes[at] - sizes[at - 1])
    return (1 - share) * times[at - 1] + share * times[at]


def path(directory: Path | None = None) -> Path:
    """Where this machine's measurements are kept."""
    return kept.folder(directory) / FILE


def known(directory: Path | None = None) -> Machine:
    """This machine if it was measured, else the one of the table."""
    try:
        return read(path(directory).read_text(encoding="utf-8"))
    except (OSError, ValueError, KeyError, TypeError):
        return reference()


def reference() -> Machine:
    """The machine of the table."""
    return read(REFERENCE.read_text(encoding="utf-8"))


def keep(machine: Machine, directory: Path | None = None) -> Path:
    """Write this machine's measurements where `known` finds them. Raises OSError."""
    target = path(directory)
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        part.write_text(written(machine), encoding="utf-8")
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return target


def read(text: str) -> Machine:
    """A machine from its file. Raises ValueError, KeyError or TypeError for anything else."""
    found = json.loads(text)
    if found["version"] != VERSION:
        raise ValueError(found["version"])
    curves: dict[str, dict[Variant, list[Point]]] = {}
    for kernel, *variant, units, forward, backward in found["points"]:
        curves.setdefault(kernel, {}).setdefault(tuple(variant), []).append(Point(units, forward, backward))
    return Machine(found["name"], curves)


def written(machine: Machine) -> str:
    """A machine as the text of a file, a line for every measurement."""
    rows = [
        json.dumps([kernel, *variant, one.units, *(float(f"{time:.4g}") for time in (one.forward, one.backward))])
        for kernel, variants in machine.curves.items()
        for variant, points in variants.items()
        for one in points
    ]
    lines = ",\n".join(rows)
    return f'{{"version": {VERSION}, "name": {json.dumps(machine.name)}, "points": [\n{lines}\n]}}\n'
