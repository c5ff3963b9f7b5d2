"""What is said of a value of the equations; a row of a table where its operation has something of its own."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from archspec.runtime.aggregate import segment_sum
from archspec.runtime.pairs import Pairs

LOW, HIGH = 0.01, 0.99
"""Beyond these a sigmoid passes on less than 4 % of the gradient that it passes on in the middle."""


def spread(value: Tensor) -> dict[str, Tensor]:
    """Mean and standard deviation of all entries, NaN of none."""
    std, mean = torch.std_mean(value.float(), correction=0)
    return {"mean": mean, "std": std}


def gate(value: Tensor, _over: Pairs | None) -> dict[str, Tensor]:
    """The shares of entries near 0 and near 1."""
    return {"low": (value < LOW).float().mean(), "high": (value > HIGH).float().mean()}


def attention(value: Tensor, over: Pairs | None) -> dict[str, Tensor]:
    """The entropy of the weights of every i over the logarithm of how many j it has; the mean where there are two.

    value: [pairs, *axes]; each axis, such as heads, counts alike.
    """
    if over is None:
        return {}
    flat = value.float().flatten(1) if value.dim() > 1 else value.float().unsqueeze(1)
    entropy = segment_sum(over, torch.special.entr(flat)).mean(1)  # [rows]
    several = over.count > 1
    share = entropy / over.count.clamp(min=2).log()
    return {"entropy": (share * several).sum() / several.sum()}


SPECIAL: Mapping[str, Callable[[Tensor, Pairs | None], dict[str, Tensor]]] = {
    "sigmoid": gate,
    "hardsigmoid": gate,
    "softmax": attention,
}
"""By operation."""

RELUS = ("relu", "relu6")
"""Operations whose features can be 0 for good."""


def alive(value: Tensor) -> Tensor:
    """Which features are not 0 in some row: [rows, *axes] to [features]."""
    return (value.flatten(1) if value.dim() > 1 else value.unsqueeze(1)).ne(0).any(0)
