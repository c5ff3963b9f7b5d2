"""Random weights for comparisons: nothing stays at a value, such as 0 or 1, at which an error could hide."""

from math import sqrt
from zlib import crc32

import torch
from torch import Tensor

from archspec.ir.nodes import Node, Program, full_name
from archspec.ir.ops import weights_of
from archspec.ir.weights import Weight
from archspec.reference.foreign import made


def initial_weights(program: Program, seed: int = 0, dtype: torch.dtype = torch.float64) -> dict[str, Tensor]:
    """Random tensors by their names in `state_dict`; each depends on its name, its shape and the seed alone."""
    found: dict[str, Tensor] = {}
    for path, section in program.sections():
        for node in section.nodes:
            for name, weight in weights_of(node):
                whole = full_name(path, name)
                found[whole] = draw(weight, crc32(f"{seed} {whole}".encode()), dtype)
            if node.op == "foreign":
                found |= of_module(full_name(path, node.path), node, seed, dtype)
    return found


def of_module(path: str, node: Node, seed: int, dtype: torch.dtype) -> dict[str, Tensor]:
    """Those of a module that archspec did not write; a buffer of other kind than the statistics of norms stays."""
    module = made(node)
    learnt = {name for name, _ in module.named_parameters(remove_duplicate=False)}
    found: dict[str, Tensor] = {}
    first: dict[int, str] = {}
    for name, tensor in module.state_dict().items():
        whole, last = f"{path}.{name}", name.rpartition(".")[2]
        if tensor.numel() and first.setdefault(tensor.data_ptr(), whole) != whole:
            found[whole] = found[first[tensor.data_ptr()]]  # one tensor under two names
            continue
        known = name in learnt or last in ("running_mean", "running_var", "num_batches_tracked")
        weight = Weight(last, tuple(tensor.shape), 1.0 if last == "running_var" else 0.0)
        found[whole] = draw(weight, crc32(f"{seed} {whole}".encode()), dtype) if known else tensor
    return found


CALM = 0.5
"""Keeps states small behind many layers of sums, so that no softmax saturates and rounding stays rounding."""


def draw(weight: Weight, seed: int, dtype: torch.dtype) -> Tensor:
    """One tensor: variances and averages positive, counts whole, scales around 1, the rest normal, small if many."""
    generator = torch.Generator().manual_seed(seed)
    if weight.name == "num_batches_tracked":
        return torch.tensor(7)
    if weight.name == "running_var" or weight.start != weight.start:  # NaN until the training set was seen
        return (torch.rand(weight.shape, generator=generator, dtype=torch.float64) + 0.5).to(dtype)
    noise = torch.randn(weight.shape, generator=generator, dtype=torch.float64)
    centre = 0.0 if isinstance(weight.start, str) else weight.start
    return (centre + CALM * noise / sqrt(weight.shape[-1] if len(weight.shape) > 1 else 2.0)).to(dtype)
