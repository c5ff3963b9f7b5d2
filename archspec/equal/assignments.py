"""Which weights of one spec may be which of another: by name, then by role, then by whatever fits.

A role is what a call is: its operation, and the names and shapes of its tensors. Repeated blocks are assigned alike.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, permutations, product

from archspec.ir.nodes import Node, Program, full_name
from archspec.ir.ops import weights_of
from archspec.ir.settings import initial

Assignment = Mapping[str, str]
"""Calls of the first program to calls of the second, by their names in `state_dict`."""

TRIES = 24
"""Assignments that are tried at most."""


@dataclass(frozen=True)
class Role:
    """What calls have to have in common to have the same weights; and in which block instances there are such."""

    what: object
    places: tuple[str, ...]


Calls = Mapping[str, object]


def calls(program: Program) -> Calls:
    """What every call with weights is, by its name; those all of whose weights `parameters:` sets are left out."""
    said = initial(program.settings)
    found: dict[str, object] = {}
    for path, section in program.sections():
        for node in section.nodes:
            names = [full_name(path, name) for name, weight in weights_of(node) if weight.trainable]
            if node.path and not (names and all(name in said for name in names)):
                found.setdefault(full_name(path, node.path), kind(node))
    return found


def kind(node: Node) -> object:
    """The operation and its tensors; of a module that archspec did not write, how it is made."""
    if node.op == "foreign":
        return (node.op, node.attributes)
    return (node.op, tuple((weight.name, weight.shape) for _, weight in weights_of(node)))


def assignments(first: Program, second: Program) -> Iterator[Assignment]:
    """Assignments worth a try, the likeliest first: equal names, and the rest by role in order; then every other."""
    mine, theirs = calls(first), calls(second)
    named = {name: name for name, what in mine.items() if theirs.get(name) == what}
    seen: set[tuple[tuple[str, str], ...]] = set()
    for one in islice(candidates(mine, theirs, named), TRIES):
        key = tuple(sorted(one.items()))
        if key not in seen:
            seen.add(key)
            yield one


def candidates(mine: Calls, theirs: Calls, named: Assignment) -> Iterator[Assignment]:
    """Names kept and the rest assigned in every way; names alone; everything in every way."""
    left = roles({name: what for name, what in mine.items() if name not in named})
    free = roles({name: what for name, what in theirs.items() if name not in named.values()})
    yield from ({**named, **one} for one in every_way(left, free))
    yield named
    yield from every_way(roles(mine), roles(theirs))


def roles(known: Calls) -> dict[Role, list[str]]:
    """The names of calls, block instances aside, by their role."""
    places: dict[tuple[str, object], list[str]] = {}
    for name, what in known.items():
        pattern, place = aside(name)
        places.setdefault((pattern, what), []).append(place)
    found: dict[Role, list[str]] = {}
    for (pattern, what), where in places.items():
        found.setdefault(Role(what, tuple(where)), []).append(pattern)
    return found


def aside(name: str) -> tuple[str, str]:
    """`layers.*.mlp.linear` and `layers.3`."""
    found = re.match(r"layers\.\d+(?=\.)", name)
    return (f"layers.*{name[found.end() :]}", found[0]) if found else (name, "")


def every_way(mine: Mapping[Role, Sequence[str]], theirs: Mapping[Role, Sequence[str]]) -> Iterator[Assignment]:
    """Every way of giving calls of one role partners of that role; those that are too many stay alone."""
    common = [role for role in mine if role in theirs]
    ways = [pairings(mine[role], theirs[role]) for role in common]
    for way in product(*ways):
        yield {
            put(one, place): put(other, place)
            for role, pairs in zip(common, way, strict=True)
            for one, other in pairs
            for place in role.places
        }


def pairings(mine: Sequence[str], theirs: Sequence[str]) -> list[list[tuple[str, str]]]:
    """The injections of the shorter into the longer, in order first; so many that more need not be tried."""
    if len(mine) <= len(theirs):
        return [list(zip(mine, some, strict=True)) for some in islice(permutations(theirs, len(mine)), TRIES)]
    return [list(zip(some, theirs, strict=True)) for some in islice(permutations(mine, len(theirs)), TRIES)]


def put(pattern: str, place: str) -> str:
    """The name in a block instance."""
    return pattern.replace("layers.*", place, 1) if place else pattern
