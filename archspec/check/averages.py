"""`average(log(1 + degree))`: a statistic of the training set, which a spec uses as a constant."""

from archspec.check.build import as_node, make
from archspec.check.sets import deciding
from archspec.check.values import Frame, Value, broken, is_broken
from archspec.ir.nodes import Node, in_order
from archspec.ir.ops import RANDOM, weights_of
from archspec.syntax import tree

CURE = "average what the graph alone gives, such as `average(log(1 + degree))`"


def average(call: tree.Call, path: str, frame: Frame) -> Value:
    """The mean of a value over all its rows in all graphs of the training set: the buffer `mean` below a path."""
    if len(call.arguments) != 1 or call.arguments[0].name is not None:
        return frame.error("E0203", call.span, "`average` takes one value", help="such as `average(degree)`")
    expression = call.arguments[0].value
    operand = as_node(frame.whole().value(expression), expression, frame)
    if is_broken(operand):
        return broken(call.span)
    if operand.type.domain.kind == "constant":
        message = "a constant is its own average"
        return frame.error("E0321", expression.span, message, help=f"write `{expression.span.text}`")
    wrong = next((node for node in in_order([operand, *deciding([operand], frame).values()]) if learnt(node)), None)
    if wrong is not None:
        message = f"the average of a training set cannot depend on {what(wrong)}"
        return frame.error("E0321", wrong.span if wrong.op != "state" else expression.span, message, help=CURE)
    return make("average", [operand], call.span, frame, path=path)


def learnt(node: Node) -> bool:
    """Whether a value is not the same in every epoch."""
    return node.op == "state" or node.op in RANDOM or bool(weights_of(node))


def what(wrong: Node) -> str:
    """What such a value is, in words."""
    if wrong.op == "state":
        return f"the state {wrong['name']}"
    if wrong.op == "average":
        return "another average"
    return f"`{wrong.op}`, which {'is left to chance' if wrong.op == 'dropout' else 'may have weights'}"
