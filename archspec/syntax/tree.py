"""The syntax tree: one frozen dataclass per form of the language, each with its place.

Two trees are equal when they say the same, wherever they stand: spans do not count. The tree knows no domains, no axes
and no names; `archspec.check` gives it meaning.
"""

from dataclasses import dataclass, field

from archspec.source import Span


@dataclass(frozen=True)
class Node:
    """Anything with a place."""

    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True)
class Literal(Node):
    """`3`, `1e-3`, `inf`, `true`, `"GATConv"`."""

    value: int | float | bool | str


@dataclass(frozen=True)
class Name(Node):
    """`x`, `eps2`."""

    id: str


@dataclass(frozen=True)
class Unary(Node):
    """`-x`, `not c`."""

    op: str
    operand: "Expr"


@dataclass(frozen=True)
class Binary(Node):
    """`a + b`; op is one of + - * / ** @ < <= > >= == != and or."""

    op: str
    left: "Expr"
    right: "Expr"


@dataclass(frozen=True)
class Choice(Node):
    """`a if c else b`; without `else` (a set: `V if distance[i,j] <= 3`) otherwise is None."""

    then: "Expr"
    condition: "Expr"
    otherwise: "Expr | None"


@dataclass(frozen=True)
class Argument(Node):
    """One argument of a call: `x`, or `bias = false` with its name."""

    name: str | None
    value: "Expr"


@dataclass(frozen=True)
class Call(Node):
    """`linear(x, 2*d, bias = false)`."""

    function: "Expr"
    arguments: tuple[Argument, ...]


@dataclass(frozen=True)
class Index(Node):
    """`x[j]`, `b[i, j]`, `batch_norm(x)[j]`."""

    value: "Expr"
    indices: tuple[Name, ...]


@dataclass(frozen=True)
class Reduce(Node):
    """`sum[j in N](x[j])`; over is None in `sum[j](…)`."""

    op: Name
    index: Name
    over: "Expr | None"
    body: "Expr"


@dataclass(frozen=True)
class Pipe(Node):
    """`x -> f -> g(d)`; every stage is a Name, a Call or a parenthesised function (Lambda, Name)."""

    value: "Expr"
    stages: tuple["Expr", ...]


@dataclass(frozen=True)
class Lambda(Node):
    """`h => f(h, norm = batch_norm)`."""

    parameters: tuple[Name, ...]
    body: "Expr"


@dataclass(frozen=True)
class Range(Node):
    """`0..4`, both ends included."""

    first: "Expr"
    last: "Expr"


@dataclass(frozen=True)
class Sequence(Node):
    """`(0, 2, 5)`."""

    items: tuple["Expr", ...]


Expr = Literal | Name | Unary | Binary | Choice | Call | Index | Reduce | Pipe | Lambda | Range | Sequence


@dataclass(frozen=True)
class Target(Node):
    """What a statement names: `h`, or `a[i, j in V]` with indices (i, j) and over = V."""

    name: str
    indices: tuple[Name, ...] = ()
    over: Expr | None = None


@dataclass(frozen=True)
class Assign(Node):
    """`h = expr`; `q, k = f(x)`; `b, v = e1, e2`."""

    targets: tuple[Target, ...]
    values: tuple[Expr, ...]


@dataclass(frozen=True)
class Body(Node):
    """Statements and the value of the last line; a block, whose last line is an assignment, has no result."""

    statements: tuple[Assign, ...]
    result: tuple[Expr, ...]


@dataclass(frozen=True)
class Parameter(Node):
    """A formal argument: `h`, `norm = batch_norm`."""

    name: str
    default: Expr | None = None


@dataclass(frozen=True)
class Heading(Node):
    """`eps` (parameters is None), `mlp(h)`, `pre_norm(x, f, norm = layer_norm)`; merged by name."""

    name: str
    parameters: tuple[Parameter, ...] | None = None


@dataclass(frozen=True)
class Definition(Node):
    """One entry of `where`."""

    heading: Heading
    body: Body


@dataclass(frozen=True)
class Repeat(Node):
    """`4 * layer`, `depth * (a -> b)`: one stage of a stack, repeated."""

    count: Expr
    stage: "Stage"


@dataclass(frozen=True)
class Chain(Node):
    """`local -> 2 * (a -> b) -> global`: the stages of a stack in order."""

    stages: tuple["Stage", ...]


Stage = Repeat | Chain | Name | Call
"""A stack is a Stage; a leaf is a block's Name, a Call of one with arguments, or `tied(stage)` as a Call whose one
argument is the stage."""


def walk(node: object) -> "list[Node]":
    """The node and everything under it, depth first, in source order."""
    if isinstance(node, tuple):
        return [found for item in node for found in walk(item)]
    if not isinstance(node, Node):
        return []
    return [
        node,
        *(found for name in node.__dataclass_fields__ if name != "span" for found in walk(getattr(node, name))),
    ]
