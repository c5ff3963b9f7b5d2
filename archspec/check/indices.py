"""Indices: `x[j]`, `b[i, j]`, index sets, and reductions over them."""

from dataclasses import replace

from archspec.check.build import as_node, make, spread, under_two_indices
from archspec.check.values import Binding, Frame, Value, broken, is_broken, number_of
from archspec.ir.nodes import Node
from archspec.ir.types import ALL, MEMBERS, NEIGHBOURS, NEIGHBOURS_AND_SELF, NODE, IndexSet
from archspec.syntax import tree

SETS = {"N": NEIGHBOURS, "V": ALL}
REDUCTIONS = ("sum", "mean", "max", "min", "std", "logsumexp", "softmax")
KNOWN = "N, V, N + i, reach(k)"


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


def unbound(name: tree.Name, frame: Frame) -> Node:
    """No reduction and no left-hand side binds the index."""
    binding = frame.binding
    cure = f"the indices here are {binding.target} and {binding.source}" if binding else ""
    cure = cure or f"bind it: `sum[{name.id} in N](…)`"
    return frame.error("E0207", name.span, f"the index {name.id} is not bound here", help=cure)


def read_node(expression: tree.Index, value: Node, frame: Frame) -> Node:
    """`x[i]` or `x[j]`."""
    name, domain = expression.indices[0], value.type.domain
    if domain.kind == "pair":
        j = frame.binding.source if frame.binding else "j"
        cure = f"read it at both indices: `{expression.value.span.text}[i, {j}]`"
        return frame.error("E0303", expression.span, f"the value is {domain}", help=cure)
    if domain.kind != "node":
        return frame.error(
            "E0303", expression.span, f"the value is {domain} and has no index", help=f"drop `[{name.id}]`"
        )
    binding = frame.binding
    if binding is None:
        return value if name.id == "i" else unbound(name, frame)
    if name.id not in (binding.target, binding.source):
        return unbound(name, frame)
    op = "gather_target" if name.id == binding.target else "gather_source"
    return make(op, [value], expression.span, frame, over=binding.over)


def read_pair(expression: tree.Index, value: Node, frame: Frame) -> Node:
    """`b[i, j]` on the set in force, which must lie within the value's own."""
    binding, own = frame.binding, value.type.domain.over
    if own is None:
        j = expression.indices[1].id
        many = f"one index: `{expression.value.span.text}[{j}]`" if value.type.domain == NODE else "no index"
        return frame.error(
            "E0303", expression.span, f"the value is {value.type.domain}, not per pair", help=f"give it {many}"
        )
    if binding is None:
        names = ", ".join(name.id for name in expression.indices)
        return frame.error(
            "E0207",
            expression.span,
            "two indices, and no reduction or left-hand side that binds them",
            help=f"bind them: `a[{names} in {own}] = …` or `sum[j in {own}](…)`",
        )
    read = tuple(name.id for name in expression.indices)
    for name in expression.indices:
        if name.id not in (binding.target, binding.source):
            return unbound(name, frame)
    if read != (binding.target, binding.source):
        return frame.unsupported(expression.span, f"reading a pair as [{', '.join(read)}]")
    return on_subset(expression, value, own, binding.over, frame)


def on_subset(expression: tree.Index, value: Node, own: IndexSet, over: IndexSet, frame: Frame) -> Node:
    """A value on pairs, read on the same or a smaller set."""
    if own == over:
        return value
    if not over.within(own):
        return frame.error(
            "E0305",
            expression.span,
            f"the value lives on {own}, which does not hold every pair of {over}",
            help=f"reduce over {own}",
        )
    return make("restrict", [value], expression.span, frame, over=over)


def index_set(expression: tree.Expr, frame: Frame) -> IndexSet | None:
    """The set an expression stands for; None when a problem was reported."""
    value = frame.whole().value(expression)
    if isinstance(value, IndexSet):
        return value
    if not is_broken(value):
        frame.error("E0208", expression.span, "this is not an index set", help=f"one of {KNOWN}")
    return None


def with_self(expression: tree.Binary, frame: Frame, left: IndexSet) -> Value:
    """`N + i`; the other sums and differences of sets are for later."""
    plain = isinstance(expression.right, tree.Name) and expression.right.id == "i"
    if plain and expression.op == "+" and left == NEIGHBOURS:
        return NEIGHBOURS_AND_SELF
    if plain and expression.op == "+":
        return left
    if plain and expression.op == "-":
        return frame.unsupported(expression.span, f"the index set `{expression.span.text}`", f"sets: {KNOWN}")
    message = f"`{expression.op}` makes no index set of {left} and `{expression.right.span.text}`"
    return frame.error("E0208", expression.span, message, help=f"sets: {KNOWN}")


def reach(call: tree.Call, frame: Frame) -> Value:
    """`reach(k)`."""
    found = [frame.value(argument.value) for argument in call.arguments if argument.name in (None, "k")]
    if any(map(is_broken, found)):
        return broken(call.span)
    steps = [number_of(value) for value in found]
    if len(call.arguments) != 1 or type(steps[0]) is not int or steps[0] < 0:
        return frame.error("E0208", call.span, "`reach` takes a number of steps", help="such as `reach(2)`")
    return IndexSet("reach", steps[0])


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
    over, bases = resolved_set(expression, frame)
    if over is None:
        return broken(expression.span)
    bound = replace(frame.whole(), binding=Binding("i", j, over), inside=True, bases=bases)
    body = as_node(bound.value(expression.body), expression.body, frame)
    return over_pairs(op, body, over, expression, bound)


def over_nodes(expression: tree.Reduce, frame: Frame) -> Node:
    """`sum[i in V](x[i])`: from the nodes of a graph to the graph; softmax stays on the nodes."""
    op = expression.op.id
    over = index_set(expression.over, frame) if expression.over is not None else None
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
    j = expression.index.id
    if frame.binding is None or j in (frame.binding.source, frame.binding.target):
        return frame.error(
            "E0207",
            expression.index.span,
            f"the index {j} is bound already",
            help=f"name the inner `{expression.op.id}` first, on a line above",
        )
    cure = f"name the inner `{expression.op.id}` first, on a line above" if frame.inside else ""
    return frame.unsupported(expression.span, "a third index", cure)


def resolved_set(expression: tree.Reduce, frame: Frame) -> tuple[IndexSet | None, dict[int, Value]]:
    """The set written, else the one bound on the left, else the smallest among the operands read at [i, j]."""
    if expression.over is not None:
        return index_set(expression.over, frame), {}
    if frame.binding:
        return frame.binding.over, {}
    bases: dict[int, Value] = {}
    sets: list[IndexSet] = []
    for found in tree.walk(expression.body):
        if isinstance(found, tree.Index) and [name.id for name in found.indices] == ["i", expression.index.id]:
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
