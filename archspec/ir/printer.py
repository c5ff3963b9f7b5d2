"""IR as text: one line per node, in order, the same text for the same program."""

from collections.abc import Callable, Iterator

from archspec.ir.nodes import Node, Program, Section

Note = Callable[[Node], str]


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
        yield f"{ranges(paths[key])}: {section.title}", section


def ranges(paths: list[str]) -> str:
    """`layers.0 … layers.3` where the instances follow each other, else all of them."""
    numbers = [int(path.partition(".")[2]) for path in paths if path.startswith("layers.")]
    consecutive = numbers and numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    return f"layers.{numbers[0]} … layers.{numbers[-1]}" if consecutive and len(numbers) > 2 else ", ".join(paths)


def section_text(heading: str, section: Section, note: Note) -> str:
    """The nodes of a section and what comes out of it."""
    labels = numbered(section)
    lines = [heading]
    for node in section.nodes:
        remark = note(node)
        line = f"  {labels[id(node)]} = {expression(node, labels)} : {node.type}"
        lines.append(f"{line}    # {remark}" if remark else line)
    lines += [f"  {name or 'prediction'} ← {labels[id(value)]}" for name, value in section.results]
    return "\n".join(lines)


def numbered(section: Section) -> dict[int, str]:
    """A label for every node: %0, %1, …, with the name the text gives it."""
    return {id(node): f"%{index}" + (f".{node.name}" if node.name else "") for index, node in enumerate(section.nodes)}


def expression(node: Node, labels: dict[int, str]) -> str:
    """`linear[bias=True](%3) {mlp.linear}`."""
    options = ", ".join(f"{key}={value}" for key, value in node.attributes if value is not None)
    operands = ", ".join(labels[id(operand)] for operand in node.operands)
    weights = f" {{{node.path}}}" if node.path else ""
    return f"{node.op}{f'[{options}]' if options else ''}({operands}){weights}"
