"""Random weights for comparisons: nothing stays at a value, such as 0 or 1, at which an error could hide."""

from math import sqrt
from zlib import crc32

import torch
from torch import Tensor

from archspec.ir.nodes import Program, full_name
from archspec.ir.ops import Weight, weights_of


def initial_weights(program: Program, seed: int = 0, dtype: torch.dtype = torch.float64) -> dict[str, Tensor]:
    """Random tensors by their names in `state_dict`; each depends on its name, its shape and the seed alone."""
    return {
        full_name(path, name): draw(weight, crc32(f"{seed} {full_name(path, name)}".encode()), dtype)
        for path, section in program.sections()
        for node in section.nodes
        for name, weight in weights_of(node)
    }


def draw(weight: Weight, seed: int, dtype: torch.dtype) -> Tensor:
    """One tensor: variances positive, counts whole, scales around 1, the rest normal and small where there are many."""
    generator = torch.Generator().manual_seed(seed)
    if weight.name == "num_batches_tracked":
        return torch.tensor(7)
    if weight.name == "running_var":
        return (torch.rand(weight.shape, generator=generator, dtype=torch.float64) + 0.5).to(dtype)
    noise = torch.randn(weight.shape, generator=generator, dtype=torch.float64)
    centre = 0.0 if isinstance(weight.start, str) else weight.start
    return (centre + noise / sqrt(weight.shape[-1] if len(weight.shape) > 1 else 2.0)).to(dtype)
