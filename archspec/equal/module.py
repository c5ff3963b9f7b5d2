"""Whether the module of a spec computes what its text says: what `archspec check` runs."""

from collections.abc import Mapping, Sequence

from torch import Tensor

from archspec.diagnostics import Diagnostic, SpecError
from archspec.equal.compare import compare
from archspec.equal.differences import Differences
from archspec.equal.finite import fault_of, possible
from archspec.equal.samples import samples
from archspec.facts import Facts
from archspec.pipeline import Built, build, facts_of
from archspec.reference import Graph, initial_weights
from archspec.reference.foreign import NoReference
from archspec.syntax.spec import Spec


class Disagreement(Exception):
    """A compiled module differs from the reference: a bug in archspec, never in a spec."""


def agreement(spec: Spec) -> str:
    """Compare outputs and gradients on small odd graphs, in training and in evaluation; what was found, in a few words.

    Raises SpecError for a spec that does not compile or names no data set, and E0314 where its own equations are not
    finite on a graph such as the data set may hold; Disagreement where a value differs.
    """
    facts = facts_of(spec)
    if facts is None:
        raise ValueError("a spec without a data set has no sizes to build a module with")
    built = build(spec, facts)
    try:
        return compared(built, spec.name, facts)
    except NoReference as error:
        return f"not compared with the reference: {error}"


def compared(built: Built, name: str, facts: Facts) -> str:
    """What `agreement` says of a built spec."""
    weights, worst, remark = initial_weights(built.program), 0.0, ""
    graphs: Sequence[Graph] = samples(facts)
    for mode, training in (("training", True), ("evaluation", False)):
        found = compare(built.module, built.program, graphs, weights, training)
        if not found.finite:
            graphs, said = sound(built, graphs, weights, training, facts)
            remark = remark or said
            found = compare(built.module, built.program, graphs, weights, training)
        if not found.ok():
            blame(built, found)
            raise Disagreement(f"{name} in {mode} differs from the reference:\n{found}")
        worst = max(worst, found.worst)
    return f"outputs and gradients equal the reference's up to {worst:.0e}{remark}"


def blame(built: Built, found: Differences) -> None:
    """E0511 where a module that archspec did not write may be what differs: the reference calls it graph by graph."""
    nodes = (node for _, section in built.program.sections() for node in section.nodes if node.op == "foreign")
    if node := next(nodes, None):
        message = f"{node['kind']}({node['target']}) gives something else in a batch than graph by graph"
        cure = "its `forward` must not mix the graphs of a batch; with an argument `batch` it can tell them apart"
        raise SpecError([Diagnostic("E0511", message, node.span, notes=(str(found).splitlines()[0],), help=cure)])


def sound(
    built: Built, graphs: Sequence[Graph], weights: Mapping[str, Tensor], training: bool, facts: Facts
) -> tuple[Sequence[Graph], str]:
    """The graphs on which the equations are finite, and a remark on the first of the others.

    Raises SpecError E0314 where one of those is such as the data set may hold.
    """
    faults = [fault for graph in graphs if (fault := fault_of(built.program, graph, weights, training))]
    if wrong := [fault.diagnostic() for fault in faults if possible(fault.graph, facts)]:
        raise SpecError(wrong[:1])
    kept = [graph for graph in graphs if all(graph is not fault.graph for fault in faults)]
    return (
        kept,
        f" on {len(kept)} of {len(graphs)} graphs\n  note: {faults[0]}; {facts.name} has none" if faults else "",
    )
