"""The lines of a section's `forward`: a line for every value with a name, a comment for every source equation."""

import keyword
from collections.abc import Iterator
from dataclasses import dataclass, field

from archspec.emit.expressions import EXPRESSIONS, Site, Text, set_name
from archspec.ir.nodes import Node, Section
from archspec.ir.ops import weights_of
from archspec.ir.types import IndexSet
from archspec.passes.rewrite import users
from archspec.passes.schedule import Plan

LONGEST = 90
"""Characters of an expression that is still written into another."""

RESERVED = frozenset(("self", "batch", "torch", "nn", "F", "N", "N_and_i", "V"))
"""Names the emitted text uses itself."""


@dataclass
class Method:
    """A method as it is written."""

    section: Section
    plan: Plan
    lines: list[str] = field(default_factory=list)
    texts: dict[int, Text] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)
    comment: str = ""

    def __post_init__(self) -> None:
        self.users = users(self.section)
        self.readers = {id(operand): node for node in self.section.nodes for operand in node.operands}
        self.dtype = dtype_text(self.section)
        for node in self.section.inputs:
            self.texts[id(node)] = Text(state_text(node))
            self.taken.add(state_name(node))


def state_name(node: Node) -> str:
    """The argument a state comes in as: `x`, or `x_after` for the list of all of them."""
    name = str(node["name"])
    safe = name + "_" if name in RESERVED or keyword.iskeyword(name) else name
    return safe if node["layer"] is None else f"{safe}_after"


def state_text(node: Node) -> str:
    """`x`, `x_after[3]`."""
    return state_name(node) + ("" if node["layer"] is None else f"[{node['layer']}]")


def arguments(section: Section) -> list[str]:
    """The states a section's method takes, in order of their first use."""
    return list(dict.fromkeys(state_name(node) for node in section.inputs))


def dtype_text(section: Section) -> str:
    """Where the method finds the type of its numbers."""
    for node in section.inputs:
        return f"{state_text(node)}.dtype"
    for node in section.nodes:
        for name, _ in weights_of(node):
            return f"self.{name}.dtype"
    return "torch.get_default_dtype()"


def method_lines(section: Section, plan: Plan) -> list[str]:
    """The body of `forward`, its return included."""
    method = Method(section, plan)
    for node in section.nodes:
        if id(node) not in method.texts:
            write(node, method)
    results = ", ".join(method.texts[id(value)].text for _, value in section.results)
    return [*set_lines(section), *method.lines, f"return {results}"]


def set_lines(section: Section) -> Iterator[str]:
    """`N = batch.pairs("N")` for every index set the section needs."""
    for over in dict.fromkeys(found for node in section.nodes for found in sets_of(node)):
        step = f", {over.k}" if over.name == "reach" else ""
        yield f'{set_name(over)} = batch.pairs("{over.name}"{step})'


def sets_of(node: Node) -> list[IndexSet]:
    """The index sets a node's text names."""
    named = node.get("over")
    found = [named] if isinstance(named, IndexSet) else []
    if node.op == "restrict" and node.operands[0].type.domain.over:
        found.append(node.operands[0].type.domain.over)
    return found


def write(node: Node, method: Method) -> None:
    """The node's text: into the expression that needs it, or on a line of its own under its equation."""
    operands = [method.texts[id(operand)] for operand in node.operands]
    site = Site(complete(node), operands, method.plan.choices.get(id(node)), method.dtype)
    text = EXPRESSIONS[node.op](site)
    if inlined(node, text, method):
        method.texts[id(node)] = text
        return
    comment = " ".join(node.span.source.line(node.span.line).split())
    if comment != method.comment:
        method.lines.append(f"# {comment}")
        method.comment = comment
    name = variable(node, method)
    method.lines.append(f"{name} = {text.text}")
    method.texts[id(node)] = Text(name)


def complete(node: Node) -> Node:
    """The node with the set that a softmax, which keeps its index, runs over."""
    if node.op != "softmax" or node.get("over") is not None:
        return node
    return Node(node.op, node.operands, node.type, node.span, (("over", node.type.domain.over),))


def inlined(node: Node, text: Text, method: Method) -> bool:
    """Leaves always; else what is used once, by the same line of the spec, has no name and stays short."""
    if node.op in ("constant", "parameter", "data"):
        return True
    reader = method.readers.get(id(node))
    if node.name or reader is None or method.users[id(node)] != 1 or len(text.text) > LONGEST:
        return False
    return node.type.domain.kind == "constant" or equation(reader) == equation(node)


def equation(node: Node) -> tuple[str, int]:
    """The line of the spec a node comes from."""
    return node.span.source.path, node.span.line


def variable(node: Node, method: Method) -> str:
    """The name a value has in the text, or its operation; numbered where it is taken: no value hides another."""
    wanted = node.name or node.op
    if wanted in RESERVED or keyword.iskeyword(wanted) or wanted in RUNTIME_NAMES:
        wanted += "_"
    name, count = wanted, 1
    while name in method.taken:
        count += 1
        name = f"{wanted}_{count}"
    method.taken.add(name)
    return name


RUNTIME_NAMES = frozenset(
    (
        *("gather_source", "gather_target", "restrict", "batch_norm", "layer_norm", "rms_norm", "graph_norm"),
        *("pair_product", "as_batch", "GraphNorm", "Batch"),
    )
)
"""Functions of the runtime that an operation's own name would hide."""
