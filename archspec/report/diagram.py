"""A spec as boxes in order: input, the stages of the stack with their repeats, output."""

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from markupsafe import Markup

from archspec.syntax import tree
from archspec.syntax.printer import print_body, print_expression, print_stack
from archspec.syntax.spec import Spec

WIDTH, LINE, PAD, GAP, CHARACTER = 640, 18, 12, 26, 7.3
LONGEST = int((WIDTH - 4 * PAD) / CHARACTER)
"""Characters of a line that fit into a box."""


@dataclass(frozen=True)
class Box:
    """A stage: its name, its lines, how often it is repeated."""

    title: str
    lines: tuple[str, ...]
    times: str = ""

    @property
    def height(self) -> int:
        """In pixels."""
        return 2 * PAD + LINE * (1 + len(self.lines))


def diagram(spec: Spec) -> Markup:
    """The picture, in the page's own colours."""
    boxes = [Box("input", body(spec.input)), *stages(spec.stack, spec, ""), Box("output", body(spec.output))]
    parts, y = [], 4
    for at, box in enumerate(boxes):
        parts.append(drawn(box, y))
        y += box.height
        if at < len(boxes) - 1:
            parts.append(f'<path d="M{WIDTH / 2} {y} v{GAP - 7}" marker-end="url(#arrow)" />')
            y += GAP
    told = ", then ".join(f"{box.title} {box.times}".strip() for box in boxes)
    head = f'<svg role="img" aria-label="{escape(told)}" viewBox="0 0 {WIDTH} {y + 4}" class="diagram"'
    return Markup(f'{head} xmlns="http://www.w3.org/2000/svg">{"".join(parts)}</svg>')


ARROW = (
    '<svg width="0" height="0" aria-hidden="true" class="hidden"><defs><marker id="arrow" viewBox="0 0 8 8" refX="6" '
    'refY="4" markerWidth="8" markerHeight="8" orient="auto"><path d="M0 0 L8 4 L0 8 z" class="head" />'
    "</marker></defs></svg>"
)
"""The head of an arrow, once for a page."""


def stages(stage: tree.Stage, spec: Spec, times: str) -> Iterator[Box]:
    """The boxes of a stack; repeats of several stages say so in each."""
    if isinstance(stage, tree.Chain):
        for one in stage.stages:
            yield from stages(one, spec, times)
    elif isinstance(stage, tree.Repeat):
        yield from stages(stage.stage, spec, f"{times}× {print_expression(stage.count)} ".lstrip())
    elif isinstance(stage, tree.Call) and isinstance(stage.function, tree.Name) and stage.function.id == "tied":
        yield from stages(stage.arguments[0].value, spec, f"{times}, one set of weights")  # type: ignore[arg-type]
    else:
        name = stage.function.id if isinstance(stage, tree.Call) and isinstance(stage.function, tree.Name) else None
        found = spec.definitions.get(stage.id if isinstance(stage, tree.Name) else name or "")
        yield Box(print_stack(stage), body(found.body) if found else (), times.strip())


def body(one: tree.Body) -> tuple[str, ...]:
    """The lines of a body."""
    return tuple(print_body(one).splitlines())


def drawn(box: Box, y: int) -> str:
    """A box at a height."""
    rows = [f'<rect x="2" y="{y}" width="{WIDTH - 4}" height="{box.height}" rx="8" />']
    rows.append(f'<text x="{2 * PAD}" y="{y + PAD + 13}" class="title">{escape(box.title)}</text>')
    if box.times:
        rows.append(f'<text x="{WIDTH - 2 * PAD}" y="{y + PAD + 13}" class="times">{escape(box.times)}</text>')
    for at, line in enumerate(box.lines, 1):
        text = line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"
        rows.append(f'<text x="{2 * PAD}" y="{y + PAD + 13 + at * LINE}" class="code">{escape(text)}</text>')
    return "".join(rows)
