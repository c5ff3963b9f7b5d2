"""What is seen at a look: weights beside their gradients, the step that was taken, and values of the equations."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from archspec.runtime.pairs import Pairs
from archspec.train.health.figures import four
from archspec.train.health.monitor import Measure
from archspec.train.health.record import ParameterHealth, Place, ValueHealth
from archspec.train.health.signs import SIGNS
from archspec.train.health.values import RELUS, SPECIAL, alive, spread


@dataclass
class Sums:
    """Means in the making, by name and figure."""

    table: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    """Sum and count."""

    def add(self, name: str, figure: str, value: float) -> None:
        """Count a number."""
        cell = self.table.setdefault(name, {}).setdefault(figure, [0.0, 0])
        cell[0] += value
        cell[1] += 1

    def means(self, name: str) -> dict[str, float | None]:
        """The means of a name."""
        return {figure: four(total / count) for figure, (total, count) in self.table.get(name, {}).items()}


@dataclass
class Seen:
    """The values of one look: figures on the device, and which features of relus are not 0."""

    places: Mapping[str, Place]
    figures: list[tuple[str, str, Tensor]] = field(default_factory=list)
    alive: dict[str, Tensor] = field(default_factory=dict)

    def see(self, name: str, value: Tensor, over: Pairs | None) -> None:
        """Take a value's figures, unless it is chosen in another block alone that has the same text."""
        if name not in self.places:
            return
        kind = self.places[name].get("kind", "")
        found = spread(value)
        if kind in SPECIAL:
            found |= SPECIAL[kind](value, over)
        if kind in RELUS and value.dim() > 1 and len(value):
            features = alive(value)
            self.alive[name] = self.alive.get(name, torch.zeros_like(features)) | features
        self.figures += [(name, figure, number) for figure, number in found.items()]

    def numbers(self) -> dict[str, dict[str, float]]:
        """The figures by name; of a value that is computed several times, the mean."""
        sums = Sums()
        if not self.figures:
            return {}
        listed = torch.stack([number for *_, number in self.figures]).tolist()
        for (name, figure, _), number in zip(self.figures, listed, strict=True):
            sums.add(name, figure, number)
        found = {name: {key: total / count for key, (total, count) in row.items()} for name, row in sums.table.items()}
        for name, features in self.alive.items():
            found[name]["dead"] = 1 - float(features.float().mean())
        return found


@dataclass
class Looks:
    """The looks of an epoch."""

    count: int = 0
    parameters: Sums = field(default_factory=Sums)
    weight: dict[str, float] = field(default_factory=dict)
    values: Sums = field(default_factory=Sums)
    alive: dict[str, Tensor] = field(default_factory=dict)

    def add_values(self, seen: Seen, numbers: Mapping[str, Mapping[str, float]]) -> None:
        """Count the values of a look."""
        for name, row in numbers.items():
            for figure, number in row.items():
                self.values.add(name, figure, number)
        for name, features in seen.alive.items():
            self.alive[name] = self.alive.get(name, features) | features

    def add_parameter(self, name: str, weight: float, gradient: float, step: float) -> None:
        """Count a parameter's norms; ratios to weights that are all 0 are left out."""
        self.weight[name] = weight
        if weight > 0:
            self.parameters.add(name, "ratio", gradient / weight)
            self.parameters.add(name, "update", step / weight)

    def parameter(self, name: str) -> ParameterHealth:
        """What an epoch's record says of a parameter, gradients apart."""
        if name not in self.weight:
            return {}  # type: ignore[typeddict-item]
        none = {"ratio": None, "update": None}
        return {"weight": four(self.weight[name]), **none, **self.parameters.means(name)}  # type: ignore[typeddict-item]

    def described(self) -> dict[str, ValueHealth]:
        """What it says of the values."""
        found: dict[str, Any] = {name: self.values.means(name) for name in self.values.table}
        for name, features in self.alive.items():
            found[name]["dead"] = four(1 - float(features.float().mean()))
        return found

    def state(self) -> dict[str, Any]:
        """Plain values and tensors."""
        return {
            "count": self.count,
            "parameters": self.parameters.table,
            "weight": self.weight,
            "values": self.values.table,
            "alive": {name: one.cpu() for name, one in self.alive.items()},
        }

    def restore(self, kept: dict[str, Any]) -> None:
        """Go on from there."""
        self.count, self.weight, self.alive = kept["count"], kept["weight"], kept["alive"]
        self.parameters, self.values = Sums(kept["parameters"]), Sums(kept["values"])


def norms(tensors: Sequence[Tensor]) -> Tensor:
    """The Euclidean norm of each, [tensors]."""
    return torch.stack(torch._foreach_norm(list(tensors)))


def of_values(numbers: Mapping[str, Mapping[str, float]], places: Mapping[str, Place]) -> Iterator[Measure]:
    """What may be wrong with the values of a look."""
    for name, row in numbers.items():
        place = places[name]
        if "dead" in row:
            yield Measure("dead", name, row["dead"], place=place)
        if "low" in row:
            yield Measure("saturated", name, row["low"] + row["high"], {**row}, place)
        if "entropy" in row:
            yield Measure("concentrated", name, 1 - row["entropy"], {**row}, place)
            yield Measure("uniform", name, row["entropy"], {**row}, place)


def of_parts(ratios: Mapping[str, tuple[float, float]]) -> Iterator[Measure]:
    """Whether gradients vanish on their way back: by part of the model in order, ‖w‖ and ‖g‖ of its matrices.

    Of the parts with hardly any gradient the one nearest to the output is named.
    """
    found = {part: gradient / weight for part, (weight, gradient) in ratios.items() if weight > 0}
    if not found or not max(found.values()) > 0:
        return
    where = max(found, key=found.__getitem__)
    times = {part: found[where] / ratio if ratio else float("inf") for part, ratio in found.items()}
    gone = [part for part in found if times[part] > SIGNS["vanishing"].threshold]
    for part in found:
        value = times[part] if part in gone[-1:] else 1.0
        yield Measure("vanishing", part, value, {"ratio": found[part], "most": found[where], "where": where})


def part_of(name: str) -> str:
    """The part of the model that a parameter belongs to: `input`, `layers.3`, `output`, `shared`."""
    first, second, *_ = [*name.split("."), ""]
    return f"{first}.{second}" if first == "layers" else first
