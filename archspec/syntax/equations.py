"""The `model` section of a document → trees, and the canonical text of each equation."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from archspec.diagnostics import Diagnostic, Problems, SpecError
from archspec.syntax import tree
from archspec.syntax.document import Entry, Mapping, Plain, Value, resolve
from archspec.syntax.fragment import Fragment
from archspec.syntax.parser import parse_body, parse_expression, parse_heading, parse_stack
from archspec.syntax.printer import print_body, print_expression, print_heading, print_stack
from archspec.syntax.scalars import equation

Tree = TypeVar("Tree")

PLACEHOLDER = "unreadable"
"""What stands in the settings for an equation that cannot be read."""


@dataclass
class Model:
    """The trees of a model, and its section as plain data with canonical equations."""

    texts: dict[str, Plain] = field(default_factory=dict)
    sizes: dict[str, tree.Expr] = field(default_factory=dict)
    parts: dict[str, Any] = field(default_factory=dict)
    definitions: dict[str, tree.Definition] = field(default_factory=dict)


PARTS: dict[str, tuple[Callable[[Fragment], Any], Callable[[Any], str]]] = {
    "input": (parse_body, print_body),
    "stack": (parse_stack, print_stack),
    "output": (parse_body, print_body),
    "penalty": (parse_body, print_body),
}
"""How the equations of a model are read and written."""


def read_model(document: Mapping, problems: Problems) -> Model | None:
    """The trees of the `model` section; None where there is no such section."""
    section = document.entries.get("model")
    if section is None or not isinstance(section.value, Mapping):
        return None
    model = Model()
    for name, entry in section.value.entries.items():
        if name in PARTS:
            read, write = PARTS[name]
            model.parts[name] = part = parse(entry.value, read, problems)
            model.texts[name] = PLACEHOLDER if part is None else write(part)
        elif name == "sizes" and isinstance(entry.value, Mapping):
            model.texts[name] = read_sizes(entry.value, model, problems)
        elif name == "where" and isinstance(entry.value, Mapping):
            model.definitions = read_definitions(entry.value, problems)
            model.texts[name] = {
                print_heading(one.heading): canonical(print_body(one.body)) for one in model.definitions.values()
            }
        else:
            model.texts[name] = entry.value.plain
    return model


def read_sizes(section: Mapping, model: Model, problems: Problems) -> dict[str, Plain]:
    """Named axes and numbers."""
    texts: dict[str, Plain] = {}
    for name, entry in section.entries.items():
        heading = parse(entry.key, parse_heading, problems)
        if heading is not None and heading.parameters is not None:
            problems.error("E0032", entry.key.span, "a size has no arguments", help=f"write `{heading.name}: …`")
        if (size := parse(entry.value, parse_expression, problems)) is not None:
            model.sizes[name] = size
            texts[name] = canonical(print_expression(size))
    return texts


def read_definitions(section: Mapping, problems: Problems) -> dict[str, tree.Definition]:
    """Definitions by name."""
    definitions = {}
    for name, entry in section.entries.items():
        if (definition := read_definition(entry, problems)) is not None:
            definitions[name] = definition
    return definitions


def read_definition(entry: Entry, problems: Problems) -> tree.Definition | None:
    """A heading and its body; None, with problems, where one cannot be read."""
    heading = parse(entry.key, parse_heading, problems)
    body = parse(entry.value, parse_body, problems)
    if heading is None or body is None:
        return None
    span = heading.span.to(body.span) if heading.span.source is body.span.source else body.span
    return tree.Definition(span, heading, body)


def canonical(text: str) -> Plain:
    """A canonical equation as YAML reads it: one that is just a number or a truth value is that."""
    value = resolve(text)
    return value if isinstance(value, bool | int | float) else text


def parse(value: Value, read: Callable[[Fragment], Tree], problems: Problems) -> Tree | None:
    """The tree of an equation; None, with problems, where it cannot be read."""
    text = equation(value, problems)
    if text is None:
        return None
    try:
        return read(text)
    except SpecError as error:
        for problem in joined(text, read) or error.diagnostics:
            problems.add(problem)
    return None


def joined(text: Fragment, read: Callable[[Fragment], Tree]) -> tuple[Diagnostic, ...]:
    """The problem of lines that YAML has joined, if they can be read as lines."""
    if not text.folded:
        return ()
    second = text.text.index("\n") + 1
    second += len(text.text[second:]) - len(text.text[second:].lstrip())
    try:
        read(Fragment(text.source, " " * text.column(second) + text.text))
    except SpecError:
        return ()
    end = text.text.find("\n", second)
    at = text.span(second, end if end > 0 else len(text.text))
    help = "write `|` after the colon and the statements below it"
    return (Diagnostic("E0023", "YAML joins these lines into one statement", at, help=help),)
