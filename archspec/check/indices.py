"""Indices: `x[j]`, `b[i, j]`, index sets, and reductions over them."""

from dataclasses import replace

from archspec.check.build import as_node, make, spread, under_two_indices
from archspec.check.reading import node_at, pair_at, read_node, read_pair
from archspec.check.values import Binding, Frame, Value, broken, is_broken, number_of
from archspec.ir.nodes import Node
from archspec.ir.sets import with_self, without_self
from archspec.ir.types import ALL, MEMBERS, NEIGHBOURS, NODE, TARGETS, IndexSet
from archspec.syntax import tree

SETS = {"N": NEIGHBOURS, "V": ALL, "targets": TARGETS}
REDUCTIONS = ("sum", "mean", "max", "min", "std", "logsumexp", "softmax")
KNOWN = "N, V, reach(k), expander(k), targets, S + i, S - i, S if c, drop(S, p)"


def index(expression: tree.Index, frame: Frame) -> Value:
    """`x[i]` and `x[j]` of a value per node, `b[i, j]` of a value per pair."""
    known = frame.bases.get(id(expression.value))
    value = as_node(frame.whole().value(expression.value) if known is None else known, expression.value, frame)
    if is_broken(value):
        return value
    read = {1: read_node, 2: read_pair}.get(len(expression.indices))
    if read is None:
        cure = f"write `{expression.value.span.text}[i, j]`"
        return frame.error("E0303", expression.span, "a value has one index (per node) or two (per pair)", help=cure)
    return read(expression, value, frame)


def index_set(expression: tree.Expr, j: str, frame: Frame) -> IndexSet | None:
    """The set an expression stands for, whose members go by the index j; None when a problem was reported."""
    value = replace(frame.whole(), member=j).value(expression)
    if isinstance(value, IndexSet):
        return value
    if not is_broken(value):
        frame.error("E0208", expression.span, "this is not an index set", help=f"one of {KNOWN}")
    return None


def with_or_without_self(expression: tree.Binary, frame: Frame, left: IndexSet) -> Value:
    """`N + i`, `V - i`."""
    plain = isinstance(expression.right, tree.Name) and expression.right.id == "i"
    if plain and expression.op in ("+", "-"):
        return with_self(left) if expression.op == "+" else without_self(left)
    message = f"`{expression.op}` makes no index set of {left} and `{expression.right.span.text}`"
    return frame.error("E0208", expression.span, message, help=f"sets: {KNOWN}")


NUMBERED = {
    "reach": ("a number of steps", "such as `reach(2)`", lambda k: k >= 0),
    "expander": ("an even number of neighbours, from 2 on", "such as `expander(4)`", lambda k: k > 0 and k % 2 == 0),
}
"""Sets with a number: what it is, an example, and which numbers will do."""


def numbered(call: tree.Call, frame: Frame) -> Value:
    """`reach(k)`, `expander(k)`."""
    name = call.function.span.text
    what, cure, fits = NUMBERED[name]
    found = [frame.value(argument.value) for argument in call.arguments if argument.name in (None, "k")]
    if any(map(is_broken, found)):
        return broken(call.span)
    [k, *_] = [*map(number_of, found), None]
    if len(call.arguments) != 1 or not isinstance(k, int) or isinstance(k, bool) or not fits(k):
        return frame.error("E0208", call.span, f"`{name}` takes {what}", help=cure)
    return IndexSet(name, k)  # type: ignore[arg-type]


def reduce(expression: tree.Reduce, frame: Frame) -> Value:
    """`sum[j in N](…)` and its kin: from the pairs of a set to nodes; softmax stays on the pairs."""
    op, j = expression.op.id, expression.index.id
    if op not in REDUCTIONS:
        return no_reduction(expression, frame)
    binding = frame.binding
    if (binding and (frame.inside or op != "softmax" or j != binding.source)) or (j == "i" and frame.pooled):
        return nested(expression, frame)
    if j == "i":
        return over_nodes(expression, frame)
    return over_members(expression, "i", frame)


def over_members(expression: tree.Reduce, i: str, frame: Frame) -> Node:
    """A reduction over the set of a node i: the value of its body on the pairs (i, j) reduced to the nodes."""
    over, bases = resolved_set(expression, i, frame)
    if over is None:
        return broken(expression.span)
    return bound_by(Binding(i, expression.index.id, over), bases, expression, frame)


def bound_by(binding: Binding, bases: dict[int, Value], expression: tree.Reduce, frame: Frame) -> Node:
    """The reduction of a body whose indices are bound so."""
    bound = replace(frame.whole(), binding=binding, inside=True, bases=bases)
    body = as_node(bound.value(expression.body), expression.body, frame)
    return over_pairs(expression.op.id, body, binding.rows, expression, bound)


def over_nodes(expression: tree.Reduce, frame: Frame) -> Node:
    """`sum[i in V](x[i])`: from the nodes of a graph to the graph; softmax stays on the nodes."""
    op = expression.op.id
    over = index_set(expression.over, "i", frame) if expression.over is not None else None
    if expression.over is None or over not in (None, ALL):
        at = expression.span if expression.over is None else expression.over.span
        return frame.error("E0208", at, "i runs over all nodes of a graph", help=f"write `{op}[i in V](…)`")
    if over is None:
        return broken(expression.span)
    body = as_node(replace(frame, pooled=True).value(expression.body), expression.body, frame)
    if is_broken(body):
        return body
    domain = body.type.domain
    if domain.kind == "pair":
        cure = f"reduce it over j first: `sum[j in {domain.over}](…)`"
        at = expression.body.span
        return frame.error(
            "E0303", at, f"the value is {domain}, and i runs over nodes", label=str(body.type), help=cure
        )
    if domain != NODE:
        body = spread(body, MEMBERS, expression.body.span)
    return make(op, [body], expression.span, frame, over=MEMBERS)


def no_reduction(expression: tree.Reduce, frame: Frame) -> Node:
    """Something with a bound index that does not reduce."""
    message = f"`{expression.op.id}` is not a reduction"
    return frame.error("E0209", expression.op.span, message, help=f"reductions are {', '.join(REDUCTIONS)}")


def nested(expression: tree.Reduce, frame: Frame) -> Node:
    """A reduction where its index or two others are already in force."""
    k, op, binding = expression.index.id, expression.op.id, frame.binding
    if binding and binding.around and op == "softmax" and k == binding.newest[0]:
        return again(expression, binding, frame)
    if binding is None or k in (binding.around or binding.names):
        cure = f"name the inner `{op}` first, on a line above"
        return frame.error("E0207", expression.index.span, f"the index {k} is bound already", help=cure)
    if op == "softmax":
        cure = f"put it under a reduction over {k}: `sum[{k} in V](softmax[{k}](…) * …)`"
        return frame.error(
            "E0316", expression.span, f"`softmax` keeps its index {k}: the value would have three", help=cure
        )
    return over_third(expression, binding, frame)


def again(expression: tree.Reduce, binding: Binding, frame: Frame) -> Node:
    """`softmax[k](…)` inside a reduction over the same k, whose set it takes."""
    k, among = binding.newest
    if expression.over is not None and index_set(expression.over, k, frame) not in (None, among):
        message, cure = f"{k} runs over {among} already", f"write `softmax[{k}](…)`"
        return frame.error("E0208", expression.over.span, message, help=cure)
    body = as_node(frame.value(expression.body), expression.body, frame)
    return over_pairs("softmax", body, binding.rows, expression, frame)


def over_third(expression: tree.Reduce, outer: Binding, frame: Frame) -> Node:
    """A reduction over k where i and j are in force: over the set of i, with a row for every (i, j) if it reads j.

    One that reads no j is a reduction over pairs (i, k), one over all k that reads no i is one over (j, k).
    """
    i, j, k = outer.target, outer.source, expression.index.id
    read = {name.id for one in tree.walk(expression.body) if isinstance(one, tree.Index) for name in one.indices}
    used = [name for name in outer.around or outer.names if name in read] or [i]
    around, plain = (*(outer.around or outer.names), k), replace(frame, binding=None)
    over, bases = resolved_set(expression, used[0], plain)
    if over is None:
        return broken(expression.span)
    if used == [i] or (len(used) == 1 and over == ALL):
        on_nodes = bound_by(Binding(used[0], k, over, around=around), bases, expression, plain)
        return node_at(used[0], on_nodes, expression.span, frame)
    within = {(i, j): outer.over, (j,): outer.over, (i, outer.third): outer.among, (outer.third,): outer.among}
    pairs = within.get(tuple(used))
    if pairs is None:
        cure = f"name the inner `{expression.op.id}` first, on a line above"
        return frame.error("E0316", expression.span, "the value would have four indices", help=cure)
    on_pairs = bound_by(Binding(i, used[-1], pairs, k, over, around), bases, expression, plain)
    return pair_at(used[-1], on_pairs, expression.span, frame)


def resolved_set(expression: tree.Reduce, i: str, frame: Frame) -> tuple[IndexSet | None, dict[int, Value]]:
    """The set written, else the one bound already, else the smallest among the operands read at [i, j] or [j, i]."""
    if expression.over is not None:
        return index_set(expression.over, expression.index.id, frame), {}
    binding = frame.binding
    if binding and expression.index.id in (binding.source, binding.third):
        return (binding.over if expression.index.id == binding.source else binding.among), {}
    bases: dict[int, Value] = {}
    sets: list[IndexSet] = []
    for found in tree.walk(expression.body):
        if isinstance(found, tree.Index) and {name.id for name in found.indices} == {i, expression.index.id}:
            value = bases[id(found.value)] = frame.whole().value(found.value)
            if isinstance(value, Node) and is_broken(value):
                return None, bases
            if isinstance(value, Node) and value.type.domain.over:
                sets.append(value.type.domain.over)
    for smallest in sets:
        if all(smallest.within(other) for other in sets):
            return smallest, bases
    ambiguous(expression, sets, frame)
    return None, bases


def ambiguous(expression: tree.Reduce, sets: list[IndexSet], frame: Frame) -> None:
    """No operand tells which set is meant, or two disagree."""
    op, j = expression.op.id, expression.index.id
    why = f"no value in it is read at [i, {j}]" if not sets else f"{' and '.join(sorted(map(str, set(sets))))} differ"
    frame.error(
        "E0208",
        expression.span,
        f"`{op}[{j}]` does not say which set {j} runs over, and {why}",
        help=f"write the set: `{op}[{j} in N](…)`",
    )


def over_pairs(op: str, body: Node, over: IndexSet, expression: tree.Reduce, frame: Frame) -> Node:
    """The reduction itself, once its body is known."""
    if not is_broken(body) and body.type.domain.kind == "node":
        return under_two_indices(expression.body, body, expression.index.id, frame)
    if not is_broken(body) and body.type.domain.kind in ("constant", "graph"):
        body = spread(body, over, expression.body.span)
    if not is_broken(body) and body.type.domain.over != over:
        return frame.error(
            "E0305",
            expression.body.span,
            f"the value is {body.type.domain}, and {expression.index.id} runs over {over}",
            help=f"reduce over {body.type.domain.over}: `{op}[{expression.index.id} in {body.type.domain.over}](…)`",
        )
    return make(op, [body], expression.span, frame, over=over)
