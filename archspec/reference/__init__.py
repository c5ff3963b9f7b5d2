"""The slow, obvious evaluator of the IR, in float64: what a program means, to which compiled code is compared."""

from archspec.reference.evaluate import evaluate, outcome
from archspec.reference.graph import Graph
from archspec.reference.weights import initial_weights

__all__ = ["Graph", "evaluate", "initial_weights", "outcome"]
