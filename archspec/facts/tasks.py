"""The kinds of tasks: the losses and scores each knows, and which way a score is better."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Kind:
    """What can be asked of a kind of task; the first of each is what it takes if a data set does not say."""

    losses: tuple[str, ...]
    scores: tuple[str, ...]


KINDS: Mapping[str, Kind] = {
    "classification": Kind(
        ("cross_entropy", "weighted_cross_entropy", "multi_margin"), ("accuracy", "acc", "roc_auc", "average_precision")
    ),
    "multi-label": Kind(("bce_with_logits",), ("average_precision", "roc_auc")),
    "regression": Kind(("l1", "mse", "smooth_l1", "huber"), ("mae", "rmse", "r2")),
}


@dataclass(frozen=True)
class Loss:
    """A function of `torch.nn.functional` and its options with their defaults; None takes a number for each output."""

    function: str
    options: Mapping[str, float | None] = field(default_factory=dict)


SMOOTHING: Mapping[str, float | None] = {"label_smoothing": 0.0}

LOSSES: Mapping[str, Loss] = {
    "cross_entropy": Loss("cross_entropy", {**SMOOTHING, "weight": None}),
    "weighted_cross_entropy": Loss("cross_entropy", SMOOTHING),
    "multi_margin": Loss("multi_margin_loss", {"p": 1, "margin": 1.0}),
    "bce_with_logits": Loss("binary_cross_entropy_with_logits", {"pos_weight": None}),
    "l1": Loss("l1_loss"),
    "mse": Loss("mse_loss"),
    "smooth_l1": Loss("smooth_l1_loss", {"beta": 1.0}),
    "huber": Loss("huber_loss", {"delta": 1.0}),
}
"""Every loss by name; a test compares the rows with torch's signatures."""


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
