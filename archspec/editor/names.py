"""Names in a text: what each stands for, where it is given, and all places of one that is given in this text.

The same rules of scope as `archspec.check`: a spec has one namespace of sizes, definitions and states; a definition has
arguments and locals of its own, a lambda what it takes. In `input` a name is the data's until it is assigned.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from archspec.check.lookup import DATA_NAMES, FORMS, PRIMITIVES, SETS, SPECIAL
from archspec.editor.reading import Reading
from archspec.source import Span
from archspec.syntax import tree
from archspec.syntax.scalars import fragment

OWN = ("size", "definition", "state", "argument", "local")
"""Kinds of what a text can give a name to."""


@dataclass(frozen=True)
class Thing:
    """What a name stands for: its kind, itself, and where it is known: in a definition, in a lambda, or everywhere."""

    kind: str
    name: str
    scope: str = ""


@dataclass(frozen=True)
class Place:
    """A name in the text, what it stands for, and whether it is given here."""

    span: Span
    thing: Thing
    given: bool = False


Known = Mapping[str, Thing]


def places(reading: Reading) -> list[Place]:
    """All names of a text's equations and headings."""
    return list(Names(reading).places()) if reading.model else []


def at(reading: Reading, offset: int) -> Place | None:
    """The name at an offset, or just before it."""
    found = [one for one in places(reading) if one.span.start <= offset <= one.span.end]
    return min(found, key=lambda one: one.span.end - one.span.start) if found else None


class Names:
    """The names of one text."""

    def __init__(self, reading: Reading):
        if reading.model is None:
            raise ValueError("a text without equations has no names")
        self.reading, self.model = reading, reading.model
        outer = Thing("data", "")
        self.spec: dict[str, Thing] = {name: Thing("language", name) for name in (*PRIMITIVES, *SPECIAL, *FORMS, *SETS)}
        self.spec |= {name: Thing("data", name) for name in DATA_NAMES}
        self.spec |= {name: Thing("definition", name) for name in reading.definitions()}
        self.spec |= {name: Thing("size", name) for name in reading.sizes()}
        self.states = {name: Thing("state", name) for name in self.assigned()}
        self.outer = outer

    def assigned(self) -> list[str]:
        """The names of the states: what `input` gives, here or in the file that this one extends."""
        mine = self.model.parts.get("input")
        body = mine if mine is not None else (self.reading.spec.input if self.reading.spec else None)
        return [target.name for row in body.statements for target in row.targets] if body else []

    def places(self) -> Iterator[Place]:
        """Every name, part by part."""
        yield from self.of_sizes()
        for name, part in self.model.parts.items():
            if part is not None and name == "input":
                yield from self.of_input(part)
            elif part is not None:
                known = {**self.spec, **self.states} | self.locals(part, name, self.states)
                yield from self.below(part, known, name)
        for definition in self.model.definitions.values():
            yield from self.of_definition(definition)

    def of_sizes(self) -> Iterator[Place]:
        """The names of sizes, and those in their values."""
        section = self.reading.document.entries.get("model") if self.reading.document else None
        entries = getattr(getattr(section, "value", None), "entries", {})
        sizes = getattr(entries["sizes"].value, "entries", {}) if "sizes" in entries else {}
        for name, entry in sizes.items():
            if name in self.model.sizes:
                text = fragment(entry.key)
                yield Place(text.span(0, len(text.text)), Thing("size", name), given=True)
                yield from self.below(self.model.sizes[name], self.spec, "sizes")

    def of_input(self, body: tree.Body) -> Iterator[Place]:
        """Statements in order: a state is known behind the statement that first gives it."""
        known = dict(self.spec)
        for row in body.statements:
            for value in row.values:
                yield from self.below(value, known, "input")
            known |= {target.name: self.states[target.name] for target in row.targets if target.name in self.states}
            for target in row.targets:
                yield from self.target(target, known, "input")
        yield from self.below(body.result, known, "input")

    def of_definition(self, definition: tree.Definition) -> Iterator[Place]:
        """The heading, then the body; states are known in blocks alone."""
        heading, scope = definition.heading, definition.heading.name
        yield Place(first(heading.span, heading.name), Thing("definition", scope), given=True)
        known = {**self.spec, **({} if definition.body.result else self.states)}
        arguments = {one.name: Thing("argument", one.name, scope) for one in heading.parameters or ()}
        fixed: Known = {} if definition.body.result else self.states
        known |= self.locals(definition.body, scope, fixed) | arguments
        for one in heading.parameters or ():
            yield Place(first(one.span, one.name), arguments[one.name], given=True)
            yield from self.below(one.default, self.spec, scope)
        yield from self.below(definition.body, known, scope)

    def locals(self, part: object, scope: str, fixed: Known) -> dict[str, Thing]:
        """What statements give names to, apart from states."""
        rows = part.statements if isinstance(part, tree.Body) else ()
        names = [target.name for row in rows for target in row.targets]
        return {name: Thing("local", name, scope) for name in names if name not in fixed}

    def below(self, node: object, known: Known, scope: str) -> Iterator[Place]:
        """The names in a node, from left to right."""
        if isinstance(node, tuple):
            for item in node:
                yield from self.below(item, known, scope)
        elif isinstance(node, tree.Name):
            yield Place(node.span, known.get(node.id, Thing("unknown", node.id)))
        elif isinstance(node, tree.Target):
            yield from self.target(node, known, scope)
        elif isinstance(node, tree.Lambda):
            inner = {one.id: Thing("argument", one.id, f"{scope}:{node.span.start}") for one in node.parameters}
            yield from (Place(one.span, inner[one.id], given=True) for one in node.parameters)
            yield from self.below(node.body, {**known, **inner}, scope)
        elif isinstance(node, tree.Reduce):
            index = {node.index.id: Thing("index", node.index.id)}
            yield Place(node.op.span, Thing("language", node.op.id))
            yield from self.below(node.index, {**known, **index}, scope)
            yield from self.below(node.over, known, scope)
            yield from self.below(node.body, {**known, **index}, scope)
        elif isinstance(node, tree.Index):
            yield from self.below(node.value, known, scope)
            yield from (Place(one.span, Thing("index", one.id)) for one in node.indices)
        elif isinstance(node, tree.Call):
            yield from self.below(node.function, known, scope)
            for argument in node.arguments:
                yield from self.argument(argument, node.function, known, scope)
        elif isinstance(node, tree.Assign):
            yield from self.below(node.targets, known, scope)
            yield from self.below(node.values, known, scope)
        elif isinstance(node, tree.Node):
            children = (getattr(node, name) for name in node.__dataclass_fields__ if name != "span")
            for child in children:
                yield from self.below(child, known, scope)

    def argument(self, argument: tree.Argument, function: tree.Expr, known: Known, scope: str) -> Iterator[Place]:
        """`norm = x`: the name is that of the function's own argument."""
        if argument.name is not None:
            called = known.get(function.id) if isinstance(function, tree.Name) else None
            is_definition = called is not None and called.kind == "definition"
            thing = Thing("argument", argument.name, called.name) if is_definition and called else None
            yield Place(first(argument.span, argument.name), thing or Thing("option", argument.name))
        yield from self.below(argument.value, known, scope)

    def target(self, target: tree.Target, known: Known, scope: str) -> Iterator[Place]:
        """`a[i, j in V]`: the name it gives, its indices, its set."""
        thing = known.get(target.name, Thing("local", target.name, scope))
        yield Place(first(target.span, target.name), thing, given=True)
        yield from (Place(one.span, Thing("index", one.id)) for one in target.indices)
        yield from self.below(target.over, known, scope)


def first(span: Span, name: str) -> Span:
    """The name that a span begins with."""
    return Span(span.source, span.start, span.start + len(name))


def given_at(reading: Reading, thing: Thing) -> Span | None:
    """Where a thing gets its name: in this text, in another file, in the library; None for what the language has."""
    if found := next((one.span for one in places(reading) if one.given and one.thing == thing), None):
        return found
    definition = (
        reading.definitions().get(thing.scope or thing.name) if thing.kind in ("definition", "argument") else None
    )
    if definition is not None and thing.kind == "definition":
        return first(definition.heading.span, thing.name)
    if definition is not None:
        return next((one.span for one in definition.heading.parameters or () if one.name == thing.name), None)
    if thing.kind == "size" and reading.spec:
        return reading.spec.place("model", "sizes", thing.name)
    if thing.kind == "state" and reading.spec:
        rows = reading.spec.input.statements
        return next((one.span for row in rows for one in row.targets if one.name == thing.name), None)
    return None
