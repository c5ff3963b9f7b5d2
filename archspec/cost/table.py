"""The table of costs: for every operation what it computes, and what it makes and keeps for the gradient, by sizes.

A row has a cost for every form of the operation that a plan can choose; "" where there is one only.
"""

from collections.abc import Mapping
from dataclasses import replace

from archspec.cost.counting import (
    At,
    Cost,
    Keep,
    alias,
    arranged,
    attention_pieces,
    doubles,
    entries,
    linear_products,
    nothing,
    of_first,
    once,
    per_cell,
    per_pair,
    softmax_cells,
    softmax_pairs,
    spread_weights,
    total,
)
from archspec.ir.ops import FUNCTIONS, OPERATORS, STRUCTURE
from archspec.ir.types import ALL

SAVES: Mapping[str, tuple[Keep, ...]] = {
    **dict.fromkeys(("mul", "maximum", "minimum"), ("others",)),
    "div": ("second", "ratio"),
    "pow": ("power",),
    **dict.fromkeys(("relu", "sigmoid", "tanh", "exp", "sqrt", "rsqrt", "reciprocal"), ("result",)),
    **dict.fromkeys(("log", "log1p", "square", "abs", "sin", "cos", "erf", "gelu", "silu", "mish", "elu"), ("first",)),
    **dict.fromkeys(("selu", "leaky_relu", "softplus", "hardtanh", "relu6", "hardsigmoid", "hardswish"), ("first",)),
    **dict.fromkeys(("softsign", "logsigmoid"), ("first",)),
}
"""What torch keeps of functions entry by entry; nothing where a row is missing."""

KERNELS = {
    **dict.fromkeys(("lt", "le", "gt", "ge", "eq", "ne", "and", "or", "not"), "compare"),
    **dict.fromkeys(("maximum", "minimum"), "maximum"),
}
"""The kind of work of functions entry by entry where it is not that of their name."""


def inner_entries(at: At) -> float:
    """Products of `a @ b` before they are added up."""
    return at.entries * at.sizes.width(at.node.operands[1].type.axes[-1:])


def of_smaller_set(at: At) -> float:
    """The result of reading a value on another set; none where that is its own."""
    same = at.node.operands[0].type.domain == at.node.type.domain
    return 0 if same else at.entries


def gathered(at: At) -> float:
    """Rows read, rows written, and an index of 8 bytes a row."""
    return 2 * at.entries + 2 * at.rows


def sparse_rows(at: At) -> float:
    """A row read for every pair, an index of 4 bytes, the result."""
    return per_pair(at) + at.sizes.pairs(at.over) + at.entries


def weighted_rows(at: At) -> float:
    """The same and the weights."""
    return sparse_rows(at) + at.operand()


def reduced_rows(at: At) -> float:
    """A number per row of the result: how many members it has."""
    return at.rows


def statistics(at: At) -> float:
    """Two numbers per feature."""
    return 2 * at.sizes.width(at.node.type.axes)


def per_row(at: At) -> float:
    """Two numbers per row."""
    return 2 * at.rows


def twice(at: At) -> float:
    """The numbers of the first operand, twice."""
    return 2 * at.operand()


def thrice(at: At) -> float:
    """The numbers of the first operand, three times."""
    return 3 * at.operand()


def cubes(at: At) -> float:
    """All triples × features."""
    return at.sizes.cubes() * at.sizes.width(at.node.type.axes)


def spread_cells(at: At) -> float:
    """All pairs × features."""
    return at.sizes.pairs(ALL) * at.sizes.width(at.node.type.axes)


REDUCTIONS: Mapping[str, Cost] = {
    "sum": Cost("segment", of_first),
    "mean": Cost("segment", total(of_first, once), extra=reduced_rows, temporary=once),
    "max": Cost("extremum", of_first, keeps=("first", "result"), back=twice),
    "min": Cost("extremum", of_first, keeps=("result",), extra=of_first, temporary=of_first, back=twice),
    "std": Cost("std", lambda at: 6 * at.operand(), extra=total(of_first, once, once), temporary=thrice),
    "logsumexp": Cost("logsumexp", thrice, keeps=("first",), temporary=of_first, back=of_first),
    "softmax": Cost("softmax", lambda at: 5 * at.operand(), keeps=("result",), temporary=of_first, back=thrice),
}

NORMS: Mapping[str, Cost] = {
    "batch_norm": Cost("batch_norm", lambda at: 8 * at.entries, keeps=("first",), extra=statistics, back=once),
    "layer_norm": Cost("layer_norm", lambda at: 8 * at.entries, keeps=("first",), extra=per_row),
    "rms_norm": Cost(
        "rms_norm",
        lambda at: 4 * at.entries,
        keeps=("first",),
        extra=per_row,
        temporary=once,
        back=lambda at: 4 * at.entries,
    ),
    "graph_norm": Cost("graph_norm", lambda at: 8 * at.entries, extra=lambda at: 4 * at.entries, temporary=twice),
    "dropout": Cost("dropout", lambda at: 2 * at.entries, extra=once, temporary=once),
}

FUSED: Mapping[str, Mapping[str, Cost]] = {
    "neighbour_sum": {
        "csr": Cost("neighbour_sum.csr", sparse=per_pair, moved=sparse_rows),
        "dense": Cost("neighbour_sum.dense", dense=per_cell),
        "gather": Cost("neighbour_sum.gather", per_pair, temporary=per_pair, back=per_pair),
    },
    "weighted_sum": {
        "csr": Cost("weighted_sum.csr", sparse=per_pair, keeps=("all",), back=of_first, moved=weighted_rows),
        "dense": Cost(
            "weighted_sum.dense",
            dense=per_cell,
            keeps=("weights",),
            extra=total(spread_weights, arranged(1)),
            temporary=total(spread_weights, spread_weights, arranged(1), arranged(1)),
            back=spread_weights,
        ),
        "gather": Cost(
            "weighted_sum.gather", lambda at: 2 * per_pair(at), keeps=("first",), extra=per_pair, back=per_pair
        ),
    },
    "pair_product": {"csr": Cost("pair_product.csr", sparse=per_pair, keeps=("all",), back=once)},
    "pair_matmul": {
        "dense": Cost("pair_matmul.dense", dense=cubes, keeps=("all",)),
        "gather": Cost("pair_matmul.gather", lambda at: 2 * cubes(at), extra=lambda at: 2 * cubes(at), back=cubes),
    },
    "attention": {
        **dict.fromkeys(
            ("sdpa", "dense"),
            Cost(
                "attention.dense",
                lambda at: 5 * softmax_cells(at),
                dense=lambda at: 2 * per_cell(at),
                extra=attention_pieces,
                temporary=total(attention_pieces, once),
                grows=doubles,
                back=lambda at: 3 * at.entries,
            ),
        ),
        "gather": Cost(
            "attention.gather",
            lambda at: 6 * softmax_pairs(at),
            sparse=lambda at: 2 * per_pair(at),
            keeps=("all",),
            grows=doubles,
            extra=total(of_first, softmax_pairs),
            temporary=softmax_pairs,
            back=lambda at: 2 * softmax_pairs(at),
        ),
    },
}

COSTS: Mapping[str, Mapping[str, Cost]] = {
    **{name: {"": alias()} for name in ("constant", "parameter", "state", "data", "detach", "spread")},
    "view": {"": replace(alias(), kernel="view")},
    **{row.name: {"": Cost("structure")} for row in STRUCTURE},
    **{
        row.name: {"": entries(*SAVES.get(row.name, ()), kernel=KERNELS.get(row.name, row.name))}
        for row in (*OPERATORS, *FUNCTIONS)
        if row.name != "detach"
    },
    **{name: {"": Cost("add", once, passes=True)} for name in ("add", "sub")},
    "where": {"": entries(kernel="where", extra=lambda at: at.operand() / 4)},
    "inner": {
        "": Cost(
            "inner", lambda at: 2 * inner_entries(at), keeps=("others",), temporary=inner_entries, back=inner_entries
        )
    },
    "chance": {"": Cost("chance")},
    "gather_source": {"": Cost("gather_source", moved=gathered)},
    "gather_target": {"": Cost("gather_target", moved=gathered)},
    "gather_cross": {"": Cost("gather_cross", moved=gathered)},
    "transpose": {"": Cost("gather_source", moved=gathered)},
    "restrict": {"": Cost("gather_source", made=of_smaller_set)},
    "fill": {"": Cost("gather_source", temporary=once)},
    **{name: {"": cost} for name, cost in REDUCTIONS.items()},
    "concat": {"": Cost("concat")},
    "linear": {"": Cost("linear", dense=linear_products, keeps=("input",))},
    "linear_part": {"": Cost("linear", dense=linear_products, keeps=("input",))},
    "category": {"": Cost("category", once, extra=nothing, made=lambda at: 2 * at.entries)},
    "embed": {"": Cost("embed", moved=gathered)},
    **{name: {"": cost} for name, cost in NORMS.items()},
    "average": {"": Cost("average", of_first)},
    "foreign": {"": Cost("foreign")},
    **FUSED,
}
"""Every operation of `archspec.ir.ops.OPERATIONS`."""


def cost_of(at: At) -> Cost:
    """The row of a node, in the form that its plan has chosen."""
    forms = COSTS[at.node.op]
    return forms.get(at.form) or forms[""]
