"""Sums per class, and the loss of a batch or of a whole split made of them."""

import torch
from torch import Tensor

Scores = dict[str, float | None]
"""`loss`, `acc`, `acc_0`, `mae`, …; None where there is no such figure, such as the recall of a class of no nodes."""


def counts(y: Tensor, classes: int) -> Tensor:
    """How many nodes each class has, as float64 [classes]."""
    return sums(torch.ones(len(y), dtype=torch.float64, device=y.device), y, classes)


def sums(values: Tensor, y: Tensor, classes: int) -> Tensor:
    """The sum of a value per node over the nodes of each class, in float64 [classes].

    `index_add_` in one dimension runs in the order of the nodes on a CPU, so the bits do not depend on the threads.
    """
    return torch.zeros(classes, dtype=torch.float64, device=y.device).index_add_(0, y, values.double())


def class_weights(count: Tensor) -> Tensor:
    """(V - n_c)/V per class, 0 for a class without nodes. [classes] → [classes]"""
    total = count.sum()
    return torch.where(count > 0, (total - count) / total, torch.zeros_like(count))


def weights_of(count: Tensor, weighted: bool, fixed: Tensor | None = None) -> Tensor:
    """The weight of every class, in float64: by how rare it is, given, or 1."""
    if fixed is not None:
        return fixed.to(count)
    return class_weights(count) if weighted else torch.ones_like(count)


def weigh(total: Tensor, count: Tensor, weighted: bool, fixed: Tensor | None = None) -> Tensor:
    """The loss from the sums per class: the (weighted) mean over nodes; 0 where every weight is 0.

    With a single class present its weight is (V - V)/V = 0, and torch's weighted mean would be 0/0.
    """
    weight = weights_of(count, weighted, fixed)
    norm = (weight * count).sum()
    return (weight * total).sum() / torch.where(norm > 0, norm, torch.ones_like(norm))


def batch_loss(nll: Tensor, y: Tensor, count: Tensor, weighted: bool, fixed: Tensor | None = None) -> Tensor:
    """The loss that is differentiated: Σ_v w[y_v]·nll_v / Σ_v w[y_v], as torch defines a weighted mean.

    Args:
        nll: -log p of the true class, [nodes]
        y: the true class, [nodes]
        count: nodes per class in the batch, [classes], in all of it where these nodes are a part
        weighted: whether w_c = (V - n_c)/V (Dwivedi et al., Benchmarking Graph Neural Networks) or 1
        fixed: w itself, where it is given, [classes]
    """
    if not weighted and fixed is None:
        return nll.sum() / count.sum().to(nll.dtype)
    weight = weights_of(count, weighted, fixed)
    norm = (weight * count).sum()
    share = (weight / torch.where(norm > 0, norm, torch.ones_like(norm))).to(nll.dtype)  # [classes]
    return torch.dot(share[y], nll)
