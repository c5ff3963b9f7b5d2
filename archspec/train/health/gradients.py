"""The norms of gradients, at every step: their means over an epoch, and the band that each of them usually keeps to."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from archspec.train.health.figures import four
from archspec.train.health.monitor import Measure
from archspec.train.health.record import ParameterHealth
from archspec.train.health.signs import SIGNS

Row = NDArray[np.float64]

SHARE = 0.1
"""Of the whole gradient: a parameter with less cannot make it explode."""
WARM = 10
"""Steps after which it is known what is usual."""
MEMORY = 100
"""Steps whose gradients make up what is usual, about."""


class Gradients:
    """‖g‖ of every parameter."""

    def __init__(self, names: Sequence[str]):
        self.names = list(names)
        self.total, self.largest, self.steps, self.usual, self.seen = (np.zeros(len(names)) for _ in range(5))
        """Over the epoch: sum, maximum and number of norms; over the run: mean of log ‖g‖ and number of norms."""

    def add(self, which: Sequence[int], norms: Sequence[float]) -> Measure | None:
        """Count a step's norms of some parameters; the one furthest above its usual size, where that is known."""
        at, norm = np.asarray(which), np.asarray(norms)
        self.total[at] += norm
        np.maximum.at(self.largest, at, norm)
        self.steps[at] += 1
        found = self.furthest(at, norm)
        at, norm = at[norm > 0], norm[norm > 0]
        weight = 1 / np.minimum(self.seen[at] + 1, MEMORY)
        self.usual[at] += weight * (np.log(norm) - self.usual[at])
        self.seen[at] += 1
        return found

    def furthest(self, at: NDArray[np.int64], norm: Row) -> Measure | None:
        """The parameter whose gradient is most above its usual size."""
        heavy = (self.seen[at] >= WARM) & (norm >= SHARE * np.sqrt(norm @ norm)) & (norm > 0)
        if not heavy.any():
            return None
        usual = np.exp(self.usual[at])
        times = np.where(heavy, norm / usual, 0.0)
        first, many = int(times.argmax()), int((times > SIGNS["explosion"].threshold).sum()) - 1
        others = f", and so are {many} others" if many > 1 else ", and so is one other" if many else ""
        more = {"gradient": norm[first], "usual": usual[first], "others": others}
        return Measure("explosion", self.names[at[first]], float(times[first]), more)

    def next_epoch(self) -> dict[str, ParameterHealth]:
        """The means and largest norms of the epoch, of what had gradients; the next epoch begins."""
        found: dict[str, ParameterHealth] = {}
        for name, total, largest, steps in zip(self.names, self.total, self.largest, self.steps, strict=True):
            if steps:
                found[name] = {"gradient": four(total / steps), "gradient_max": four(largest)}
        self.total, self.largest, self.steps = (np.zeros(len(self.names)) for _ in range(3))
        return found

    def state(self) -> dict[str, Any]:
        """As tensors."""
        rows = (self.total, self.largest, self.steps, self.usual, self.seen)
        return {"rows": torch.from_numpy(np.stack(rows))}

    def restore(self, kept: dict[str, Any]) -> None:
        """Go on from there."""
        self.total, self.largest, self.steps, self.usual, self.seen = kept["rows"].numpy().copy()
