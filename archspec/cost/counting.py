"""What a row of the table of costs says of an operation, and the counts its cells are made of.

Numbers are counted, not bytes: 4 bytes each in single precision. A multiply-add of a matrix product is 2 FLOPs, as
torch counts them; every other function is 1 FLOP an entry, whatever it is. All figures are those of the emitted code:
of the runtime function that the plan has chosen.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Literal

from archspec.cost.extent import Sizes
from archspec.ir.nodes import Node
from archspec.ir.ops import weights_of
from archspec.ir.types import ALL, IndexSet


@dataclass(frozen=True)
class At:
    """A node at which costs are asked for: its form, the sizes, and which values a gradient flows through."""

    node: Node
    form: str
    sizes: Sizes
    learnt: frozenset[int]
    trains: bool = False
    """Whether weights of its own train."""

    @property
    def entries(self) -> float:
        """Numbers of the result."""
        return self.size(self.node)

    def size(self, node: Node) -> float:
        """Numbers of a value."""
        return self.sizes.rows(node.type.domain) * self.sizes.width(node.type.axes)

    def operand(self, index: int = 0) -> float:
        """Numbers of an operand."""
        return self.size(self.node.operands[index])

    def width(self, index: int) -> float:
        """Entries of a row of an operand."""
        return self.sizes.width(self.node.operands[index].type.axes)

    @property
    def rows(self) -> float:
        """Rows of the result."""
        return self.sizes.rows(self.node.type.domain)

    @property
    def over(self) -> IndexSet:
        """The set of the operation."""
        chosen = self.node["over"]
        assert isinstance(chosen, IndexSet)
        return chosen

    def flows(self, index: int) -> bool:
        """Whether a gradient flows to an operand."""
        return id(self.node.operands[index]) in self.learnt

    @property
    def gradients(self) -> int:
        """To how many operands gradients flow."""
        return sum(id(operand) in self.learnt for operand in self.node.operands)


Count = Callable[[At], float]
Keep = Literal["first", "second", "others", "all", "ratio", "power", "result", "input", "weights"]


def nothing(at: At) -> float:
    """0."""
    return 0


def once(at: At) -> float:
    """The numbers of the result."""
    return at.entries


def of_first(at: At) -> float:
    """The numbers of the first operand."""
    return at.operand()


def read_and_written(at: At) -> float:
    """The numbers of operands, weights and result."""
    weights = sum(prod(weight.shape) for _, weight in weights_of(at.sizes.sized(at.node)))
    return at.entries + weights + sum(map(at.size, at.node.operands))


def shares(at: At) -> float:
    """Once for every operand and weight to which a gradient flows."""
    return at.gradients + at.trains


def doubles(at: At) -> float:
    """Twice where a gradient flows anywhere."""
    return 2 * (at.gradients > 0)


@dataclass(frozen=True)
class Cost:
    """One row: counts of numbers, multiply-adds or FLOPs.

    `keeps` says what the gradient needs, in the words of `archspec.cost.memory.KEEPS`; `extra` are numbers kept beside
    it, `temporary` those that live during the forward pass only, `back` during the backward pass beside the gradients
    of operands.
    """

    kernel: str
    """What kind of work it is: the row of a machine's costs."""
    entry: Count = nothing
    """FLOPs but for those of products."""
    dense: Count = nothing
    """Multiply-adds of dense matrix products."""
    sparse: Count = nothing
    """Multiply-adds of sparse ones."""
    keeps: tuple[Keep, ...] = ()
    extra: Count = nothing
    temporary: Count = nothing
    back: Count = nothing
    made: Count = once
    """Numbers of storage of its own; 0 where it is another name of its first operand's."""
    moved: Count = read_and_written
    """Numbers that are read and written."""
    grows: Count = shares
    """How often the products are done again on the way back."""
    passes: bool = False
    """Whether operands of the result's size get the gradient as it comes, without a copy."""


def alias() -> Cost:
    """Another name for numbers that are there."""
    return Cost("none", made=nothing, moved=nothing, passes=True)


def entries(*keeps: Keep, kernel: str, times: int = 1, **more: Count) -> Cost:
    """A function entry by entry."""
    return Cost(kernel, lambda at: times * at.entries, keeps=keeps, **more)  # type: ignore[arg-type]


def linear_products(at: At) -> float:
    """rows × inputs × outputs."""
    return at.rows * at.width(0) * at.sizes.width(at.node.type.axes)


def per_pair(at: At) -> float:
    """Pairs of the set × features of the widest operand per node."""
    return at.sizes.pairs(at.over) * widest(at)


def per_cell(at: At) -> float:
    """All pairs × features of the widest operand per node."""
    return at.sizes.pairs(ALL) * widest(at)


def widest(at: At) -> float:
    """Entries of the value that is summed: the last operand per node."""
    return [at.width(index) for index, one in enumerate(at.node.operands) if one.type.domain.kind == "node"][-1]


def heads(at: At) -> float:
    """Sums of different weights: 1 without an axis of heads."""
    return at.sizes.width(at.node.type.axes[:-1])


def softmax_cells(at: At) -> float:
    """Weights of attention over all pairs."""
    return at.sizes.pairs(ALL) * heads(at)


def softmax_pairs(at: At) -> float:
    """Weights of attention over the pairs of the set."""
    return at.sizes.pairs(at.over) * heads(at)


def arranged(index: int) -> Count:
    """The copy of an operand with heads before nodes; none where there is one head."""
    return lambda at: at.operand(index) if several(at) else 0


def several(at: At) -> bool:
    """Whether values per node have an axis of heads."""
    return len(at.node.operands[-1].type.axes) > 1 or len(at.node.type.axes) > 1


def spread_weights(at: At) -> float:
    """Weights of a smaller set written out for all pairs."""
    return 0 if at.over == ALL else at.sizes.pairs(ALL) * at.width(0)


def total(*counts: Count) -> Count:
    """The sum of counts."""
    return lambda at: sum(count(at) for count in counts)


def attention_pieces(at: At) -> float:
    """What the dense form keeps: scaled and arranged queries, arranged keys and values, the weights."""
    return total(of_first, arranged(1), arranged(2), softmax_cells)(at)
