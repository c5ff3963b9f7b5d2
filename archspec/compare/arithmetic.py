"""Which arithmetic does not tell two architectures apart: one row of RULES for every operation with a rule of its own.

A rule holds for values *and* gradients wherever they are finite, in real arithmetic: rounding aside. So `a * b` is
`b * a`, sums and products may be taken in any order, `a - b` is `a + (-1) * b`, and numbers may be taken out of a sum.

Non-goals: `(a + b) * c` as `a * c + b * c` unless c is a number; `x * 0`; `x / x`; `relu(x)` as `maximum(x, 0)`, whose
gradients differ at 0. `archspec equal` compares such programs by running them.
"""

import math
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from archspec.compare.terms import Instance, Label, Scaled, Term, is_elementwise, is_plain, options, rounded
from archspec.ir.nodes import Node
from archspec.ir.types import Axis, places

Layout = tuple[int | None, ...]
"""Where each axis of an operand is among the axes of the result."""

Marks = tuple[str, ...]
Rule = Callable[[Node, Instance, Marks], Scaled]

MOST = 200
"""Terms of a sum at most that become terms of the sum it stands in."""


def value_of(node: Node, at: Instance, marks: Marks) -> Scaled:
    """What a node comes to, given what its operands have come to."""
    return RULES.get(node.op, plain)(node, at, marks)


def plain(node: Node, at: Instance, marks: Marks) -> Scaled:
    """An operation without a rule: operands in their places."""
    labels: list[Label] = [(place, layout(operand, node)) for place, operand in enumerate(node.operands)]
    return Scaled(1, made(node.op, node, at, marks, labels))


def made(op: str, node: Node, at: Instance, marks: Marks, labels: list[Label]) -> int:
    """A term with a label for every operand of the node."""
    facts, conditions = at.facts_of(node.type, *(value for _, value in options(node)))
    operands = [(label, at.whole(operand)) for label, operand in zip(labels, node.operands, strict=True)]
    return at.form.add(Term(op, facts, (*sorted(operands, key=repr), *conditions), marks))


def layout(operand: Node, node: Node) -> Layout:
    """Where the operand's axes are among the node's, for operations in which axes meet by name."""
    return tuple(places(operand.type.axes, node.type.axes)) if is_elementwise(node) else ()


def number(node: Node, at: Instance, marks: Marks) -> Scaled:
    """A literal is so many times 1."""
    value = node["value"]
    assert isinstance(value, int | float)
    if is_plain(value):
        return Scaled(float(value), one(at))
    return Scaled(1, at.form.add(Term("number", (str(float(value)),))))


def one(at: Instance) -> int:
    """The number 1."""
    return at.form.add(Term("number", ("1",)))


@dataclass
class Total:
    """A sum or a product while it is taken apart: how often, or how many times, each (layout, term) is in it."""

    at: Instance
    items: Counter[tuple[Layout, int]] = field(default_factory=Counter)

    def plus(self, times: float, node: Node, whole: Node) -> None:
        """Add a multiple of a node that is part of a sum."""
        value, inside = self.at.scaled(node), tuple(places(node.type.axes, whole.type.axes))
        times *= value.factor
        term = self.at.form.terms[value.term]
        nested = [(label, inner) for label, inner in term.operands if label[0] != "decides"]
        if term.op != "+" or len(nested) > MOST:
            self.items[(() if term == UNIT else inside, value.term)] += times  # type: ignore[assignment]
            return
        for (factor, own), inner in nested:
            self.items[(through(own, inside), inner)] += times * factor  # type: ignore[assignment, operator, arg-type]


UNIT = Term("number", ("1",))
ZERO = Term("number", ("0.0",))


def through(own: Layout, inside: Layout) -> Layout:
    """Axes of a part of a part among those of the whole."""
    return tuple(None if place is None else inside[place] for place in own)


def summed(*signs: float) -> Rule:
    """`a + b`, `a - b`: a sum of multiples of terms, in any order."""

    def rule(node: Node, at: Instance, marks: Marks) -> Scaled:
        total = Total(at)
        for sign, operand in zip(signs, node.operands, strict=True):
            total.plus(sign, operand, node)
        items = {key: rounded(times) for key, times in total.items.items() if at.form.terms[key[1]] != ZERO}
        if not all(math.isfinite(times) for times in items.values()):
            return plain(node, at, marks)
        if len(items) == 1:
            [((inside, term), times)] = items.items()
            if is_plain(times) and at.form.terms[term].op != "+" and inside == tuple(range(len(node.type.axes))):
                return Scaled(times, term)
        facts, conditions = at.facts_of(node.type)
        operands = sorted((((times, inside), term) for (inside, term), times in items.items()), key=repr)
        return Scaled(1, at.form.add(Term("+", facts, (*operands, *conditions))))

    return rule


def negative(node: Node, at: Instance, marks: Marks) -> Scaled:
    """`-a` is -1 times a."""
    value = at.scaled(node.operands[0])
    return Scaled(-value.factor, value.term)


Powers = dict[tuple[Layout, int], tuple[int, int]]
"""How often each (layout, term) is above and below the line."""


def multiplied(*exponents: int) -> Rule:
    """`a * b`, `a / b`, `square(a)`: a number times factors, above and below the line, in any order."""

    def rule(node: Node, at: Instance, marks: Marks) -> Scaled:
        return product([(operand, power) for operand, power in zip(node.operands, exponents, strict=True)], node, at)

    return rule


def product(factors: list[tuple[Node, int]], node: Node, at: Instance) -> Scaled:
    """The product of powers of nodes."""
    coefficient, powers = 1.0, Powers()
    for operand, power in factors:
        value, inside = at.scaled(operand), tuple(places(operand.type.axes, node.type.axes))
        coefficient *= value.factor**power
        term = at.form.terms[value.term]
        if term.op == "*" and len(term.operands) <= MOST:
            for label, inner in term.operands:
                if label[0] != "decides":
                    above, below, own = label
                    raise_to(powers, (through(own, inside), inner), power, int(above), int(below))  # type: ignore[arg-type, call-overload]
        elif term != UNIT:
            raise_to(powers, (inside, value.term), power, 1, 0)
    if not is_plain(coefficient):
        return plain(node, at, ())
    return Scaled(rounded(coefficient), quotient(powers, node, at))


def raise_to(powers: Powers, key: tuple[Layout, int], power: int, above: int, below: int) -> None:
    """Multiply a product by a power of above / below."""
    if power < 0:
        above, below, power = below, above, -power
    old = powers.get(key, (0, 0))
    powers[key] = (old[0] + above * power, old[1] + below * power)


def quotient(powers: Powers, node: Node, at: Instance) -> int:
    """The term of a product."""
    if not powers:
        return one(at)
    if len(powers) == 1:
        [((inside, term), times)] = powers.items()
        if times == (1, 0) and inside == tuple(range(len(node.type.axes))):
            return term
    facts, conditions = at.facts_of(node.type)
    operands = sorted((((*times, inside), term) for (inside, term), times in powers.items()), key=repr)
    return at.form.add(Term("*", facts, (*operands, *conditions)))


def power(node: Node, at: Instance, marks: Marks) -> Scaled:
    """`a ** 2` is a * a; other powers have base and exponent."""
    base, exponent = node.operands
    known = exponent.get("value") if exponent.op == "constant" else None
    if known in (-1, 1, 2, 3, 4):
        return product([(base, int(known))], node, at)
    return plain(node, at, marks)


def inverse_root(node: Node, at: Instance, marks: Marks) -> Scaled:
    """`rsqrt(a)` is 1 / sqrt(a)."""
    root = Node("sqrt", node.operands, node.type, node.span)
    at.values[id(root)] = plain(root, at, marks)
    return product([(root, -1)], node, at)


def any_order(node: Node, at: Instance, marks: Marks) -> Scaled:
    """`maximum(a, b)` is `maximum(b, a)`."""
    return Scaled(1, made(node.op, node, at, marks, [("either", layout(one, node)) for one in node.operands]))


def turned(op: str) -> Rule:
    """`a > b` is `b < a`."""

    def rule(node: Node, at: Instance, marks: Marks) -> Scaled:
        labels: list[Label] = [(1 - place, layout(operand, node)) for place, operand in enumerate(node.operands)]
        return Scaled(1, made(op, node, at, marks, labels))

    return rule


def linear_in(node: Node, at: Instance, marks: Marks) -> Scaled:
    """What numbers may be taken out of: `sum[j in N](2 * x[j])` is 2 times the sum."""
    [operand] = node.operands
    value = at.scaled(operand)
    facts, conditions = at.facts_of(node.type, *(one for _, one in options(node)))
    return Scaled(value.factor, at.form.add(Term(node.op, facts, (((0,), value.term), *conditions), marks)))


def viewed(node: Node, at: Instance, marks: Marks) -> Scaled:
    """A view under axes of the same sizes is the value; a view of a view is one view."""
    [operand] = node.operands
    value = at.scaled(operand)
    if sizes(operand.type.axes) == sizes(node.type.axes):
        return value
    inner = at.form.terms[value.term]
    if inner.op == "view":
        [base] = (term for label, term in inner.operands if label[0] != "decides")
        value = Scaled(value.factor, base)
        if at.form.terms[base].facts[0] == at.facts_of(node.type)[0][0]:
            return value
    facts, conditions = at.facts_of(node.type)
    return Scaled(value.factor, at.form.add(Term("view", facts, (((0,), value.term), *conditions))))


def sizes(axes: tuple[Axis, ...]) -> tuple[object, ...]:
    """The sizes of axes, by name where one is not known."""
    return tuple(axis.name if axis.size is None else axis.size for axis in axes)


def inner(node: Node, at: Instance, marks: Marks) -> Scaled:
    """`a @ b` is `b @ a`, whichever axes meet; numbers are taken out."""
    left, right = node.operands
    [met] = places(right.type.axes[-1:], left.type.axes)
    assert met is not None
    kept = ((left, met), (right, len(right.type.axes) - 1))
    operands = []
    for operand, contracted in kept:
        rest = (*operand.type.axes[:contracted], *operand.type.axes[contracted + 1 :])
        label = ("inner", contracted, tuple(places(rest, node.type.axes)))
        operands.append((label, at.scaled(operand).term))
    facts, conditions = at.facts_of(node.type)
    factor = at.scaled(left).factor * at.scaled(right).factor
    return Scaled(factor, at.form.add(Term("@", facts, (*sorted(operands), *conditions))))


def negated(node: Node, at: Instance, marks: Marks) -> Scaled:
    """`not not a` is a."""
    [operand] = node.operands
    term = at.form.terms[at.whole(operand)]
    return Scaled(1, term.operands[0][1]) if term.op == "not" else plain(node, at, marks)


RULES: Mapping[str, Rule] = {
    "constant": number,
    "add": summed(1, 1),
    "sub": summed(1, -1),
    "neg": negative,
    "mul": multiplied(1, 1),
    "div": multiplied(1, -1),
    "square": multiplied(2),
    "reciprocal": multiplied(-1),
    "rsqrt": inverse_root,
    "pow": power,
    **dict.fromkeys(("maximum", "minimum", "eq", "ne", "and", "or"), any_order),
    "gt": turned("lt"),
    "ge": turned("le"),
    "not": negated,
    **dict.fromkeys(
        ("sum", "mean", "gather_source", "gather_target", "gather_cross", "transpose", "restrict", "spread", "detach"),
        linear_in,
    ),
    "view": viewed,
    "inner": inner,
}
"""What is more than an operation on operands in their places."""
