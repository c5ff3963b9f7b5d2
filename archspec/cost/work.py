"""How the work of every kernel is counted, and what its speed depends on: shapes, and where gradients flow to.

The names are those under which `archspec.train.calibrate` measures. A product of two values of the same size is
`mul.full.11` where a gradient flows to both and `mul.full.10` where it flows to one; one with a smaller value is
`mul.row` where that has a number for several neighbouring entries, `mul.column` where it has a row for all rows, and
`mul.number` where it is one number. The digits are then those of the larger and of the smaller operand.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from archspec.cost.counting import At, Count, nothing, of_first, once, per_cell, per_pair, widest
from archspec.cost.machine import Variant
from archspec.cost.table import cubes, inner_entries, linear_products
from archspec.ir.types import GRAPH, NODE


def as_named(kernel: str, at: At) -> str:
    """The kernel of the table of costs."""
    return kernel


@dataclass(frozen=True)
class Work:
    """How the work of a kernel is counted, what its speed depends on, and under what name it was measured."""

    units: Count = once
    variant: Callable[[At], Variant] = lambda at: ()
    kernel: Callable[[str, At], str] = as_named


def smaller(at: At) -> int:
    """The place of the operand that has fewer numbers; of two equal ones the second."""
    return 0 if at.operand(0) < at.operand(1) else 1


def kind(at: At) -> str:
    """How the smaller operand lies to the result."""
    small = at.node.operands[smaller(at)]
    if at.size(small) >= at.entries:
        return "full"
    if small.type.domain.kind != "constant":
        return "row"
    return "column" if at.size(small) > 1 else "number"


def digits(first: bool, second: bool) -> str:
    """`10` where a gradient flows to the first alone; so too where there is none, and forward times alone count."""
    return f"{int(first or not second)}{int(second)}"


def sum_of_two(kernel: str, at: At) -> str:
    """Only a smaller operand has a gradient to compute: that of a larger one comes through."""
    how = kind(at)
    return f"{kernel}.{how}.{'01' if how != 'full' and at.flows(smaller(at)) else '00'}"


def product_of_two(kernel: str, at: At) -> str:
    """Larger operand first; of two equal ones it does not matter which."""
    small, how = smaller(at), kind(at)
    flows = at.flows(1 - small), at.flows(small)
    first, second = sorted(flows, reverse=True) if how == "full" else flows
    return f"{kernel}.{how}.{digits(first, second)}"


def quotient(kernel: str, at: At) -> str:
    """As written; `inverse` is a smaller value divided by a larger one."""
    how = kind(at) if smaller(at) == 1 or kind(at) == "full" else "inverse"
    return f"{kernel}.{how}.{digits(at.flows(0), at.flows(1))}"


def of_both(kernel: str, at: At) -> str:
    """Whether a gradient flows to both operands or to one."""
    return kernel if at.flows(0) and at.flows(1) else f"{kernel}.one"


def linear(kernel: str, at: At) -> str:
    """Whether a gradient flows to the input."""
    return kernel if at.flows(0) else f"{kernel}.leaf"


def weighted(kernel: str, at: At) -> str:
    """Whether a gradient flows to the weights."""
    return kernel if at.flows(0) else f"{kernel}.fixed"


def neighbours(at: At) -> Variant:
    """Entries of the result for each number of the smaller operand, where that lies along rows."""
    return (at.entries / max(1.0, at.operand(smaller(at))),) if kind(at) == "row" else ()


def width(at: At) -> Variant:
    """Features."""
    return (at.width(0),)


def last(at: At) -> Variant:
    """Entries that are added up."""
    return (at.sizes.width(at.node.operands[1].type.axes[-1:]),)


def matrix(at: At) -> Variant:
    """Inputs and outputs."""
    return at.width(0), at.sizes.width(at.node.type.axes)


def sparse(at: At) -> Variant:
    """Features, pairs a node, heads."""
    return widest(at), at.sizes.pairs(at.over) / at.sizes.rows(NODE), weights(at)


def blocks(at: At) -> Variant:
    """Features, nodes a graph, heads."""
    return widest(at), at.sizes.rows(NODE) / at.sizes.rows(GRAPH), weights(at)


def attention(at: At) -> Variant:
    """Features, nodes a graph, heads, and whether there is a bias."""
    return (*blocks(at), len(at.node.operands) - 3)


def cells(at: At) -> Variant:
    """Features, nodes a graph."""
    return at.sizes.width(at.node.type.axes), at.sizes.rows(NODE) / at.sizes.rows(GRAPH)


def weights(at: At) -> float:
    """Sums of different weights: those of an operand per pair, else the leading axis of values."""
    per_pair = [at.width(index) for index, one in enumerate(at.node.operands) if one.type.domain.kind == "pair"]
    if at.node.op in ("attention", "pair_product"):
        return at.sizes.width(at.node.operands[0].type.axes[:-1])
    return per_pair[0] if per_pair else 1


WORK: Mapping[str, Work] = {
    "add": Work(once, neighbours, sum_of_two),
    "mul": Work(once, neighbours, product_of_two),
    "div": Work(once, neighbours, quotient),
    "maximum": Work(once, kernel=of_both),
    **dict.fromkeys(("gather_source", "gather_target"), Work(once, width)),
    **dict.fromkeys(("segment", "softmax"), Work(of_first, width)),
    **dict.fromkeys(("batch_norm", "layer_norm", "rms_norm"), Work(once, width)),
    **dict.fromkeys(("extremum", "std", "logsumexp"), Work(of_first)),
    "none": Work(nothing),
    "inner": Work(inner_entries, last, of_both),
    "linear": Work(linear_products, matrix, linear),
    "neighbour_sum.csr": Work(per_pair, sparse),
    "neighbour_sum.gather": Work(per_pair),
    "neighbour_sum.dense": Work(per_cell, blocks),
    "weighted_sum.csr": Work(per_pair, sparse, weighted),
    "weighted_sum.gather": Work(per_pair),
    "weighted_sum.dense": Work(per_cell, blocks, weighted),
    "pair_product.csr": Work(per_pair, sparse),
    "pair_matmul.dense": Work(cubes, cells),
    "pair_matmul.gather": Work(cubes),
    "attention.dense": Work(per_cell, attention),
    "attention.gather": Work(per_pair, sparse),
}
"""Kernels that are not simply measured by the numbers of their result."""
