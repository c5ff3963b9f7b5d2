"""The lines of a section's `forward`: a line for every value with a name, a comment for every source equation."""

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field

from archspec.emit.expressions import EXPRESSIONS, Site, Text
from archspec.emit.names import Variables, fresh
from archspec.emit.sets import Made, set_names
from archspec.ir.nodes import Node, Section, is_shared
from archspec.ir.ops import weights_of
from archspec.ir.sets import IndexSet
from archspec.passes.rewrite import users
from archspec.passes.schedule import Plan

LONGEST = 90
"""Characters of an expression that is still written into another."""

COMMENT = 108
"""Characters of a line of a comment."""


@dataclass
class Method:
    """A method as it is written."""

    section: Section
    plan: Plan
    variables: Variables
    lines: list[str] = field(default_factory=list)
    texts: dict[int, Text] = field(default_factory=dict)
    reads: dict[int, frozenset[str]] = field(default_factory=dict)
    """The variables in the text of every value that waits to be written into another."""
    owner: dict[str, Node] = field(default_factory=dict)
    """The value each variable holds."""
    comment: str = ""

    def __post_init__(self) -> None:
        self.users = users(self.section)
        self.place = {id(node): at for at, node in enumerate(self.section.nodes)}
        self.readers = {id(operand): node for node in self.section.nodes for operand in node.operands}
        self.sets = set_names(self.section)
        self.decided: dict[int, list[IndexSet]] = {}
        for over, condition in self.section.sets:
            self.decided.setdefault(id(condition), []).append(over)
        self.results = {id(value) for _, value in self.section.results}
        for node in self.section.inputs:
            self.texts[id(node)] = Text(self.variables.text(node))
            self.owner[self.variables.argument(node)] = node

    def alive(self, name: str, at: int) -> bool:
        """Whether the value that a variable holds is still read behind the node at a place."""
        value = self.owner[name]
        if value.get("layer") is not None or id(value) in self.results:
            return True
        last = self.readers.get(id(value))
        return (last is not None and self.place[id(last)] > at) or any(name in names for names in self.reads.values())


def arguments(section: Section, variables: Variables) -> list[str]:
    """The states a section's method takes, in order of their first use."""
    return list(dict.fromkeys(variables.argument(node) for node in section.inputs))


def method_lines(section: Section, plan: Plan, variables: Variables) -> list[str]:
    """The body of `forward`, its return included."""
    method = Method(section, plan, variables)
    made = Made(method.sets)
    known = list(made.ready())
    for node in section.nodes:
        if id(node) not in method.texts:
            write(node, method)
        for over in method.decided.get(id(node), ()):
            method.lines += made.decided(over, method.texts[id(node)].text)
    results = ", ".join(result_text(value, method) for _, value in section.results)
    lines = [*method.lines, f"return {results}"]
    return [*known, *dtype_lines(section, variables, "\n".join(lines)), *lines]


def result_text(value: Node, method: Method) -> str:
    """A result; a number becomes a tensor."""
    text = method.texts[id(value)].text
    return f"torch.tensor({text}, dtype=dtype, device=device)" if value.op == "constant" else text


def dtype_lines(section: Section, variables: Variables, body: str) -> Iterator[str]:
    """Where the method finds the type of its numbers, and their device, if it needs them."""
    if "dtype=dtype" not in body and "(dtype)" not in body:
        return
    numeric = [variables.text(node) for node in section.inputs if node.type.entries == "number"]
    numeric += [name if is_shared(name) else f"self.{name}" for node in section.nodes for name, _ in weights_of(node)]
    numeric += [
        f"batch.{node['name']}" for node in section.nodes if node.op == "data" and node.type.entries == "number"
    ]
    dtype = f"{numeric[0]}.dtype" if numeric else "torch.get_default_dtype()"
    yield f"dtype, device = {dtype}, batch.x.device" if "device=device" in body else f"dtype = {dtype}"


def write(node: Node, method: Method) -> None:
    """The node's text: into the expression that needs it, or on a line of its own under its equation."""
    operands = [method.texts[id(operand)] for operand in node.operands]
    text = EXPRESSIONS[node.op](Site(node, operands, method.plan.choices.get(id(node)), method.sets))
    read = frozenset(name for operand in node.operands for name in read_by(operand, method))
    for operand in node.operands:
        method.reads.pop(id(operand), None)
    alone = not inlined(node, text, method)
    text = seen(node, text, method)
    if not alone:
        method.texts[id(node)], method.reads[id(node)] = text, read
        if id(node) in method.results and node.op != "constant":
            comment_on(node, method)
        return
    comment_on(node, method)
    name = variable(node, method)
    method.lines.append(f"{name} = {text.text}")
    method.texts[id(node)] = Text(name)
    method.owner[name] = node


def seen(node: Node, text: Text, method: Method) -> Text:
    """The text, shown to whoever looks on where the plan says so; a softmax is shown with its set."""
    name = method.plan.seen.get(id(node))
    if name is None:
        return text
    over = node["over"] if node.op == "softmax" else None
    also = f", {method.sets[over]}" if isinstance(over, IndexSet) else ""
    return Text(f'self.see("{name}", {text.text}{also})')


def read_by(operand: Node, method: Method) -> frozenset[str]:
    """The variables in the text of a value."""
    text = method.texts[id(operand)].text
    return method.reads.get(id(operand), frozenset((text.partition("[")[0],)))


def comment_on(node: Node, method: Method) -> None:
    """The source line a value comes from, once for all values of that line that follow each other."""
    comment = " ".join(node.span.source.line(node.span.line).split())
    if comment != method.comment:
        method.lines += [f"# {line}" for line in textwrap.wrap(comment, COMMENT)]
        method.comment = comment


def inlined(node: Node, text: Text, method: Method) -> bool:
    """Leaves always; else what is used once, by the same line of the spec, has no name and stays short."""
    if node.op in ("constant", "parameter", "data"):
        return True
    if node.name or method.users[id(node)] != 1:
        return False
    if id(node) in method.results:
        return len(method.results) == 1
    if len(text.text) > LONGEST:
        return False
    if id(node) in method.decided:
        return True
    return node.type.domain.kind == "constant" or equation(method.readers[id(node)]) == equation(node)


def equation(node: Node) -> tuple[str, int]:
    """The line of the spec a node comes from."""
    return node.span.source.path, node.span.line


def variable(node: Node, method: Method) -> str:
    """The name a value has in the text, or its operation; numbered where it is taken by a value that is read later."""
    at = method.place[id(node)]
    return fresh(node.name or node.op, lambda name: name in method.owner and method.alive(name, at))
