"""Modules that archspec did not write: called graph by graph, in evaluation, with the weights they are given.

Nothing independent says what they compute, so what is compared is how they are called: operands, edges, batching.
"""

import importlib
import inspect
from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.func import functional_call

from archspec.ir.nodes import Node
from archspec.ir.weights import width
from archspec.reference.call import Call, Value
from archspec.reference.graph import Graph


class NoReference(ValueError):
    """A module asks for what the reference does not have."""


def made(node: Node) -> nn.Module:
    """The module of a node in float64; its own weights do not matter."""
    options = dict(node["options"])  # type: ignore[call-overload]
    where, _, name = str(node["target"]).rpartition(":")
    kind = getattr(importlib.import_module(where or "torch_geometric.nn"), name)
    if node["kind"] == "pyg":
        inputs, outputs = width(node.operands[0].type), width(node.type)
        known = {"in_channels": inputs, "channels": inputs, "out_channels": outputs}
        for one in node.operands[::-1]:
            known |= {"edge_dim": width(one.type)} if one.type.domain.kind == "pair" else {}
        wanted = inspect.signature(kind).parameters
        options = {key: value for key, value in known.items() if key in wanted} | options
    with torch.random.fork_rng(devices=[]):
        return kind(**options).double().eval()


def foreign(call: Call) -> Value:
    """Each graph by itself."""
    module = made(call.node)
    weights = own_weights(module, call.weights)
    results = []
    for graph, *operands in zip(call.graphs, *call.operands, strict=True):
        flat = [flattened(one, node) for one, node in zip(operands, call.node.operands, strict=True)]
        arguments = by_name(module, graph, flat) if call.node["kind"] == "pyg" else in_order(module, flat)
        results.append(call.shaped(functional_call(module, weights, (), arguments)))
    return results


def own_weights(module: nn.Module, given: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What is given of parameters, of those with several names under the first, and of buffers, which do not learn."""
    learnt = {name: given[name] for name, _ in module.named_parameters()}
    return learnt | {name: given[name].detach() for name, _ in module.named_buffers() if name in given}


def flattened(value: Tensor, node: Node) -> Tensor:
    """[rows, features], and [features] of a constant."""
    flat = value.reshape(len(value), width(node.type))
    return flat[0] if node.type.domain.kind == "constant" else flat


def in_order(module: nn.Module, operands: list[Tensor]) -> dict[str, Tensor]:
    """The operands of a module of the user's."""
    names = list(inspect.signature(module.forward).parameters)
    if "batch" in names:
        raise NoReference(f"{type(module).__name__} asks for the batch, which the reference does not have")
    return dict(zip(names, operands, strict=False))


def by_name(module: nn.Module, graph: Graph, operands: list[Tensor]) -> dict[str, Tensor]:
    """The operands of a convolution, edges as (source, target) in the order of the data."""
    names = [name for name in inspect.signature(module.forward).parameters if name not in ("edge_index", "batch")]
    found = dict(zip(names, operands, strict=False))
    if "edge_weight" in found:
        found["edge_weight"] = found["edge_weight"].reshape(-1)
    fixed = {
        "edge_index": torch.tensor([(j, i) for i, j in graph.edges], dtype=torch.int64).reshape(-1, 2).T,
        "batch": torch.zeros(graph.nodes, dtype=torch.int64),
    }
    wanted = inspect.signature(module.forward).parameters
    return found | {name: value for name, value in fixed.items() if name in wanted}
