"""Where a part of a picture stands: laid out from the inside, values come in at its top. Units are pixels."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from archspec.notation.diagram import Box, Part, Read, Sum

LINE, SMALL, PAD, ARROW, ROW, TRACK, RADIUS = 17, 14, 9, 14, 9, 15, 8
"""Height of a line of text, of a remark, around it in a box, before a box, between rows of ways, between ways; of ⊕."""

LONGEST = 330
"""Width of a line in a box."""


@dataclass(frozen=True)
class Shape:
    """Something to draw: what it is, its points, and its text or the value whose colour it has."""

    kind: str
    points: tuple[tuple[float, float], ...]
    value: str = ""
    lines: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    def moved(self, x: float, y: float) -> "Shape":
        """The same elsewhere."""
        return replace(self, points=tuple((one + x, other + y) for one, other in self.points))


@dataclass(frozen=True)
class Block:
    """A part laid out, its top left corner at (0, 0)."""

    width: float
    height: float
    out: float
    """Where what it makes leaves it at the bottom."""
    ports: tuple[tuple[str, float], ...] = ()
    """Where values come in at the top."""
    shapes: tuple[Shape, ...] = ()

    def moved(self, x: float, y: float) -> tuple[Shape, ...]:
        """Its shapes, elsewhere."""
        return tuple(one.moved(x, y) for one in self.shapes)

    def shifted(self, x: float) -> tuple[tuple[str, float], ...]:
        """Its ports, to the right."""
        return tuple((value, at + x) for value, at in self.ports)


def block(part: Part) -> Block:
    """A part laid out."""
    if isinstance(part, Read):
        return Block(TRACK, 0, TRACK / 2, ((part.name, TRACK / 2),))
    return added(part) if isinstance(part, Sum) else boxed(part) if part.above is not None else leaf(part)


def leaf(box: Box) -> Block:
    """A box whose values come in at its top."""
    lines = wrapped(box.label)
    width = max(broad(box, lines), TRACK * (len(box.reads) + 1))
    ports = tuple((one, width * (at + 1) / (len(box.reads) + 1)) for at, one in enumerate(box.reads))
    ways = tuple(Shape("arrow", ((x, 0), (x, ARROW)), one) for one, x in ports)
    top = ARROW if ports else 0
    height = top + tall(lines, box.remarks)
    drawn = Shape("box", ((0, top), (width, height)), "", lines, box.remarks)
    return Block(width, height, width / 2, ports, (*ways, drawn))


def boxed(box: Box) -> Block:
    """A box below a part; further values go around that and come in from the left."""
    assert box.above is not None
    inner, lines = block(box.above), wrapped(box.label)
    wide_enough = broad(box, lines)
    left = TRACK * len(box.reads)
    middle = left + max(inner.out, wide_enough / 2)
    width = middle + max(inner.width - inner.out, wide_enough / 2)
    top, height = inner.height + ARROW, inner.height + ARROW + tall(lines, box.remarks)
    start = middle - wide_enough / 2
    shapes = [*inner.moved(middle - inner.out, 0), Shape("arrow", ((middle, inner.height), (middle, top)))]
    shapes.append(Shape("box", ((start, top), (start + wide_enough, height)), "", lines, box.remarks))
    ports = list(inner.shifted(middle - inner.out))
    for at, one in enumerate(box.reads):
        x, y = TRACK * (at + 0.5), top + (height - top) * (at + 1) / (len(box.reads) + 1)
        shapes.append(Shape("arrow", ((x, 0), (x, y), (start, y)), one))
        ports.append((one, x))
    return Block(width, height, middle, tuple(ports), tuple(shapes))


def added(sum: Sum) -> Block:
    """Terms side by side, values that go around first, above a ⊕."""
    terms = sorted(sum.terms, key=lambda one: not isinstance(one, Read))
    blocks = [block(one) for one in terms]
    starts = [0.0]
    for one in blocks[:-1]:
        starts.append(starts[-1] + one.width + (0 if one.height == 0 else TRACK))
    outs = [start + one.out for start, one in zip(starts, blocks, strict=True)]
    inner = [out for out, one in zip(outs, blocks, strict=True) if one.height] or outs
    middle = inner[len(inner) // 2] if len(inner) % 2 else (inner[len(inner) // 2 - 1] + inner[len(inner) // 2]) / 2
    deepest = max(one.height for one in blocks)
    y = deepest + ARROW + RADIUS
    shapes: list[Shape] = []
    for term, one, start, out in zip(terms, blocks, starts, outs, strict=True):
        value = term.name if isinstance(term, Read) else ""
        shapes += one.moved(start, 0)
        edge = (middle, y - RADIUS) if out == middle else (middle - RADIUS if out < middle else middle + RADIUS, y)
        bend = () if out == middle else ((out, y),)
        shapes.append(Shape("around" if value else "arrow", ((out, one.height), *bend, edge), value))
    shapes.append(Shape("plus", ((middle, y),)))
    ports = tuple(port for one, start in zip(blocks, starts, strict=True) for port in one.shifted(start))
    return Block(starts[-1] + blocks[-1].width, y + RADIUS, middle, ports, tuple(shapes))


def wrapped(label: str, width: float = LONGEST) -> tuple[str, ...]:
    """A label in lines, broken at blanks."""
    lines = [""]
    for word in label.split(" "):
        longer = f"{lines[-1]} {word}".lstrip()
        if lines[-1] and wide([longer]) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return tuple(lines)


def tall(lines: Sequence[str], remarks: Sequence[str]) -> float:
    """The height of a box."""
    return LINE * len(lines) + SMALL * len(remarks) + 10


def broad(box: Box, lines: Sequence[str]) -> float:
    """The width of a box."""
    return max(wide(lines), wide(box.remarks or [""]) * SMALL / LINE) + 2 * PAD


def wide(lines: Sequence[str]) -> float:
    """How wide lines are in DejaVu Sans of 13 pixels, about; the usual sans serifs are a little narrower."""
    return max(sum(WIDTHS.get(letter, 8.0) for letter in line) for line in lines)


WIDTHS = {
    **dict.fromkeys("ijlI.,:;|'·ᵢⱼ", 3.9), **dict.fromkeys(" ftr()[]{}/-√", 5.0), **dict.fromkeys("mwMW@", 12.0),
    **dict.fromkeys("ACDGHKNOQRUVXY→=+−<>≤≥×∈↦∑…", 10.3), **dict.fromkeys("ₐₑₕₖₗₘₙₒₚᵣₛₜᵤᵥₓ₀₁₂₃₄₅₆₇₈₉²", 5.5),
}  # fmt: skip
"""Widths of letters that differ from the usual."""
