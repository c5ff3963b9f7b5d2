"""Which values may be infinite because `distance` is, where no way leads from j to i.

Signs of infinities are followed from operation to operation. What a condition chooses is taken to be finite. Non-goals:
`inf` written in the text, and divisions by 0.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

from archspec.ir.nodes import Node, in_order
from archspec.ir.ops import INDEXING, OPERATIONS, SHAPES
from archspec.ir.sets import ALL, IndexSet


@dataclass(frozen=True)
class Infinite:
    """Which infinities a value may hold; `local` where pairs without a way alone have them; whether it is learnt."""

    signs: str = ""
    local: bool = True
    varies: bool = False

    def turned(self) -> "Infinite":
        """The negative."""
        return replace(self, signs="".join({"+": "-", "-": "+"}[sign] for sign in self.signs))


BECOMES: Mapping[str, str] = {
    **dict.fromkeys((row.name for row in (*INDEXING, *SHAPES)), "+-"),
    **dict.fromkeys(("detach", "leaky_relu"), "+-"),
    **dict.fromkeys(("lt", "le", "gt", "ge", "eq", "ne", "where", "sign", "reciprocal"), ".."),
    **dict.fromkeys(("sigmoid", "tanh", "erf", "hardtanh", "hardsigmoid", "relu6", "category"), ".."),
    **dict.fromkeys(("relu", "softplus", "elu", "selu", "exp", "logsumexp"), "+."),
    **dict.fromkeys(("log", "log1p", "sqrt"), "+!"),
    **dict.fromkeys(("square", "abs"), "++"),
    **{"neg": "-+", "rsqrt": ".!", "logsigmoid": ".-", "softmax": "!.", "std": "!!"},
}
"""What an operation makes of +∞ and of -∞: an infinity, `.` a number, `!` a NaN; the last of all that is not here."""

STEEP = ("exp", "square", "pow")
"""Operations whose derivative is infinite at an infinity."""


def infinities(roots: Iterable[Node]) -> list[tuple[Node, Infinite | None]]:
    """Every value under the roots in order and what it may hold, up to the first that makes a NaN, which has None."""
    nodes = in_order(roots)
    if not any(node.op == "distance" for node in nodes):
        return [(node, Infinite()) for node in nodes]
    known: dict[int, Infinite] = {}
    seen: list[tuple[Node, Infinite | None]] = []
    for node in nodes:
        found = followed(node, [known[id(operand)] for operand in node.operands])
        seen.append((node, found))
        if found is None:
            break
        known[id(node)] = found
    return seen


def followed(node: Node, operands: Sequence[Infinite]) -> Infinite | None:
    """What a value may hold, from what its operands may; None where that is a NaN, or a gradient that is one."""
    varies = node.op != "detach" and (is_learnt(node) or any(one.varies for one in operands))
    infinite = [one for one in operands if one.signs]
    if node.op == "distance":
        return Infinite("+" if is_wide(cast(IndexSet, node.get("over", ALL))) else "")
    if not infinite:
        return Infinite(varies=varies)
    signs = arithmetic(node, operands) if node.op in ARITHMETIC else becomes(node.op, infinite)
    if signs is None or (varies and node.op in STEEP and "+" in signs):
        return None
    local = all(one.local for one in infinite) and not node.op.startswith(("gather", "transpose"))
    if node.op == "restrict" and local and not is_wide(cast(IndexSet, node["over"])):
        return Infinite(varies=varies)
    return Infinite(signs, local, varies)


def is_wide(over: IndexSet) -> bool:
    """Whether a set holds pairs without a way; a condition is taken to leave none, like one that chooses a value."""
    return over.chain[0].name in ("V", "expander", "targets") and all(one.name != "if" for one in over.chain)


def is_learnt(node: Node) -> bool:
    """Whether a gradient leads through a value to weights or raw features."""
    return node.op in ("state", "data") or bool(OPERATIONS[node.op].weights(node))


def becomes(op: str, infinite: Sequence[Infinite]) -> str | None:
    """By the table, for all infinite operands together."""
    row = dict(zip("+-", BECOMES.get(op, "!!"), strict=True))
    signs = {row[sign] for one in infinite for sign in one.signs}
    return None if "!" in signs else "".join(sorted(signs - {"."}))


def arithmetic(node: Node, operands: Sequence[Infinite]) -> str | None:
    """Of two operands, where it matters what the other one is."""
    left, right = operands
    if node.op in ("minimum", "maximum"):
        kept = "-" if node.op == "minimum" else "+"
        both = set(left.signs) & set(right.signs)
        return "".join(sign for sign in "+-" if sign in both or (sign == kept and sign in left.signs + right.signs))
    if node.op in ("add", "sub"):
        signs = set(left.signs + (right if node.op == "add" else right.turned()).signs)
        return "".join(sorted(signs)) if len(signs) == 1 or not (left.signs and right.signs) else None
    if node.op == "div" and right.signs:
        return None if left.signs else ""
    return scaled(node, operands)


def scaled(node: Node, operands: Sequence[Infinite]) -> str | None:
    """A product with a number, or a power to one: with anything else it may be 0 times infinity."""
    at = 0 if operands[0].signs else 1
    other = node.operands[1 - at]
    value = float(other["value"]) if other.op == "constant" else 0.0  # type: ignore[arg-type]
    if node.op == "pow":
        return power(operands[at].signs, value, at)
    if value == 0:
        return None
    return (operands[at] if value > 0 else operands[at].turned()).signs


def power(signs: str, value: float, at: int) -> str | None:
    """Of an infinite base to a number (`at` 0), or a number to an infinite exponent."""
    if at == 0:
        return None if "-" in signs or value == 0 else "+" if value > 0 else ""
    return None if value <= 0 or value == 1 else "+" if ("+" in signs) == (value > 1) else ""


ARITHMETIC = ("add", "sub", "mul", "div", "pow", "minimum", "maximum")
