"""What every operation computes: one row for each of `archspec.ir.ops.OPERATIONS`.

A primitive's row says in plain arithmetic, graph by graph and node by node, what its docstring in that table promises.
"""

from collections.abc import Callable, Mapping

from torch import Tensor

from archspec.ir.nodes import Node, in_order
from archspec.ir.ops import OPERATIONS
from archspec.reference.axes import align
from archspec.reference.call import Call, Row, Value
from archspec.reference.elementwise import ELEMENTWISE
from archspec.reference.foreign import foreign
from archspec.reference.fused import MEANINGS, Meaning
from archspec.reference.indexing import (
    chance,
    cross,
    fill,
    gather,
    logsumexp,
    reduction,
    restrict,
    softmax,
    spread,
    std,
    transpose,
)
from archspec.reference.layers import (
    batch_norm,
    category,
    concat,
    dropout,
    embed,
    graph_norm,
    inner,
    layer_norm,
    linear,
    linear_part,
    rms_norm,
    view,
)
from archspec.reference.leaves import average, constant, data, parameter, state
from archspec.reference.structure import ROWS as STRUCTURE


def elementwise(function: Callable[..., Tensor]) -> Row:
    """A row that applies a function to aligned operands, the operation's numbers as keywords."""

    def row(call: Call) -> Value:
        formals = OPERATIONS[call.node.op].arguments or ()
        options = {formal.name: call.option(formal.name) for formal in formals if formal.kind == "number"}
        return [function(*operands, **options) for operands in call.aligned(call.node.type.axes)]

    return row


def fused(meaning: Meaning) -> Row:
    """A row that writes the operation out in plain ones and carries those out."""

    def row(call: Call) -> Value:
        stands_for = [Node("operand", (), operand.type, operand.span) for operand in call.node.operands]
        values = {id(node): value for node, value in zip(stands_for, call.operands, strict=True)}
        result = meaning(call.node, *stands_for)
        for node in in_order([result]):
            if id(node) not in values:
                operands = [values[id(operand)] for operand in node.operands]
                values[id(node)] = TABLE[node.op](Call(node, operands, {}, call.graphs, call.training))
        return [align(x, result.type.axes, call.node.type.axes) for x in values[id(result)]]

    return row


TABLE: Mapping[str, Row] = {
    "constant": constant,
    "parameter": parameter,
    "average": average,
    "state": state,
    "data": data,
    **STRUCTURE,
    **{name: elementwise(function) for name, function in ELEMENTWISE.items()},
    "inner": inner,
    "gather_source": gather(1),
    "gather_target": gather(0),
    "gather_cross": cross,
    "transpose": transpose,
    "chance": chance,
    "restrict": restrict,
    "fill": fill,
    "spread": spread,
    "sum": reduction(lambda rows: rows.sum(0)),
    "mean": reduction(lambda rows: rows.mean(0)),
    "max": reduction(lambda rows: rows.amax(0)),
    "min": reduction(lambda rows: rows.amin(0)),
    "std": reduction(std),
    "logsumexp": reduction(logsumexp),
    "softmax": softmax,
    "concat": concat,
    "view": view,
    "linear": linear,
    "linear_part": linear_part,
    "category": category,
    "embed": embed,
    "batch_norm": batch_norm,
    "layer_norm": layer_norm,
    "rms_norm": rms_norm,
    "graph_norm": graph_norm,
    "dropout": dropout,
    "foreign": foreign,
    **{name: fused(meaning) for name, meaning in MEANINGS.items()},
}
"""Every operation by its name."""
