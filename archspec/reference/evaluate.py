"""The slow, obvious evaluator of the IR: operation by operation in float64, graph by graph, autograd by torch.

Independent of passes, emit, runtime and structure: what those compute is compared with this. Non-goals: speed, and what
chance decides (dropout in training).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from archspec.ir.nodes import Node, Program, Section
from archspec.ir.ops import OPERATIONS
from archspec.ir.sets import IndexSet
from archspec.reference.call import Call, Value, rows_in
from archspec.reference.graph import Graph
from archspec.reference.table import TABLE

States = Mapping[str, Value]


def evaluate(
    program: Program, weights: Mapping[str, Tensor], graphs: Sequence[Graph], training: bool = False
) -> list[Tensor]:
    """The prediction for every graph: [nodes, *axes] where there is one per node, [1, *axes] where one per graph; where
    there is one per edge or target, [pairs, *axes] in the order of `Graph`.

    `weights` go by their names in `state_dict`; they and numeric features may require gradients. Raises KeyError for a
    weight that is not there and ValueError for dropout in training.
    """
    return outcome(program, weights, graphs, training)[0]


def outcome(
    program: Program, weights: Mapping[str, Tensor], graphs: Sequence[Graph], training: bool = False
) -> tuple[list[Tensor], Tensor]:
    """The prediction as `evaluate` gives it, and the penalty: the mean of its numbers per graph, 0 without one."""
    history: list[States] = []
    by_path: dict[str, dict[str, Value]] = {}
    for path, section in program.sections():
        by_path[path] = evaluate_section(section, below(weights, path), graphs, training, history)
        history.append({**(history[-1] if history else {}), **by_path[path]})
    penalties = by_path["penalty"][""] if program.penalty else [torch.zeros(1, dtype=torch.float64)]
    return per_label(program, by_path["output"][""], graphs), torch.cat(penalties).mean()


def per_label(program: Program, prediction: Value, graphs: Sequence[Graph]) -> list[Tensor]:
    """The prediction, a constant one repeated for every node."""
    domain = program.output.results[0][1].type.domain
    if domain.kind == "constant":
        return [x.expand(graph.nodes, *x.shape[1:]) for x, graph in zip(prediction, graphs, strict=True)]
    return prediction


def evaluate_section(
    section: Section,
    weights: Mapping[str, Tensor],
    graphs: Sequence[Graph],
    training: bool = False,
    history: Sequence[States] = (),
) -> dict[str, Value]:
    """The results of one section by name, from the states before it; weights go by their names below the section."""
    values: dict[int, Value] = {}
    kept: list[dict[IndexSet, list[int]]] = [{} for _ in graphs]
    graphs = [replace(graph, kept=rows) for graph, rows in zip(graphs, kept, strict=True)]
    for node in section.nodes:
        operands = [values[id(operand)] for operand in node.operands]
        own = weights_of(node, weights)
        value = TABLE[node.op](Call(node, operands, own, graphs, training, history))
        check_shape(node, value, graphs)
        values[id(node)] = value
        for over in (over for over, condition in section.sets if condition is node):
            for rows, holds in zip(kept, value, strict=True):
                rows[over] = [row for row, one in enumerate(holds.tolist()) if one]
    return {name: values[id(node)] for name, node in section.results}


def below(weights: Mapping[str, Tensor], path: str) -> dict[str, Tensor]:
    """The weights whose names begin with a path, in float64, by the rest of their names; shared ones by their own."""
    start = f"{path}."
    own = {name.removeprefix(start): value for name, value in weights.items() if name.startswith(start)}
    own |= {name: value for name, value in weights.items() if name.startswith("shared.")}
    return {name: value.double() for name, value in own.items()}


def weights_of(node: Node, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights of a node, by their own names; all there are below its path where no table lists them."""
    start = f"{node.path}."
    if node.op == "foreign":
        return {name.removeprefix(start): value for name, value in weights.items() if name.startswith(start)}
    names = [weight.name for weight in OPERATIONS[node.op].weights(node)]
    return {name: weights[f"{start}{name}" if name else node.path] for name in names}


def check_shape(node: Node, value: Value, graphs: Sequence[Graph]) -> None:
    """Hold a value to the type of its node: so many rows, and the sizes of the axes."""
    sizes = tuple(axis.size for axis in node.type.axes)
    for tensor, graph in zip(value, graphs, strict=True):
        wanted = (rows_in(node.type.domain, graph), *sizes)
        if tensor.shape != wanted:
            raise ValueError(f"{node.op}: {node.type} should be {wanted}, not {tuple(tensor.shape)}")
