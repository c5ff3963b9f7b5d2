"""The loss of a batch and the scores of a whole split, both from sums per class."""

import math

import torch
from torch import Tensor

Scores = dict[str, float | None]
"""`loss`, `acc`, `acc_0`, `acc_1`, …; None where a class does not occur or a loss is not finite."""


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


def weigh(total: Tensor, count: Tensor, weighted: bool) -> Tensor:
    """The loss from the sums per class: the (weighted) mean over nodes; 0 where every weight is 0.

    With a single class present its weight is (V - V)/V = 0, and torch's weighted mean would be 0/0.
    """
    weight = class_weights(count) if weighted else torch.ones_like(count)
    norm = (weight * count).sum()
    return (weight * total).sum() / torch.where(norm > 0, norm, torch.ones_like(norm))


def batch_loss(nll: Tensor, y: Tensor, count: Tensor, weighted: bool) -> Tensor:
    """The loss that is differentiated: Σ_v w[y_v]·nll_v / Σ_v w[y_v], as torch defines a weighted mean.

    Args:
        nll: -log p of the true class, [nodes]
        y: the true class, [nodes]
        count: nodes per class in the batch, [classes]
        weighted: whether w_c = (V - n_c)/V (Dwivedi et al., Benchmarking Graph Neural Networks) or 1
    """
    if not weighted:
        return nll.mean()
    weight = class_weights(count)
    norm = (weight * count).sum()
    share = (weight / torch.where(norm > 0, norm, torch.ones_like(norm))).to(nll.dtype)  # [classes]
    return torch.dot(share[y], nll)


class Tally:
    """Sums over the nodes of a split seen so far, so that its scores do not depend on how it was cut into batches."""

    def __init__(self, classes: int):
        self.classes = classes
        self.table = torch.zeros(3, classes, dtype=torch.float64)
        """Nodes, nodes predicted right and the sum of -log p, per class."""

    def add(self, logits: Tensor, nll: Tensor, y: Tensor, count: Tensor) -> None:
        """Count a batch: logits [nodes, classes], -log p and the class of every node, nodes per class."""
        right = sums(logits.argmax(dim=1) == y, y, self.classes)
        rows = torch.stack([count, right, sums(nll, y, self.classes)])
        self.table = self.table.to(rows.device) + rows

    def scores(self, weighted: bool) -> Scores:
        """Loss, recall of each class and their unweighted mean over the classes that occur."""
        table = self.table.cpu()
        count, right, total = table
        recall = [float(r / n) if n > 0 else None for r, n in zip(right, count, strict=True)]
        known = [one for one in recall if one is not None]
        mean = sum(known) / len(known) if known else None
        loss = float(weigh(total, count, weighted))
        return {
            "loss": loss if math.isfinite(loss) else None,
            "acc": mean,
            **{f"acc_{label}": one for label, one in enumerate(recall)},
        }
