"""Whether two specs compute the same with the weights they share: what `archspec check --equals` runs."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from archspec.diagnostics import Diagnostic, SpecError
from archspec.equal.compare import Result, differences, is_statistic, of_module
from archspec.equal.differences import Differences
from archspec.equal.finite import possible
from archspec.equal.samples import SHAPES, UNDIRECTED, samples
from archspec.facts import Facts
from archspec.ir.settings import initial
from archspec.pipeline import Built, build, facts_of
from archspec.reference import Graph, initial_weights
from archspec.syntax.spec import Spec

Weights = Mapping[str, Tensor]

CURE = "weights that only one of them has stay as they begin: set them in `parameters:`"


def equality(spec: Spec, other: Spec) -> str:
    """Compare outputs and gradients of two specs on small graphs such as the data set may hold; what was found.

    Weights that both have, by name and shape, and that neither sets in `parameters:` get the same random values, and
    their gradients are compared; each of the others stays as it begins. Raises SpecError for a spec that does not
    compile, E0311 where the first names no data set, and E0315 where something differs.
    """
    facts = facts_of(spec)
    if facts is None:
        message = "only with a data set is it known whether two specs compute the same"
        raise SpecError([Diagnostic("E0311", message, help="add a `data:` section, such as `data: {name: pattern}`")])
    built = [built_with_seed(one, facts) for one in (spec, other)]
    shared, worst = shared_weights(built), 0.0
    graphs = [graph for graph in samples(facts, shapes=(*SHAPES, *UNDIRECTED)) if possible(graph, facts)]
    for mode, training in (("training", True), ("evaluation", False)):
        found = compared([result(one, graphs, shared, training) for one in built])
        if not found.ok():
            told = min(found.beyond(), key=lambda one: one.kind != "output")
            message = f"{spec.name} does not equal {other.name} in {mode}: {told}"
            raise SpecError([Diagnostic("E0315", message, notes=tuple(alone(built)), help=CURE)])
        worst = max(worst, found.worst)
    many = sum(not is_statistic(name) for name in shared)
    head = f"outputs and gradients of {many} weights equal those of {other.name} up to {worst:.0e}"
    return "\n  note: ".join((head, *alone(built)))


def built_with_seed(spec: Spec, facts: Facts) -> Built:
    """A built spec whose weights are the same every time."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return build(spec, facts)


def shared_weights(built: Sequence[Built]) -> Weights:
    """Random values for the weights that both have and neither sets."""
    first, second = (initial_weights(one.program) for one in built)
    said = {name for one in built for name in initial(one.program.settings)}
    return {
        name: one
        for name, one in first.items()
        if name in second and second[name].shape == one.shape and name not in said
    }


def result(built: Built, graphs: Sequence[Graph], shared: Weights, training: bool) -> Result:
    """What a spec gives with the shared weights, and its own as they begin."""
    return of_module(built.module, graphs, {**built.module.double().state_dict(), **shared}, training)


def compared(results: Sequence[Result]) -> Differences:
    """The predictions, and the gradients that both have."""
    both = results[0].gradients.keys() & results[1].gradients.keys()
    ours, theirs = (
        replace(one, gradients={name: gradient for name, gradient in one.gradients.items() if name in both})
        for one in results
    )
    return differences(ours, theirs)


def alone(built: Sequence[Built]) -> Iterable[str]:
    """The weights that only one of them has or sets, those of all block instances together."""
    for one, other in zip(built, reversed(built), strict=True):
        shapes = {name: weight.shape for name, weight in initial_weights(other.program).items()}
        said = initial(one.program.settings)
        own = [
            name
            for name, weight in initial_weights(one.program).items()
            if name in said or (shapes.get(name) != weight.shape and not is_statistic(name))
        ]
        names = dict.fromkeys(re.sub(r"^layers\.\d+\.", "layers.*.", name) for name in own)
        if names:
            yield f"only {one.program.name} has or sets {', '.join(names)}"
