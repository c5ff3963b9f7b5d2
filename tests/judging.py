"""One random program judged: what its module computes against the reference, within what the conditioning allows."""

from collections.abc import Sequence
from dataclasses import dataclass

from archspec.equal.compare import differences, of_module, of_reference, settings_problems, weight_problems
from archspec.equal.differences import Differences, difference
from archspec.ir.printer import program_text
from archspec.passes.optimise import PASSES
from archspec.reference import Graph
from tests.compiling import Case
from tests.conditioning import bound
from tests.properties import PROPERTIES


@dataclass(frozen=True)
class Verdict:
    """`agrees`, `differs` or, where the comparison says nothing, `excluded`; how far apart in units of the bound."""

    name: str
    excess: float = 0.0
    told: str = ""


def judged(case: Case, graphs: Sequence[Graph], training: bool) -> Verdict:
    """The module of a compiled program, outputs and gradients."""
    module, program, weights = case.built.module, case.built.program, case.weights
    if problems := (*weight_problems(module, weights), *settings_problems(module, program)):
        return Verdict("differs", told="\n".join(problems))
    wanted = of_reference(program, graphs, weights, training)
    limits = bound(lambda: of_reference(program, graphs, weights, training), wanted)
    if not limits.usable:
        return Verdict("excluded")
    return verdict(limits.excess(found := differences(of_module(module, graphs, weights, training), wanted)), found)


def judged_passes(case: Case, graphs: Sequence[Graph]) -> Verdict:
    """The program after every pass, in training; the first pass that changes what it computes is told."""
    program, weights = case.built.program, case.weights
    wanted = of_reference(program, graphs, weights, training=True)
    limits = bound(lambda: of_reference(case.built.program, graphs, weights, training=True), wanted)
    if not limits.usable:
        return Verdict("excluded")
    worst = 0.0
    for rewrite in PASSES:
        before, program = program, rewrite(program)
        if program_text(before) == program_text(program):
            continue
        found = differences(of_reference(program, graphs, weights, training=True), wanted)
        worst = max(worst, excess := limits.excess(found))
        if excess > 1:
            return Verdict("differs", excess, f"{rewrite.__module__}: {found}")
    return Verdict("agrees", worst)


def judged_properties(case: Case, graphs: Sequence[Graph]) -> Verdict:
    """Every property, as exactly as the conditioning allows."""
    limits = []
    for training in (True, False):
        wanted = of_reference(case.built.program, graphs, case.weights, training)
        limits.append(bound(lambda: of_reference(case.built.program, graphs, case.weights, training), wanted))  # noqa: B023
    if not all(one.usable for one in limits):
        return Verdict("excluded")
    allowed = max(one.allowed("output", "prediction") for one in limits)
    worst = 0.0
    for name, pairs in PROPERTIES.items():
        for ours, other in pairs(case, graphs):
            far = difference("output", name, ours, other)
            worst = max(worst, excess := far.absolute / max(far.scale, 1.0) / allowed)
            if excess > 1:
                return Verdict("differs", excess, str(far))
    return Verdict("agrees", worst)


def verdict(excess: float, found: Differences) -> Verdict:
    """What the largest difference in units of the bound says."""
    return Verdict("agrees" if excess <= 1 else "differs", excess, str(found))
