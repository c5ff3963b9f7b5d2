"""How long a step takes: every operation of the plan by what a machine was measured to take for its kind of work."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from math import prod

from archspec.cost.batch import parts_of
from archspec.cost.counting import At, Count, nothing, of_first, once, per_cell, per_pair, widest
from archspec.cost.extent import Extent
from archspec.cost.figures import Run
from archspec.cost.machine import Machine, Variant
from archspec.cost.parameters import parameters
from archspec.cost.table import cubes, inner_entries, linear_products
from archspec.ir.types import ALL, GRAPH, NODE
from archspec.passes.schedule import Plan


@dataclass(frozen=True)
class Work:
    """How the work of a kernel is counted, and what its speed depends on."""

    units: Count = once
    variant: Callable[[At], Variant] = lambda at: ()


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
    **dict.fromkeys(("segment", "extremum", "std", "logsumexp"), Work(of_first)),
    "none": Work(nothing),
    "inner": Work(inner_entries),
    "linear": Work(linear_products, matrix),
    "neighbour_sum.csr": Work(per_pair, sparse),
    "neighbour_sum.gather": Work(per_pair),
    "neighbour_sum.dense": Work(per_cell, blocks),
    "weighted_sum.csr": Work(per_pair, sparse),
    "weighted_sum.gather": Work(per_pair),
    "weighted_sum.dense": Work(per_cell, blocks),
    "pair_product.csr": Work(per_pair, sparse),
    "pair_matmul.dense": Work(cubes, cells),
    "pair_matmul.gather": Work(cubes),
    "attention.dense": Work(per_cell, attention),
    "attention.gather": Work(per_pair, sparse),
}
"""Kernels whose work is not simply the numbers of their result."""


def seconds(run: Run, machine: Machine) -> tuple[float, float]:
    """What an operation takes forward and, where a gradient comes to it, back."""
    work = WORK.get(run.cost.kernel, Work())
    forward, backward = machine.seconds(run.cost.kernel, work.units(run.at), work.variant(run.at))
    needed = run.reached and (run.at.gradients or run.at.trains)
    backward = 0.0 if run.cost.passes else backward  # the gradient comes through as it is
    backward += machine.seconds("add", run.added)[0]
    if run.cost.kernel == "weighted_sum.dense" and run.at.over != ALL:
        there, back = machine.seconds("spread", run.at.operand(), (weights(run.at),))
        forward, backward = forward + there, backward + back
    there, back = machine.seconds("call", 1) if run.cost.kernel != "none" else (0.0, 0.0)
    return forward + there, backward + back if needed else 0.0


@dataclass(frozen=True)
class Step:
    """Seconds of one batch."""

    cut: float
    """Cutting it from the data set, and making the parts of index sets that kernels read."""
    forward: float
    backward: float
    update: float
    """Loss, gradient norm and optimiser."""

    @property
    def training(self) -> float:
        """A step of training."""
        return self.cut + self.forward + self.backward + self.update


def step(plan: Plan, ran: Iterable[Run], extent: Extent, machine: Machine) -> Step:
    """What a step takes."""
    times = [seconds(run, machine) for run in ran]
    shapes = parameters(plan.program)
    numbers = sum(float(size) for size in map(prod, shapes.values()))
    cut = machine.seconds("cut", extent.edges + extent.nodes)[0] + sum(
        machine.seconds(f"part.{part}", pairs)[0] for part, pairs in parts_of(plan, extent)
    )
    update = sum(machine.seconds("loss", extent.nodes)) + machine.seconds("update", numbers, (len(shapes),))[0]
    return Step(cut, sum(there for there, _ in times), sum(back for _, back in times), update)
