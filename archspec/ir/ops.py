"""The table of operations: what each takes, the type of its result, its weights, and how torch spells it.

An operation the user can call has `arguments`; the others come from operators, indices and passes. Adding a primitive
is a row here and a row in `archspec.reference.table`, which says in plain arithmetic what it computes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from archspec.ir import rules
from archspec.ir.nodes import Node
from archspec.ir.rules import Rule
from archspec.ir.weights import (
    Weight,
    affine,
    average_weights,
    batch_norm_weights,
    embed_weights,
    graph_norm_weights,
    linear_weights,
    no_weights,
    parameter_weights,
    part_weights,
    rms_norm_weights,
)

REQUIRED = object()
"""Default of an argument that must be given."""


@dataclass(frozen=True)
class Formal:
    """An argument of a primitive: a value, all remaining positional arguments as axes, or a compile-time option."""

    name: str
    kind: Literal["value", "values", "axes", "number", "flag"]
    default: object = REQUIRED


@dataclass(frozen=True)
class Operation:
    """One row of the table."""

    name: str
    doc: str
    arguments: tuple[Formal, ...] | None = None
    rule: Rule = rules.combine
    torch: str = ""
    """Template of the emitted expression: {0}, {1} are operands, {name} options."""
    elementwise: bool = False
    weights: Callable[[Node], tuple[Weight, ...]] = no_weights
    over_rows: bool = False
    """Whether a row's result depends on the other rows, or on chance: norms over the batch, dropout."""
    source: str = ""


X = Formal("x", "value")
AXES = Formal("axes", "axes", ())


def unary(name: str, doc: str, torch: str = "", **options: float) -> Operation:
    """A row for an elementwise function of one value, with its numeric options and their defaults."""
    template = torch or f"torch.{name}"
    formals = tuple(Formal(option, "number", default) for option, default in options.items())
    call = "".join(f", {option}={{{option}}}" for option in options)
    return Operation(name, doc, (X, *formals), rules.combine, f"{template}({{0}}{call})", elementwise=True)


def functional(name: str, doc: str, **options: float) -> Operation:
    """A row for an elementwise function of torch.nn.functional."""
    return unary(name, doc, f"F.{name}", **options)


def operator(name: str, doc: str, torch: str) -> Operation:
    """A row for an operator of the language."""
    return Operation(name, doc, None, rules.combine, torch, elementwise=True)


def binary(name: str, doc: str) -> Operation:
    """A row for an elementwise function of two values."""
    return Operation(
        name,
        doc,
        (Formal("a", "value"), Formal("b", "value")),
        rules.combine,
        f"torch.{name}({{0}}, {{1}})",
        elementwise=True,
    )


def comparison(name: str, symbol: str) -> Operation:
    """A row for a comparison; its result is a truth value per entry."""
    return Operation(name, f"a {symbol} b", None, rules.compare, f"({{0}} {symbol} {{1}})", elementwise=True)


def logic(name: str, doc: str, torch: str) -> Operation:
    """A row for an operation on truth values."""
    return Operation(name, doc, None, rules.logic, torch, elementwise=True)


def reduction(name: str, doc: str) -> Operation:
    """A row for a reduction over the pairs of each i; 0 where there are none."""
    return Operation(name, doc, None, rules.reduce)


LEAVES = (
    Operation("constant", "a number", None, rules.leaf),
    Operation("parameter", "a learnable scalar, vector or matrix", None, rules.leaf, weights=parameter_weights),
    Operation("state", "a state, as it comes in or after block instance `layer`", None, rules.leaf),
    Operation("data", "raw data of the batch: x, e or pos", None, rules.leaf),
)

STRUCTURE = (
    Operation("distance", "edges of the shortest way from j to i; inf where there is none", None, rules.leaf),
    Operation("adjacency", "1 where an edge leads from j to i ≠ j, else 0", None, rules.leaf),
    Operation("hops", "the distance from j to i, one-hot over the listed numbers", None, rules.leaf),
    Operation("walk", "the listed powers of D⁻¹A; A[i,j] is the adjacency, D its sums over j", None, rules.leaf),
    Operation("rwse", "the diagonals of the listed powers of D⁻¹A", None, rules.leaf, source="Dwivedi et al. 2022"),
    Operation(
        "laplacian_pe",
        "eigenvectors of I - D^(-1/2) A D^(-1/2) by ascending eigenvalue, but the first; A without directions",
        None,
        rules.leaf,
        source="Dwivedi et al. 2023",
    ),
)
"""What the graph alone gives; self loops and the multiplicity of edges are ignored."""

OPERATORS = (
    operator("add", "a + b", "{0} + {1}"),
    operator("sub", "a - b", "{0} - {1}"),
    operator("mul", "a * b", "{0} * {1}"),
    operator("div", "a / b", "{0} / {1}"),
    operator("pow", "a ** b", "{0} ** {1}"),
    operator("neg", "-a", "-{0}"),
    comparison("lt", "<"),
    comparison("le", "<="),
    comparison("gt", ">"),
    comparison("ge", ">="),
    comparison("eq", "=="),
    comparison("ne", "!="),
    logic("and", "a and b", "({0} & {1})"),
    logic("or", "a or b", "({0} | {1})"),
    logic("not", "not a", "(~{0})"),
    Operation(
        "where", "a if c else b, entry by entry", None, rules.choose, "torch.where({0}, {1}, {2})", elementwise=True
    ),
    Operation("inner", "a @ b: the inner product over the last axis of b", None, rules.inner),
)

FUNCTIONS = (
    unary("relu", "max(x, 0)"),
    unary("sigmoid", "1 / (1 + exp(-x))"),
    unary("tanh", "hyperbolic tangent"),
    unary("exp", "e to the x"),
    unary("log", "natural logarithm"),
    unary("log1p", "log(1 + x)"),
    unary("sqrt", "square root"),
    unary("rsqrt", "1 / sqrt(x)"),
    unary("square", "x * x"),
    unary("abs", "absolute value"),
    unary("sign", "-1, 0 or 1"),
    unary("sin", "sine"),
    unary("cos", "cosine"),
    unary("erf", "error function"),
    unary("reciprocal", "1 / x"),
    functional("gelu", "x Φ(x), exact (Hendrycks and Gimpel 2016)"),
    functional("silu", "x sigmoid(x) (Elfwing et al. 2018)"),
    functional("mish", "x tanh(softplus(x)) (Misra 2019)"),
    functional("elu", "x if x > 0 else alpha (exp(x) - 1) (Clevert et al. 2016)", alpha=1.0),
    functional("selu", "scaled elu that keeps mean 0 and variance 1 (Klambauer et al. 2017)"),
    functional("leaky_relu", "x if x > 0 else negative_slope * x", negative_slope=0.01),
    functional("softplus", "log(1 + exp(beta x)) / beta", beta=1.0),
    functional("softsign", "x / (1 + |x|)"),
    functional("logsigmoid", "log(sigmoid(x))"),
    functional("hardtanh", "x clipped to [min_val, max_val]", min_val=-1.0, max_val=1.0),
    functional("relu6", "min(max(x, 0), 6)"),
    functional("hardsigmoid", "relu6(x + 3) / 6"),
    functional("hardswish", "x relu6(x + 3) / 6"),
    binary("maximum", "the larger of a and b"),
    binary("minimum", "the smaller of a and b"),
    unary("detach", "x, through which no gradient flows"),
)

INDEXING = (
    Operation(
        "chance", "true with probability 1 - p in training, in evaluation always, pair by pair", None, rules.leaf
    ),
    Operation("gather_source", "x[j] on the pairs of a set", None, rules.gather),
    Operation(
        "gather_target", "x[i] on the pairs of a set; over members, a graph's value on its nodes", None, rules.gather
    ),
    Operation("gather_cross", "b[k, j] on triples (i, j, k)", None, rules.gather),
    Operation("transpose", "b[j, i] on the pairs (i, j) of a set that has both", None, rules.turn),
    Operation("restrict", "b[i, j] on the pairs of a smaller set", None, rules.gather),
    Operation("spread", "a constant on the pairs of a set", None, rules.gather),
    reduction("sum", "sum over j"),
    reduction("mean", "mean over j; 0 over none"),
    reduction("max", "maximum over j; 0 over none"),
    reduction("min", "minimum over j; 0 over none"),
    reduction("std", "standard deviation over j, divided by their number; 0 over none and over equal ones"),
    reduction("logsumexp", "log of the sum of exp over j; 0 over none"),
    Operation("softmax", "exp(e[i,j]) / sum over j of it", None, rules.combine),
    Operation(
        "fill",
        "e on all pairs of V, parallel edges added, `absent` where e has no pair",
        (Formal("e", "value"), Formal("absent", "value")),
        rules.fill,
    ),
)

SHAPES = (
    Operation("concat", "a and b joined along the last axis", (Formal("values", "values"),), rules.concat),
    Operation("view", "the feature axes in order, under other names", (X, AXES), rules.view),
)

LAYERS = (
    Operation(
        "linear",
        "W x + b over all feature axes of x",
        (X, AXES, Formal("bias", "flag", True)),
        rules.linear,
        weights=linear_weights,
        source="torch.nn.Linear",
    ),
    Operation(
        "category",
        "x, such as `degree` or `distance`, as one of `size` categories: rounded down, from 0 to size - 1",
        (X, Formal("size", "number")),
        rules.category,
        "torch.clamp({0}, 0, {size} - 1).floor().long()",
    ),
    Operation(
        "embed",
        "a learnt row for every category",
        (X, AXES, Formal("size", "number", None)),
        rules.embed,
        weights=embed_weights,
        source="torch.nn.Embedding",
    ),
    Operation(
        "batch_norm",
        "(x - mean) / sqrt(var + 1e-5) * weight + bias, over all rows of the batch",
        (X,),
        rules.on_rows,
        weights=batch_norm_weights,
        over_rows=True,
        source="Ioffe and Szegedy 2015",
    ),
    Operation(
        "layer_norm",
        "(x - mean) / sqrt(var + 1e-5) * weight + bias, over the features of a row",
        (X,),
        rules.on_rows,
        weights=affine,
        source="Ba et al. 2016",
    ),
    Operation(
        "rms_norm",
        "x / sqrt(mean(x²) + eps) * weight, over the features of a row; eps is the smallest step at 1",
        (X,),
        rules.on_rows,
        weights=rms_norm_weights,
        source="Zhang and Sennrich 2019",
    ),
    Operation(
        "graph_norm",
        "(x - mean_scale * mean) / std * weight + bias, over the nodes of a graph",
        (X,),
        rules.on_nodes,
        weights=graph_norm_weights,
        over_rows=True,
        source="Cai et al. 2021",
    ),
    Operation(
        "dropout",
        "0 with probability p in training, else x / (1 - p)",
        (X, Formal("p", "number")),
        rules.combine,
        "F.dropout({0}, {p}, self.training)",
        over_rows=True,
        source="Srivastava et al. 2014",
    ),
)

STATISTICS = (
    Operation(
        "average",
        "the mean of x over all its rows in all graphs of the training set",
        None,
        rules.average,
        weights=average_weights,
    ),
)

PARTS = (
    Operation(
        "linear_part",
        "W[:, columns] x, and b in the part that adds it: a linear map taken apart, over all feature axes of x",
        None,
        rules.part,
        weights=part_weights,
    ),
)

FOREIGN = (
    Operation(
        "foreign",
        "a module that archspec did not write; its weights are known when it is built",
        None,
        rules.foreign,
        over_rows=True,
    ),
)

FUSED = (
    Operation("neighbour_sum", "sum over j of x[j]", None, rules.fused),
    Operation("weighted_sum", "sum over j of w[i,j] * x[j]", None, rules.fused),
    Operation("pair_product", "q[i] @ k[j] on the pairs of a set", None, rules.fused),
    Operation("pair_matmul", "sum over k of r[i,k] * s[k,j]", None, rules.fused),
    Operation("attention", "sum over j of softmax(scale * q[i] @ k[j] + b[i,j]) * v[j]", None, rules.fused),
)

OPERATIONS: Mapping[str, Operation] = {
    row.name: row
    for table in (LEAVES, STRUCTURE, OPERATORS, FUNCTIONS, INDEXING, SHAPES, LAYERS, STATISTICS, PARTS, FOREIGN, FUSED)
    for row in table
}

PRIMITIVES: Mapping[str, Operation] = {name: row for name, row in OPERATIONS.items() if row.arguments is not None}
"""What a spec can call by name; `encode` and `identity` are made from these by the checker."""

RANDOM = ("dropout", "chance", "foreign")
"""What may differ from one call to the next."""

WITH_STATISTICS = ("batch_norm", "layer_norm", "rms_norm", "graph_norm")
"""Norms: what scales values by statistics of them."""

NORMS = (*WITH_STATISTICS, "dropout")
"""What may not be applied to an expression in j inside a reduction, where nodes would count by their degree."""


def weights_of(node: Node) -> tuple[tuple[str, Weight], ...]:
    """(name below the section, weight) of every tensor of a node."""
    row = OPERATIONS[node.op]
    return tuple((".".join(filter(None, (node.path, weight.name))), weight) for weight in row.weights(node))
