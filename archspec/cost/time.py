"""How long a step takes: every operation of the plan by what a machine was measured to take for its kind of work."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import prod

from archspec.cost.batch import parts_of
from archspec.cost.extent import Extent
from archspec.cost.figures import Run
from archspec.cost.machine import Machine
from archspec.cost.parameters import parameters
from archspec.cost.work import WORK, Work, weights
from archspec.ir.types import ALL
from archspec.passes.schedule import Plan


def seconds(run: Run, machine: Machine) -> tuple[float, float]:
    """What an operation takes forward and, where a gradient comes to it, back."""
    work = WORK.get(run.cost.kernel, Work())
    kernel = work.kernel(run.cost.kernel, run.at)
    forward, backward = machine.seconds(kernel, work.units(run.at), work.variant(run.at))
    needed = run.reached and (run.at.gradients or run.at.trains)
    backward += machine.seconds("add.full.00", run.added)[0]
    if run.cost.kernel == "weighted_sum.dense" and run.at.over != ALL:
        there, back = machine.seconds("spread", run.at.operand(), (weights(run.at),))
        forward, backward = forward + there, backward + back * run.at.flows(0)
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
    """Loss, gradient norm and optimiser, and what every step has beside."""

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
    update += machine.seconds("step", 1)[0]
    return Step(cut, sum(there for there, _ in times), sum(back for _, back in times), update)
