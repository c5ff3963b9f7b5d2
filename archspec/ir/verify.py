"""What a well-formed program is; run before and after every pass.

Non-goals: whether it computes what the spec says (the reference does).
"""

from collections.abc import Callable, Mapping

from archspec.ir.nodes import Node, Program, Section, is_shared
from archspec.ir.ops import OPERATIONS, STRUCTURE, weights_of
from archspec.ir.rules import Mismatch, fused, leaf
from archspec.ir.types import ALL, GRAPH, MEMBERS, NODE, Domain, IndexSet, Type, pair, set_of


class Malformed(Exception):
    """An invariant of the IR does not hold: a bug in archspec, never in a spec."""


def verify(program: Program) -> None:
    """Raise Malformed unless every invariant holds."""
    seen: set[int] = set()
    for path, section in program.sections():
        if id(section) not in seen:
            seen.add(id(section))
            verify_section(path, section)
    verify_states(program)


def require(holds: bool, path: str, node: Node, what: str) -> None:
    """One invariant."""
    if not holds:
        raise Malformed(f"{path}: {node.op} at {node.span.source.path}:{node.span.line}: {what}")


def verify_section(path: str, section: Section) -> None:
    """Every node by itself, weights among each other."""
    owners: dict[str, Node] = {}
    done: set[int] = set()
    known: set[IndexSet] = set()
    for over, condition in section.sets:
        require(decides(condition, over), path, condition, f"it does not say which pairs {over} has")
    for node in section.nodes:
        wanted = {over for mentioned in sets_of(node) for over in mentioned.chain if over.decided}
        require(wanted <= known, path, node, "nothing has said yet which pairs its set has")
        known.update(over for over, condition in section.sets if condition is node)
        require(all(id(operand) in done for operand in node.operands), path, node, "it is among its own operands")
        done.add(id(node))
        for what, holds in INVARIANTS:
            require(holds(node), path, node, what)
        for name, _ in weights_of(node):
            other = owners.setdefault(name, node)
            one = other is node or other.span == node.span or is_shared(name)
            require(one, path, node, f"the weight {name} belongs to two calls")


def verify_states(program: Program) -> None:
    """Sections read states that are there, with the types they have by then."""
    history: list[Mapping[str, Type]] = []
    for path, section in program.sections():
        for node in section.inputs:
            layer, name = node.get("layer"), str(node["name"])
            states = history[layer if isinstance(layer, int) else -1] if history else {}
            require(states.get(name) == node.type, path, node, f"the state {name} is not what it was made")
        made = {name: value.type for name, value in section.results}
        history.append({**(history[-1] if history else {}), **made})


def decides(condition: Node, over: IndexSet) -> bool:
    """Whether a condition is a truth value for every pair of the base of a set."""
    type = condition.type
    return over.decided and type.entries == "flag" and not type.axes and type.domain == Domain("pair", over.base)


def sets_of(node: Node) -> tuple[IndexSet, ...]:
    """The index sets that an operation reads or writes on."""
    named = node.get("over")
    given = [operand.type.domain.over for operand in node.operands if node.op in READ_FROM_PAIRS]
    found = (named, node.type.domain.over, *given)
    return tuple(dict.fromkeys(over for over in found if isinstance(over, IndexSet)))


READ_FROM_PAIRS = ("restrict", "fill")
"""Operations from the pairs of one set to those of another."""


def typed_by_rule(node: Node) -> bool:
    """Whether the type is what the row's rule makes of the operands; leaves and fused operations have no rule."""
    rule = OPERATIONS[node.op].rule
    if rule in (leaf, fused):
        return True
    try:
        return rule([operand.type for operand in node.operands], node.type.axes, dict(node.attributes)) == node.type
    except Mismatch:
        return False


def reduces_its_set(node: Node) -> bool:
    """Whether a reduction or a softmax runs over the set its operand lives on."""
    return node.op not in REDUCTIONS or set_of(node.operands[0].type.domain) == node.get("over")


REDUCTIONS = ("sum", "mean", "max", "min", "std", "logsumexp", "softmax")


def gathers_from_nodes(node: Node) -> bool:
    """Whether what is read at an index has one row per node; per graph where nodes read, per pair where triples do."""
    over = node.get("over")
    if node.op not in GATHERS or not isinstance(over, IndexSet):
        return node.op not in GATHERS
    wanted = NODE if node.op != "gather_cross" else None
    if over == MEMBERS:
        wanted = GRAPH if node.op == "gather_target" else None
    elif over.pairs and over.third:
        read = {"gather_target": over.pairs, "gather_source": over.third, "gather_cross": ALL}
        wanted = pair(read[node.op])
    return node.operands[0].type.domain == wanted


GATHERS = ("gather_source", "gather_target", "gather_cross")


def turns_what_is_symmetric(node: Node) -> bool:
    """Whether a value read the other way round has those pairs."""
    if node.op != "transpose":
        return True
    over = node.operands[0].type.domain.over
    return over is not None and over.symmetric and node.get("over") == over


def restricts_to_subset(node: Node) -> bool:
    """Whether a value is read on pairs it has."""
    if node.op != "restrict":
        return True
    outer, inner = node.operands[0].type.domain.over, node.type.domain.over
    return outer is not None and inner is not None and inner.within(outer)


def spreads_constant(node: Node) -> bool:
    """Whether what is spread over pairs has no rows of its own."""
    return node.op != "spread" or node.operands[0].type.domain.kind == "constant"


def fused_on_nodes(node: Node) -> bool:
    """Whether a fused operation has values per node and weights on its pairs, and gives what it stands for."""
    kinds = FUSED.get(node.op)
    if kinds is None:
        return True
    domains = [NODE if kind == "node" else pair(node["over"]) for kind in kinds]  # type: ignore[arg-type]
    result = pair(node["over"]) if node.op.startswith("pair_") else NODE  # type: ignore[arg-type]
    given = [operand.type.domain for operand in node.operands]
    return (
        given == domains[: len(given)] and node.type.domain == result and len(given) >= len(kinds) - (kinds[-1] == "?")
    )


def structure_at_home(node: Node) -> bool:
    """Whether what the graph alone gives lives on nodes or on pairs, all of them or those it says, without operands."""
    if node.op not in [row.name for row in STRUCTURE]:
        return True
    return not node.operands and node.type.domain in (NODE, pair(node.get("over", ALL)))  # type: ignore[arg-type]


FUSED: Mapping[str, tuple[str, ...]] = {
    "neighbour_sum": ("node",),
    "weighted_sum": ("pair", "node"),
    "pair_product": ("node", "node"),
    "pair_matmul": ("pair", "pair"),
    "attention": ("node", "node", "node", "?"),
}
"""Where the operands of fused operations live; `?` is one on pairs that may be left out."""

INVARIANTS: tuple[tuple[str, Callable[[Node], bool]], ...] = (
    ("the operation is not in the table", lambda node: node.op in OPERATIONS),
    ("an error was not reported", lambda node: node.type.entries != "error"),
    (
        "pairs have a set, all else has none",
        lambda node: (node.type.domain.kind == "pair") == (node.type.domain.over is not None),
    ),
    ("its type does not follow from its operands", typed_by_rule),
    ("it reduces another set than its operand's", reduces_its_set),
    ("it reads something that is not per node", gathers_from_nodes),
    ("it reads pairs that are not there", restricts_to_subset),
    ("it turns pairs that may not be there", turns_what_is_symmetric),
    ("it spreads what has rows already", spreads_constant),
    ("its operands live elsewhere", fused_on_nodes),
    ("what the graph gives lives elsewhere", structure_at_home),
    ("its weights have no name", lambda node: bool(node.path) or not weights_of(node)),
)
"""What holds for every node of a well-formed program: what is wrong where it does not, and the test."""
