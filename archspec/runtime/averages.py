"""Averages over a training set: constants of a module that one pass over the set fills in."""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn

from archspec.runtime.batch import Batch

Add = Callable[[Tensor], Tensor]
"""Makes of a sum over some batches the sum over all, where other processes have the rest."""


def all_here(total: Tensor) -> Tensor:
    """The sum of one process that has all batches."""
    return total


class Average(nn.Module):
    """The mean of a value over its rows in all batches of a training set, [*axes]; NaN until it is known.

    It is a buffer, which `state_dict` holds and no optimiser changes. While `collecting` it sums up what it is given,
    in float64.
    """

    def __init__(self, *axes: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.full(axes, torch.nan))
        self.mean: Tensor
        self.collecting = False
        self.total, self.rows = torch.zeros(axes, dtype=torch.float64), 0

    def start(self) -> None:
        """Forget what was summed up, and sum up from now on."""
        self.collecting, self.rows = True, 0
        self.total = torch.zeros(self.mean.shape, dtype=torch.float64, device=self.mean.device)

    def finish(self, add: Add = all_here) -> None:
        """Keep the mean of what was summed up, 0 of nothing."""
        self.collecting = False
        rows = add(torch.tensor(float(self.rows), dtype=torch.float64, device=self.mean.device))
        self.mean.copy_(add(self.total) / rows.clamp(min=1))

    def forward(self, x: Tensor) -> Tensor:
        """x [rows, *axes] → the mean [*axes] of the training set."""
        if self.collecting:
            self.total += x.detach().double().sum(0)
            self.rows += len(x)
        return self.mean


def averages_of(module: nn.Module) -> list[Average]:
    """The averages within a module."""
    return [part for part in module.modules() if isinstance(part, Average)]


def collect(module: nn.Module, batches: Iterable[Batch], add: Add = all_here) -> int:
    """Fill in the averages of a module by one pass over batches, in evaluation mode; how many numbers those are."""
    parts, training = averages_of(module), module.training
    if not parts:
        return 0
    for part in parts:
        part.start()
    module.eval()
    with torch.no_grad():
        for batch in batches:
            module(batch)
    module.train(training)
    for part in parts:
        part.finish(add)
    return sum(part.mean.numel() for part in parts)
