"""The parameters of each definition together, from their own figures."""

import math
from collections.abc import Iterable, Mapping

from archspec.train.health.figures import four
from archspec.train.health.looks import part_of
from archspec.train.health.record import DefinitionHealth, ParameterHealth, Place


def by_definition(
    parameters: Mapping[str, ParameterHealth], places: Mapping[str, Place], blocks: Mapping[str, str]
) -> dict[str, DefinitionHealth]:
    """What an epoch's record says of definitions; `blocks` are the definitions of the parts themselves, by part."""
    members: dict[str, list[ParameterHealth]] = {}
    for name, row in parameters.items():
        if place := places.get(name):
            part, definition = part_of(name), place["definition"]
            key = part if blocks.get(part) == definition else f"{part}.{definition}"
            members.setdefault(key, []).append(row)
    return {key: together(rows) for key, rows in members.items()}


def together(rows: list[ParameterHealth]) -> DefinitionHealth:
    """Several parameters as one."""
    gradient = norm(row["gradient"] for row in rows)
    if not all("weight" in row for row in rows):
        return {"gradient": four(gradient)}
    weight = norm(row["weight"] for row in rows)
    ratio = four(gradient / weight) if weight else None
    return {"gradient": four(gradient), "weight": four(weight), "ratio": ratio}


def norm(values: Iterable[float | None]) -> float:
    """The root of the sum of squares; NaN where one is not known."""
    return math.hypot(*(math.nan if one is None else one for one in values))
