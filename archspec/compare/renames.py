"""Which names of one spec are names of another: definitions, sizes, arguments and locals that only go by other names.

Non-goals: names of states, which both keep or `normal.py` sees through.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

from archspec.compare.alike import Aligned
from archspec.compare.chains import loose
from archspec.compare.forms import size
from archspec.syntax import tree
from archspec.syntax.spec import Spec

T = TypeVar("T")

NEAR = 0.4
"""The share of two bodies that may differ where a definition is still taken for another under a new name."""


@dataclass(frozen=True)
class Renamed:
    """A name of the first spec and that of the second for the same."""

    old: str
    new: str


def with_names(thing: T, names: Mapping[str, str]) -> T:
    """A tree with other names in it, wherever they stand."""
    if not names:
        return thing
    if isinstance(thing, tuple):
        return tuple(with_names(one, names) for one in thing)  # type: ignore[return-value]
    if not isinstance(thing, tree.Node):
        return thing
    parts: dict[str, Any] = {
        one.name: with_names(getattr(thing, one.name), names) for one in fields(thing) if one.name != "span"
    }
    for key in NAMED.get(type(thing), ()):
        parts[key] = names.get(parts[key], parts[key])
    return replace(thing, **parts)


NAMED: Mapping[type, tuple[str, ...]] = {
    tree.Name: ("id",),
    tree.Target: ("name",),
    tree.Parameter: ("name",),
    tree.Heading: ("name",),
}
"""The forms that hold a name, and where."""


def spec_with_names(spec: Spec, names: Mapping[str, str]) -> Spec:
    """A spec with other names of definitions and sizes."""
    return replace(
        spec,
        sizes={names.get(name, name): with_names(value, names) for name, value in spec.sizes.items()},
        definitions={names.get(name, name): with_names(one, names) for name, one in spec.definitions.items()},
        **{part: with_names(getattr(spec, part), names) for part in ("input", "stack", "output", "penalty")},
    )


def renames(old: Spec, new: Spec) -> list[Renamed]:
    """The definitions and sizes of the second that are those of the first under another name."""
    found: list[Renamed] = []
    while True:
        turned = spec_with_names(new, {one.new: one.old for one in found})
        more = next(pairs(old, turned), None)
        if more is None:
            return found
        found.append(more)


def pairs(old: Spec, new: Spec) -> Iterator[Renamed]:
    """Names that only one of both has, for the same: first what is equal, then the nearest."""
    for name, value in only(old.sizes, new.sizes):
        equal = [other for other, fresh in only(new.sizes, old.sizes) if loose(fresh) == loose(value)]
        if len(equal) == 1 and not isinstance(value, tree.Literal):
            yield Renamed(name, equal[0])
    gone, come = list(only(old.definitions, new.definitions)), list(only(new.definitions, old.definitions))
    for name, one in gone:
        for other, fresh in come:
            if apart(one, fresh) == 0:
                yield Renamed(name, other)
    ranked = sorted((apart(one, fresh), name, other) for name, one in gone for other, fresh in come)
    for far, name, other in ranked[:1]:
        if far <= NEAR:
            yield Renamed(name, other)


def only(mine: Mapping[str, T], others: Mapping[str, object]) -> Iterator[tuple[str, T]]:
    """The entries that the others lack."""
    return ((name, value) for name, value in mine.items() if name not in others)


def apart(old: tree.Definition, new: tree.Definition) -> float:
    """Which share of two definitions differs, whatever they and their arguments are called; 1 where they are called
    with other arguments."""
    if len(old.heading.parameters or ()) != len(new.heading.parameters or ()) or is_block(old) != is_block(new):
        return 1.0
    before, after = rows(old.body), rows(with_names(new, names_within(old, new)).body)
    if [loose(row) for row in before] == [loose(row) for row in after]:
        return 0.0
    if len(before) != len(after) or min(size(old.body), size(new.body)) < SMALLEST:
        return 1.0
    aligned = Aligned()
    costs = sum(aligned.statement(one, other).cost for one, other in zip(before, after, strict=True))
    return costs / (size(old.body) + size(new.body))


SMALLEST = 5
"""Smaller bodies are alike by chance."""


def is_block(one: tree.Definition) -> bool:
    """Whether a definition ends in an assignment."""
    return not one.body.result


def rows(body: tree.Body) -> list[tree.Assign]:
    """The statements of a body; what it ends in is one without targets."""
    last = [tree.Assign(body.result[0].span, (), body.result)] if body.result else []
    return [*body.statements, *last]


def names_within(old: tree.Definition, new: tree.Definition, states: Sequence[str] = ()) -> dict[str, str]:
    """Arguments and locals of the second by their names in the first, where that clashes with nothing."""
    used = {node.id for node in tree.walk(new.body) if isinstance(node, tree.Name)}
    names: dict[str, str] = {}

    def same(fresh: str, known: str) -> None:
        if fresh != known and not {fresh, known} & {*states} and known not in used and known not in names.values():
            names.setdefault(fresh, known)

    for fresh, known in zip(new.heading.parameters or (), old.heading.parameters or (), strict=False):
        same(fresh.name, known.name)
    left = rows(old.body)
    for row in rows(new.body):
        values = loose(with_names(row.values, names))
        match = next(
            (one for one in left if loose(one.values) == values and len(one.targets) == len(row.targets)), None
        )
        if match is not None:
            left.remove(match)
            for fresh_one, known_one in zip(row.targets, match.targets, strict=True):
                same(fresh_one.name, known_one.name)
    return names
