"""Index sets: which nodes j belong to every node i, and which set surely holds another."""

from dataclasses import dataclass, field
from typing import Literal, Union

INFINITY = float("inf")


@dataclass(frozen=True)
class IndexSet:
    """A set of nodes j for every node i, or `members`, the nodes of every graph, with a row for every node.

    N follows the data's edges, repeated edges and self loops included; `N + i` has i once in place of any self loops;
    in V, reach(k) and expander(k) a pair (i, j) occurs once; targets are the pairs that the data has labels for, as it
    lists them. The others are made from a base: `- i` is the base without
    the pairs (i, i), `+ i` the base with i once, `if` and `drop` those of its pairs for which a condition of the
    section, or chance, says so: `key` is the same where the condition is, `text` is how it is written.

    `triples` holds, for every pair (i, j) of `pairs`, the pairs (i, k) of `third`: within one equation alone.
    """

    name: Literal["N", "N + i", "V", "reach", "expander", "targets", "members", "triples", "- i", "+ i", "if", "drop"]
    k: int = 0
    pairs: Union["IndexSet", None] = None
    third: Union["IndexSet", None] = None
    base: Union["IndexSet", None] = None
    key: str = ""
    text: str = field(default="", compare=False)

    def __str__(self) -> str:
        if self.base is not None:
            return self.text or f"{bracketed(self.base)} {self.name}"
        if self.name == "triples":
            return f"{self.pairs} × {self.third}"
        return f"{self.name}({self.k})" if self.name in ("reach", "expander") else self.name

    def within(self, other: "IndexSet") -> bool:
        """Whether every pair of this set is surely one of the other's.

        N ⊆ N + i ⊆ reach(1) ⊆ … ⊆ V, expander(k) ⊆ V - i, targets ⊆ V, and whatever is made by leaving pairs out is in
        its base.
        """
        if self == other:
            return True
        if self.base is not None and self.base.within(other) and (self.name != "+ i" or other.name in ("V", "reach")):
            return True
        if other.base is not None:
            fits = self.lacks_self if other.name == "- i" else other.name == "+ i" and not other.conditional
            return fits and self.within(other.base)
        if self.base is not None or {self.name, other.name} & {"members", "triples"} or other.name in ALONE:
            return False
        return other == ALL if self.name in ALONE else other.order > 0 and self.order < other.order

    @property
    def order(self) -> float:
        """Place of N, N + i, reach(k) and V in that chain; N and `reach(0)`, the smallest, hold only themselves."""
        if self.name == "reach":
            return 1 + self.k if self.k else 0
        return {"N": 0, "N + i": 1}.get(self.name, INFINITY)

    @property
    def chain(self) -> tuple["IndexSet", ...]:
        """The sets it is made from, one from the other, and itself."""
        sources = (self.base, self.pairs, self.third)
        return (*(one for source in sources if source is not None for one in source.chain), self)

    @property
    def symmetric(self) -> bool:
        """Whether it surely holds (j, i) where it holds (i, j), whatever the graph, each once and in order."""
        return self in (ALL, ITSELF) or self.name == "expander" or (self.name == "- i" and self.base == ALL)

    @property
    def reflexive(self) -> bool:
        """Whether it surely holds (i, i) for every node i, once."""
        return self.name in ("N + i", "V", "reach", "+ i")

    @property
    def lacks_self(self) -> bool:
        """Whether no node is one of its own members."""
        return self.name in ("- i", "expander") or (
            self.name == "if" and self.base is not None and self.base.lacks_self
        )

    @property
    def decided(self) -> bool:
        """Whether a condition or chance decides which pairs of the base it has."""
        return self.name in ("if", "drop")

    @property
    def conditional(self) -> bool:
        """Whether it, or a set it is made from, is decided so."""
        return any(one.decided for one in self.chain)


ALONE = ("expander", "targets")
"""Sets within V that have no place among N, N + i and reach(k)."""

NEIGHBOURS = IndexSet("N")
NEIGHBOURS_AND_SELF = IndexSet("N + i")
ALL = IndexSet("V")
ITSELF = IndexSet("reach", 0)
TARGETS = IndexSet("targets")
MEMBERS = IndexSet("members")


def bracketed(over: IndexSet) -> str:
    """A set as the beginning of a longer one."""
    return f"({over})" if " if " in str(over) and not str(over).startswith("drop(") else str(over)


def with_self(over: IndexSet) -> IndexSet:
    """S + i."""
    if over.reflexive:
        return over
    if over.name == "- i" and over.base is not None:
        return with_self(over.base)
    return NEIGHBOURS_AND_SELF if over == NEIGHBOURS else IndexSet("+ i", base=over)


def without_self(over: IndexSet) -> IndexSet:
    """S - i."""
    if over == NEIGHBOURS_AND_SELF:
        return IndexSet("- i", base=NEIGHBOURS)
    if over.name == "+ i" and over.base is not None:
        return without_self(over.base)
    return over if over.lacks_self else IndexSet("- i", base=over)
