"""What differs between two specs: definitions by name, settings by path, and whether the typed programs are the same.

Non-goals: judging; finding definitions that were only renamed (but where the programs are the same, it says so).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from archspec.cost.parameters import count
from archspec.ir.nodes import Program, Section
from archspec.ir.printer import expression
from archspec.syntax.printer import print_body, print_expression, print_heading, print_stack
from archspec.syntax.spec import Spec


@dataclass(frozen=True)
class Change:
    """One entry that is only in the second (+), only in the first (-), or in both but not the same (~)."""

    sign: Literal["+", "-", "~"]
    path: str
    old: str
    new: str


@dataclass(frozen=True)
class Difference:
    """Everything that differs, and the number of parameters of both."""

    changes: tuple[Change, ...]
    same_function: bool
    parameters: tuple[int, int]

    def __bool__(self) -> bool:
        return bool(self.changes)


def differences(a: Spec, b: Spec, programs: tuple[Program, Program]) -> Difference:
    """Compare two specs, given their typed programs; their names and remarks do not count."""
    changes = (*changed("model", equations(a), equations(b)), *changed("", settings(a), settings(b)))
    same = structure(programs[0]) == structure(programs[1])
    return Difference(changes, same, (count(programs[0]), count(programs[1])))


def equations(spec: Spec) -> Mapping[str, str]:
    """Every equation in canonical text, by its place below `model`."""
    entries = {f"sizes.{name}": print_expression(value) for name, value in spec.sizes.items()}
    entries |= {"input": print_body(spec.input), "stack": print_stack(spec.stack), "output": print_body(spec.output)}
    for name, definition in spec.definitions.items():
        entries[f"where.{name}"] = f"{print_heading(definition.heading)}: {print_body(definition.body)}"
    return entries


def settings(spec: Spec) -> Mapping[str, str]:
    """Every setting of the other sections, by its path."""
    whole = spec.settings.model_dump(exclude={"name", "about", "model"})
    return {path: value if isinstance(value, str) else repr(value) for path, value in leaves("", whole)}


def leaves(path: str, value: object) -> Iterator[tuple[str, object]]:
    """(dotted path, value) of everything that is no mapping."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from leaves(f"{path}.{key}" if path else str(key), inner)
    else:
        yield path, value


def changed(prefix: str, old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[Change]:
    """The entries that differ, in the order of the first, then those only the second has."""
    for key in (*old, *(key for key in new if key not in old)):
        path = f"{prefix}.{key}" if prefix else key
        if key not in new:
            yield Change("-", path, old[key], "")
        elif key not in old:
            yield Change("+", path, "", new[key])
        elif old[key] != new[key]:
            yield Change("~", path, old[key], new[key])


def structure(program: Program) -> tuple[str, ...]:
    """The program without the names of the text: equal where two programs compute the same in the same order."""
    return tuple(section_structure(section) for _, section in program.sections())


def section_structure(section: Section) -> str:
    """The nodes of a section, numbered, without paths and names."""
    labels = {id(node): f"%{index}" for index, node in enumerate(section.nodes)}
    lines = [f"{expression(node, labels).partition(' {')[0]} : {node.type}" for node in section.nodes]
    return "\n".join([*lines, *(f"{name} {labels[id(value)]}" for name, value in section.results)])
