"""Whether the module of a spec computes what its text says: what `archspec check` runs."""

from archspec.equal.compare import compare
from archspec.equal.samples import samples
from archspec.pipeline import build, facts_of
from archspec.reference import initial_weights
from archspec.syntax.spec import Spec


class Disagreement(Exception):
    """A compiled module differs from the reference: a bug in archspec, never in a spec."""


def agreement(spec: Spec) -> str:
    """Compare outputs and gradients on small odd graphs, in training and in evaluation; what was found, in a few words.

    Raises SpecError for a spec that does not compile or names no data set, Disagreement where a value differs.
    """
    facts = facts_of(spec)
    if facts is None:
        raise ValueError("a spec without a data set has no sizes to build a module with")
    built = build(spec, facts)
    weights = initial_weights(built.program)
    worst = 0.0
    for training in (True, False):
        found = compare(built.module, built.program, samples(facts), weights, training)
        if not found.ok():
            mode = "training" if training else "evaluation"
            raise Disagreement(f"{spec.name} in {mode} differs from the reference:\n{found}")
        worst = max(worst, found.worst)
    return f"outputs and gradients equal the reference's up to {worst:.0e}"
