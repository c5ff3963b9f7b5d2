"""Values read at indices: `x[j]` of a value per node, `b[i, j]` of a value per pair, either way round.

Under a third index k there is a row for every triple (i, j, k), which is read through its two pairs (i, j) and (i, k).
"""

from archspec.check.build import make
from archspec.check.values import Binding, Frame, Value
from archspec.ir.nodes import Node
from archspec.ir.types import ALL, ITSELF, NODE, IndexSet
from archspec.source import Span
from archspec.syntax import tree


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
    if frame.binding is None:
        return value if name.id == "i" else unbound(name, frame)
    if name.id not in frame.binding.names:
        return unbound(name, frame)
    return node_at(name.id, value, expression.span, frame)


def unbound(name: tree.Name, frame: Frame) -> Node:
    """No reduction and no left-hand side binds the index."""
    names = (frame.binding.around or frame.binding.names) if frame.binding else ()
    cure = (
        f"the indices here are {', '.join(names[:-1])} and {names[-1]}"
        if names
        else f"bind it: `sum[{name.id} in N](…)`"
    )
    return frame.error("E0207", name.span, f"the index {name.id} is not bound here", help=cure)


def node_at(name: str, value: Node, span: Span, frame: Frame) -> Node:
    """A value per node on the pairs or triples in force, read at one of their indices; without any it stays."""
    binding = frame.binding
    if binding is None:
        return value
    if name == binding.third:
        inner = make("gather_source", [value], span, frame, over=binding.among)
        return make("gather_source", [inner], span, frame, over=binding.rows)
    op = "gather_target" if name == binding.target else "gather_source"
    on_pairs = make(op, [value], span, frame, over=binding.over)
    return on_pairs if binding.among is None else make("gather_target", [on_pairs], span, frame, over=binding.rows)


def pair_at(name: str, value: Node, span: Span, frame: Frame) -> Node:
    """A value on the pairs (i, j) or (i, k) in force, on the triples in force where there are some."""
    binding = frame.binding
    if binding is None or binding.among is None:
        return value
    op = "gather_source" if name == binding.third else "gather_target"
    return make(op, [value], span, frame, over=binding.rows)


def read_pair(expression: tree.Index, value: Node, frame: Frame) -> Node:
    """`b[i, j]` on the set in force, which must lie within the value's own; `b[j, i]` and `b[i, i]` where they are."""
    binding, own = frame.binding, value.type.domain.over
    first, second = names = tuple(name.id for name in expression.indices)
    if own is None:
        many = f"one index: `{expression.value.span.text}[{second}]`" if value.type.domain == NODE else "no index"
        return frame.error(
            "E0303", expression.span, f"the value is {value.type.domain}, not per pair", help=f"give it {many}"
        )
    if binding is None and names != ("i", "i"):
        return frame.error(
            "E0207",
            expression.span,
            "two indices, and no reduction or left-hand side that binds them",
            help=f"bind them: `a[{', '.join(names)} in {own}] = …` or `sum[{second} in {own}](…)`",
        )
    for name in expression.indices:
        if binding is not None and name.id not in binding.names:
            return unbound(name, frame)
    if first == second:
        return node_at(first, diagonal(expression, value, frame), expression.span, frame)
    assert binding is not None
    return between(expression, value, binding, frame)


def diagonal(expression: tree.Index, value: Node, frame: Frame) -> Node:
    """`b[i, i]` per node: the sum over the one pair of i and itself."""
    own = value.type.domain.over
    assert own is not None
    if not own.reflexive:
        return missing(expression, f"the value lives on {own}, which need not hold every (i, i)", frame)
    alone = make("restrict", [value], expression.span, frame, over=ITSELF)
    return make("sum", [alone], expression.span, frame, over=ITSELF)


def between(expression: tree.Index, value: Node, binding: Binding, frame: Frame) -> Node:
    """A value per pair at two indices in force that differ."""
    i, j, k = binding.target, binding.source, binding.third
    read = tuple(name.id for name in expression.indices)
    if read in ((i, j), (j, i)):
        on_pairs = on_subset(expression, value, binding.over, read[0] == j, frame)
        op = "gather_target"
    elif read in ((i, k), (k, i)):
        assert binding.among is not None
        on_pairs = on_subset(expression, value, binding.among, read[0] == k, frame)
        op = "gather_source"
    else:
        on_pairs = on_subset(expression, value, ALL, read[0] == j, frame)
        op = "gather_cross"
    if binding.among is None:
        return on_pairs
    return make(op, [on_pairs], expression.span, frame, over=binding.rows)


def on_subset(expression: tree.Index, value: Node, over: IndexSet, turned: bool, frame: Frame) -> Node:
    """A value on pairs, read on the same or a smaller set, as it is or the other way round."""
    own = value.type.domain.over
    assert own is not None
    first, second = (name.id for name in expression.indices)
    if turned and not own.symmetric:
        message = (
            f"the value lives on {own}, which need not hold ({first}, {second}) where it holds ({second}, {first})"
        )
        return missing(expression, message, frame)
    if not over.within(own):
        if frame.binding and frame.binding.third in (first, second):
            return missing(expression, f"the value lives on {own}, which does not hold every pair of {over}", frame)
        message = f"the value lives on {own}, which does not hold every pair of {over}"
        if str(over) == str(own):
            message, cure = f"two mentions of {own} are two sets, of two values", f"name it once, above: `near = {own}`"
            return frame.error("E0305", expression.span, message, help=cure)
        filled = f"fill what is absent: `fill({expression.value.span.text}, 0)[{first}, {second}]`"
        return frame.error("E0305", expression.span, message, help=f"reduce over {own}, or {filled}")
    if turned:
        value = make("transpose", [value], expression.span, frame, over=own)
    return value if own == over else make("restrict", [value], expression.span, frame, over=over)


def bare(expression: tree.Expr, value: Value, frame: Frame) -> Value:
    """A value; one per pair that is read at no indices is refused where there are more than two to choose from."""
    around = frame.binding.around if frame.binding else ()
    if not around or not isinstance(value, Node) or value.type.domain.kind != "pair":
        return value
    i, k = around[0], around[-1]
    cure = f"say which pair is meant: `{expression.span.text}[{i},{k}]` or `{expression.span.text}[{k},{i}]`"
    message = f"a value {value.type.domain} stands under the indices {', '.join(around)}"
    return frame.error("E0303", expression.span, message, label=str(value.type), help=cure)


def missing(expression: tree.Index, message: str, frame: Frame) -> Node:
    """A pair that a set may lack."""
    cure = f"`fill({expression.value.span.text}, 0)` has every pair: read that"
    return frame.error("E0305", expression.span, message, help=cure)
