"""Type rules: from the types of the operands to the type of the result, or a Mismatch that says what is wrong.

Non-goals: names, places and hints that need the text; the checker adds those.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import reduce as reduce_pairs
from math import prod
from typing import cast

from archspec.ir.formula import Formula
from archspec.ir.types import ALL, CONSTANT, EDGE, ERROR, NODE, Axis, Domain, IndexSet, Type, places, reduced, rows_of

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
    """Where two values meet: constants spread to anything, nothing else does by itself."""
    if left == right:
        return left
    for narrow, wide in ((left, right), (right, left)):
        if narrow == CONSTANT:
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
    at = places(short, long)
    if None in at:
        missing = short[at.index(None)]
        raise Mismatch(
            "E0302",
            f"axes ({names(left)}) and ({names(right)}) do not go together",
            "bring one side to the other's axes: `linear(…)`, or `view(…)` where the sizes are equal",
            notes=(f"({names(long)}) has no axis {missing}" + sized(missing),),
        )
    named = {place: axis for place, axis in zip(at, short, strict=True) if axis.name}
    joined = tuple(named.get(index, axis) for index, axis in enumerate(long))
    once(joined)
    return joined


def names(axes: Sequence[Axis]) -> str:
    """`heads, c`."""
    return ", ".join(map(str, axes))


def one(axes: Sequence[Axis]) -> str:
    """`(heads, c)`, or that there are none."""
    return f"({names(axes)})" if axes else "none"


def sized(axis: Axis) -> str:
    """` (size 4)` where a name alone would not tell."""
    return f" (size {axis.size})" if axis.name and axis.size is not None else ""


def combine(operands: Sequence[Type], axes: tuple[Axis, ...] = (), options: Options | None = None) -> Type:
    """Elementwise: domains and axes are joined; the entries are numbers."""
    if ERROR in operands:
        return ERROR
    for operand in operands:
        numbers(operand)
    return joined(operands)


def joined(operands: Sequence[Type]) -> Type:
    """Domains and axes of several values together."""
    result = Type(CONSTANT)
    for operand in operands:
        result = Type(join_domains(result.domain, operand.domain), join_axes(result.axes, operand.axes))
    return result


def numbers(operand: Type) -> None:
    """Refuse categories and truth values where numbers are needed."""
    if operand.entries == "category":
        cure = "`encode` turns them into numbers: `encode(x, d)`"
        raise Mismatch("E0306", "categories stand where numbers are needed", cure)
    if operand.entries == "flag":
        raise Mismatch("E0307", "truth values stand where numbers are needed", "choose numbers: `1 if … else 0`")


def compare(operands: Sequence[Type], axes: tuple[Axis, ...], options: Options) -> Type:
    """As combine; the entries are truth values."""
    result = combine(operands)
    return result if result == ERROR else replace(result, entries="flag")


def logic(operands: Sequence[Type], axes: tuple[Axis, ...], options: Options) -> Type:
    """Truth values entry by entry: domains and axes are joined."""
    if ERROR in operands:
        return ERROR
    if any(operand.entries != "flag" for operand in operands):
        raise Mismatch("E0307", "the condition is no truth value", "compare it: `… > 0`")
    return replace(joined(operands), entries="flag")


def choose(operands: Sequence[Type], axes: tuple[Axis, ...], options: Options) -> Type:
    """`a if c else b`: c holds truth values, a and b numbers."""
    if ERROR in operands:
        return ERROR
    if operands[0].entries != "flag":
        raise Mismatch("E0307", "the condition is a number, not a truth value", "compare it: `… > 0`")
    for branch in operands[1:]:
        numbers(branch)
    return joined(operands)


def inner(operands: Sequence[Type], axes: tuple[Axis, ...], options: Options) -> Type:
    """`a @ b` contracts the last axis of b with the axis of that name in a."""
    left, right = operands
    if ERROR in operands:
        return ERROR
    domain = combine([replace(left, axes=()), replace(right, axes=())]).domain
    if not right.axes:
        raise Mismatch("E0313", "`@` needs a value with axes on its right", "use `*` for a scalar")
    [at] = places(right.axes[-1:], left.axes)
    if at is None:
        said = f"axes ({names(left.axes)})" if left.axes else "a scalar"
        text = f"`@` contracts the axis {right.axes[-1]}, which the left side, {said}, lacks"
        raise Mismatch("E0313", text, "the last axis of the right side must be one of the left side's")
    rest = (*left.axes[:at], *left.axes[at + 1 :])
    return Type(domain, join_axes(rest, right.axes[:-1]))


def gather(operands: Sequence[Type], axes: tuple[Axis, ...], options: Options) -> Type:
    """A value on the pairs of a set."""
    if operands[0].entries == "error":
        return ERROR
    return replace(operands[0], domain=rows_of(cast(IndexSet, options["over"])))


def turn(operands: Sequence[Type], axes: tuple[Axis, ...], options: Options) -> Type:
    """The operand's own type."""
    return operands[0]


def fill(operands: Sequence[Type], axes: tuple[Axis, ...], options: Options) -> Type:
    """A value per pair, and the one that stands where there is none, on all pairs."""
    if ERROR in operands:
        return ERROR
    value, absent = operands
    if value.domain.kind != "pair":
        raise Mismatch("E0304", f"`fill` needs a value per pair, not one {value.domain}", "leave `fill` out")
    if absent.domain != CONSTANT:
        text = f"`fill` needs one number for all absent pairs, not a value {absent.domain}"
        raise Mismatch("E0304", text, "such as `fill(e, 0)`, or a parameter")
    return replace(combine(operands), domain=Domain("pair", ALL))


def reduce(operands: Sequence[Type], axes: tuple[Axis, ...], options: Options) -> Type:
    """From triples to pairs, from pairs to nodes, from nodes to graphs."""
    result = combine(operands)
    return result if result == ERROR else replace(result, domain=reduced(result.domain))


def fused(operands: Sequence[Type], axes: tuple[Axis, ...], options: Options) -> Type:
    """Passes keep the type of what they replace."""
    raise Mismatch("E0300", "a fused operation has no type rule")


def once(axes: tuple[Axis, ...]) -> None:
    """Refuse an axis that occurs twice."""
    for index, axis in enumerate(axes):
        if axis.name and axis.name in [other.name for other in axes[:index]]:
            raise Mismatch(
                "E0312", f"the axis {axis} occurs twice", f"give the size a second name, in `sizes`: `{axis}2: {axis}`"
            )


def linear(operands: Sequence[Type], axes: tuple[Axis, ...], options: Options) -> Type:
    """All feature axes in, the named axes out."""
    if operands[0].entries == "error":
        return ERROR
    numbers(operands[0])
    once(axes)
    return Type(operands[0].domain, axes)


def part(operands: Sequence[Type], axes: tuple[Axis, ...], options: Options) -> Type:
    """Some columns of a linear map: as many as the operand has entries."""
    start, stop = cast(tuple[int, int], options["columns"])
    if width(operands[0].axes) != stop - start:
        raise Mismatch("E0300", "a part of a linear map has other columns than its operand")
    return linear(operands, axes, options)


def category(operands: Sequence[Type], axes: tuple[Axis, ...], options: Options) -> Type:
    """A number per node, edge or pair in, a category out."""
    operand = operands[0]
    if operand == ERROR:
        return ERROR
    numbers(operand)
    if operand.axes or operand.domain == CONSTANT:
        found = f"axes ({names(operand.axes)})" if operand.axes else "a constant"
        text = f"`category` needs one number per node, edge or pair, not {found}"
        raise Mismatch("E0306", text, "make one of `degree`, `distance` or a scalar state")
    return Type(operand.domain, (), "category", cast(int, options["size"]))


def embed(operands: Sequence[Type], axes: tuple[Axis, ...], options: Options) -> Type:
    """A category in, the named axes out."""
    operand = operands[0]
    if operand.entries == "error":
        return ERROR
    if operand.entries != "category":
        raise Mismatch("E0306", "`embed` needs categories, not numbers", "use `linear` for numbers")
    if operand.axes:
        text = f"`embed` needs one category, not axes ({names(operand.axes)})"
        raise Mismatch("E0306", text, "use `encode`")
    once(axes)
    return Type(operand.domain, axes)


def average(operands: Sequence[Type], axes: tuple[Axis, ...], options: Options) -> Type:
    """From the rows of all graphs to one constant."""
    result = combine(operands)
    return result if result == ERROR else replace(result, domain=CONSTANT)


def on_rows(operands: Sequence[Type], axes: tuple[Axis, ...], options: Options) -> Type:
    """A value with rows, unchanged: a norm of one constant has nothing to compare it with."""
    result = combine(operands)
    if result != ERROR and result.domain == CONSTANT:
        text = "a norm needs a value per node or per pair, not a constant"
        raise Mismatch("E0304", text, "apply it to a field, such as a state")
    return result


def on_nodes(operands: Sequence[Type], axes: tuple[Axis, ...], options: Options) -> Type:
    """A value per node, unchanged."""
    result = combine(operands)
    if result != ERROR and result.domain != NODE:
        raise Mismatch("E0304", f"`graph_norm` needs a value per node, not {result.domain}", "use `batch_norm`")
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
        numbers(operand)
    domain = CONSTANT
    for operand in operands:
        domain = join_domains(domain, operand.domain)
    lead = next((operand.axes[:-1] for operand in operands if operand.axes), ())
    for operand in operands:
        if operand.axes[:-1] != lead:
            text = (
                f"`concat` joins the last axis, but the axes before it differ: {one(lead)} and {one(operand.axes[:-1])}"
            )
            raise Mismatch("E0302", text, "give all of them the same axes but the last")
    return Type(domain, (*lead, joint([operand.axes[-1] if operand.axes else Axis("", 1) for operand in operands])))


def joint(parts: Sequence[Axis]) -> Axis:
    """The axis of several joined."""
    sizes = [part.size for part in parts if part.size is not None]
    formula = reduce_pairs(lambda left, right: Formula("+", left, right), (part.term for part in parts))
    total = sum(sizes) if len(sizes) == len(parts) else None
    return Axis("", total, formula if isinstance(formula, Formula) else None)


def foreign(operands: Sequence[Type], axes: tuple[Axis, ...], options: Options) -> Type:
    """A module's result: rows as its first operand has them, the axes that are declared."""
    if ERROR in operands:
        return ERROR
    once(axes)
    for operand in operands:
        numbers(operand)
    domains = [operand.domain for operand in operands]
    if domains[0] == CONSTANT:
        raise Mismatch("E0304", "the first value of a module needs rows, not a constant", "begin with a state")
    wrong = [one for one in domains if one not in (NODE, EDGE, CONSTANT)]
    if options["kind"] == "pyg" and (wrong or domains[0] != NODE):
        text = f"a module of PyG takes values per node, then per edge, not one {(wrong or domains)[0]}"
        raise Mismatch("E0304", text, "call it outside of reductions: `conv(x)`, `conv(x, e)`")
    return Type(domains[0], axes)


def view(operands: Sequence[Type], axes: tuple[Axis, ...], options: Options) -> Type:
    """Other names for the same entries."""
    operand = operands[0]
    if operand.entries == "error":
        return ERROR
    once(axes)
    before, after = width(operand.axes), width(axes)
    if before is not None and after is not None and before != after:
        text = f"`view` from ({names(operand.axes)}) to ({names(axes)}) changes {before} entries to {after}"
        raise Mismatch("E0302", text, f"name axes of {before} entries together")
    return replace(operand, axes=axes)
