"""The weights of operations: the tensors each has, their shapes and what they begin with."""

from dataclasses import dataclass
from math import nan
from typing import Literal, cast

from archspec.ir.nodes import Node
from archspec.ir.types import Type


@dataclass(frozen=True)
class Weight:
    """One tensor of a node: its name below the node's path ("" is the path itself), shape and initial values.

    `start` is a number, or a distribution: `fan_in` is uniform in ±1/√(inputs), `normal` is standard normal.
    """

    name: str
    shape: tuple[int, ...]
    start: float | Literal["fan_in", "normal"]
    trainable: bool = True


def no_weights(node: Node) -> tuple[Weight, ...]:
    """Weights of an operation without any."""
    return ()


def width(type: Type) -> int:
    """Entries of all feature axes together; 1 for a scalar."""
    product = 1
    for axis in type.axes:
        product *= axis.size if axis.size is not None else 0
    return product


def sizes(type: Type) -> tuple[int, ...]:
    """Sizes of the feature axes, 0 where unknown."""
    return tuple(axis.size or 0 for axis in type.axes)


def linear_weights(node: Node) -> tuple[Weight, ...]:
    """Weight [outputs, inputs] and, unless `bias = false`, bias [outputs], as torch.nn.Linear starts them."""
    inputs, outputs = width(node.operands[0].type), width(node.type)
    bias = (Weight("bias", (outputs,), "fan_in"),) if node["bias"] else ()
    return (Weight("weight", (outputs, inputs), "fan_in"), *bias)


def columns(node: Node) -> tuple[int, int]:
    """The columns of the weight that a part of a linear map has: from the first up to but not including the second."""
    return cast(tuple[int, int], node["columns"])


def part_weights(node: Node) -> tuple[Weight, ...]:
    """Those of the whole linear map, which its parts share."""
    inputs, outputs = node["inputs"], width(node.type)
    bias = (Weight("bias", (outputs,), "fan_in"),) if node["bias"] else ()
    return (Weight("weight", (outputs, inputs), "fan_in"), *bias)  # type: ignore[arg-type]


def embed_weights(node: Node) -> tuple[Weight, ...]:
    """One row [features] per category."""
    return (Weight("weight", (int(node["size"] or 0), width(node.type)), "normal"),)  # type: ignore[call-overload]


def parameter_weights(node: Node) -> tuple[Weight, ...]:
    """The tensor itself."""
    return (Weight("", sizes(node.type), node["init"]),)  # type: ignore[arg-type]


def affine(node: Node) -> tuple[Weight, ...]:
    """Scale and shift per feature."""
    features = width(node.type)
    return (Weight("weight", (features,), 1.0), Weight("bias", (features,), 0.0))


def batch_norm_weights(node: Node) -> tuple[Weight, ...]:
    """Scale and shift, and the running statistics as buffers."""
    features = width(node.type)
    running = (Weight("running_mean", (features,), 0.0, False), Weight("running_var", (features,), 1.0, False))
    return (*affine(node), *running, Weight("num_batches_tracked", (), 0.0, False))


def rms_norm_weights(node: Node) -> tuple[Weight, ...]:
    """Scale per feature."""
    return affine(node)[:1]


def graph_norm_weights(node: Node) -> tuple[Weight, ...]:
    """Scale, shift and the learnt share of the mean that is taken away."""
    return (*affine(node), Weight("mean_scale", (width(node.type),), 1.0))


def average_weights(node: Node) -> tuple[Weight, ...]:
    """The mean, a buffer; NaN until the training set was seen."""
    return (Weight("mean", sizes(node.type), nan, False),)
