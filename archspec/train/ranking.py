"""Scores of a ranking: how well numbers sort what is from what is not. Ties count as ties; all in float64.

Both are a few lines of arithmetic on the counts at every distinct number. torchmetrics has them too, but where it is
installed Fabric imports it, and SciPy with it, in every run; scikit-learn would be 150 MB for two functions.
"""

import torch
from torch import Tensor


def levels(values: Tensor, truth: Tensor) -> tuple[Tensor, Tensor]:
    """How many are (truth 1) and how many are not (truth 0) at every distinct value, in ascending order of values."""
    _, level = torch.unique(values, return_inverse=True)
    total = torch.bincount(level).double()
    positive = torch.zeros_like(total).index_add_(0, level, truth.double())
    return positive, total - positive


def roc_auc(values: Tensor, truth: Tensor) -> float | None:
    """The probability that one that is has a larger value than one that is not, ties half; None if either is missing.

    values, truth: [rows], truth 0 or 1.
    """
    positive, negative = levels(values, truth)
    pairs = positive.sum() * negative.sum()
    below = negative.cumsum(0) - negative / 2  # [levels], those that are not and lie below, half of those beside
    return float((positive * below).sum() / pairs) if pairs > 0 else None


def average_precision(values: Tensor, truth: Tensor) -> float | None:
    """Σ (recall_k - recall_{k-1})·precision_k over the distinct values from the largest down; None if none is.

    values, truth: [rows], truth 0 or 1. What is not interpolated: scikit-learn's `average_precision_score`.
    """
    positive, negative = (one.flip(0) for one in levels(values, truth))
    if not positive.sum() > 0:
        return None
    precision = positive.cumsum(0) / (positive + negative).cumsum(0)
    return float((positive * precision).sum() / positive.sum())


def over_labels(values: Tensor, truth: Tensor) -> dict[str, float | None]:
    """Both scores, averaged over the labels for which some known rows are and some are not, as OGB's evaluator does.

    values, truth: [rows, labels], truth 0, 1 or NaN where it is not known.
    """
    found: dict[str, list[float]] = {"roc_auc": [], "average_precision": []}
    for value, true in zip(values.unbind(1), truth.unbind(1), strict=True):
        known = ~true.isnan()
        auc, precision = roc_auc(value[known], true[known]), average_precision(value[known], true[known])
        if auc is not None and precision is not None:
            found["roc_auc"].append(auc)
            found["average_precision"].append(precision)
    return {name: sum(values) / len(values) if values else None for name, values in found.items()}
