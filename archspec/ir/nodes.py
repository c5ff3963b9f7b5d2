"""The typed language: one node for every operation, sections of nodes, and the program of sections.

A program is `input`, then block instances, then `output`; each is a section with its own graph of nodes. Block
instances that do the same share one Section object, so passes and the emitter see each once; their weights differ by
path only.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from archspec.ir.settings import Setting
from archspec.ir.types import IndexSet, Type
from archspec.source import Span


@dataclass(eq=False)
class Node:
    """One operation: a row of `archspec.ir.ops.OPERATIONS`, its operands, its type and its place in the text.

    `path` names its weights within the section (`mlp.linear_2`), or those of the whole model where it begins with
    `shared.`; it is "" where it has none. `name` is the name its value has
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
    instances). `sets` are the index sets that conditions decide on, with the truth value per pair of the base that says
    which pairs they have; a set stands behind those its own condition lives on.
    """

    title: str
    results: tuple[tuple[str, Node], ...]
    sets: tuple[tuple[IndexSet, Node], ...] = ()

    @property
    def roots(self) -> tuple[Node, ...]:
        """What has to be computed: conditions of sets, which other values may live on, then results."""
        return (*(condition for _, condition in self.sets), *(value for _, value in self.results))

    @cached_property
    def nodes(self) -> tuple[Node, ...]:
        """All nodes, operands before users, in the order the roots need them."""
        return tuple(in_order(self.roots))

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
    owners: tuple[int, ...] = ()
    """The block instance whose weights each instance has, its own unless it is tied; () where none is."""
    penalty: Section | None = None
    """What is added to the loss: one number, or one per graph whose mean it is."""
    settings: tuple[Setting, ...] = ()
    """What `parameters:` says, in its order."""

    def sections(self) -> Iterator[tuple[str, Section]]:
        """(path of its weights, section) for every instance: input, layers.0, layers.1, …, penalty, output."""
        yield "input", self.input
        for index, section in zip(self.owners or range(len(self.layers)), self.layers, strict=True):
            yield f"layers.{index}", section
        if self.penalty:
            yield "penalty", self.penalty
        yield "output", self.output


SHARED = "shared"
"""The part of a model that holds the weights of shared functions."""


def shared_path(name: str) -> str:
    """The path of what a shared function of that name holds."""
    return f"{SHARED}.{name}"


def is_shared(path: str) -> bool:
    """Whether weights belong to the model, not to a section: no definition can be called `shared`."""
    return path.startswith(f"{SHARED}.")


def full_name(section: str, name: str) -> str:
    """The name in `state_dict` of a weight, by the path of its section and its name there."""
    return name if is_shared(name) else f"{section}.{name}"


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
