"""A parsed spec to a typed program; every problem found on the way is raised together.

Non-goals: making anything faster (passes do), reading files, knowing data sets (facts do).
"""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from archspec.check.expressions import evaluate
from archspec.check.names import check_clashes, check_endless, check_locals, check_unused, evaluate_sizes
from archspec.check.penalty import penalty_section
from archspec.check.sections import (
    States,
    Unrolled,
    frame_of,
    input_section,
    instances,
    layer,
    output_section,
    state_nodes,
)
from archspec.check.settings import check_settings
from archspec.check.sharing import check_shared, check_tied
from archspec.check.values import Place, World
from archspec.diagnostics import Problems
from archspec.facts import Facts
from archspec.ir.nodes import Node, Program
from archspec.syntax import tree
from archspec.syntax.spec import Spec


def check(spec: Spec, facts: Facts | None, library: Mapping[str, tree.Definition]) -> Program:
    """The typed program of a spec: definitions expanded, domains and axes inferred.

    Sizes that only a data set knows are None without `facts`. Raises SpecError with every problem, sorted by place.
    """
    with room_for(FRAMES):
        return checked(spec, facts, library)


FRAMES = 60_000
"""Python's calls inside each other that the deepest expansion takes: 60 calls, 100 levels of text in each."""


@contextmanager
def room_for(frames: int) -> Iterator[None]:
    """Let Python's calls go so deep for a while."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, frames))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


def checked(spec: Spec, facts: Facts | None, library: Mapping[str, tree.Definition]) -> Program:
    """The steps of `check`."""
    problems = Problems()
    targets = {target.name: target for line in spec.input.statements for target in line.targets}
    world = World(problems, {}, spec.definitions, library, frozenset(targets), facts, evaluate)
    sizes = evaluate_sizes(spec, frame_of(world, Place("sizes", {}), sees_states=False))
    world = World(problems, sizes, spec.definitions, library, frozenset(targets), facts, evaluate)
    outside = frame_of(world, Place("spec", {}), sees_states=False)
    clash = check_clashes(spec, targets, outside)
    check_locals(spec, targets, outside)
    check_endless(spec, outside)
    check_unused(spec, targets, outside)
    if clash:
        problems.finish()
    first, states = input_section(spec, world)
    if not states:
        problems.finish()
    unrolled, history = unroll(spec, world, states)
    states = {name: nodes[-1].type for name, nodes in history.items()}
    last = output_section(spec, world, history, states)
    penalty = penalty_section(spec.penalty, world, history, states)
    layers = check_tied(unrolled.layers, unrolled.owners, unrolled.places, problems)
    problems.finish()
    is_tied = unrolled.owners != [*range(len(unrolled.owners))]
    program = Program(spec.name, first, layers, last, tuple(unrolled.owners) if is_tied else (), penalty)
    check_shared(program, problems)
    problems.finish()
    return check_settings(spec, program)


def unroll(spec: Spec, world: World, states: States) -> tuple[Unrolled, dict[str, tuple[Node, ...]]]:
    """The sections of the stack, and every state as it was after each."""
    unrolled = Unrolled()
    span = spec.output.span
    history: dict[str, tuple[Node, ...]] = {name: (node,) for name, node in state_nodes(states, span, 0).items()}
    outside = frame_of(world, Place("stack", {}), sees_states=False)
    for index, instance in enumerate(instances(spec.stack, outside)):
        made = layer(instance, states, index + 1, unrolled, world)
        states = {**states, **{name: node.type for name, node in made.results}}
        unrolled.layers.append(made)
        unrolled.owners.append(index - instance.back)
        unrolled.places.append(instance.call.span)
        for name, node in state_nodes(states, span, index + 1).items():
            history[name] = (*history[name], node)
    return unrolled, history
