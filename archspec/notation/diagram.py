"""A spec as a picture: frames for input, stages and output, states as lanes through them, boxes beside the lanes.

What this makes is what is drawn, not how: `archspec.notation.svg` and `archspec.notation.dot` write it down. A sum
with a value by its name is a ⊕; where that value is the state itself, the state goes on and the rest is added to it.
Functions of functions, such as the residual connections, are taken apart; other definitions are boxes, and what they
say stands below. Repeats are folded: a frame says how often it is passed.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from archspec.notation.apart import apart, substitute
from archspec.notation.equations import argument, definition, expression, listed, stack, target
from archspec.notation.formula import Fenced, Symbol, row
from archspec.notation.names import name
from archspec.notation.text import text
from archspec.source import Span
from archspec.syntax import tree
from archspec.syntax.library import known_to
from archspec.syntax.spec import Spec


@dataclass(frozen=True)
class Read:
    """A value that has a lane."""

    name: str


@dataclass(frozen=True)
class Box:
    """Something that is computed: from what is above it, if anything, and from values that have lanes."""

    label: str
    reads: tuple[str, ...]
    above: "Part | None" = None
    made_of: tuple[tree.Node, ...] = ()
    """What it was made of; a function comes without its first argument, which is `above`."""
    span: Span | None = None
    """Where it is called."""
    remarks: tuple[str, ...] = ()
    """Further lines, such as the shapes of its weights."""


@dataclass(frozen=True)
class Sum:
    """What is added up."""

    terms: tuple["Part", ...]


Part = Read | Box | Sum


@dataclass(frozen=True)
class Step:
    """A part, and the values it becomes: (name, label); `adds` if it is added to the one that was there."""

    part: Part
    targets: tuple[tuple[str, str], ...]
    adds: bool = False


@dataclass(frozen=True)
class Frame:
    """Steps in order, or frames in order, that are passed `times` times ("" for once)."""

    title: str
    times: str = ""
    steps: tuple[Step, ...] = ()
    frames: tuple["Frame", ...] = ()
    block: str = ""
    """The block of its steps, by name; `Input` and `Output` for those."""
    remark: str = ""
    """What is said beside its title, such as the axes of states."""


@dataclass(frozen=True)
class Diagram:
    """A picture: the states in order, frames from top to bottom, and definitions as lines of text."""

    name: str
    states: tuple[str, ...]
    frames: tuple[Frame, ...]
    notes: tuple[str, ...]

    @property
    def told(self) -> str:
        """What it shows, in a line, for those who do not see it."""
        return f"{self.name}: {', then '.join(f'{one.times} {one.title}'.strip() for one in self.frames)}"


DATA = ("x", "e", "pos")
"""Raw data of a batch."""


def diagram(spec: Spec) -> Diagram:
    """The picture of a spec."""
    known = known_to(spec)
    states = tuple(dict.fromkeys(target.name for one in spec.input.statements for target in one.targets))
    stages = frames(spec.stack, spec, known, states)
    input = Frame("input", "", steps(apart(spec.input, known, DATA), states, DATA), block="Input")
    output = Frame("output", "", steps(apart(spec.output, known, states), states, states), block="Output")
    whole = (input, *stages, *penalised(spec, known, states), output)
    return Diagram(spec.name, states, whole, tuple(notes(spec, tuple(made_of(one) for one in whole))))


def penalised(spec: Spec, known: Mapping[str, tree.Definition], states: Sequence[str]) -> tuple[Frame, ...]:
    """The frame of the penalty, if there is one."""
    if spec.penalty is None:
        return ()
    return (Frame("penalty", "", steps(apart(spec.penalty, known, states), states, states), block="Penalty"),)


def frames(
    stage: tree.Stage, spec: Spec, known: Mapping[str, tree.Definition], states: Sequence[str]
) -> tuple[Frame, ...]:
    """The frames of a stack in order; a repeat of a single block says so in the block's own."""
    if isinstance(stage, tree.Chain):
        return tuple(frame for one in stage.stages for frame in frames(one, spec, known, states))
    if isinstance(stage, tree.Repeat):
        inner, times = frames(stage.stage, spec, known, states), f"{text(expression(stage.count))} ×"
        if len(inner) == 1 and not inner[0].times:
            return (replace(inner[0], times=times),)
        return (Frame("", times, frames=inner),)
    if isinstance(stage, tree.Call) and isinstance(stage.function, tree.Name) and stage.function.id == "tied":
        tied = frames(stage.arguments[0].value, spec, known, states)  # type: ignore[arg-type]
        return tuple(replace(one, title=f"{one.title}, one set of weights") for one in tied)
    called = stage.function if isinstance(stage, tree.Call) else stage
    name = called.id if isinstance(called, tree.Name) else ""
    return (Frame(text(stack(stage)), "", block(name, stage, spec, known, states), block=name),)


def block(
    name: str, stage: tree.Name | tree.Call, spec: Spec, known: Mapping[str, tree.Definition], states: Sequence[str]
) -> tuple[Step, ...]:
    """The steps of a block of the spec's own, its arguments in the place of its parameters."""
    one = spec.definitions.get(name)
    if one is None:
        return ()
    formals = one.heading.parameters or ()
    given = {formal.name: formal.default for formal in formals if formal.default is not None}
    for at, passed in enumerate(stage.arguments if isinstance(stage, tree.Call) else ()):
        if passed.name or at < len(formals):
            given[passed.name or formals[at].name] = passed.value
    return steps(apart(substitute(one.body, given), known, states), states, states)


def notes(spec: Spec, drawn: object) -> Iterator[str]:
    """The definitions of the spec's own that what is drawn needs, as mathematics."""
    left, needed = [drawn], set[str]()
    while left:
        found = {one.id for one in tree.walk(left.pop()) if isinstance(one, tree.Name)} & set(spec.definitions) - needed
        needed |= found
        left += [spec.definitions[key].body for key in found]
    for key, one in spec.definitions.items():
        if key in needed:
            first, *rest = (text(line) for line in definition(one.heading, one.body))
            yield first
            yield from (f"    {line}" for line in rest)


def made_of(one: object) -> tuple[object, ...]:
    """What the boxes of a frame, a step or a part were made of."""
    if isinstance(one, Frame):
        return (*(made_of(step.part) for step in one.steps), *map(made_of, one.frames))
    if isinstance(one, Sum):
        return tuple(map(made_of, one.terms))
    return (*one.made_of, made_of(one.above)) if isinstance(one, Box) else ()


def steps(body: tree.Body, states: Sequence[str], given: Collection[str]) -> tuple[Step, ...]:
    """The steps of a body in which some values are given."""
    known, made = set(given), []
    for one in body.statements:
        made += list(assigned(one, known))
        known |= {target.name for target in one.targets}
    if body.result:
        part = Parts(known).part(body.result[0]) if len(body.result) == 1 else Parts(known).leaf(body.result)
        made.append(Step(part, ()))
    return tuple(made)


def assigned(one: tree.Assign, known: Collection[str]) -> Iterator[Step]:
    """The steps of a statement: one for each value, where none reads what the others have just made."""
    parts, names = Parts(known), [target.name for target in one.targets]
    if len(one.values) > 1:
        again = [values_in(value, names[:at]) for at, value in enumerate(one.values)]
        if len(one.values) != len(one.targets) or any(again):
            yield Step(parts.leaf(one.values), tuple(map(called, one.targets)))
            return
    for at, value in enumerate(one.values):
        targets = one.targets if len(one.values) == 1 else one.targets[at : at + 1]
        part = parts.part(value)
        if len(targets) == 1 and isinstance(part, Sum) and part.terms.count(Read(targets[0].name)) == 1:
            rest = tuple(term for term in part.terms if term != Read(targets[0].name))
            yield Step(rest[0] if len(rest) == 1 else Sum(rest), (called(targets[0]),), adds=True)
        else:
            yield Step(part, tuple(map(called, targets)))


def called(one: tree.Target) -> tuple[str, str]:
    """The name of a value, and how it is written."""
    return one.name, text(target(one))


@dataclass(frozen=True)
class Parts:
    """Expressions → parts, where some values are known by name."""

    known: Collection[str]

    def part(self, expr: tree.Expr) -> Part:
        """Sums with a value that goes around are taken apart, and what is applied to something stands below it."""
        if self.is_value(expr):
            return Read(expr.id)  # type: ignore[union-attr]
        if isinstance(expr, tree.Binary) and expr.op == "+" and self.goes_around(expr):
            return Sum(tuple(self.part(one) for one in terms(expr)))
        if isinstance(expr, tree.Pipe):
            made = self.part(expr.value)
            for stage in expr.stages:
                made = self.below(made, text(expression(stage)), values_in(stage, self.known), stage.span, stage)
            return made
        if isinstance(expr, tree.Call) and self.applies(expr):
            return self.call(expr)
        return self.leaf((expr,))

    def leaf(self, values: Sequence[tree.Expr]) -> Box:
        """Expressions as they are written, in one box."""
        label = text(listed([expression(value) for value in values]))
        return Box(label, values_in(tuple(values), self.known), made_of=tuple(values))

    def call(self, expr: tree.Call) -> Part:
        """A call, below its first argument; a `·` stands for that where there are other values."""
        first, *others = expr.arguments
        reads = values_in(tuple(others), self.known)
        shown = [argument(one) for one in others]
        function = expression(expr.function)
        held = [Symbol("·", "words"), *shown] if reads else shown
        label = row(function, Fenced("(", listed(held), ")")) if held else function
        return self.below(self.part(first.value), text(label), reads, expr.span, expr.function, *others)

    def below(self, above: Part, label: str, reads: tuple[str, ...], span: Span, *made_of: tree.Node) -> Box:
        """A box below a part."""
        if isinstance(above, Read):
            return Box(label, tuple(dict.fromkeys((above.name, *reads))), None, made_of, span)
        return Box(label, reads, above, made_of, span)

    def applies(self, expr: tree.Call) -> bool:
        """Whether a call does something to its first argument, the others being sizes, settings or values by name."""
        first, *others = expr.arguments or (None,)
        if first is None or first.name is not None or isinstance(first.value, tree.Lambda):
            return False
        if not values_in(first.value, self.known) or text(expression(expr.function)) == "layers":
            return False
        if self.is_value(first.value) and values_in(tuple(others), self.known):
            return False
        return all(self.is_value(one.value) or not values_in(one, self.known) for one in others) and not any(
            isinstance(node, tree.Call | tree.Reduce) for one in others if not isinstance(one.value, tree.Lambda)
            for node in tree.walk(one.value)
        )  # fmt: skip

    def is_value(self, expr: tree.Node) -> bool:
        """Whether an expression is a value by its name."""
        return isinstance(expr, tree.Name) and expr.id in self.known

    def goes_around(self, expr: tree.Expr) -> bool:
        """Whether a sum with a value by its name is in it, outside of reductions and functions."""
        if isinstance(expr, tree.Binary) and expr.op == "+":
            return any(self.is_value(one) or self.goes_around(one) for one in terms(expr))
        if isinstance(expr, tree.Call):
            return sum(self.goes_around(one.value) for one in expr.arguments) == 1
        return isinstance(expr, tree.Pipe) and self.goes_around(expr.value)


def terms(expr: tree.Expr) -> list[tree.Expr]:
    """The terms of a sum."""
    if isinstance(expr, tree.Binary) and expr.op == "+":
        return [*terms(expr.left), *terms(expr.right)]
    return [expr]


def values_in(node: object, known: Collection[str]) -> tuple[str, ...]:
    """The values that something reads, each once."""
    bound = {one.id for found in tree.walk(node) if isinstance(found, tree.Lambda) for one in found.parameters}
    named = {id(one.function) for one in tree.walk(node) if isinstance(one, tree.Call)}
    names = (one for one in tree.walk(node) if isinstance(one, tree.Name) and id(one) not in named)
    found = (one.id for one in names if one.id in known and one.id not in bound)
    return tuple(dict.fromkeys(found))


def spoken(value: str) -> str:
    """A value's name as it is written."""
    return text(name(value))


def flat(frame: Frame) -> Iterator[Frame]:
    """The frames that hold steps."""
    yield from (one for inner in frame.frames for one in flat(inner))
    if not frame.frames:
        yield frame


def inputs(frame: Frame) -> tuple[str, ...]:
    """The values that a frame reads before it makes them."""
    made: set[str] = set()
    found: list[str] = []
    for step in frame.steps:
        names = {name for name, _ in step.targets}
        found += [value for value in (*reads(step.part), *(names if step.adds else ())) if value not in made]
        made |= names
    return tuple(dict.fromkeys(found))


def reads(part: Part) -> tuple[str, ...]:
    """The values that a part reads."""
    if isinstance(part, Read):
        return (part.name,)
    if isinstance(part, Sum):
        return tuple(value for term in part.terms for value in reads(term))
    return (*(reads(part.above) if part.above else ()), *part.reads)
