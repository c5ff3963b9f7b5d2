"""The kinds of tasks: the losses and scores each knows, and which way a score is better."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """What can be asked of a kind of task; the first of each is what it takes if a data set does not say."""

    losses: tuple[str, ...]
    scores: tuple[str, ...]


KINDS: Mapping[str, Kind] = {
    "classification": Kind(
        ("cross_entropy", "weighted_cross_entropy"), ("accuracy", "acc", "roc_auc", "average_precision")
    ),
    "multi-label": Kind(("bce_with_logits",), ("average_precision", "roc_auc")),
    "regression": Kind(("l1", "mse"), ("mae", "rmse", "r2")),
}


@dataclass(frozen=True)
class Score:
    """A figure of a whole split."""

    larger_is_better: bool
    share: bool
    """Whether it is a share, shown in percent."""


SCORES: Mapping[str, Score] = {
    "loss": Score(False, False),
    "accuracy": Score(True, True),
    "acc": Score(True, True),
    "roc_auc": Score(True, True),
    "average_precision": Score(True, True),
    "mae": Score(False, False),
    "rmse": Score(False, False),
    "r2": Score(True, False),
}
"""Every score by name; `acc_0`, `acc_1`, … are like `acc`."""

RANKED = ("roc_auc", "average_precision")
"""Scores that depend on the order of all predictions of a split; of classes only where there are two."""


def score(name: str) -> Score:
    """The row of a score."""
    return SCORES["acc" if name.startswith("acc_") else name]
