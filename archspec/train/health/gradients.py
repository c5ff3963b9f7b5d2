"""The norms of gradients, at every step: their means over an epoch, and the band that each of them usually keeps to."""

import math
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
        norm = np.zeros(len(self.names))
        norm[which] = norms
        self.total += norm
        np.maximum(self.largest, norm, out=self.largest)
        self.steps[which] += 1
        some = norm > 0
        size = np.log(norm, out=self.usual.copy(), where=some)
        above = size - self.usual
        heavy = (norm >= SHARE * math.sqrt(norm @ norm)) & (self.seen >= WARM) & some
        found = self.furthest(np.where(heavy, above, -np.inf), norm) if heavy.any() else None
        self.seen += some
        self.usual += above / np.clip(self.seen, 1, MEMORY)
        return found

    def furthest(self, above: Row, norm: Row) -> Measure:
        """The parameter whose gradient is most above its usual size, given the logarithms of how much each is."""
        first, many = int(above.argmax()), int((above > math.log(SIGNS["explosion"].threshold)).sum()) - 1
        others = f", and so are {many} others" if many > 1 else ", and so is one other" if many > 0 else ""
        usual = math.exp(self.usual[first])
        more = {"gradient": float(norm[first]), "usual": usual, "others": others}
        return Measure("explosion", self.names[first], float(norm[first]) / usual, more)

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
