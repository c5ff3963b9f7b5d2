"""Where everything of a picture stands: steps below each other, to the right of the lanes of their values.

A value comes to a step on a row of its own, from its lane to the right, then down; what the step makes goes down, then
left to its lane. So no way passes through a box. States keep their lane from the first frame to the last; other values
share lanes behind those, each from where it is made to where it is last read.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from archspec.notation.diagram import Diagram, Frame, Read, Step, flat, inputs, reads, spoken
from archspec.notation.layout import RADIUS, ROW, Shape, block, wide, wrapped

PITCH, MARGIN, TITLE, GAP, BELOW = 34, 14, 34, 20, 15
"""Between lanes, around frames, height of a title, between frames and steps, between values of one step."""


@dataclass
class Sheet:
    """A picture in the making."""

    states: tuple[str, ...]
    first: float
    """Where boxes begin."""
    axis: float
    """Where what steps make leaves them, so that they stand below each other."""
    width: float
    y: float = MARGIN
    shapes: list[Shape] = field(default_factory=list)
    begun: dict[str, float] = field(default_factory=dict)
    """Where the lanes of values begin that are there."""
    read: dict[str, float] = field(default_factory=dict)
    """Where each was last read."""
    columns: dict[str, int] = field(default_factory=dict)

    def lane(self, value: str) -> float:
        """Where the lane of a value is."""
        at = self.states.index(value) if value in self.states else len(self.states) + self.columns[value]
        return MARGIN + PITCH * (at + 0.75)

    def draw(self, kind: str, *points: tuple[float, float], value: str = "", lines: tuple[str, ...] = ()) -> None:
        """A shape."""
        self.shapes.append(Shape(kind, points, value, lines))

    def end(self, value: str, y: float) -> None:
        """A lane that ends."""
        x = self.lane(value)
        self.draw("lane", (x, self.begun.pop(value)), (x, y), value=value)

    def frame(self, one: Frame, later: frozenset[str], depth: int = 0) -> None:
        """A frame with what is in it; `later` are the values that are still read below it."""
        top, edge = self.y, MARGIN / 2 + depth * 4
        at = len(self.shapes)
        self.draw("title", (self.first, top + 21), lines=(one.times, one.title))
        if one.remark:
            self.draw("aside", (self.width - edge - 8, top + 21), lines=(one.remark,))
        self.columns = allotted(one, self.states)
        if not one.frames:
            for value in (*self.begun, *(read for read in inputs(one) if read not in self.begun)):
                self.begun.setdefault(value, top + 17)
                self.draw("chip", (self.lane(value), top + 17), value=value, lines=(spoken(value),))
        self.y += TITLE
        for inner in one.frames:
            self.frame(inner, later, depth + 1)
        for number, step in enumerate(one.steps):
            self.step(step)
            left = frozenset(value for rest in one.steps[number + 1 :] for value in reads(rest.part))
            for value in [name for name in self.begun if name not in {*left, *self.states}]:
                self.end(value, self.read.get(value, self.y))
        bottom = self.y
        for value in [name for name in self.begun if name not in later or name not in self.states]:
            self.end(value, max(self.read.get(value, bottom), bottom if later else 0))
        self.shapes.insert(at, Shape("frame", ((edge, top), (self.width - edge, bottom))))
        self.y = bottom + GAP

    def step(self, one: Step) -> None:
        """A step: the ways to it, its part, the way to its lanes."""
        if isinstance(one.part, Read) and one.targets:
            self.copy(one.part.name, *one.targets[0], one.adds)
            return
        laid = block(one.part)
        left = self.axis - laid.out
        self.ways(laid.shifted(left))
        self.shapes += laid.moved(left, self.y)
        self.y += laid.height
        last = len(one.targets) - 1
        for at, (value, label) in enumerate(one.targets):
            out, y = self.axis + (at - last / 2) * 1.5 * ROW, self.y + ROW + BELOW * (last - at)
            self.write(value, label, out, y, one.adds)
        if not one.targets:
            self.draw("arrow", (self.axis, self.y), (self.axis, self.y + GAP + ROW))
        self.y += ROW + BELOW * max(last, 0) + GAP

    def copy(self, read: str, value: str, label: str, adds: bool) -> None:
        """A value as it is, straight from its lane to another."""
        self.draw("dot", (self.lane(read), self.y + ROW), value=read)
        self.read[read] = self.y + ROW
        self.y += ROW
        self.write(value, label, self.lane(read), self.y, adds)
        self.y += GAP

    def ways(self, ports: Sequence[tuple[str, float]]) -> None:
        """The ways from lanes to what reads them, the furthest first, so that few cross."""
        furthest = {value: max(x for name, x in ports if name == value) for value, _ in ports}
        bottom = self.y + ROW * len(furthest)
        for at, value in enumerate(sorted(furthest, key=lambda one: -furthest[one])):
            y, x = self.y + ROW * at, self.lane(value)
            places = sorted(port for name, port in ports if name == value)
            self.draw("dot", (x, y), value=value)
            for place in places:
                self.draw("way", (x, y), (place, y), (place, bottom), value=value)
            for place in places[:-1]:
                self.draw("dot", (place, y), value=value)
            self.read[value] = y
        self.y = bottom

    def write(self, value: str, label: str, out: float, y: float, adds: bool) -> None:
        """The way from a part to a lane: a lane that begins there, or a ⊕ on one that goes on."""
        x = self.lane(value)
        start = ((out, self.y),) if self.y < y else ()
        if adds:
            ahead = x + RADIUS if out > x else x - RADIUS
            self.draw("arrow", *start, (out, y), (ahead, y), value=value)
            self.draw("plus", (x, y), value=value)
            self.read[value] = y
            return
        if value in self.begun:
            self.end(value, self.read.get(value, y))
        self.draw("way", *start, (out, y), (x, y), (x, y + ROW), value=value)
        if value not in self.states:
            self.draw("label", (x + 7, y - 4), value=value, lines=(label,))
        self.begun[value] = y + ROW
        self.read.pop(value, None)


def laid_out(diagram: Diagram) -> Sheet:
    """Everything of a picture, in its place."""
    inner = [one for frame in diagram.frames for one in flat(frame)]
    columns = max((max(allotted(one, diagram.states).values(), default=-1) + 1 for one in inner), default=0)
    first = MARGIN + PITCH * (len(diagram.states) + columns + 0.4)
    blocks = [block(step.part) for one in inner for step in one.steps]
    axis = first + max((one.out for one in blocks), default=0)
    right = max((axis + one.width - one.out for one in blocks), default=first)
    titles = [wide([f"{one.times} {one.title}   {one.remark}"]) for one in inner]
    noted = min(max((wide([one]) for one in diagram.notes), default=0) + MARGIN, NOTES)
    sheet = Sheet(diagram.states, first, axis, max(right, first + max(titles), noted) + 2 * MARGIN)
    for at, frame in enumerate(diagram.frames):
        rest = (one for later in diagram.frames[at + 1 :] for one in flat(later))
        sheet.frame(frame, frozenset(value for one in rest for value in inputs(one)))
    write_notes(sheet, diagram.notes)
    return sheet


NOTES = 440
"""The least width of definitions before their lines are broken."""


def write_notes(sheet: Sheet, notes: Sequence[str]) -> None:
    """The definitions, below the frames."""
    for note in notes:
        indent = len(note) - len(note.lstrip())
        for at, line in enumerate(wrapped(note.strip(), sheet.width - 3 * MARGIN - indent * 4)):
            sheet.draw("note", (MARGIN + indent * 4 + (20 if at else 0), sheet.y + 6), lines=(line,))
            sheet.y += 18


def allotted(frame: Frame, states: Sequence[str]) -> dict[str, int]:
    """The lanes of values of a frame that are no states; two share one where the first is no longer read."""
    made: dict[str, int] = {value: -1 for value in inputs(frame)}
    last: dict[str, int] = {}
    for at, step in enumerate(frame.steps):
        last |= {value: at for value in reads(step.part)}
        for name, _ in step.targets:
            made.setdefault(name, at)
    lanes: dict[str, int] = {}
    for name in sorted((name for name in made if name not in states), key=lambda one: made[one]):
        busy = {
            lane
            for other, lane in lanes.items()
            if last.get(other, made[other]) > made[name] or made[other] == made[name]
        }
        lanes[name] = next(lane for lane in range(len(busy) + 1) if lane not in busy)
    return lanes
