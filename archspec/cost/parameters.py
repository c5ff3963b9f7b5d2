"""How many trainable numbers an architecture has, and where."""

from collections.abc import Mapping
from math import prod

from archspec.diagnostics import Diagnostic, SpecError
from archspec.ir.nodes import Program
from archspec.ir.settings import frozen
from archspec.ir.trainable import trainable


def parameters(program: Program) -> Mapping[str, tuple[int, ...]]:
    """Shape of every trainable tensor, by its name in `state_dict`; buffers such as running means are none.

    Raises SpecError E0311 where a size is not known without a data set.
    """
    shapes = trainable(program)
    if unknown := next((name for name, shape in shapes.items() if 0 in shape), ""):
        message = f"the shape of the weight {unknown} is not known without a data set"
        raise SpecError([Diagnostic("E0311", message, help="add a `data:` section, such as `data: {name: pattern}`")])
    return shapes


def uncounted(program: Program) -> str:
    """` + weights of pyg(GATConv), counted when built`; "" where all weights are known."""
    nodes = (node for _, section in program.sections() for node in section.nodes if node.op == "foreign")
    names = dict.fromkeys(f"{node['kind']}({node['target']})" for node in nodes)
    return f" + weights of {', '.join(names)}, counted when built" if names else ""


def count_frozen(program: Program) -> int:
    """Numbers that do not train at first. Raises SpecError as `parameters` does."""
    shapes = parameters(program)
    return sum(prod(shapes[name]) for name in frozen(program.settings))


def count(program: Program) -> int:
    """Trainable numbers of the whole architecture. Raises SpecError as `parameters` does."""
    return sum(prod(shape) for shape in parameters(program).values())
