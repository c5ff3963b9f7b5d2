"""Index sets that a condition or chance decides on, `V if distance[i,j] <= 3`, `drop(N, 0.1)`, and their sections."""

from collections.abc import Iterable
from dataclasses import replace
from hashlib import sha256

from archspec.check.build import spread, under_two_indices
from archspec.check.conditions import condition
from archspec.check.values import Binding, Frame, Value, broken, is_broken, number_of
from archspec.ir.nodes import Node, Section, in_order
from archspec.ir.ops import OPERATIONS, RANDOM, weights_of
from archspec.ir.sets import IndexSet, bracketed
from archspec.ir.types import Type, pair
from archspec.ir.verify import sets_of
from archspec.source import Span
from archspec.syntax import tree


def conditional(expression: tree.Choice, frame: Frame) -> Value:
    """`S if c`: the members of S for which c, a truth value for every pair (i, j in S), holds."""
    base = frame.value(expression.then)
    if is_broken(base):
        return base
    if not isinstance(base, IndexSet):
        cure = f"write `{expression.span.text} else …`"
        return frame.error("E0208", expression.span, "`if` without `else` chooses members of an index set", help=cure)
    at = expression.condition
    inside = replace(frame.whole(), binding=Binding("i", frame.member, base), inside=True)
    found = condition(inside.value(at), at, inside)
    if found is True:
        return base
    if found is False:
        message = f"no member of {base} is left, whatever the graph"
        return frame.error("E0208", at.span, message, help="leave the reduction out")
    decides = per_pair(found, base, at, inside)
    if is_broken(decides):
        return decides
    text = f"{bracketed(base)} if {' '.join(at.span.text.split())}"
    return registered(IndexSet("if", base=base, key=key_of(decides), text=text), decides, frame)


def per_pair(found: Node, base: IndexSet, at: tree.Expr, frame: Frame) -> Node:
    """A condition as one truth value for every pair of the base."""
    domain, j = found.type.domain, frame.member
    if is_broken(found) or domain.kind == "node":
        return found if is_broken(found) else under_two_indices(at, found, j, frame)
    if found.type.axes:
        message = "a member is one as a whole: the condition is one truth value, without axes"
        cure = "compare a scalar, such as `linear(x)[j] > 0`"
        return frame.error("E0302", at.span, message, label=str(found.type), help=cure)
    if domain.kind != "pair":
        return spread(found, base, at.span)
    if domain.over != base:
        cure = f"read it at both indices: `[i, {j}]`"
        return frame.error("E0305", at.span, f"the condition is {domain}, not on the pairs of {base}", help=cure)
    return found


def drop(call: tree.Call, frame: Frame) -> Value:
    """`drop(S, p)`: in training every pair of S stays with probability 1 - p, drawn anew for each mention."""
    cure = "such as `drop(N, 0.1)`"
    if [argument.name for argument in call.arguments] not in ([None, None], [None, "p"]):
        return frame.error("E0203", call.span, "`drop` takes an index set and a probability", help=cure)
    base, chance = (frame.value(argument.value) for argument in call.arguments)
    if is_broken(base) or is_broken(chance):
        return broken(call.span)
    if not isinstance(base, IndexSet):
        return frame.error("E0208", call.arguments[0].span, "this is not an index set", help=cure)
    p = number_of(chance)
    if p is None or isinstance(p, bool) or not 0 <= p < 1:
        return frame.error("E0301", call.arguments[1].span, "a probability is a number in [0, 1)", help=cure)
    stays = Node("chance", (), Type(pair(base), (), "flag"), call.span, (("over", base), ("p", p)))
    key = f"drop {len(frame.place.sets)}"
    return registered(IndexSet("drop", base=base, key=key, text=f"drop({base}, {p})"), stays, frame)


def registered(over: IndexSet, decides: Node, frame: Frame) -> IndexSet:
    """A set with what decides on it; what the graph alone decides is the same set in every section."""
    known = frame.place.sets.setdefault(over, decides)
    if of_graph_alone(known, frame):
        frame.world.sets.setdefault(over, known)
    return over


def key_of(value: Node) -> str:
    """A text that is the same for values made in the same way from the same states and weights."""
    keys: dict[int, str] = {}
    for node in in_order([value]):
        own = (node.op, node.attributes, node.path, node.type, id(node) if node.op in RANDOM else 0)
        parts = (*map(repr, own), *(keys[id(operand)] for operand in node.operands))
        keys[id(node)] = sha256("\0".join(parts).encode()).hexdigest()[:16]
    return keys[id(value)]


def of_graph_alone(value: Node, frame: Frame) -> bool:
    """Whether a value is the same in every section: made from the graph, without states, data, weights and chance."""
    return not any(
        node.op in ("state", "data", "chance", "laplacian_pe", *RANDOM)
        or OPERATIONS[node.op].over_rows
        or weights_of(node)
        for node in in_order([value, *deciding([value], frame).values()])
    )


def deciding(roots: Iterable[Node], frame: Frame) -> dict[IndexSet, Node]:
    """What decides on the sets that values under some roots live on; each behind those its own condition lives on."""
    known = {**frame.world.sets, **frame.place.sets}
    found: dict[IndexSet, Node] = {}

    def visit(root: Node) -> None:
        for node in in_order([root]):
            for over in (one for mentioned in sets_of(node) for one in mentioned.chain if one.decided):
                if over not in found:
                    visit(known[over])
                    found[over] = known[over]

    for root in roots:
        if not is_broken(root):
            visit(root)
    return found


def section_of(title: str, results: tuple[tuple[str, Node], ...], frame: Frame) -> Section:
    """A section with the sets that its values live on."""
    return Section(title, results, tuple(deciding((value for _, value in results), frame).items()))


def as_state(name: str, value: Node, span: Span, frame: Frame) -> Node:
    """A value as a state: the set it lives on must be one that other sections can make too."""
    over = value.type.domain.over
    foreign = [one for one in (over.chain if over is not None else ()) if one.decided and one not in frame.world.sets]
    if not foreign:
        return value
    message = f"the state {name} lives on {over}, and other layers cannot tell which pairs those are"
    why = "what decides on them is made of states, weights or chance, not of the graph alone"
    return frame.error("E0305", span, message, notes=(why,), help=f"keep it on all pairs: `fill({name}, 0)`")
