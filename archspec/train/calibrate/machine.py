"""A machine measured: all kernels, then what calls take beside them."""

import platform
from collections.abc import Callable, Iterator

import torch

from archspec.cost.extent import Extent
from archspec.cost.figures import runs
from archspec.cost.machine import Machine, Point, Variant
from archspec.cost.time import seconds, step
from archspec.passes.schedule import Plan
from archspec.runtime import malloc
from archspec.train.calibrate.batches import of_a_batch
from archspec.train.calibrate.graphs import graphs
from archspec.train.calibrate.measuring import Meter, Trial
from archspec.train.calibrate.numbers import Found, by_numbers
from archspec.train.calibrate.products import by_matrix, on_all_pairs, on_sparse_sets
from archspec.train.engine import Engine
from archspec.train.tally import Tally


def machine(engine: Engine, report: Callable[[str], None]) -> Machine:
    """Measure this machine; `report` is told each kernel before it is measured.

    The engine, with PATTERN's letters and a plan, says what calls and steps take beside the work of kernels.
    """
    malloc.tune()
    meter = Meter()
    curves: dict[str, dict[Variant, list[Point]]] = {}
    for kernel, variant, trial in trials():
        if kernel not in curves:
            report(kernel)
        curves.setdefault(kernel, {}).setdefault(variant, []).append(meter.point(trial))
    for variants in curves.values():
        for points in variants.values():
            points.sort(key=lambda point: point.units)
    report("calls and steps")
    plan = engine.task.plan
    assert plan is not None  # tasks made from specs have one
    for kernel, beside in (("call", calls), ("step", steps)):
        curves[kernel] = {(): [beside(engine, plan, Machine("", curves), meter)]}
    threads = torch.get_num_threads()
    return Machine(f"{platform.machine()}, {threads} thread{'s' * (threads > 1)}", curves)


def calls(engine: Engine, plan: Plan, so_far: Machine, meter: Meter) -> Point:
    """What every operation of a model takes beside its work: seen on a batch so small that little else counts."""
    batch = graphs(8, 23, 2)
    ran = [run for run in runs(plan, SMALL) if run.cost.kernel != "none"]
    there, back = (sum(times) for times in zip(*(seconds(run, so_far) for run in ran), strict=True))
    point = meter.point(Trial(1, lambda: engine.module(batch)))
    return Point(1, max(0.0, point.forward - there) / len(ran), max(0.0, point.backward - back) / len(ran))


def steps(engine: Engine, plan: Plan, so_far: Machine, meter: Meter) -> Point:
    """What a step takes beside cutting the batch, model, loss and optimiser: checks, sums for scores, watching."""
    batch, tally = graphs(8, 23, 2), Tally(engine.kind)
    batch.y = torch.zeros(batch.nodes, dtype=torch.int64)
    made = meter.point(Trial(1, lambda: engine.step(batch, 1, tally)))
    known = step(plan, runs(plan, SMALL), SMALL, so_far)
    return Point(1, max(0.0, made.forward - known.training + known.cut), 0.0)


SMALL = Extent(8, 8 * 23.0, 8 * 46.0, 8 * 23.0**2, 8 * 23.0**3)
"""The batch that these are seen on."""


def trials() -> Iterator[Found]:
    """Every kernel and variant at every size."""
    yield from by_numbers()
    yield from by_matrix()
    yield from on_sparse_sets()
    yield from on_all_pairs()
    yield from of_a_batch()
