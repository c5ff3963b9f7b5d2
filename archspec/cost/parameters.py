"""How many trainable numbers an architecture has, and where."""

from collections.abc import Mapping
from math import prod

from archspec.ir.nodes import Program
from archspec.ir.ops import weights_of


def parameters(program: Program) -> Mapping[str, tuple[int, ...]]:
    """Shape of every trainable tensor, by its name in `state_dict`; buffers such as running means are none."""
    return {
        f"{path}.{name}": weight.shape
        for path, section in program.sections()
        for node in section.nodes
        for name, weight in weights_of(node)
        if weight.trainable
    }


def count(program: Program) -> int:
    """Trainable numbers of the whole architecture."""
    return sum(prod(shape) for shape in parameters(program).values())
