"""How much of a few graphs' labels a prediction knows, for every kind of task; and what a rule on the degree knows.

The measure is 1 for all of it. Classes: the mean of their recalls, by chance 1 over their number. Several answers a
row: the same of yes and no, averaged over the answers, by chance 1/2. Numbers: R², averaged over them, 0 for means.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from archspec.facts import Facts
from archspec.runtime.batch import Batch


@dataclass(frozen=True)
class Labels:
    """What is to be known: classes, a column each with one 1 a row, or numbers, [rows, columns]; NaN is not known."""

    kind: str
    """That of the data set's task: classification, multi-label or regression."""
    y: Tensor

    @property
    def name(self) -> str:
        """The measure in a word."""
        return "R²" if self.kind == "regression" else "acc"

    def score(self, prediction: Tensor) -> float:
        """The measure of predictions as a module gives them, [rows, out]."""
        if self.kind == "classification":
            chosen = prediction.argmax(1, keepdim=True)
            return mean(self.recalls(torch.zeros_like(prediction).scatter_(1, chosen, 1.0)))
        if self.kind == "multi-label":
            return mean(self.answers((prediction > 0).double()))
        return mean(self.explained(prediction.double()))

    @property
    def chance(self) -> float:
        """What knows nothing of the graphs gets."""
        classes = int((self.y.nansum(0) > 0).sum())
        return {"classification": 1 / max(classes, 1), "multi-label": 0.5}.get(self.kind, 0.0)

    def recalls(self, chosen: Tensor) -> Iterator[float]:
        """Of every class that occurs; `chosen` is like y."""
        for one, true in zip(chosen.T, self.y.T, strict=True):
            if true.any():
                yield float(one[true == 1].mean())

    def answers(self, chosen: Tensor) -> Iterator[float]:
        """The mean recall of yes and no, of every answer that is not always the same."""
        for one, true in zip(chosen.T, self.y.T, strict=True):
            if (true == 1).any() and (true == 0).any():
                yield (float(one[true == 1].mean()) + float(1 - one[true == 0].mean())) / 2

    def explained(self, prediction: Tensor) -> Iterator[float]:
        """R² of every number that is not always the same."""
        for one, true in zip(prediction.T, self.y.double().T, strict=True):
            known = ~true.isnan()
            spread = (true[known] - true[known].mean()).square().sum()
            if spread > 0:
                yield 1 - float((one[known] - true[known]).square().sum() / spread)

    def threshold(self, quantity: Tensor) -> float:
        """The best that one threshold on a number of every row, [rows], can do: one prediction on either side."""
        found = self.chance
        values = quantity.unique()
        if len(values) > MOST:
            values = values[torch.linspace(0, len(values) - 1, MOST).long()]
        for value in values[1:]:
            above = quantity >= value
            found = max(found, self.score(self.sides(above)))
        return found

    def sides(self, above: Tensor) -> Tensor:
        """The best predictions that know only the side of every row."""
        prediction = torch.zeros(self.y.shape, dtype=torch.float64)
        rates = [torch.nan_to_num(self.y[side].double().nanmean(0)) for side in (above, ~above)]
        share = torch.nan_to_num(self.y.double().nanmean(0))
        for side, rate in zip((above, ~above), rates, strict=True):
            prediction[side] = rate if self.kind == "regression" else rate - share
        if self.kind == "classification":  # by recall, so by how much of a class stands there
            prediction = prediction / share.clamp(min=1e-12)
        return prediction


MOST = 200
"""Thresholds tried."""


def labels_of(facts: Facts, y: Tensor) -> Labels:
    """The labels of a task."""
    if facts.kind == "classification":
        y = torch.nn.functional.one_hot(y, facts.out).double()
    return Labels(facts.kind, y)


def mean(values: Iterator[float]) -> float:
    """Of none NaN."""
    known = list(values)
    return sum(known) / len(known) if known else float("nan")


def degrees(facts: Facts, batch: Batch) -> Tensor:
    """What the threshold is put on, [rows], for the rows that count.

    Of a node degree/(n - 1), of an edge or a pair (i, j) that of i, of a graph the mean over its nodes.
    """
    sizes = batch.node_ptr.diff()
    node = batch.N.count.double() / (sizes[batch.graph] - 1).clamp(min=1)
    if facts.level == "graph":
        return torch.zeros(batch.graphs, dtype=torch.float64).index_add_(0, batch.graph, node) / sizes
    if facts.level != "node":
        node = node[batch.N.target if batch.pair is None else batch.pair[:, 0].long()]
    return node if batch.mask is None else node[batch.mask]
