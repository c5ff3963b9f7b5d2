"""IR as text: a line for every node, in order; the same text for the same program.

A value goes by its name in the text of the spec, else by its number; numbers of the spec stand where they are used.
"""

from collections.abc import Callable, Iterator, Mapping

from archspec.ir.nodes import Node, Program, Section
from archspec.ir.ops import OPERATIONS

Note = Callable[[Node], str]
Labels = Mapping[int, str]

WIDEST = 72
"""Column up to which the types stand below each other."""


def program_text(program: Program, note: Note = lambda node: "") -> str:
    """Every section once; equal block instances under one heading. `note` adds a remark behind a node's line."""
    blocks = [section_text(heading, section, note) for heading, section in headed(program)]
    return "\n\n".join(blocks) + "\n"


def headed(program: Program) -> Iterator[tuple[str, Section]]:
    """(heading, section) of every distinct section: `layers.0, layers.1, …: layer`."""
    paths: dict[int, list[str]] = {}
    sections: dict[int, Section] = {}
    for path, section in program.sections():
        paths.setdefault(id(section), []).append(path)
        sections[id(section)] = section
    for key, section in sections.items():
        where = ranges([*dict.fromkeys(paths[key])])
        if program.owners and (times := len(paths[key])) > 1:
            where += f" ({times} times)"
        yield f"{where}: {section.title}" if where.startswith("layers.") else where, section


def ranges(paths: list[str]) -> str:
    """`layers.0 … layers.3` where the instances follow each other, else all of them."""
    numbers = [int(path.partition(".")[2]) for path in paths if path.startswith("layers.")]
    consecutive = numbers and numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    return f"layers.{numbers[0]} … layers.{numbers[-1]}" if consecutive and len(numbers) > 2 else ", ".join(paths)


def section_text(heading: str, section: Section, note: Note) -> str:
    """The nodes of a section and what comes out of it."""
    names = labels(section)
    shown = [node for node in section.nodes if node.op != "constant"]
    texts = [f"{names[id(node)]} = {expression(node, names)}" for node in shown]
    column = max((len(text) for text in texts if len(text) <= WIDEST), default=0)
    lines = [heading]
    for node, text in zip(shown, texts, strict=True):
        lines.append(f"  {text:<{column}} : {node.type}")
        if remark := note(node):
            lines.append(f"      # {remark}")
    lines += [f"  {over}: where {names[id(condition)]}" for over, condition in section.sets]
    lines += [f"  → {f'{name} = ' if name else ''}{names[id(value)]}" for name, value in section.results]
    return "\n".join(lines)


def labels(section: Section) -> dict[int, str]:
    """What every value is called: a number itself, the name in the text (`x.2` where it comes again), or %3."""
    found: dict[int, str] = {}
    counts: dict[str, int] = {}
    number = 0
    for node in section.nodes:
        if node.op == "constant":
            found[id(node)] = str(node["value"])
        elif name := node.name or (node.path if node.op == "parameter" else ""):
            counts[name] = counts.get(name, 0) + 1
            found[id(node)] = name + (f".{counts[name]}" if counts[name] > 1 else "")
        else:
            number += 1
            found[id(node)] = f"%{number}"
    return found


def expression(node: Node, names: Labels) -> str:
    """`linear(x, bias=False) {mlp.linear}`: operands, options that are not at their defaults, path of the weights."""
    given = [names[id(operand)] for operand in node.operands]
    given += [f"{key}={value}" for key, value in node.attributes if value is not None and not default(node, key, value)]
    weights = f" {{{node.path}}}" if node.path else ""
    return f"{node.op}({', '.join(given)}){weights}"


def default(node: Node, key: str, value: object) -> bool:
    """Whether an option has the value that it has where the text leaves it out."""
    return any(formal.name == key and formal.default == value for formal in OPERATIONS[node.op].arguments or ())
