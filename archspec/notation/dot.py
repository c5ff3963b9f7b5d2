"""A picture of a spec in the language DOT, for Graphviz: frames as clusters, each state a group of its own."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from archspec.notation.diagram import Diagram, Frame, Part, Read, Step, Sum, inputs, spoken

HEAD = """  rankdir=TB; newrank=true; fontname="Helvetica"; fontsize=12; nodesep=0.3; ranksep=0.3;
  node [shape=box, style="rounded,filled", fillcolor=white, color="#5b6b7f", fontname="Helvetica", fontsize=11];
  node [margin="0.12,0.06"];
  edge [color="#5b6b7f", fontname="Helvetica", fontsize=10, arrowsize=0.7];"""

FRAME = 'labeljust=l; style="rounded,filled"; fillcolor="#eef2f6"; color="#c3ccd6";'

PLUS = ("shape=circle", "width=0.25", "fixedsize=true", 'margin="0"')

COLOURS = ("#1f6fb2", "#c2500a", "#16803c", "#a03a86", "#8a6d00", "#0f7c86")
"""Of states, in order."""


def dot(diagram: Diagram) -> str:
    """The picture as a graph, as text."""
    drawing = Drawing(diagram.states)
    for one in diagram.frames:
        drawing.frame(one, "  ")
    if diagram.notes:
        label = "".join(rf"{quoted(line)[1:-1]}\l" for line in diagram.notes)
        drawing.lines.append(f'  note [label="{label}", shape=note, style=filled, fillcolor="#fbf7ea"];')
    return "\n".join([f"digraph {quoted(diagram.name)} {{", HEAD, *drawing.lines, *drawing.between, "}"]) + "\n"


def quoted(label: str) -> str:
    """Text as DOT has it."""
    return json.dumps(label, ensure_ascii=False)


@dataclass
class Drawing:
    """Lines of DOT, clusters one after the other."""

    states: Sequence[str]
    lines: list[str] = field(default_factory=list)
    between: list[str] = field(default_factory=list)
    """Arrows from one cluster to another."""
    places: dict[str, str] = field(default_factory=dict)
    """The node where each value is."""
    nodes: int = 0
    clusters: int = 0

    def frame(self, one: Frame, indent: str) -> None:
        """A cluster with what is in it."""
        title = " ".join(filter(None, (one.times, one.title)))
        self.lines += [f"{indent}subgraph cluster_{self.clusters} {{", f"{indent}  label={quoted(title)}; {FRAME}"]
        self.clusters += 1
        for inner in one.frames:
            self.frame(inner, f"{indent}  ")
        for value in inputs(one):
            before = self.places.get(value)
            self.places[value] = self.node(spoken(value), *LANE, *self.look(value), indent=indent)
            if before:
                self.between.append(
                    f"  {before} -> {self.places[value]} [{', '.join((*self.look(value), 'weight=8'))}];"
                )
        for step in one.steps:
            self.step(step, indent)
        self.lines.append(f"{indent}}}")

    def step(self, one: Step, indent: str) -> None:
        """A step, and where its values then are."""
        made = self.part(one.part, indent)
        if one.adds:
            value = one.targets[0][0]
            plus = self.node("+", *PLUS, *self.look(value), indent=indent)
            self.edge(self.places[value], plus, *self.look(value), "penwidth=2", "weight=8", indent=indent)
            self.edge(made, plus, indent=indent)
            made = plus
        self.places |= {value: made for value, _ in one.targets}

    def part(self, one: Part, indent: str) -> str:
        """A part; the node it ends in."""
        if isinstance(one, Read):
            return self.places[one.name]
        if isinstance(one, Sum):
            plus = self.node("+", *PLUS, indent=indent)
            for term in one.terms:
                around = (*self.look(term.name), "penwidth=2") if isinstance(term, Read) else ()
                self.edge(self.part(term, indent), plus, *around, indent=indent)
            return plus
        above = self.part(one.above, indent) if one.above else None
        made = self.node("\n".join((one.label, *one.remarks)), indent=indent)
        for value in one.reads:
            self.edge(self.places[value], made, *self.look(value), indent=indent)
        if above:
            self.edge(above, made, indent=indent)
        return made

    def node(self, label: str, *options: str, indent: str) -> str:
        """A node; its name."""
        self.nodes += 1
        said = "".join(f", {one}" for one in options)
        self.lines.append(f"{indent}  n{self.nodes} [label={quoted(label)}{said}];")
        return f"n{self.nodes}"

    def edge(self, start: str, end: str, *options: str, indent: str) -> None:
        """An arrow."""
        said = f" [{', '.join(options)}]" if options else ""
        self.lines.append(f"{indent}  {start} -> {end}{said};")

    def look(self, value: str) -> tuple[str, ...]:
        """The colour and the group of a state; other values have none."""
        if value not in self.states:
            return ()
        return (f'color="{COLOURS[self.states.index(value) % len(COLOURS)]}"', f'group="{value}"')


LANE = ("shape=circle", 'margin="0.02"', 'fontname="Helvetica-Bold"')
"""How a value looks where it comes into a frame."""
