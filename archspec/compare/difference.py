"""What differs between two specs: equations by name, settings and weights by path; whether the programs are the same.

Non-goals: judging; finding definitions that were only renamed (but where the programs are the same, it says so).
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Literal

from archspec.cost.parameters import count, parameters
from archspec.diagnostics import SpecError
from archspec.ir.nodes import Program, Section, full_name
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
class WeightChange:
    """Weights of one name and shape of which there are more or fewer; `layers.*` stands for every block instance."""

    name: str
    shape: tuple[int, ...]
    instances: int
    """How many more; negative where there are fewer."""

    @property
    def parameters(self) -> int:
        """Numbers in them."""
        return self.instances * prod(self.shape)


@dataclass(frozen=True)
class Difference:
    """Everything that differs, and the number of parameters of both."""

    changes: tuple[Change, ...]
    weights: tuple[WeightChange, ...]
    same_function: bool
    parameters: tuple[int, int] | None
    """None where a size is not known without a data set."""

    def __bool__(self) -> bool:
        return bool(self.changes)


def differences(a: Spec, b: Spec, programs: tuple[Program, Program]) -> Difference:
    """Compare two specs, given their typed programs; their names and remarks do not count."""
    changes = (*changed("model", equations(a), equations(b)), *changed("", settings(a), settings(b)))
    same = structure(programs[0]) == structure(programs[1])
    try:
        return Difference(changes, tuple(weight_changes(*programs)), same, (count(programs[0]), count(programs[1])))
    except SpecError:
        return Difference(changes, (), same, None)


def equations(spec: Spec) -> Mapping[str, str]:
    """Every equation in canonical text, by its place below `model`."""
    entries = {f"sizes.{name}": print_expression(value) for name, value in spec.sizes.items()}
    entries |= {"input": print_body(spec.input), "stack": print_stack(spec.stack), "output": print_body(spec.output)}
    entries |= {"penalty": print_body(spec.penalty)} if spec.penalty else {}
    for name, definition in spec.definitions.items():
        heading, body = print_heading(definition.heading), print_body(definition.body)
        entries[f"where.{name}"] = f"{heading}: |\n{indented(body)}" if "\n" in body else f"{heading}: {body}"
    return entries


def indented(text: str) -> str:
    """Every line two spaces deeper."""
    return "\n".join(f"  {line}" for line in text.splitlines())


def settings(spec: Spec) -> Mapping[str, str]:
    """Every setting of the other sections, by its path."""
    whole = spec.settings.model_dump(exclude={"name", "about", "model", "parameters"})
    whole["parameters"] = {key: one.model_dump(exclude_none=True) for key, one in spec.settings.parameters.items()}
    return {path: value if isinstance(value, str) else repr(value) for path, value in leaves("", whole)}


def leaves(path: str, value: object) -> Iterator[tuple[str, object]]:
    """(dotted path, value) of everything that is no mapping."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from leaves(f"{path}.{key}" if path else str(key), inner)
    else:
        yield path, value


def changed(prefix: str, old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[Change]:
    """The entries that differ, each where its own text has it."""
    for key in merged(list(old), list(new)):
        path = f"{prefix}.{key}" if prefix else key
        if key not in new:
            yield Change("-", path, old[key], "")
        elif key not in old:
            yield Change("+", path, "", new[key])
        elif old[key] != new[key]:
            yield Change("~", path, old[key], new[key])


def merged(old: Sequence[str], new: Sequence[str]) -> list[str]:
    """All keys in the order of the first; one that only the second has comes behind the key before it there."""
    keys = list(old)
    for before, key in zip([None, *new], new, strict=False):
        if key not in keys:
            keys.insert(keys.index(before) + 1 if before is not None else 0, key)
    return keys


def weight_changes(old: Program, new: Program) -> Iterator[WeightChange]:
    """Trainable tensors that come, go or change their shape, those of block instances together."""
    before, after = (grouped(program) for program in (old, new))
    for key in dict.fromkeys((*before, *after)):
        if more := after[key] - before[key]:
            yield WeightChange(*key, more)


def grouped(program: Program) -> Counter[tuple[str, tuple[int, ...]]]:
    """How many tensors there are of a name, block instances aside, and a shape."""
    return Counter((re.sub(r"^layers\.\d+\.", "layers.*.", name), shape) for name, shape in parameters(program).items())


def structure(program: Program) -> tuple[str, ...]:
    """The program without the names of the text: equal where two programs compute the same in the same order."""
    numbers: dict[str, int] = {}
    return tuple(section_structure(path, section, numbers) for path, section in program.sections())


def section_structure(path: str, section: Section, numbers: dict[str, int]) -> str:
    """The nodes of a section, numbered, without paths and names: weights go by the order in which they are met."""
    labels = {id(node): f"%{index}" for index, node in enumerate(section.nodes)}
    lines = [f"{expression(node, labels).partition(' {')[0]} : {node.type}" for node in section.nodes]
    named = [full_name(path, node.path) for node in section.nodes if node.path]
    lines += [str(numbers.setdefault(name, len(numbers))) for name in named]
    return "\n".join([*lines, *(f"{name} {labels[id(value)]}" for name, value in section.results)])
