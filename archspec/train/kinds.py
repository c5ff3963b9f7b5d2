"""The kinds of tasks: the loss that is differentiated, and the sums that the scores of a whole split are made of."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from archspec.facts import Facts
from archspec.facts.tasks import LOSSES, RANKED
from archspec.runtime.averages import Add, all_here
from archspec.syntax.schema import TrainSettings
from archspec.train.metrics import Scores, batch_loss, counts, sums, weigh


class Kind(ABC):
    """What becomes of predictions [rows, out] and labels y; a row is a node, an edge, a pair or a graph."""

    rows: ClassVar[int]
    """Rows of the table of sums, each of `out` numbers."""

    def __init__(self, facts: Facts, settings: TrainSettings):
        self.out = facts.out
        self.loss_name = settings.loss or facts.loss
        self.error: Callable[..., Tensor] = getattr(F, LOSSES[self.loss_name].function)
        """The loss in torch."""
        self.options = {key: value for key, value in settings.loss_options.items() if not isinstance(value, list)}
        given = {key: value for key, value in settings.loss_options.items() if isinstance(value, list)}
        self.fixed = torch.tensor(next(iter(given.values())), dtype=torch.float64) if given else None
        """Weights of classes, or of the answer yes of every label, where the spec gives them, [out]."""
        self.monitor = settings.monitor or facts.score
        """The score that picks the best checkpoint."""
        self.score = facts.score if self.monitor == "loss" else self.monitor
        """The main score: what is monitored, unless that is the loss."""
        self.by_batch = settings.averaging == "batch"
        """Whether scores are means over batches."""
        self.ranked = bool({facts.score, self.monitor} & set(RANKED))
        """Whether predictions are kept for scores that depend on the order of all of them."""

    @abstractmethod
    def entries(self, prediction: Tensor, y: Tensor) -> Tensor:
        """The loss of every row, or of every number in it; 0 where a label is not known."""

    @abstractmethod
    def loss(self, entries: Tensor, y: Tensor, add: Add = all_here) -> Tensor:
        """The loss of a batch, which is differentiated.

        Where processes have parts of the batch, `add` sums up over them, and the loss is the sum of what each gives.
        """

    @abstractmethod
    def sums(self, prediction: Tensor, entries: Tensor, y: Tensor) -> Tensor:
        """What a batch adds to the table of sums, in float64, [rows, out]."""

    @abstractmethod
    def scores(self, table: Tensor) -> Scores:
        """The scores of a split from the sums over all of it."""

    @abstractmethod
    def ranking(self, prediction: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Numbers to sort by and what is true, both [rows, labels], for scores of rankings."""

    @abstractmethod
    def columns(self, prediction: Tensor, y: Tensor) -> dict[str, Tensor]:
        """What a file of predictions says of every row."""

    @abstractmethod
    def constant(self, y: Tensor) -> tuple[str, Tensor]:
        """The best prediction [out] that is the same everywhere, given training labels, and what it is in words."""


class Classification(Kind):
    """One class a row: y [rows] int64, predictions are logits."""

    rows = 3  # rows, those predicted right, sum of -log p; per class

    def entries(self, prediction: Tensor, y: Tensor) -> Tensor:
        """-log p of the true class, or another loss, [rows]."""
        return self.error(prediction, y, reduction="none", **self.options)

    def loss(self, entries: Tensor, y: Tensor, add: Add = all_here) -> Tensor:
        """The (weighted) mean."""
        return batch_loss(entries, y, add(counts(y, self.out)), self.weighted, self.fixed)

    @property
    def weighted(self) -> bool:
        """Whether classes are weighted by how rare they are."""
        return self.loss_name == "weighted_cross_entropy"

    def sums(self, prediction: Tensor, entries: Tensor, y: Tensor) -> Tensor:
        """Sums per class."""
        right = sums(prediction.argmax(dim=1) == y, y, self.out)
        return torch.stack([counts(y, self.out), right, sums(entries, y, self.out)])

    def scores(self, table: Tensor) -> Scores:
        """Loss, share predicted right, recall of each class and their unweighted mean over the classes that occur."""
        count, right, total = table
        recall = [float(r / n) if n > 0 else None for r, n in zip(right, count, strict=True)]
        known = [one for one in recall if one is not None]
        return {
            "loss": float(weigh(total, count, self.weighted, self.fixed)),
            "accuracy": float(right.sum() / count.sum()) if known else None,
            "acc": sum(known) / len(known) if known else None,
            **{f"acc_{label}": one for label, one in enumerate(recall)},
        }

    def ranking(self, prediction: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Two classes: by how much class 1 is preferred."""
        return prediction[:, 1:2] - prediction[:, 0:1], y[:, None].double()

    def columns(self, prediction: Tensor, y: Tensor) -> dict[str, Tensor]:
        """The class and what is predicted, with a logit and a probability for each class."""
        chosen, probability = prediction.argmax(dim=1), prediction.softmax(dim=1)
        return {"label": y, "prediction": chosen, "logit": prediction, "probability": probability}

    def constant(self, y: Tensor) -> tuple[str, Tensor]:
        """The share of every class, so the most frequent one."""
        share = counts(y, self.out) / max(1, len(y))
        return f"always class {int(share.argmax())}, the most frequent", share.clamp(min=1e-6).log()


class Known(Kind):
    """Several numbers a row, [rows, out], some of which may be unknown (NaN)."""

    def loss(self, entries: Tensor, y: Tensor, add: Add = all_here) -> Tensor:
        """The mean over what is known."""
        return entries.sum() / add((~y.isnan()).sum()).clamp(min=1)

    def mean_loss(self, table: Tensor) -> float:
        """The same of a whole split; NaN where nothing is known."""
        return float(table[1].sum() / table[0].sum())


class MultiLabel(Known):
    """Several answers of yes (1) and no (0) a row; predictions are logits."""

    rows = 2  # known ones, sum of the loss; per label

    def entries(self, prediction: Tensor, y: Tensor) -> Tensor:
        """-log p of the true answers."""
        known = ~y.isnan()
        weight = self.fixed.to(prediction) if self.fixed is not None else None
        return self.error(prediction, torch.where(known, y, 0.0), reduction="none", pos_weight=weight) * known

    def sums(self, prediction: Tensor, entries: Tensor, y: Tensor) -> Tensor:
        """Sums per label."""
        return torch.stack([(~y.isnan()).double().sum(0), entries.double().sum(0)])

    def scores(self, table: Tensor) -> Scores:
        """The loss; what else there is depends on rankings."""
        return {"loss": self.mean_loss(table)}

    def ranking(self, prediction: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """The logits."""
        return prediction, y

    def columns(self, prediction: Tensor, y: Tensor) -> dict[str, Tensor]:
        """The answers (nan: not known) and those predicted, with a logit and a probability for each."""
        return {
            "label": y,
            "prediction": (prediction > 0).long(),
            "logit": prediction,
            "probability": prediction.sigmoid(),
        }

    def constant(self, y: Tensor) -> tuple[str, Tensor]:
        """The share of every label among what is known."""
        return "the share of each label, everywhere", y.double().nanmean(0).nan_to_num(0.5).clamp(
            1e-6, 1 - 1e-6
        ).logit()


class Regression(Known):
    """Numbers a row."""

    rows = 6  # known ones, sums of the loss, of |error|, of error², of y and of y², y less a constant; per number

    def __init__(self, facts: Facts, settings: TrainSettings, centre: Tensor):
        super().__init__(facts, settings)
        self.centre = centre
        """About the mean of y, [out]: subtracted in sums of squares, so that digits do not cancel."""

    def entries(self, prediction: Tensor, y: Tensor) -> Tensor:
        """|error|, error² or what lies between."""
        known = ~y.isnan()
        return self.error(prediction, torch.where(known, y, prediction.detach()), reduction="none", **self.options)

    def sums(self, prediction: Tensor, entries: Tensor, y: Tensor) -> Tensor:
        """Sums per number."""
        known = ~y.isnan()
        error = torch.where(known, prediction - y, 0.0).double()
        centred = torch.where(known, y.double() - self.centre.to(y.device), 0.0)
        parts = (known.double(), entries.double(), error.abs(), error**2, centred, centred**2)
        return torch.stack([part.sum(0) for part in parts])

    def scores(self, table: Tensor) -> Scores:
        """Loss, mean absolute error, root of the mean squared error, R² (the mean over the numbers of a row)."""
        known, _, absolute, squared, total, squares = table
        spread = squares - total**2 / known  # Σ (y - mean)²
        r2 = [1 - float(e / s) for e, s in zip(squared, spread, strict=True) if s > 0]
        return {
            "loss": self.mean_loss(table),
            "mae": float(absolute.sum() / known.sum()),
            "rmse": math.sqrt(float(squared.sum() / known.sum())),
            "r2": sum(r2) / len(r2) if r2 else None,
        }

    def ranking(self, prediction: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """There is none."""
        raise AssertionError("scores of rankings are not for regression")

    def columns(self, prediction: Tensor, y: Tensor) -> dict[str, Tensor]:
        """The numbers, and those predicted."""
        return {"label": y, "prediction": prediction}

    def constant(self, y: Tensor) -> tuple[str, Tensor]:
        """The median or the mean, whichever the loss is smallest for."""
        if self.loss_name == "l1":
            return "the median of the training labels, everywhere", y.double().nanmedian(0).values
        return "the mean of the training labels, everywhere", y.double().nanmean(0)


def make(facts: Facts, settings: TrainSettings, training: Tensor) -> Kind:
    """The kind of a data set's task, given the labels of its training split."""
    if facts.kind == "classification":
        return Classification(facts, settings)
    if facts.kind == "multi-label":
        return MultiLabel(facts, settings)
    return Regression(facts, settings, training.double().nanmean(0).nan_to_num(0.0))
