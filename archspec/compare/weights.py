"""Weights that come and go between two architectures; one that only has another name is neither."""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Literal

from archspec.ir.nodes import Program, full_name
from archspec.ir.ops import weights_of


@dataclass(frozen=True)
class WeightChange:
    """Weights of one name of which there are more or fewer, or whose shape is another; `layers.*` is every instance."""

    name: str
    gone: tuple[tuple[int, ...], ...]
    """The shapes of those that go."""
    come: tuple[tuple[int, ...], ...]

    @property
    def sign(self) -> Literal["+", "-", "~"]:
        """Whether they come, go or change."""
        return "~" if self.gone and self.come else "+" if self.come else "-"

    @property
    def shapes(self) -> str:
        """`(110,) → (64,)`."""
        sides = (dict.fromkeys(map(str, side)) for side in (self.gone, self.come) if side)
        return " → ".join(" ".join(side) for side in sides)

    @property
    def most(self) -> int:
        """How many of the name there are."""
        return max(len(self.gone), len(self.come))

    @property
    def parameters(self) -> int:
        """How many more numbers."""
        return sum(map(prod, self.come)) - sum(map(prod, self.gone))


@dataclass(frozen=True)
class Kind:
    """What makes a weight the same under another name: its operation, which tensor of it, and the shape."""

    op: str
    tensor: str
    shape: tuple[int, ...]


Named = dict[str, Kind]
Key = tuple[str, Kind]


def weight_changes(old: Program, new: Program) -> tuple[WeightChange, ...]:
    """Trainable tensors that come or go: those without a partner of their name and shape, then of their kind.

    None is told where a size is not known without a data set.
    """
    weights = named(old), named(new)
    if any(0 in kind.shape for side in weights for kind in side.values()):
        return ()
    before, after = map(grouped, weights)
    left = {key: after[key] - before[key] for key in dict.fromkeys((*before, *after))}
    cancel(left, lambda one, other: one[0] == other[0] and one[1].shape == other[1].shape)
    cancel(left, lambda one, other: one[1] == other[1] and place(one[0]) == place(other[0]))
    moved: dict[str, tuple[list[tuple[int, ...]], list[tuple[int, ...]]]] = {}
    for (name, kind), more in left.items():
        if more:
            moved.setdefault(name, ([], []))[more > 0].extend([kind.shape] * abs(more))
    return tuple(WeightChange(name, tuple(gone), tuple(come)) for name, (gone, come) in moved.items())


def named(program: Program) -> Named:
    """The kind of every trainable tensor by its name."""
    return {
        full_name(path, name): Kind(node.op, weight.name, weight.shape)
        for path, section in program.sections()
        for node in section.nodes
        for name, weight in weights_of(node)
        if weight.trainable
    }


def grouped(weights: Named) -> Counter[Key]:
    """How many there are of a name, block instances aside, and a kind."""
    return Counter((re.sub(r"^layers\.\d+\.", "layers.*.", name), kind) for name, kind in weights.items())


def cancel(left: dict[Key, int], alike: Callable[[Key, Key], bool]) -> None:
    """Take from what goes and what comes as many as are alike."""
    for one in left:
        for other in left:
            if left[one] < 0 < left[other] and alike(one, other):
                moved = min(-left[one], left[other])
                left[one] += moved
                left[other] -= moved


def place(name: str) -> str:
    """`layers`, `input`, `output`, or the model itself."""
    return name.partition(".")[0]
