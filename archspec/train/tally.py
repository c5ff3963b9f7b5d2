"""The scores of a whole split, from what is kept of its batches."""

import math
from typing import Any

import torch
from torch import Tensor

from archspec.train.kinds import Kind
from archspec.train.metrics import Scores
from archspec.train.processes import Processes
from archspec.train.ranking import over_labels


class Tally:
    """What is kept of the rows seen so far, so that scores do not depend on how a split was cut into batches."""

    def __init__(self, kind: Kind):
        self.kind = kind
        self.table = torch.zeros(kind.rows, kind.out, dtype=torch.float64)
        """The sums of the kind."""
        self.kept: list[tuple[Tensor, Tensor]] = []
        """What rankings are made of, where they are asked for: numbers and what is true, both [rows, labels]."""
        self.means: dict[str, tuple[float, int]] = {}
        """Where scores are means over batches: the sum of each, and of how many batches."""

    def add(self, prediction: Tensor, entries: Tensor, y: Tensor) -> None:
        """Count a batch: predictions [rows, out], the loss of each and the labels."""
        rows = self.kind.sums(prediction, entries, y)
        self.table = self.table.to(rows.device) + rows
        if self.kind.by_batch:
            self.count(self.kind.scores(rows.cpu()))
        if self.kind.ranked:
            values, truth = self.kind.ranking(prediction, y)
            self.kept.append((values.cpu(), truth.cpu()))

    def count(self, found: Scores) -> None:
        """Add the scores of a batch; one that a batch does not have counts in no mean."""
        for name, value in found.items():
            if value is not None and math.isfinite(value):
                total, batches = self.means.get(name, (0.0, 0))
                self.means[name] = (total + value, batches + 1)

    def merged(self, processes: Processes) -> "Tally":
        """What all processes have kept together."""
        if processes.count == 1:
            return self
        whole = Tally(self.kind)
        whole.table = processes.total(self.table.clone())
        whole.kept = [one for kept in processes.gather(self.kept) for one in kept]
        for means in processes.gather(self.means):
            for name, (total, batches) in means.items():
                before = whole.means.get(name, (0.0, 0))
                whole.means[name] = (before[0] + total, before[1] + batches)
        return whole

    def scores(self) -> Scores:
        """All scores of the kind, of rankings always those of the whole; None for what is not a finite number."""
        found = self.quick()
        if self.kind.ranked and self.kept:
            values, truth = (torch.cat(part) for part in zip(*self.kept, strict=True))
            found |= over_labels(values, truth)
        return {name: value if value is not None and math.isfinite(value) else None for name, value in found.items()}

    def quick(self) -> Scores:
        """The scores that the sums give, or the means over batches."""
        return self.kind.scores(self.table.cpu()) | {name: total / n for name, (total, n) in self.means.items()}

    def state(self) -> dict[str, Any]:
        """Everything kept, as tensors and numbers."""
        return {
            "table": self.table.cpu(),
            "values": [one for one, _ in self.kept],
            "truth": [one for _, one in self.kept],
            "means": dict(self.means),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what was kept."""
        self.table = state["table"]
        self.kept = list(zip(state["values"], state["truth"], strict=True))
        self.means = dict(state.get("means", {}))  # older checkpoints have none
