"""What a picture can say besides the equations: the axes of values beside their names, the shapes of weights in boxes.

It is handed in, since types and weights are made further down; `archspec.cost.details` collects it of a program.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod

from archspec.notation.apart import composes, resolved
from archspec.notation.diagram import Box, Diagram, Frame, Part, Read, Sum, spoken
from archspec.source import Span
from archspec.syntax import tree
from archspec.syntax.library import known_to
from archspec.syntax.spec import Spec


@dataclass(frozen=True)
class Weights:
    """The tensors of one operation: its path in its block, where it stands in the text, their shapes."""

    path: str
    span: Span
    shapes: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Details:
    """What is known of a block: axes and domains of its values by name (no domain for nodes), its weights in order."""

    axes: Mapping[str, str]
    domains: Mapping[str, str]
    weights: Sequence[Weights]


def detailed(diagram: Diagram, spec: Spec, details: Mapping[str, Sequence[Details]]) -> Diagram:
    """The picture with details in it, for each block one for every different instance in order."""
    left = {name: list(found) for name, found in details.items()}
    known = known_to(spec)
    return replace(diagram, frames=tuple(framed(one, diagram.states, left, known) for one in diagram.frames))


def framed(
    one: Frame, states: Sequence[str], left: Mapping[str, list[Details]], known: Mapping[str, tree.Definition]
) -> Frame:
    """A frame with its details; the last of a block serves frames that are one too many."""
    if one.frames:
        return replace(one, frames=tuple(framed(inner, states, left, known) for inner in one.frames))
    found = left.get(one.block)
    if not found:
        return one
    own = found.pop(0) if len(found) > 1 else found[0]
    boxes = [box for step in one.steps for box in within(step.part)]
    said = remarks(boxes, own, known)
    steps = tuple(
        replace(
            step,
            part=remarked(step.part, said),
            targets=tuple((key, label if key in states else f"{label} {own.axes.get(key, '')}".rstrip())
                          for key, label in step.targets),
        )
        for step in one.steps
    )  # fmt: skip
    told = (f"{spoken(state)} {own.axes[state]} {own.domains[state]}".strip() for state in states if state in own.axes)
    return replace(one, steps=steps, remark=", ".join(told))


def within(part: Part | None) -> list[Box]:
    """The boxes of a part in the order of the text."""
    if isinstance(part, Sum):
        return [box for term in part.terms for box in within(term)]
    return [*within(part.above), part] if isinstance(part, Box) else []


def remarked(part: Part, said: Mapping[int, tuple[str, ...]]) -> Part:
    """A part with remarks in its boxes."""
    if isinstance(part, Sum):
        return Sum(tuple(remarked(term, said) for term in part.terms))
    if isinstance(part, Read):
        return part
    return replace(part, above=remarked(part.above, said) if part.above else None, remarks=said[id(part)])


def remarks(boxes: Sequence[Box], own: Details, known: Mapping[str, tree.Definition]) -> dict[int, tuple[str, ...]]:
    """What is said in each box; boxes that call the same share out its weights in order."""
    found = {id(box): tuple(at for at, one in enumerate(own.weights) if belongs(one, box, known)) for box in boxes}
    said: dict[int, tuple[str, ...]] = {}
    for key, numbers in found.items():
        alike = [other for other, others in found.items() if others == numbers]
        share, rest = divmod(len(numbers), len(alike))
        start = alike.index(key) * share
        said[key] = () if rest else told([own.weights[at] for at in numbers[start : start + share]])
    return said


def belongs(one: Weights, box: Box, known: Mapping[str, tree.Definition]) -> bool:
    """Whether weights are made by what is in a box: a call that stands there, or a definition called there."""
    if one.span == box.span or any(inside(one.span, node.span) for node in box.made_of):
        return True
    names = (re.sub(r"_\d+$", "", name) for name in one.path.removeprefix("shared.").split("."))
    outer = next((name for name in names if name not in known or not composes(known[name], known)), "")
    return outer in called(box.made_of, known)


def called(made_of: object, known: Mapping[str, tree.Definition]) -> set[str]:
    """The definitions that something calls, also by another name, and the values that those read in turn."""
    names = {node.id for node in tree.walk(made_of) if isinstance(node, tree.Name) and node.id in known}
    others = (resolved(tree.Name(known[name].span, name), known) for name in names)
    needed, left = set[str](), set(names)
    while left:
        needed |= left
        bodies = tuple(known[name].body for name in left)
        left = {node.id for node in tree.walk(bodies) if isinstance(node, tree.Name) and node.id in known} - needed
    values = {name for name in needed if known[name].heading.parameters is None}
    return names | values | {one.heading.name for one in others if one is not None}


def inside(inner: Span, outer: Span) -> bool:
    """Whether a place lies within another."""
    return inner.source == outer.source and outer.start <= inner.start and inner.end <= outer.end


MOST = 3
"""Shapes that are written out."""


def told(weights: Sequence[Weights]) -> tuple[str, ...]:
    """Shapes, weight + bias of an operation in a line, and how many numbers that is where there are several."""
    lines = Counter(" + ".join(shaped(shape) for shape in one.shapes) for one in weights)
    shown = [line if times == 1 else f"{line} ({times} times)" for line, times in lines.items()]
    more = [f"and {len(shown) - MOST} more"] if len(shown) > MOST else []
    total = sum(prod(shape) for one in weights for shape in one.shapes)
    sum_of = [f"{total:,} in all"] if len(weights) > 1 and total else []
    return (*shown[:MOST], *more, *sum_of)


def shaped(shape: tuple[int, ...]) -> str:
    """`64×32`; an unknown size is a question mark, a scalar 1."""
    return "×".join(str(size or "?") for size in shape) or "1"
