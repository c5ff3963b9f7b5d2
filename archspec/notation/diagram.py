"""A spec as a graph in the language DOT: equations as boxes, what one hands to another as arrows.

Input, every stage of the stack with its repeats, output and every definition of several lines are clusters; a value
that is added to what it was goes around, to a ⊕. Definitions of one line stand below.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from archspec.notation.equations import argument, called, definition, expression, listed, stack, target
from archspec.notation.formula import Fenced, Formula, Symbol, row, sign
from archspec.notation.names import name
from archspec.notation.text import text
from archspec.syntax import tree
from archspec.syntax.spec import Spec

HEAD = """  rankdir=TB; newrank=true; fontname="Helvetica"; fontsize=12; nodesep=0.3; ranksep=0.3;
  node [shape=box, style="rounded,filled", fillcolor=white, color="#5b6b7f", fontname="Helvetica", fontsize=11];
  node [margin="0.12,0.06"];
  edge [color="#5b6b7f", fontname="Helvetica", fontsize=10, arrowsize=0.7];"""

RESIDUAL = 'color="#b8472a", penwidth=1.6'
"""How the way around looks."""


@dataclass
class Drawing:
    """Lines of DOT, clusters one after the other."""

    lines: list[str] = field(default_factory=list)
    count: int = 0

    def node(self, label: str, *options: str) -> str:
        """A node; its name."""
        self.count += 1
        joined = "".join(f", {one}" for one in options)
        self.lines.append(f"    n{self.count} [label={quoted(label)}{joined}];")
        return f"n{self.count}"

    def edge(self, start: str, end: str, *options: str) -> None:
        """An arrow."""
        said = f" [{', '.join(options)}]" if options else ""
        self.lines.append(f"    {start} -> {end}{said};")

    def note(self, lines: Sequence[str]) -> None:
        """Lines below each other, set flush left."""
        label = "".join(rf"{quoted(line)[1:-1]}\l" for line in lines)
        self.lines.append(f'    note [label="{label}", shape=note, style=filled, fillcolor="#fbf7ea"];')

    def port(self, label: str) -> str:
        """Where a value comes into or leaves a cluster."""
        return self.node(label, "shape=plaintext", "style=solid", 'fontname="Helvetica-Bold"')


def quoted(label: str) -> str:
    """Text as DOT has it."""
    return json.dumps(label, ensure_ascii=False)


def diagram(spec: Spec) -> str:
    """The graph of a spec, as text."""
    drawing = Drawing()
    given = cluster(drawing, "input", spec.input, {}, DATA)
    for stage, times in stages(spec.stack, ""):
        one = block(stage, spec)
        title = f"{times}{text(stack(stage))}"
        given = cluster(drawing, title, one.body if one else tree.Body(stage.span, (), ()), given)
    cluster(drawing, "output", spec.output, given)
    used = [block(stage, spec) for stage, _ in stages(spec.stack, "")]
    rest = [one for one in spec.definitions.values() if all(one is not other for other in used)]
    for one in rest:
        if one.body.statements:
            cluster(drawing, text(called(one.heading)), one.body, {}, values_of(one.heading))
    notes = [text(line) for one in rest if not one.body.statements for line in definition(one.heading, one.body)]
    if notes:
        drawing.note(notes)
    return "\n".join([f"digraph {quoted(spec.name)} {{", HEAD, *drawing.lines, "}"]) + "\n"


DATA = ("x", "e", "pos")
"""Raw data of a batch."""


def values_of(heading: tree.Heading) -> list[str]:
    """The parameters of a definition that have no default; those with one are functions and sizes as a rule."""
    return [one.name for one in heading.parameters or () if one.default is None]


def stages(stage: tree.Stage, times: str) -> Iterator[tuple[tree.Stage, str]]:
    """The blocks of a stack in order, each with how often it is repeated."""
    if isinstance(stage, tree.Chain):
        for one in stage.stages:
            yield from stages(one, times)
    elif isinstance(stage, tree.Repeat):
        yield from stages(stage.stage, f"{times}{text(expression(stage.count))} × ")
    else:
        yield stage, times


def block(stage: tree.Stage, spec: Spec) -> tree.Definition | None:
    """The definition of a block of the spec's own."""
    inner = stage
    while isinstance(inner, tree.Call):
        inner = inner.arguments[0].value if text(expression(inner.function)) == "tied" else inner.function  # type: ignore[assignment]
    return spec.definitions.get(inner.id) if isinstance(inner, tree.Name) else None


@dataclass
class Frame:
    """A body in a frame of its own, as it is drawn."""

    drawing: Drawing
    given: Mapping[str, str]
    """Where values that come in are, by name."""
    names: Collection[str]
    """Names of further values that come in: raw data, parameters of a definition."""
    place: dict[str, str] = field(default_factory=dict)
    """Where values of this frame are, by name."""
    outside: list[tuple[str, str]] = field(default_factory=list)
    """Arrows into the frame."""

    def source(self, read: str) -> str:
        """Where a value is; one that comes in gets a place at the top."""
        if read not in self.place:
            self.place[read] = self.drawing.port(text(name(read)))
            if read in self.given:
                self.outside.append((self.given[read], self.place[read]))
        return self.place[read]

    def known(self, expr: tree.Node) -> bool:
        """Whether an expression is a value by its name."""
        return isinstance(expr, tree.Name) and expr.id in {*self.given, *self.place, *self.names}

    def box(self, label: str, read: Iterable[tree.Node]) -> str:
        """A box with what it reads."""
        made = self.drawing.node(label)
        names = [one for node in read for one in reads(node, {*self.given, *self.place, *self.names})]
        for one in dict.fromkeys(names):
            self.drawing.edge(self.source(one), made)
        return made

    def drawn(self, expr: tree.Expr) -> str:
        """An expression: sums with a value that goes around are taken apart, and what is applied to them."""
        if isinstance(expr, tree.Binary) and expr.op == "+" and self.goes_around(expr):
            return self.sum(terms(expr))
        if isinstance(expr, tree.Call):
            inner = [one for one in expr.arguments if self.goes_around(one.value)]
            if len(inner) == 1:
                others = [one for one in expr.arguments if one is not inner[0]]
                made = self.box(text(shown(expr, inner[0])), [one.value for one in others])
                self.drawing.edge(self.drawn(inner[0].value), made)
                return made
        if isinstance(expr, tree.Pipe) and self.goes_around(expr.value):
            made = self.box(" → ".join(text(expression(one)) for one in expr.stages), expr.stages)
            self.drawing.edge(self.drawn(expr.value), made)
            return made
        return self.box(text(expression(expr)), [expr])

    def sum(self, parts: Sequence[tree.Expr]) -> str:
        """A ⊕, values that go around marked."""
        sources = [(self.source(one.id), RESIDUAL) if isinstance(one, tree.Name) and self.known(one)
                   else (self.drawn(one), "") for one in parts]  # fmt: skip
        plus = self.drawing.node("+", "shape=circle", "width=0.25", "fixedsize=true", 'margin="0"')
        for start, style in sources:
            self.drawing.edge(start, plus, *filter(None, [style]))
        return plus

    def goes_around(self, expr: tree.Expr) -> bool:
        """Whether a sum with a value by its name is in it, outside of reductions and functions."""
        if isinstance(expr, tree.Binary) and expr.op == "+":
            return any(self.known(one) or self.goes_around(one) for one in terms(expr))
        if isinstance(expr, tree.Call):
            return sum(self.goes_around(one.value) for one in expr.arguments) == 1
        return isinstance(expr, tree.Pipe) and self.goes_around(expr.value)

    def statement(self, one: tree.Assign) -> None:
        """A statement, and where its values then are."""
        if len(one.values) == len(one.targets) == 1 and one.targets[0].over is None and self.goes_around(one.values[0]):
            made = self.drawn(one.values[0])
        else:
            values = listed([expression(value) for value in one.values])
            lefts = listed([target(left) for left in one.targets])
            made = self.box(
                text(row(lefts, sign("="), values)), [*one.values, *filter(None, [left.over for left in one.targets])]
            )
        self.place |= {left.name: made for left in one.targets}


def terms(expr: tree.Expr) -> list[tree.Expr]:
    """The terms of a sum."""
    if isinstance(expr, tree.Binary) and expr.op == "+":
        return [*terms(expr.left), *terms(expr.right)]
    return [expr]


def shown(call: tree.Call, drawn: tree.Argument) -> Formula:
    """A call without the argument that is drawn beside it."""
    others = [argument(one) for one in call.arguments if one is not drawn]
    function = expression(call.function)
    return row(function, Fenced("(", listed([Symbol("·", "words"), *others]), ")")) if others else function


def cluster(
    drawing: Drawing, title: str, body: tree.Body, given: Mapping[str, str], names: Collection[str] = ()
) -> dict[str, str]:
    """A body in a frame; where its values then are, by name."""
    number = sum(line.startswith("  subgraph") for line in drawing.lines)
    drawing.lines += [f"  subgraph cluster_{number} {{", f"    label={quoted(title)}; {FRAME}"]
    frame = Frame(drawing, given, names)
    for one in body.statements:
        frame.statement(one)
    if len(body.result) == 1:
        frame.drawn(body.result[0])
    elif body.result:
        frame.box(text(listed([expression(value) for value in body.result])), body.result)
    drawing.lines.append("  }")
    for start, end in frame.outside:
        drawing.edge(start, end)
    made = {left.name for one in body.statements for left in one.targets}
    return {**given, **{key: at for key, at in frame.place.items() if key in made}}


FRAME = 'labeljust=l; style="rounded,filled"; fillcolor="#eef2f6"; color="#c3ccd6";'


def reads(node: tree.Node, known: set[str]) -> list[str]:
    """The values that an expression reads, each once."""
    bound = {one.id for found in tree.walk(node) if isinstance(found, tree.Lambda) for one in found.parameters}
    found = [one.id for one in tree.walk(node) if isinstance(one, tree.Name) and one.id in known - bound]
    return list(dict.fromkeys(found))
