"""Linear maps, norms, and what changes the shape of the features."""

from typing import cast

import torch
from torch import Tensor

from archspec.ir.weights import columns
from archspec.reference.axes import align
from archspec.reference.call import Call, Value, rows_in

EPSILON = 1e-5


def inner(call: Call) -> Value:
    """Products of the entries, summed over the last axis of the right operand."""
    contracted = call.node.operands[1].type.axes[-1]
    return [(a * b).sum(-1) for a, b in call.aligned((*call.node.type.axes, contracted))]


def concat(call: Call) -> Value:
    """The operands side by side along the last axis; a scalar counts as width 1."""
    wide = [
        [x if operand.type.axes else x.unsqueeze(1) for x in value]
        for operand, value in zip(call.node.operands, call.operands, strict=True)
    ]
    result = []
    for graph, parts in zip(call.graphs, zip(*wide, strict=True), strict=True):
        rows = rows_in(call.node.type.domain, graph)
        result.append(torch.cat([part.expand(rows, *part.shape[1:]) for part in parts], dim=-1))
    return result


def view(call: Call) -> Value:
    """The entries of a row in order, under other axes."""
    return [call.shaped(x) for x in call.operands[0]]


def linear(call: Call) -> Value:
    """W x + b with all feature axes of x as one."""
    weight = call.weights["weight"]  # [outputs, inputs]
    bias = call.weights.get("bias", torch.zeros(len(weight), dtype=torch.float64))
    return [call.shaped(x.reshape(len(x), weight.shape[1]) @ weight.T + bias) for x in call.operands[0]]


def linear_part(call: Call) -> Value:
    """Some columns of W times x; the bias where this part adds it."""
    start, stop = columns(call.node)
    weight = call.weights["weight"][:, start:stop]  # [outputs, inputs of this part]
    bias = call.weights["bias"] if call.option("adds_bias") else torch.zeros(len(weight), dtype=torch.float64)
    return [call.shaped(x.reshape(len(x), stop - start) @ weight.T + bias) for x in call.operands[0]]


def category(call: Call) -> Value:
    """x rounded down to a whole number, what is too small or too large at the nearest end."""
    last = cast(int, call.option("size")) - 1
    rows = [[int(min(max(one, 0), last)) for one in x.tolist()] for x in call.operands[0]]
    return [torch.tensor(row, dtype=torch.int64) for row in rows]


def embed(call: Call) -> Value:
    """The row of the weight that the category names."""
    return [call.shaped(call.weights["weight"][x]) for x in call.operands[0]]


def affine(call: Call, x: Tensor) -> Tensor:
    """Scale and shift [rows, features] and give it its axes back."""
    bias = call.weights.get("bias", torch.zeros((), dtype=torch.float64))
    return call.shaped(x * call.weights["weight"] + bias)


def normal(x: Tensor, dim: int) -> Tensor:
    """(x - mean) / sqrt(variance + 1e-5) along a dimension, with the biased variance."""
    mean = x.mean(dim, keepdim=True)
    variance = ((x - mean) ** 2).mean(dim, keepdim=True)
    return (x - mean) / (variance + EPSILON) ** 0.5


def flat(call: Call) -> list[Tensor]:
    """The operand as [rows, features], aligned to the axes of the result."""
    own, axes = call.node.operands[0].type.axes, call.node.type.axes
    return [align(x, own, axes).reshape(len(x), len(call.weights["weight"])) for x in call.operands[0]]


def batch_norm(call: Call) -> Value:
    """Statistics over all rows of all graphs in training, the running ones in evaluation."""
    values = flat(call)
    if call.training:
        rows = normal(torch.cat(values), 0).split([len(x) for x in values])
    else:
        mean, variance = call.weights["running_mean"], call.weights["running_var"]
        rows = tuple((x - mean) / (variance + EPSILON) ** 0.5 for x in values)
    return [affine(call, x) for x in rows]


def layer_norm(call: Call) -> Value:
    """Statistics over the features of a row."""
    return [affine(call, normal(x, 1)) for x in flat(call)]


def rms_norm(call: Call) -> Value:
    """x over the root of the mean of its squares, over the features of a row."""
    epsilon = torch.finfo(torch.float64).eps
    return [affine(call, x / ((x**2).mean(1, keepdim=True) + epsilon) ** 0.5) for x in flat(call)]


def graph_norm(call: Call) -> Value:
    """Statistics over the nodes of a graph, of which only a learnt share of the mean is taken away."""
    result = []
    for x in flat(call):
        centred = x - call.weights["mean_scale"] * x.mean(0)
        result.append(affine(call, centred / ((centred**2).mean(0) + EPSILON) ** 0.5))
    return result


def dropout(call: Call) -> Value:
    """x itself; what chance decides has no reference."""
    if call.training and call.option("p"):
        raise ValueError("dropout in training has no reference value: evaluate with p = 0, or with training off")
    return call.operands[0]
