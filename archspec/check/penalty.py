"""`penalty:` in a model: a number, or one per graph, that is added to the loss."""

from collections.abc import Mapping

from archspec.check.build import as_node
from archspec.check.sections import States, frame_of, state_nodes
from archspec.check.sets import section_of
from archspec.check.statements import run
from archspec.check.values import Frame, Place, World, is_broken
from archspec.ir.nodes import Node, Section
from archspec.source import Span
from archspec.syntax import tree

CURE = "take one number per graph: `1e-3 * mean[i in V](x[i] @ x[i])`"


def penalty_section(
    body: tree.Body | None, world: World, history: Mapping[str, tuple[Node, ...]], states: States
) -> Section | None:
    """The section of the penalty, which sees what `output` sees; None where there is none."""
    if body is None:
        return None
    place = Place("Penalty", dict(state_nodes(states, body.span)), history)
    frame = frame_of(world, place)
    if len(body.result) != 1:
        what = f"{len(body.result)} values" if body.result else "an assignment"
        frame.error("E0214", body.span, f"`penalty` is one value, and this ends in {what}", help=CURE)
        return None
    node = as_node(run(body, frame), body.result[0], frame)
    check_penalty(node, body.result[0].span, frame)
    return section_of("Penalty", (("", node),), frame)


def check_penalty(node: Node, span: Span, frame: Frame) -> None:
    """One number, or one per graph."""
    one = node.type.domain.kind in ("constant", "graph") and not node.type.axes and node.type.entries == "number"
    if not one and not is_broken(node):
        frame.error("E0317", span, "the penalty is one number, or one per graph", label=str(node.type), help=CURE)
