"""One measurement: some work run again and again, until enough runs took place in memory that the process had.

Times are those of the processor, all threads together divided by their number, so that other programs on the machine
count little.
"""

import resource
import statistics
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from archspec.cost.machine import Point

LEAST, MOST, WARM = 5, 30, 2
"""Runs of one measurement, and how many of them come first and do not count."""

FEW = 2
"""Page faults of a run that counts. In training too memory is there after a few steps; before, most time goes there."""

CACHE = 2**25
"""Bytes that no cache near the processor holds all of."""

PATIENCE = 0.08
"""Seconds of the processor for one measurement, if it is not less than LEAST runs."""

FRESH = 2**29
"""Bytes that the process takes from the system before anything is measured."""


@dataclass(frozen=True)
class Trial:
    """Work to measure: how many units, and the function with its operands; `fixed` ones want no gradient."""

    units: float
    function: Callable[..., Any]
    operands: Sequence[Tensor] = ()
    fixed: Sequence[int] = ()


class Run(NamedTuple):
    """What one run took."""

    forward: float
    backward: float
    faults: int


class Meter:
    """Measures trials; what starting a backward pass takes by itself, seen once, is not counted as theirs."""

    def __init__(self) -> None:
        self.idle = Point(0, 0.0, 0.0)
        torch.empty(FRESH // 4).fill_(0.0)
        nothing = Trial(0, lambda a: a, [torch.rand(64)])
        repeated(nothing)  # the first backward pass of a process takes longer
        self.idle = self.point(nothing)

    def point(self, trial: Trial) -> Point:
        """The median times forward and back, on operands that are not in the processor's cache, as in a model."""
        runs = [run for run in repeated(trial) if run.faults <= FEW] or repeated(trial)
        threads = torch.get_num_threads()
        forward, backward = (statistics.median(times) / threads for times in list(zip(*runs, strict=True))[:2])
        return Point(trial.units, max(0.0, forward - self.idle.forward), max(0.0, backward - self.idle.backward))


def repeated(trial: Trial) -> list[Run]:
    """What runs took, the first ones aside."""
    sets = [[prepared(trial, place) for place in range(len(trial.operands))] for _ in range(copies(trial))]
    held: deque[object] = deque(maxlen=len(sets))
    runs: list[Run] = []
    began = time.process_time()
    while len(runs) < MOST and (settled(runs) < LEAST or time.process_time() - began < PATIENCE):
        runs.append(run(trial, sets[len(runs) % len(sets)], held))
    return runs[WARM:]


def settled(runs: Sequence[Run]) -> int:
    """How many runs count."""
    return sum(run.faults <= FEW for run in runs[WARM:])


def run(trial: Trial, operands: Sequence[Tensor], held: deque[object]) -> Run:
    """Forward, then back where there is a gradient; the result is held, as the next operations of a model would."""
    faults, start, back = page_faults(), time.process_time(), 0.0
    out = trial.function(*operands)
    there = time.process_time() - start
    held.append(out)
    if isinstance(out, Tensor) and out.requires_grad:
        grad = torch.ones_like(out)
        start = time.process_time()
        torch.autograd.backward(out, grad)
        back = time.process_time() - start
        for one in operands:
            one.grad = None
    return Run(there, back, page_faults() - faults)


def page_faults() -> int:
    """How often the process was given a page of memory so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt


def prepared(trial: Trial, place: int) -> Tensor:
    """An operand of its own, of which a gradient is wanted where it can have one."""
    operand = trial.operands[place]
    if not operand.is_floating_point():
        return operand
    return operand.clone() if place in trial.fixed else operand.clone().requires_grad_()


def copies(trial: Trial) -> int:
    """As many sets of operands as fill the cache, up to a few."""
    size = sum(one.nbytes for one in trial.operands) or CACHE
    return int(min(8, max(1, CACHE // size)))
