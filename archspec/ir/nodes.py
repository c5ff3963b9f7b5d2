"""The typed language: one node for every operation, sections of nodes, and the program of sections.

A program is `input`, then block instances, then `output`; each is a section with its own graph of nodes. Block
instances that do the same share one Section object, so passes and the emitter see each once; their weights differ by
path only.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from archspec.ir.settings import Setting
from archspec.ir.types import Type
from archspec.source import Span


@dataclass(eq=False)
class Node:
    """One operation: a row of `archspec.ir.ops.OPERATIONS`, its operands, its type and its place in the text.

    `path` names its weights within the section (`mlp.linear_2`), "" where it has none; `name` is the name its value has
    in the text, "" where it has none: the statement that names it fills it in, once. All else never changes. Two nodes
    are the same only if they are the same object.
    """

    op: str
    operands: tuple["Node", ...]
    type: Type
    span: Span = field(repr=False)
    attributes: tuple[tuple[str, object], ...] = ()
    path: str = ""
    name: str = ""

    def __getitem__(self, key: str) -> object:
        """The attribute of that name."""
        return dict(self.attributes)[key]

    def get(self, key: str, default: object = None) -> object:
        """The attribute of that name, or the default."""
        return dict(self.attributes).get(key, default)


@dataclass(frozen=True, eq=False)
class Section:
    """What is computed in one place of the stack: `input`, `output`, or a block.

    `results` are (state, value) for input and blocks, and (("", value),) for the output. States come in as nodes with
    the operation `state` and the attributes `name` and `layer` (None: as it is now; k: as it was after k block
    instances).
    """

    title: str
    results: tuple[tuple[str, Node], ...]

    @cached_property
    def nodes(self) -> tuple[Node, ...]:
        """All nodes, operands before users, in the order the results need them."""
        return tuple(in_order(value for _, value in self.results))

    @property
    def inputs(self) -> tuple[Node, ...]:
        """The states it reads."""
        return tuple(node for node in self.nodes if node.op == "state")


@dataclass(frozen=True, eq=False)
class Program:
    """A whole architecture: sections in order; instance k of `layers` is `layers.k` in the names of weights."""

    name: str
    input: Section
    layers: tuple[Section, ...]
    output: Section
    settings: tuple[Setting, ...] = ()
    """What `parameters:` says, in its order."""

    def sections(self) -> Iterator[tuple[str, Section]]:
        """(path, section) for every instance: input, layers.0, layers.1, …, output."""
        yield "input", self.input
        for index, section in enumerate(self.layers):
            yield f"layers.{index}", section
        yield "output", self.output


def in_order(roots: Iterable[Node]) -> list[Node]:
    """The nodes under the roots, each once, operands first; iterative, since chains may be long."""
    order: list[Node] = []
    seen: set[int] = set()
    stack = [(root, False) for root in reversed(list(roots))]
    while stack:
        node, ready = stack.pop()
        if ready:
            order.append(node)
        elif id(node) not in seen:
            seen.add(id(node))
            stack.append((node, True))
            stack.extend((operand, False) for operand in reversed(node.operands))
    return order
