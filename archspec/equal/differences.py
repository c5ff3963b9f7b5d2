"""How far a compiled module is from the reference, tensor by tensor."""

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor

NOISE = 1e-3
"""A tensor smaller than this share of the largest of its kind is judged by that share: it may be a sum that cancels."""

TINY = 1e-6
"""What deviations are measured by where all is 0 in the reference."""


@dataclass(frozen=True)
class Difference:
    """The largest deviation of one tensor, and the largest entry the reference has there."""

    kind: str
    """`output` or `gradient`."""
    name: str
    absolute: float
    scale: float

    def __str__(self) -> str:
        return f"{self.kind} {self.name}: off by {self.absolute:.2e} of {self.scale:.2e}"


@dataclass(frozen=True)
class Differences:
    """All that was compared; `weights` says which weights could not be, and then nothing was."""

    tensors: tuple[Difference, ...] = ()
    weights: tuple[str, ...] = field(default=())

    def ok(self, tolerance: float = 1e-8) -> bool:
        """Whether every weight is there and every tensor agrees, relative to its largest entry."""
        return not self.weights and not self.beyond(tolerance)

    @property
    def finite(self) -> bool:
        """Whether all that the reference gives are numbers, neither NaN nor infinite."""
        return all(math.isfinite(one.scale) for one in self.tensors)

    def beyond(self, tolerance: float = 1e-8) -> list[Difference]:
        """The tensors that disagree, the worst first."""
        wrong = [one for one in self.tensors if not self.relative(one) <= tolerance]
        return sorted(wrong, key=self.relative, reverse=True)

    def relative(self, one: Difference) -> float:
        """A deviation in units of the tensor's largest entry, or of the noise where that is larger."""
        noise = NOISE * max(other.scale for other in self.tensors if other.kind == one.kind)
        return one.absolute / max(one.scale, noise, TINY) if one.absolute else 0.0

    @property
    def worst(self) -> float:
        """The largest relative difference."""
        return max(map(self.relative, self.tensors), default=0.0)

    def __str__(self) -> str:
        return "\n".join((*self.weights, *map(str, self.beyond()))) or f"equal up to {self.worst:.1e}"


def difference(kind: str, name: str, ours: Tensor, reference: Tensor) -> Difference:
    """Compare two tensors; another shape, or a NaN or infinity in only one of them, is infinitely far away."""
    if ours.shape != reference.shape:
        return Difference(kind, name, torch.inf, largest(reference))
    apart = torch.where(ours == reference, 0.0, (ours - reference).abs()).nan_to_num(nan=torch.inf, posinf=torch.inf)
    return Difference(kind, name, largest(apart), largest(reference))


def largest(tensor: Tensor) -> float:
    """The largest magnitude of a finite entry or infinity, 0 of no entries."""
    return float(tensor.detach().abs().max()) if tensor.numel() else 0.0
