"""Where the equations themselves give no finite number: a division by the degree of a node without edges, say.

What they give is then NaN or infinite in the reference too, and there is nothing to compare.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from archspec.diagnostics import Diagnostic
from archspec.equal.compare import Result, of_reference
from archspec.facts import Facts
from archspec.ir.nodes import Node, Program
from archspec.reference import Graph
from archspec.reference.call import Value
from archspec.reference.evaluate import below, evaluate_section

CURE = "keep it away from 0: `maximum(…, 1)`, or add a small number such as 1e-6"


@dataclass(frozen=True)
class Fault:
    """A graph on which a program is not finite: the first equation that is not, or the first gradient by its name."""

    graph: Graph
    node: Node | None
    gradient: str = ""

    def diagnostic(self) -> Diagnostic:
        """The problem at its place in the text."""
        what = f"is not finite on {described(self.graph)}"
        if self.node is None:
            return Diagnostic("E0314", f"the gradient {self.gradient} {what}", help=CURE)
        return Diagnostic("E0314", f"the value {what}", self.node.span, help=CURE)

    def __str__(self) -> str:
        where = f"`{self.node.span.text}`" if self.node else f"the gradient {self.gradient}"
        return f"{where} is not finite on {described(self.graph)}"


def described(graph: Graph) -> str:
    """`a directed graph with 4 nodes in which an edge comes from a node without edges into it`."""
    pairs, receiving = set(graph.edges), {i for i, _ in graph.edges}
    kind = "an undirected" if all((j, i) in pairs for i, j in pairs) else "a directed"
    text = f"{kind} graph with {graph.nodes} node{'s' * (graph.nodes != 1)}"
    if not pairs:
        return f"{text} and no edges"
    if any(j not in receiving for _, j in pairs):
        return f"{text} in which an edge comes from a node without edges into it"
    return text + " and an isolated one" * (len(receiving) < graph.nodes)


def fault_of(program: Program, graph: Graph, weights: Mapping[str, Tensor], training: bool) -> Fault | None:
    """What is not finite when a program is evaluated and differentiated on a graph by itself; None where all is."""
    result = of_reference(program, [graph], weights, training)
    if all_finite(result):
        return None
    if not bool(torch.isfinite(result.prediction).all()):
        return Fault(graph, first_node(program, graph, weights, training))
    return Fault(graph, None, next(name for name, one in result.gradients.items() if not torch.isfinite(one).all()))


def all_finite(result: Result) -> bool:
    """Whether outputs and gradients are numbers."""
    return all(bool(torch.isfinite(one).all()) for one in (result.prediction, *result.gradients.values()))


def first_node(program: Program, graph: Graph, weights: Mapping[str, Tensor], training: bool) -> Node | None:
    """The first operation that makes a NaN, else an infinity, out of finite operands."""
    history: list[Mapping[str, Value]] = []
    for path, section in program.sections():
        whole = replace(section, results=tuple((str(at), node) for at, node in enumerate(section.nodes)))
        values = evaluate_section(whole, below(weights, path), [graph], training, history)
        by_node = {id(node): values[str(at)][0] for at, node in enumerate(section.nodes)}
        for test in (torch.isnan, torch.isinf):
            for node in section.nodes:
                inputs = [by_node[id(operand)] for operand in node.operands]
                if bool(test(by_node[id(node)]).any()) and not any(bool(test(one).any()) for one in inputs):
                    return node
        made = {name: [by_node[id(node)]] for name, node in section.results}
        history.append({**(history[-1] if history else {}), **made})
    return None


def possible(graph: Graph, facts: Facts) -> bool:
    """Whether a data set may hold such a graph."""
    pairs = set(graph.edges)
    symmetric = all((j, i) in pairs for i, j in pairs)
    loops, repeated = any(i == j for i, j in pairs), len(pairs) < len(graph.edges)
    return (
        (symmetric or not facts.symmetric)
        and (facts.self_loops or not loops)
        and (facts.repeated_edges or not repeated)
    )
