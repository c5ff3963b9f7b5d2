"""Type rules: from the types of the operands to the type of the result, or a Mismatch that says what is wrong.

Non-goals: names, places and hints that need the text; the checker adds those.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from math import prod

from archspec.ir.types import CONSTANT, ERROR, GRAPH, NODE, Axis, Domain, Type

Options = Mapping[str, object]
Rule = Callable[[Sequence[Type], tuple[Axis, ...], Options], Type]


class Mismatch(Exception):
    """Operands that do not go together: a code, a message and what would cure it."""

    def __init__(self, code: str, message: str, help: str = "", notes: tuple[str, ...] = ()):
        super().__init__(message)
        self.code, self.message, self.help, self.notes = code, message, help, notes


def leaf(operands: Sequence[Type], axes: tuple[Axis, ...], options: Options) -> Type:
    """Leaves are typed where they are made."""
    raise Mismatch("E0300", "a leaf has no type rule")


def join_domains(left: Domain, right: Domain) -> Domain:
    """Where two values meet: constants spread to anything, values per graph to nodes and pairs, nothing else."""
    if left == right:
        return left
    for narrow, wide in ((left, right), (right, left)):
        if narrow == CONSTANT or (narrow == GRAPH and wide.kind in ("node", "pair")):
            return wide
    if {left.kind, right.kind} == {"node", "pair"}:
        edge = left if left.kind == "pair" else right
        raise Mismatch(
            "E0304", f"cannot combine a per-node and a {str(edge).removeprefix('per ').join(('per-', ''))} value"
        )
    raise Mismatch("E0304", f"cannot combine a value {left} with one {right}")


def join_axes(left: tuple[Axis, ...], right: tuple[Axis, ...]) -> tuple[Axis, ...]:
    """Axes are combined by name: all of one side must occur in the other; the result has the longer side's order."""
    long, short = (left, right) if len(left) >= len(right) else (right, left)
    if missing := [axis for axis in short if not any(axis.matches(other) for other in long)]:
        raise Mismatch(
            "E0302",
            f"axes ({names(left)}) and ({names(right)}) do not go together",
            notes=(f"no axis of ({names(long)}) is called {missing[0]}" + sized(missing[0]),),
        )
    return tuple(next((axis for axis in short if axis.name and axis.matches(own)), own) for own in long)


def names(axes: Sequence[Axis]) -> str:
    """`heads, c`."""
    return ", ".join(map(str, axes))


def sized(axis: Axis) -> str:
    """` (size 4)` where a name alone would not tell."""
    return f" (size {axis.size})" if axis.name and axis.size is not None else ""


def combine(operands: Sequence[Type], axes: tuple[Axis, ...] = (), options: Options | None = None) -> Type:
    """Elementwise: domains and axes are joined; a category is no number."""
    result = Type(CONSTANT)
    for operand in operands:
        if operand.entries == "error":
            return ERROR
        if operand.entries == "category":
            raise Mismatch(
                "E0306", "categories cannot be calculated with", "`encode` turns them into numbers: `encode(x, d)`"
            )
        result = Type(join_domains(result.domain, operand.domain), join_axes(result.axes, operand.axes))
    return result


def compare(operands: Sequence[Type], axes: tuple[Axis, ...], options: Options) -> Type:
    """As combine; the entries are truth values."""
    result = combine(operands)
    return result if result == ERROR else replace(result, entries="flag")


def choose(operands: Sequence[Type], axes: tuple[Axis, ...], options: Options) -> Type:
    """`a if c else b`: c holds truth values."""
    if operands[0].entries not in ("flag", "error"):
        raise Mismatch("E0307", "the condition is a number, not a truth value", "compare it: `… > 0`")
    return combine(operands)


def inner(operands: Sequence[Type], axes: tuple[Axis, ...], options: Options) -> Type:
    """`a @ b` contracts the last axis of b with the axis of that name in a."""
    left, right = operands
    if ERROR in operands:
        return ERROR
    combine([left, replace(right, axes=())])
    if not right.axes:
        raise Mismatch("E0305", "`@` needs a value with axes on its right", "use `*` for a scalar")
    last = right.axes[-1]
    if not any(last.matches(axis) for axis in left.axes):
        raise Mismatch("E0305", f"`@` contracts the axis {last}, which the left side, axes ({names(left.axes)}), lacks")
    rest = tuple(axis for axis in left.axes if not axis.matches(last))
    return Type(join_domains(left.domain, right.domain), join_axes(rest, right.axes[:-1]))


def gather(operands: Sequence[Type], axes: tuple[Axis, ...], options: Options) -> Type:
    """A value on the pairs of a set."""
    if operands[0].entries == "error":
        return ERROR
    return replace(operands[0], domain=Domain("pair", options["over"]))  # type: ignore[arg-type]


def reduce(operands: Sequence[Type], axes: tuple[Axis, ...], options: Options) -> Type:
    """From pairs to nodes."""
    result = combine(operands)
    return result if result == ERROR else replace(result, domain=NODE)


def fused(operands: Sequence[Type], axes: tuple[Axis, ...], options: Options) -> Type:
    """Passes keep the type of what they replace."""
    raise Mismatch("E0300", "a fused operation has no type rule")


def numbers(operand: Type, what: str) -> None:
    """Refuse categories where numbers are needed."""
    if operand.entries == "category":
        raise Mismatch(
            "E0306", f"`{what}` needs numbers, not categories", "`encode` turns them into numbers: `encode(x, d)`"
        )


def once(axes: tuple[Axis, ...]) -> None:
    """Refuse an axis that occurs twice."""
    for index, axis in enumerate(axes):
        if axis.name and axis in axes[:index]:
            raise Mismatch(
                "E0303", f"the axis {axis} occurs twice", f"give the size a second name, in `sizes`: `{axis}2: {axis}`"
            )


def linear(operands: Sequence[Type], axes: tuple[Axis, ...], options: Options) -> Type:
    """All feature axes in, the named axes out."""
    if operands[0].entries == "error":
        return ERROR
    numbers(operands[0], "linear")
    once(axes)
    return Type(operands[0].domain, axes)


def embed(operands: Sequence[Type], axes: tuple[Axis, ...], options: Options) -> Type:
    """A category in, the named axes out."""
    operand = operands[0]
    if operand.entries == "error":
        return ERROR
    if operand.entries != "category":
        raise Mismatch("E0306", "`embed` needs categories, not numbers", "use `linear` for numbers")
    if operand.axes:
        raise Mismatch("E0306", f"`embed` needs one category, not axes ({names(operand.axes)})")
    once(axes)
    return Type(operand.domain, axes)


def on_rows(operands: Sequence[Type], axes: tuple[Axis, ...], options: Options) -> Type:
    """A value with rows, unchanged: a norm of one constant has nothing to compare it with."""
    result = combine(operands)
    if result != ERROR and result.domain == CONSTANT:
        raise Mismatch("E0304", "a norm needs a value per node or per pair, not a constant")
    return result


def on_nodes(operands: Sequence[Type], axes: tuple[Axis, ...], options: Options) -> Type:
    """A value per node, unchanged."""
    result = combine(operands)
    if result != ERROR and result.domain != NODE:
        raise Mismatch("E0304", f"`graph_norm` needs a value per node, not {result.domain}")
    return result


def width(axes: tuple[Axis, ...]) -> int | None:
    """Entries of all axes together; None where a size is unknown."""
    sizes = [axis.size for axis in axes if axis.size is not None]
    return prod(sizes) if len(sizes) == len(axes) else None


def concat(operands: Sequence[Type], axes: tuple[Axis, ...], options: Options) -> Type:
    """The last axes are joined; the axes before them must be the same; a scalar counts as width 1."""
    if ERROR in operands:
        return ERROR
    for operand in operands:
        numbers(operand, "concat")
    domain = CONSTANT
    for operand in operands:
        domain = join_domains(domain, operand.domain)
    lead = next((operand.axes[:-1] for operand in operands if operand.axes), ())
    for operand in operands:
        if operand.axes[:-1] != lead:
            raise Mismatch(
                "E0302", f"`concat` joins the last axis, and ({names(operand.axes[:-1])}) is not ({names(lead)})"
            )
    parts = [operand.axes[-1].size if operand.axes else 1 for operand in operands]
    total = None if None in parts else sum(part for part in parts if part is not None)
    return Type(domain, (*lead, Axis("", total)))


def view(operands: Sequence[Type], axes: tuple[Axis, ...], options: Options) -> Type:
    """Other names for the same entries."""
    operand = operands[0]
    if operand.entries == "error":
        return ERROR
    once(axes)
    before, after = width(operand.axes), width(axes)
    if before is not None and after is not None and before != after:
        text = f"`view` from ({names(operand.axes)}) to ({names(axes)}) changes {before} entries to {after}"
        raise Mismatch("E0302", text)
    return replace(operand, axes=axes)
