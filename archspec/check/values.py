"""What an expression can stand for while a spec is checked, and the frames in which names are looked up.

Numbers, texts and truth values are plain Python ones. Everything known before a graph is seen is settled here; what is
left becomes nodes of the IR.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from archspec.diagnostics import Problems
from archspec.ir.nodes import Node
from archspec.ir.ops import Operation
from archspec.ir.types import ERROR, Axis, IndexSet
from archspec.source import Span
from archspec.syntax import tree

if TYPE_CHECKING:
    from archspec.facts import Facts


@dataclass(frozen=True)
class Size:
    """A named size: an axis where an axis is meant, its number elsewhere."""

    axis: Axis


@dataclass(frozen=True)
class Listing:
    """Several values in order: `layers(x)`, `0..4`, `(a, b)`, the results of a function."""

    items: tuple["Value", ...]


@dataclass(frozen=True)
class Function:
    """A definition or lambda, or a definition under another name.

    `closure` is where a lambda was written, with all it sees as it was then.
    """

    name: str
    parameters: tuple[tree.Parameter, ...]
    body: tree.Body
    closure: "Frame | None" = None
    definition: str = ""
    """The heading's own name, where the function goes by another."""
    shared: bool = False
    """Whether all its calls in the model have one set of weights."""


@dataclass(frozen=True)
class Primitive:
    """A row of the table, or one of the checker's own (`encode`, `identity`), under the name it is called by."""

    name: str
    row: Operation | None
    special: str = ""
    shared: bool = False


@dataclass(frozen=True)
class Foreign:
    """A module that archspec did not write, used as a function: `pyg("GATConv", …)`, `python("my.module:Class", …)`."""

    name: str
    kind: str
    target: str
    axes: tuple[Axis, ...]
    options: tuple[tuple[str, object], ...]
    shared: bool = False


Value = int | float | bool | str | Size | Listing | Function | Primitive | Foreign | IndexSet | Node


def broken(span: Span) -> Node:
    """The value of what was already reported."""
    return Node("constant", (), ERROR, span, (("value", 0.0),))


def is_broken(value: Value) -> bool:
    """Whether a problem below this value was reported."""
    return isinstance(value, Node) and value.type.entries == "error"


def are_categories(value: Value) -> bool:
    """Whether a value is a list of categories, as x is where the data has several columns of them."""
    return isinstance(value, Listing) and all(
        isinstance(one, Node) and one.type.entries == "category" for one in value.items
    )


def as_columns(value: Value, frame: "Frame", count: int = 1) -> Value:
    """Raw data as a list of so many columns where no data set says how many there are; else the value."""
    if (
        frame.world.facts is None
        and isinstance(value, Node)
        and value.op == "data"
        and value.type.entries == "category"
    ):
        return Listing((value,) * count)
    return value


def number_of(value: Value) -> int | float | bool | None:
    """The number a value is known to be, or None."""
    if isinstance(value, Size):
        return value.axis.size
    return value if isinstance(value, int | float) else None


@dataclass
class Naming:
    """Gives weights their names below a section: the first `linear`, the next `linear_2`."""

    prefix: str = ""
    counts: dict[str, int] = field(default_factory=dict)
    """How often each name was asked for, or 1 for a numbered one that was given away."""

    def fresh(self, name: str) -> str:
        """The whole path of a name not used here before."""
        candidate, count = name, self.counts.get(name, 0)
        while candidate in self.counts:
            count += 1
            candidate = f"{name}_{count}"
        self.counts[name] = max(count, 1)
        self.counts.setdefault(candidate, 1)
        return self.whole(candidate)

    def whole(self, name: str) -> str:
        """The path of a name here."""
        return f"{self.prefix}.{name}" if self.prefix else name

    def below(self, name: str) -> "Naming":
        """The naming inside a call of a definition."""
        return Naming(self.fresh(name))


@dataclass
class Place:
    """The section being expanded: its states and the values of its definitions without arguments."""

    title: str
    states: dict[str, Value]
    history: Mapping[str, tuple[Node, ...]] = field(default_factory=dict)
    """For `layers(x)` in the output."""
    raw: bool = False
    """Whether raw data may be read: in the input alone."""
    depth: int | None = None
    depth_read: bool = False
    naming: Naming = field(default_factory=Naming)
    once: dict[str, Value] = field(default_factory=dict)
    sets: dict[IndexSet, Node] = field(default_factory=dict)
    """What decides on the pairs of a set: a condition, or chance."""


@dataclass(frozen=True)
class Binding:
    """The indices in force: i and j, and the set j runs over; where there is a third, k and its set."""

    target: str
    source: str
    over: IndexSet
    third: str = ""
    among: IndexSet | None = None
    around: tuple[str, ...] = ()
    """Of a reduction inside others all indices in force; bare values per pair would be ambiguous there."""

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the indices."""
        return (self.target, self.source, *([self.third] if self.third else []))

    @property
    def newest(self) -> tuple[str, IndexSet]:
        """The index of the innermost reduction and its set."""
        return (self.third, self.among) if self.among is not None else (self.source, self.over)

    @property
    def rows(self) -> IndexSet:
        """The set with a row for every pair or triple in force."""
        return self.over if self.among is None else IndexSet("triples", pairs=self.over, third=self.among)


HIDDEN = "·"
"""The local name of a value that has none in the text, as between two stages of a pipe."""

TOO_DEEP = "=>"
"""Stands for all calls once some have gone too deep."""


@dataclass(frozen=True)
class World:
    """What stays the same for a whole spec."""

    problems: Problems
    sizes: Mapping[str, Value]
    definitions: Mapping[str, tree.Definition]
    library: Mapping[str, tree.Definition]
    states: frozenset[str]
    facts: "Facts | None"
    evaluate: Callable[[tree.Expr, "Frame"], Value]
    endless: set[str] = field(default_factory=set)
    """Definitions that call themselves, which are not expanded; `TOO_DEEP` where calls go on without one."""

    sets: dict[IndexSet, Node] = field(default_factory=dict)
    """The same for sets that the graph alone decides on, in whatever section they were met."""

    def definition(self, name: str) -> tree.Definition | None:
        """The spec's own definition of a name, else the library's."""
        return self.definitions.get(name) or self.library.get(name)


@dataclass(frozen=True)
class Frame:
    """Where an expression is evaluated: the names it sees and the indices in force."""

    world: World
    place: Place
    naming: Naming
    locals: dict[str, Value] = field(default_factory=dict)
    sees_states: bool = False
    """Whether this is a section's own text, which reads states and, in the input, raw data."""
    binding: Binding | None = None
    inside: bool = False
    """Whether this is inside a reduction, however deep."""
    pooled: bool = False
    """Whether a reduction over the nodes of a graph binds i."""
    calls: tuple[str, ...] = ()
    bases: Mapping[int, Value] = field(default_factory=dict)
    """Values of indexed expressions that were needed early, by the identity of their tree."""
    member: str = "j"
    """The index that the condition of a set has for its members."""
    alone: str = ""
    """The local a call names its weights after, where it stands alone on the right-hand side."""

    def value(self, expression: tree.Expr) -> Value:
        """Evaluate an expression here; what it is named after holds for a call alone."""
        return self.world.evaluate(expression, replace(self, alone="") if self.alone else self)

    def also(self, name: str, value: Value) -> "Frame":
        """The same with one more name."""
        return replace(self, locals={**self.locals, name: value})

    def whole(self) -> "Frame":
        """The same names, no indices: what `f(x)` in `f(x)[j]` sees."""
        return replace(self, binding=None, inside=False, pooled=False, member="j", alone="")

    def error(
        self, code: str, span: Span, message: str, label: str = "", notes: tuple[str, ...] = (), help: str = ""
    ) -> Node:
        """Report a problem; the result is a broken value."""
        self.world.problems.error(code, span, message, label=label, notes=notes, help=help)
        return broken(span)
