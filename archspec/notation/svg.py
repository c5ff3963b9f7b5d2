"""A picture of a spec as SVG: one file with its colours, for light and for dark pages, which nothing has to lay out."""

from collections.abc import Callable, Sequence
from html import escape

from archspec.notation.diagram import Diagram
from archspec.notation.lanes import laid_out
from archspec.notation.layout import LINE, RADIUS, SMALL, Shape

STYLE = """
.archspec-diagram { --paper: #ffffff; --ink: #1c1f24; --quiet: #667080; --frame: #f4f6f8; --line: #d3d9e0;
  --box: #ffffff; --edge: #8793a1; --way: #667080;
  --c0: #1f6fb2; --c1: #c2500a; --c2: #16803c; --c3: #a03a86; --c4: #8a6d00; --c5: #0f7c86 }
@media (prefers-color-scheme: dark) { .archspec-diagram { --paper: #15181d; --ink: #e4e7eb; --quiet: #a2abb6;
  --frame: #1d2229; --line: #39424d; --box: #262d36; --edge: #6b7785; --way: #a2abb6;
  --c0: #6fb3ee; --c1: #f2995a; --c2: #6fce8d; --c3: #e39ad0; --c4: #d9be5a; --c5: #63c9d3 } }
.archspec-diagram text { font: 13px "Helvetica Neue", Helvetica, Arial, "DejaVu Sans", sans-serif; fill: var(--ink) }
.archspec-diagram .paper { fill: var(--paper) }
.archspec-diagram .frame { fill: var(--frame); stroke: var(--line) }
.archspec-diagram .box { fill: var(--box); stroke: var(--edge) }
.archspec-diagram .way { fill: none; stroke: var(--c, var(--way)); stroke-width: 1.3 }
.archspec-diagram .around { stroke-width: 2.2 }
.archspec-diagram .lane { fill: none; stroke: var(--c, var(--way)); stroke-width: 3; stroke-linecap: round }
.archspec-diagram .local { stroke-width: 1.3 }
.archspec-diagram .head, .archspec-diagram .dot { fill: var(--c, var(--way)) }
.archspec-diagram .plus { fill: var(--box); stroke: var(--c, var(--way)); stroke-width: 1.6 }
.archspec-diagram .chip { fill: var(--c, var(--way)) }
.archspec-diagram .chipped { fill: var(--paper); font-weight: 600; text-anchor: middle }
.archspec-diagram .middle { text-anchor: middle }
.archspec-diagram .remark { text-anchor: middle; font-size: 11px; fill: var(--quiet) }
.archspec-diagram .aside { text-anchor: end; font-size: 12px; fill: var(--quiet) }
.archspec-diagram .title { font-weight: 600 } .archspec-diagram .times { fill: var(--c1) }
.archspec-diagram .label { fill: var(--quiet); font-style: italic; font-size: 12px; paint-order: stroke;
  stroke: var(--frame); stroke-width: 4px; stroke-linejoin: round }
.archspec-diagram .note { fill: var(--quiet); font-size: 12px }
"""

COLOURS = 6
"""States that have a colour of their own."""


def svg(diagram: Diagram) -> str:
    """The picture as an `svg` element."""
    sheet = laid_out(diagram)
    order = sorted(sheet.shapes, key=lambda one: DEPTH.index(one.kind))
    body = "\n".join(WRITTEN[one.kind](one, colour(one.value, diagram.states)) for one in order)
    width, height = number(sheet.width), number(sheet.y)
    head = '<svg xmlns="http://www.w3.org/2000/svg" class="archspec-diagram" role="img"'
    size = f'width="{width}" height="{height}"'
    return (
        f'{head} aria-label="{escape(diagram.told)}" {size} viewBox="0 0 {width} {height}">\n<style>{STYLE}</style>\n'
        f'<rect class="paper" {size}/>\n{body}\n</svg>\n'
    )


def colour(value: str, states: Sequence[str]) -> str:
    """The colour of a state, as an attribute; other values have none."""
    return f' style="--c: var(--c{states.index(value) % COLOURS})"' if value in states else ""


def number(value: float) -> str:
    """A length, as short as it is."""
    return f"{round(value, 1):g}"


def path(points: Sequence[tuple[float, float]]) -> str:
    """A way along points, its corners rounded."""
    made = [f"M{number(points[0][0])} {number(points[0][1])}"]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        start, end = near(corner, before), near(corner, after)
        made.append(f"L{' '.join(map(number, start))}Q{' '.join(map(number, (*corner, *end)))}")
    return "".join([*made, f"L{' '.join(map(number, points[-1]))}"])


def near(corner: tuple[float, float], other: tuple[float, float], reach: float = 5) -> tuple[float, float]:
    """The place on the way from a corner to another where its rounding ends."""
    x, y = other[0] - corner[0], other[1] - corner[1]
    length = max((x * x + y * y) ** 0.5, 1e-9)
    part = min(reach, length / 2) / length
    return corner[0] + x * part, corner[1] + y * part


def way(one: Shape, colour: str, kind: str = "way") -> str:
    """A line along points."""
    return f'<path class="{kind}"{colour} d="{path(one.points)}"/>'


def arrow(one: Shape, colour: str) -> str:
    """A line with a head."""
    (x, y), (a, b) = one.points[-1], one.points[-2]
    length = max(abs(x - a) + abs(y - b), 1e-9)
    u, v = (x - a) / length, (y - b) / length
    base = (x - 7 * u, y - 7 * v)
    ends = ((base[0] - 3.5 * v, base[1] + 3.5 * u), (base[0] + 3.5 * v, base[1] - 3.5 * u))
    head = "L".join(f"{number(p)} {number(q)}" for p, q in ((x, y), *ends))
    line = way(Shape("way", (*one.points[:-1], base)), colour, "way around" if one.kind == "around" else "way")
    return f'{line}<path class="head"{colour} d="M{head}Z"/>'


def rectangle(one: Shape, kind: str, radius: int) -> str:
    """A rectangle between two points."""
    (x, y), (a, b) = one.points
    size = f'width="{number(a - x)}" height="{number(b - y)}"'
    return f'<rect class="{kind}" x="{number(x)}" y="{number(y)}" {size} rx="{radius}"/>'


def words(x: float, y: float, said: str, kind: str, extra: str = "") -> str:
    """A line of text."""
    return f'<text x="{number(x)}" y="{number(y)}" class="{kind}"{extra}>{escape(said, quote=False)}</text>'


def box(one: Shape, colour: str) -> str:
    """A box with its lines."""
    (x, y), (a, _) = one.points
    lines = [words((x + a) / 2, y + 18 + LINE * at, line, "middle") for at, line in enumerate(one.lines)]
    below = y + 15 + LINE * len(one.lines)
    lines += [words((x + a) / 2, below + SMALL * at, line, "remark") for at, line in enumerate(one.remarks)]
    return rectangle(one, "box", 5) + "".join(lines)


def chip(one: Shape, colour: str) -> str:
    """The name of a value on its lane."""
    x, y = one.points[0]
    width = max(20, 8 * len(one.lines[0]) + 8)
    place = f'x="{number(x - width / 2)}" y="{number(y - 10)}" width="{width}" height="20" rx="10"'
    return f'<rect class="chip"{colour} {place}/>' + words(x, y + 4.5, one.lines[0], "chipped")


def plus(one: Shape, colour: str) -> str:
    """A ⊕."""
    x, y = one.points[0]
    cross = f"M{number(x - 4)} {number(y)}h8M{number(x)} {number(y - 4)}v8"
    return f'{circle(one, colour, "plus", RADIUS)}<path class="way"{colour} d="{cross}"/>'


def circle(one: Shape, colour: str, kind: str, radius: float) -> str:
    """A circle around a point."""
    x, y = one.points[0]
    return f'<circle class="{kind}"{colour} cx="{number(x)}" cy="{number(y)}" r="{radius}"/>'


def title(one: Shape, colour: str) -> str:
    """The title of a frame: how often it is passed, its name."""
    x, y = one.points[0]
    times, name = (escape(text, quote=False) for text in one.lines)
    often = f'<tspan class="times">{times} </tspan>' if times else ""
    return f'<text x="{number(x)}" y="{number(y)}" class="title">{often}{name}</text>'


def lane(one: Shape, colour: str) -> str:
    """The lane of a value."""
    return way(one, colour, "lane" if colour else "lane local")


WRITTEN: dict[str, Callable[[Shape, str], str]] = {
    "frame": lambda one, colour: rectangle(one, "frame", 9),
    "lane": lane,
    "way": way,
    "arrow": arrow,
    "around": arrow,
    "dot": lambda one, colour: circle(one, colour, "dot", 3.2),
    "plus": plus,
    "box": box,
    "chip": chip,
    "title": title,
    "aside": lambda one, colour: words(*one.points[0], one.lines[0], "aside"),
    "label": lambda one, colour: words(*one.points[0], one.lines[0], "label"),
    "note": lambda one, colour: words(*one.points[0], one.lines[0], "note", ' xml:space="preserve"'),
}
"""How every kind of shape is written; what comes later lies above."""

DEPTH = list(WRITTEN)
