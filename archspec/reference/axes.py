"""Axes combined by name: a value's feature axes brought into the order and number of another's."""

from collections.abc import Sequence

from torch import Tensor

from archspec.ir.types import Axis

Axes = Sequence[Axis]


def places(own: Axes, wanted: Axes) -> list[int]:
    """Where each own axis stands among the wanted: by the same name first, the rest in order by size."""
    place: dict[int, int] = {}
    for exact in (True, False):
        for index, axis in enumerate(own):
            fits = (at for at, other in enumerate(wanted) if at not in place.values() and same(axis, other, exact))
            if index not in place and (at := next(fits, None)) is not None:
                place[index] = at
    if len(place) < len(own):
        raise ValueError(f"axes {[*map(str, own)]} do not all occur in {[*map(str, wanted)]}")
    return [place[index] for index in range(len(own))]


def same(axis: Axis, other: Axis, exact: bool) -> bool:
    """Whether two axes are the same one: by name, or where one has none by size."""
    return bool(axis.name) and axis.name == other.name if exact else axis.matches(other)


def align(value: Tensor, own: Axes, wanted: Axes) -> Tensor:
    """[rows, *own] → [rows, *wanted], with size 1 for the axes the value does not have."""
    place = places(own, wanted)
    order = sorted(range(len(own)), key=place.__getitem__)
    value = value.permute(0, *(1 + index for index in order))
    for at in range(len(wanted)):
        if at not in place:
            value = value.unsqueeze(1 + at)
    return value
