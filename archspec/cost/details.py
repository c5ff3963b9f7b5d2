"""What a picture of a spec says besides its equations, collected of its program."""

from collections.abc import Iterator, Mapping, Sequence

from archspec.ir.nodes import Node, Program, Section
from archspec.ir.ops import weights_of
from archspec.ir.types import NODE, Type
from archspec.notation.details import Details, Weights


def details(program: Program) -> Mapping[str, Sequence[Details]]:
    """The axes of values and the weights of every block by its name, for every different instance in order."""
    found: dict[str, dict[int, Section]] = {}
    for _, section in program.sections():
        found.setdefault(section.title, {}).setdefault(id(section), section)
    return {title: [of(one) for one in sections.values()] for title, sections in found.items()}


def of(section: Section) -> Details:
    """Those of a section."""
    types = dict(named(section))
    axes = {name: f"({', '.join(map(str, type.axes))})" if type.axes else "scalar" for name, type in types.items()}
    domains = {name: "" if type.domain == NODE else str(type.domain) for name, type in types.items()}
    return Details(axes, domains, list(weights(section)))


def named(section: Section) -> Iterator[tuple[str, Type]]:
    """The types of values that have a name, where all of that name have the same; of states as they leave."""
    types: dict[str, set[Type]] = {}
    for node in section.nodes:
        if node.name:
            types.setdefault(node.name, set()).add(node.type)
    yield from ((name, found.pop()) for name, found in types.items() if len(found) == 1)
    yield from ((name, node.type) for name, node in section.results if name)


def weights(section: Section) -> Iterator[Weights]:
    """The trainable tensors of every operation that has some, in the order of their names' places in the text."""
    for node in sorted(section.nodes, key=place):
        shapes = tuple(weight.shape for _, weight in weights_of(node) if weight.trainable)
        if shapes:
            yield Weights(node.path, node.span, shapes)


def place(node: Node) -> tuple[tuple[str, int], ...]:
    """A sorting key: `linear` before `linear_2` before `linear_10`."""
    parts = (part.rpartition("_") for part in node.path.split("."))
    return tuple((stem, int(end)) if end.isdigit() else (f"{stem}_{end}" if stem else end, 1) for stem, _, end in parts)
