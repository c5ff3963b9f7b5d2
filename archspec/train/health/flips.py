"""Whether predictions swing between classes: the validation recalls of the classes over the last epochs."""

import re
from collections.abc import Iterator
from typing import Any

from archspec.train.health.monitor import Measure
from archspec.train.metrics import Scores

WINDOW = 3
"""Epochs that are looked at together."""
FIRST = 5
"""The first epoch that counts: before it a model may well predict one class, and then another."""


class Recalls:
    """The recalls of the last epochs."""

    def __init__(self) -> None:
        self.kept: list[dict[str, float]] = []

    def add(self, validation: Scores, epoch: int) -> Iterator[Measure]:
        """Take an epoch's scores; how far the recalls of two classes have moved in different directions."""
        if epoch < FIRST:
            return
        classes = {name: value for name, value in validation.items() if re.fullmatch(r"acc_\d+", name)}
        self.kept = [*self.kept, {name: value for name, value in classes.items() if value is not None}][-WINDOW:]
        known = [name for name in self.kept[-1] if all(name in one for one in self.kept)]
        if len(self.kept) < WINDOW or len(known) < 2:
            return
        moves = {name: max(self.course(name)) - min(self.course(name)) for name in known}
        first, second = sorted(known, key=lambda name: -moves[name])[:2]
        rising, falling = sorted((first, second), key=lambda name: self.course(name)[0] - self.course(name)[-1])
        said = {
            "epochs": f"{epoch - WINDOW + 1} to {epoch}",
            "rising": rising.removeprefix("acc_"),
            "rises": ", ".join(f"{one:.2f}" for one in self.course(rising)),
            "falling": falling.removeprefix("acc_"),
            "falls": ", ".join(f"{one:.2f}" for one in self.course(falling)),
        }
        yield Measure("flips", "val", moves[second], {**said})

    def course(self, name: str) -> list[float]:
        """A class's recall, epoch after epoch."""
        return [one[name] for one in self.kept]

    def state(self) -> dict[str, Any]:
        """Plain values."""
        return {"kept": [dict(one) for one in self.kept]}

    def restore(self, kept: dict[str, Any]) -> None:
        """Go on from there."""
        self.kept = [dict(one) for one in kept["kept"]]
