"""The trainable tensors of a program, by their names in `state_dict`."""

from archspec.ir.nodes import Program, full_name
from archspec.ir.ops import weights_of


def trainable(program: Program) -> dict[str, tuple[int, ...]]:
    """Shape of every trainable tensor, by its name in `state_dict`, with 0 for sizes that are not known."""
    return {
        full_name(path, name): weight.shape
        for path, section in program.sections()
        for node in section.nodes
        for name, weight in weights_of(node)
        if weight.trainable
    }
