"""What a well-formed program is; run before and after every pass in tests and in `check`."""

from archspec.ir.nodes import Node, Program, Section
from archspec.ir.ops import OPERATIONS, weights_of
from archspec.ir.types import ERROR


class Malformed(Exception):
    """An invariant of the IR does not hold: a bug in archspec, never in a spec."""


def verify(program: Program) -> None:
    """Raise Malformed unless every invariant holds."""
    for path, section in program.sections():
        seen: dict[str, Node] = {}
        for node in section.nodes:
            verify_node(path, node)
            verify_weights(path, node, seen)
        verify_results(path, section)


def require(holds: bool, path: str, node: Node, what: str) -> None:
    """One invariant."""
    if not holds:
        raise Malformed(f"{path}: {node.op} at {node.span.source.path}:{node.span.line}: {what}")


def verify_node(path: str, node: Node) -> None:
    """A known operation, no poison, operands on domains that can meet."""
    require(node.op in OPERATIONS, path, node, "unknown operation")
    require(node.type.entries != ERROR.entries, path, node, "an error was not reported")
    require((node.type.domain.kind == "pair") == (node.type.domain.over is not None), path, node, "pairs have a set")
    if OPERATIONS[node.op].elementwise:
        kinds = {operand.type.domain for operand in node.operands} - {node.type.domain}
        require(all(domain.kind in ("constant", "graph") for domain in kinds), path, node, "domains differ")
    if node.op in ("sum", "mean", "max", "min"):
        require(node.operands[0].type.domain.over == node["over"], path, node, "reduces over another set")
        require(node.operands[0].type.axes == node.type.axes, path, node, "a reduction keeps the axes")
    if node.op in ("gather_source", "gather_target"):
        require(node.operands[0].type.domain.kind == "node", path, node, "gathers something that is not per node")


def verify_weights(path: str, node: Node, seen: dict[str, Node]) -> None:
    """Two nodes share a weight only if they are the same call."""
    for name, _ in weights_of(node):
        other = seen.setdefault(name, node)
        require(other is node or other.span == node.span, path, node, f"the weight {name} belongs to two calls")


def verify_results(path: str, section: Section) -> None:
    """Every result is a value of the section."""
    for name, value in section.results:
        require(value in section.nodes, path, value, f"the result {name} is not computed here")
