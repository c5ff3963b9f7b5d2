"""Index sets in emitted code: what each is called, and the lines that make it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from archspec.ir.nodes import Node, Section
from archspec.ir.sets import ALL, IndexSet
from archspec.ir.verify import READ_FROM_PAIRS

ENDINGS = {"- i": "without_i", "+ i": "and_i", "if": "if", "drop": "dropped"}
"""What is added to the name of a set where another is made from it."""

FUNCTIONS = {"- i": "without_self", "+ i": "with_self", "triples": "triples"}
"""Functions of the runtime that make a set from others."""

NUMBERED = ("reach", "expander")
"""Sets with a number."""


def set_names(section: Section) -> dict[IndexSet, str]:
    """`N`, `N_and_i`, `reach_2`, `V_without_i`, `V_if`, `V_if_2`: a variable for every set the section's text names."""
    found: dict[IndexSet, str] = {}
    for over in sets_in(section):
        name = own_name(over, found)
        count = sum(other == name or other.startswith(f"{name}_if_") for other in found.values())
        found[over] = f"{name}_{count + 1}" if count else name
    return found


def own_name(over: IndexSet, names: Mapping[IndexSet, str]) -> str:
    """The name of a set, from those of the sets it is made from."""
    if over.base is not None:
        return f"{names.get(over.base) or own_name(over.base, names)}_{ENDINGS[over.name]}"
    if over.pairs is not None and over.third is not None:
        return f"{names[over.pairs]}_by_{names[over.third]}"
    return {"N + i": "N_and_i"}.get(over.name, f"{over.name}_{over.k}" if over.name in NUMBERED else over.name)


def sets_in(section: Section) -> tuple[IndexSet, ...]:
    """Every set that the section's text names, behind the sets it is made from."""
    found = [over for node in section.nodes for over in named_by(node)] + [over for over, _ in section.sets]
    return tuple(dict.fromkeys(one for over in found for one in (*needed(over), over)))


def named_by(node: Node) -> list[IndexSet]:
    """The sets that a node's text names."""
    whole = [ALL] if node.op in ("fill", "gather_cross") else []
    read = [operand.type.domain.over for operand in node.operands if node.op in READ_FROM_PAIRS]
    return [over for over in (*whole, node.get("over"), *read) if isinstance(over, IndexSet)]


def needed(over: IndexSet) -> tuple[IndexSet, ...]:
    """The sets whose variables the line of a set reads, behind those that theirs read: none for what batches know."""
    if over.name != "triples" and not over.conditional:
        return ()
    return tuple(one for source in sources(over) for one in (*needed(source), source))


def sources(over: IndexSet) -> tuple[IndexSet, ...]:
    """The sets that one is made from."""
    return tuple(one for one in (over.base, over.pairs, over.third) if one is not None)


@dataclass
class Made:
    """The sets that have their lines, in a method as it is written."""

    names: Mapping[IndexSet, str]
    known: set[IndexSet] = field(default_factory=set)

    def ready(self) -> Iterator[str]:
        """Lines of the sets that wait for nothing: no condition decides on them, and those they read are there."""
        for over, name in self.names.items():
            if over not in self.known and not over.decided and self.known.issuperset(needed(over)):
                self.known.add(over)
                yield f"{name} = {self.made(over)}"

    def decided(self, over: IndexSet, condition: str) -> Iterator[str]:
        """The line of a set that a condition decides on, and those of sets that waited for it."""
        assert over.base is not None
        self.known.add(over)
        yield f"{self.names[over]} = subset({self.names[over.base]}, {condition})"
        yield from self.ready()

    def made(self, over: IndexSet) -> str:
        """The call that makes a set."""
        read = ", ".join(self.names[one] for one in sources(over) if needed(over))
        if read:
            return f"{FUNCTIONS[over.name]}({read})"
        step = f", {over.chain[0].k}" if over.chain[0].name in NUMBERED else ""
        return f'batch.pairs("{" ".join(one.name for one in over.chain)}"{step})'
