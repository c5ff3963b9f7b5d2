"""Names of losses, scores and schedules, and the other names they go by: torch's, in any case, and scikit-learn's."""

from collections.abc import Mapping
from typing import Literal, get_args

TorchSchedule = Literal[
    "StepLR",
    "MultiStepLR",
    "ConstantLR",
    "LinearLR",
    "ExponentialLR",
    "PolynomialLR",
    "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts",
    "CyclicLR",
    "OneCycleLR",
    "ReduceLROnPlateau",
]
"""The schedules of torch whose arguments a spec can write; a test compares them with torch."""

LossName = Literal[
    "cross_entropy", "weighted_cross_entropy", "multi_margin", "bce_with_logits", "l1", "mse", "smooth_l1", "huber"
]

ScoreName = Literal["acc", "accuracy", "roc_auc", "average_precision", "mae", "rmse", "r2", "loss"]

LOSSES: Mapping[str, str] = {
    "binary_cross_entropy_with_logits": "bce_with_logits",
    **{f"{name}_loss": name for name in ("multi_margin", "l1", "mse", "smooth_l1", "huber")},
    "CrossEntropyLoss": "cross_entropy",
    "MultiMarginLoss": "multi_margin",
    "BCEWithLogitsLoss": "bce_with_logits",
    "L1Loss": "l1",
    "MSELoss": "mse",
    "SmoothL1Loss": "smooth_l1",
    "HuberLoss": "huber",
}
"""Torch's names of losses, functions and classes; a test looks them up in torch."""

SCORES: Mapping[str, str] = {
    "balanced_accuracy": "acc",
    "macro_recall": "acc",
    "auroc": "roc_auc",
    "ap": "average_precision",
    "mean_absolute_error": "mae",
    "root_mean_squared_error": "rmse",
    "r2_score": "r2",
}
"""Names of scores that are usual elsewhere."""


def schedule_name(name: object) -> object:
    """The name of a schedule as torch spells it, given in any case; anything else as it is."""
    return spelt(name, {one: one for one in get_args(TorchSchedule)})


def loss_name(name: object) -> object:
    """The name of a loss, given by one of torch's."""
    return spelt(name, {one: one for one in get_args(LossName)} | dict(LOSSES))


def score_name(name: object) -> object:
    """The name of a score, given by another one of its names."""
    return spelt(name, {one: one for one in get_args(ScoreName)} | dict(SCORES))


def spelt(name: object, known: Mapping[str, str]) -> object:
    """What a name in any case stands for; anything else as it is."""
    proper = {one.lower(): meant for one, meant in known.items()}
    return proper.get(name.lower(), name) if isinstance(name, str) else name
