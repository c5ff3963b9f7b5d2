"""How exactly two programs can agree at all: the reference with noise in every value says how it bends.

Every entry of every value is changed by a relative `LEVEL`, thousands of roundings of float64, all by themselves: what
equal nodes have in common goes too, so that ties, kinks and thresholds show. Whole numbers stay as they are: counts,
distances and zeros are exact on both sides.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from unittest.mock import patch

import torch
from torch import Tensor

from archspec.equal.compare import Result, differences
from archspec.equal.differences import Differences
from archspec.ir.nodes import Node
from archspec.reference.call import Call, Row, Value
from archspec.reference.table import TABLE

LEVEL = 1e-12
"""Relative size of the noise; a rounding is 1e-16."""
DRAWS = 1
WORST = 1e-7
"""A program that noise changes by more, relative to the largest entry, is too badly conditioned to be compared."""
FACTOR, FLOOR = 10.0, 1e-9
"""Two programs agree where they differ by no more than so often what the noise changes, or by so little."""


@dataclass(frozen=True)
class Bound:
    """What a difference from the reference may be, for every tensor by kind and name."""

    noise: Mapping[tuple[str, str], float]
    finite: bool

    @property
    def usable(self) -> bool:
        """Whether the program is finite and well enough conditioned to be compared."""
        return self.finite and max(self.noise.values(), default=0.0) <= WORST

    def excess(self, found: Differences) -> float:
        """The largest difference in units of what it may be; weights that are not there are infinitely far."""
        if found.weights:
            return torch.inf
        return max((found.relative(one) / self.allowed(one.kind, one.name) for one in found.tensors), default=0.0)

    def allowed(self, kind: str, name: str) -> float:
        """What the tensor may differ by, relative to its largest entry."""
        return FACTOR * self.noise.get((kind, name), 0.0) + FLOOR


def bound(run: Callable[[], Result], wanted: Result) -> Bound:
    """The bound for what gave `wanted`, from running it again with noise."""
    noise: dict[tuple[str, str], float] = {}
    finite = bool(torch.isfinite(wanted.prediction).all())
    for seed in range(DRAWS):
        with noisy(seed):
            found = differences(run(), wanted)
        finite = finite and found.finite
        for one in found.tensors:
            key = (one.kind, one.name)
            noise[key] = max(noise.get(key, 0.0), found.relative(one))
    return Bound(noise, finite)


@contextmanager
def noisy(seed: int) -> Iterator[None]:
    """Within it the reference evaluates with noise."""
    generator = torch.Generator().manual_seed(seed)
    table = {name: shaken(row, generator) for name, row in TABLE.items()}
    with patch.dict(TABLE, table):
        yield


def shaken(row: Row, generator: torch.Generator) -> Row:
    """A row of the reference's table whose numbers come with noise."""

    def noisy_row(call: Call) -> Value:
        value = row(call)
        return shaken_value(value, generator) if is_number(call.node) else value

    return noisy_row


MOVES = (
    "constant",
    "state",
    "gather_source",
    "gather_target",
    "gather_cross",
    "transpose",
    "restrict",
    "spread",
    "view",
)
"""What computes nothing: parallel edges keep equal values."""


def is_number(node: Node) -> bool:
    """Whether the entries are numbers that were computed or given as such."""
    return node.type.entries == "number" and node.op not in MOVES


def shaken_value(value: Sequence[Tensor], generator: torch.Generator) -> Value:
    """The tensors with every entry that is not whole changed a little; what is infinite stays."""
    return [one * (1 + LEVEL * torch.where(one == one.round(), 0.0, noise(one, generator))) for one in value]


def noise(like: Tensor, generator: torch.Generator) -> Tensor:
    """Normal numbers of that shape."""
    return torch.randn(like.shape, generator=generator, dtype=torch.float64)
