"""How many trainable numbers an architecture has, and where."""

from collections.abc import Mapping
from math import prod

from archspec.diagnostics import Diagnostic, SpecError
from archspec.ir.nodes import Program
from archspec.ir.ops import weights_of


def parameters(program: Program) -> Mapping[str, tuple[int, ...]]:
    """Shape of every trainable tensor, by its name in `state_dict`; buffers such as running means are none.

    Raises SpecError E0311 where a size is not known without a data set.
    """
    shapes = {
        f"{path}.{name}": weight.shape
        for path, section in program.sections()
        for node in section.nodes
        for name, weight in weights_of(node)
        if weight.trainable
    }
    if unknown := next((name for name, shape in shapes.items() if 0 in shape), ""):
        message = f"the shape of the weight {unknown} is not known without a data set"
        raise SpecError([Diagnostic("E0311", message, help="add a `data:` section, such as `data: {name: pattern}`")])
    return shapes


def count(program: Program) -> int:
    """Trainable numbers of the whole architecture. Raises SpecError as `parameters` does."""
    return sum(prod(shape) for shape in parameters(program).values())
