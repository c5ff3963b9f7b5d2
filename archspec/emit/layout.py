"""How values lie in tensors: [*axes] for constants, [nodes, *axes], [pairs, *axes]; text that aligns them.

Axes meet by name, so an operand gets the result's axes in the result's order, with 1 where it has none.
"""

from collections.abc import Sequence

from archspec.diagnostics import Diagnostic, SpecError
from archspec.ir.nodes import Node, is_shared
from archspec.ir.types import Axis, Type, places


def weight(node: Node) -> str:
    """Where a section finds the module or parameter of a node: its own, or what the model shares."""
    return node.path if is_shared(node.path) else f"self.{node.path}"


def lead(type: Type) -> int:
    """Dimensions before the feature axes."""
    return 0 if type.domain.kind == "constant" else 1


def aligned(text: str, type: Type, target: Sequence[Axis]) -> str:
    """The text of a value, reordered and given dimensions of size 1 so that it broadcasts to the target's axes."""
    at, rows = [place for place in places(type.axes, target) if place is not None], lead(type)
    order = sorted(range(len(at)), key=at.__getitem__)
    if order != list(range(len(at))):
        text = f"{text}.permute({', '.join(map(str, [*range(rows), *(rows + index for index in order)]))})"
    kept = [index in at for index in range(len(target))]
    if rows == 0:
        kept = kept[kept.index(True) :] if True in kept else []
    if all(kept):
        return text
    if kept == [True] * (len(kept) - 1) + [False] and (rows or len(kept) > 1):
        return widened(text)
    marks = [":"] * rows + [":" if keep else "None" for keep in kept]
    return f"{text}[{', '.join(marks)}]"


def sizes(axes: Sequence[Axis]) -> list[int]:
    """Sizes of axes; an unknown one cannot be emitted."""
    known = [axis.size for axis in axes if axis.size is not None]
    if len(known) != len(axes):
        unknown = next(axis.name for axis in axes if axis.size is None)
        message = f"the size {unknown} is not known without a data set"
        raise SpecError([Diagnostic("E0311", message, help="add a `data:` section, such as `data: {name: pattern}`")])
    return known


def flattened(text: str, type: Type) -> str:
    """All feature axes as one last dimension."""
    if len(type.axes) == 1:
        return text
    return f"{text}.flatten({lead(type)})" if type.axes else widened(text)


def widened(text: str) -> str:
    """A scalar with a last dimension of 1; one that `unflattened` has just taken away is kept."""
    return text.removesuffix(".squeeze(-1)") if text.endswith(").squeeze(-1)") else f"{text}.unsqueeze(-1)"


def unflattened(text: str, axes: Sequence[Axis]) -> str:
    """One last dimension as the feature axes."""
    if len(axes) == 1:
        return text
    return f"{text}.unflatten(-1, ({', '.join(map(str, sizes(axes)))}))" if axes else f"{text}.squeeze(-1)"
