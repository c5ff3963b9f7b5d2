"""Modules of a user's, for the tests of `python(…)`."""

import torch
from torch import Tensor, nn

from archspec.runtime.batch import Batch


class Gate(nn.Module):
    """sigmoid(W x) * y, on the rows of both."""

    def __init__(self, width: int = 8, bias: bool = True, mode: str = "sigmoid"):
        super().__init__()
        self.map, self.scale = nn.Linear(width, width, bias), nn.Parameter(torch.tensor(2.0))
        self.function = getattr(torch, mode)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return self.scale * self.function(self.map(x)) * y


class Normed(nn.Module):
    """A batch norm and a dropout of its own, which comparisons leave in evaluation mode."""

    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1d(8)

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.dropout(self.norm(x), 0.5, self.training)


class Mixes(nn.Module):
    """Centres the nodes of all graphs of a batch together."""

    def forward(self, x: Tensor) -> Tensor:
        return x - x.mean(0)


class Asks(nn.Module):
    """The degree of every node, from the batch, beside its features."""

    def forward(self, x: Tensor, batch: Batch) -> Tensor:
        return torch.cat([x, batch.N.count.to(x.dtype).unsqueeze(1)], 1)


class Pair(nn.Module):
    """Two results."""

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return x, x


class Wide(nn.Module):
    """The features twice."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x, x], 1)


class Total(nn.Module):
    """One row for all."""

    def forward(self, x: Tensor) -> Tensor:
        return x.sum(0)


class Picky(nn.Module):
    """Cannot be made."""

    def __init__(self):
        super().__init__()
        raise RuntimeError("no luck today.\nnor tomorrow")


class NoModule:
    """Is none."""
