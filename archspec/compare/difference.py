"""What differs between two specs: definitions, weights' settings, data, training, and what follows from it.

Where both have one normal form there is no architectural difference, however they are written; where they do not, every
definition that may take the place of the other's, in either spec, without changing its normal form is only written
differently.

Non-goals: judging.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from archspec.check.checker import check
from archspec.compare.consequences import Checked, Consequence, consequences
from archspec.compare.definitions import Change, Line, changes, merged, parts
from archspec.compare.marks import gone
from archspec.compare.marks import new as come
from archspec.compare.renames import Renamed, only, renames, spec_with_names
from archspec.compare.same import same
from archspec.compare.weights import WeightChange, named, weight_changes
from archspec.diagnostics import SpecError
from archspec.ir.nodes import Program
from archspec.syntax import tree
from archspec.syntax.library import load_library, reached
from archspec.syntax.spec import Spec

SECTIONS: Mapping[str, str] = {
    "architecture": "model",
    "weights set or frozen": "parameters",
    "data": "data",
    "training": "train",
    "tracking": "track",
}
"""Headings of what is compared, and the sections of a spec that they are about."""


@dataclass(frozen=True)
class Difference:
    """Everything that differs, by the headings of SECTIONS; and what follows."""

    changes: Mapping[str, tuple[Change, ...]]
    renamed: tuple[Renamed, ...]
    rewritten: tuple[str, ...]
    """Paths of what is only written differently."""
    weights: tuple[WeightChange, ...]
    consequences: tuple[Consequence, ...]
    same_architecture: bool

    def __bool__(self) -> bool:
        return any(self.changes.values())

    @property
    def different(self) -> bool:
        """Whether anything differs, shown or not."""
        return bool(self) or not self.same_architecture

    def all_changes(self) -> Iterator[Change]:
        """Those of every section."""
        for found in self.changes.values():
            yield from found


def differences(old: Checked, new: Checked) -> Difference:
    """Compare two specs; their own names and remarks do not count, nor do defaults and order."""
    one = same(old.program, new.program) is not None and shapes(old.program) == shapes(new.program)
    names = tuple(renames(old.spec, new.spec))
    turned = replace(new, spec=spec_with_names(new.spec, {name.new: name.old for name in names}))
    found = tuple(changes(*both_parts(old.spec, turned.spec), list(states(old.spec, new.spec))))
    rewritten = {change.path for change in found} if one else only_written(old, turned, found)
    kept = tuple(change for change in found if change.path not in rewritten)
    settings = {
        title: tuple(setting_changes(key, old.spec, new.spec)) for title, key in SECTIONS.items() if key != "model"
    }
    return Difference(
        {"architecture": kept, **settings},
        names,
        tuple(change.path for change in found if change.path in rewritten),
        weight_changes(old.program, new.program),
        consequences(old, new),
        one,
    )


def shapes(program: Program) -> list[tuple[str, tuple[int, ...]]]:
    """The operations and shapes of all weights, those that nothing reads included."""
    return sorted((f"{kind.op} {kind.tensor}", kind.shape) for kind in named(program).values())


def states(*specs: Spec) -> Iterator[str]:
    """The names of their states."""
    return (target.name for spec in specs for row in spec.input.statements for target in row.targets)


def both_parts(old: Spec, new: Spec) -> tuple[Mapping[str, tree.Definition], Mapping[str, tree.Definition]]:
    """The equations of both by path, with a definition of the library where the other has its own."""
    library = load_library()
    mine, theirs = (
        {name: library[name] for name, _ in only(other.definitions, spec.definitions) if name in library}
        for spec, other in ((old, new), (new, old))
    )
    return parts(old, mine), parts(new, theirs)


def expanded(one: Checked) -> Checked:
    """With the definitions of the library that it needs among its own."""
    return replace(one, spec=replace(one.spec, definitions={**reached(one.spec), **one.spec.definitions}))


def only_written(old: Checked, new: Checked, found: Sequence[Change]) -> set[str]:
    """The paths of changes that leave the normal form of both as it is when they are made, or undone, alone."""
    both = [change.path for change in found if change.sign == "~"]
    fine = {path for path in both if unchanged(old, new, path) and unchanged(new, old, path)}
    ours, theirs = names_in(old.spec, fine), names_in(new.spec, fine)
    loose_ends = {"-": ours, "+": theirs}
    return fine | {
        change.path
        for change in found
        if change.sign in loose_ends and change.path.removeprefix("where.") in loose_ends[change.sign]
        if change.path.removeprefix("where.") not in elsewhere(old.spec if change.sign == "-" else new.spec, fine)
    }


def unchanged(old: Checked, new: Checked, path: str) -> bool:
    """Whether the first spec with one part of the second is still what it was."""
    with suppress(SpecError):
        return same(old.program, check(mixed(old.spec, new.spec, path), old.facts, load_library())) is not None
    return False


def mixed(old: Spec, new: Spec, path: str) -> Spec:
    """The first spec with one part of the second, and what definitions only the second has."""
    section, _, name = path.partition(".")
    library = load_library()
    added = {key: one for key, one in only(new.definitions, old.definitions) if key not in library}
    base = replace(
        old, definitions={**old.definitions, **added}, sizes={**dict(only(new.sizes, old.sizes)), **old.sizes}
    )
    if section == "where":
        fresh = new.definitions.get(name) or library[name]
        return replace(base, definitions={**base.definitions, name: fresh})
    if section == "sizes":
        return replace(base, sizes={**base.sizes, name: new.sizes[name]})
    return replace(base, **{section: getattr(new, section)})


def names_in(spec: Spec, paths: set[str]) -> set[str]:
    """The names that some parts use."""
    whole = parts(spec, {})
    return {
        node.id for path in paths if path in whole for node in tree.walk(whole[path]) if isinstance(node, tree.Name)
    }


def elsewhere(spec: Spec, paths: set[str]) -> set[str]:
    """The names that all other parts use."""
    return names_in(spec, set(parts(spec, {})) - paths)


def setting_changes(section: str, old: Spec, new: Spec) -> Iterator[Change]:
    """The settings of a section that differ, defaults filled in."""
    before, after = settings(section, old), settings(section, new)
    for path in merged(list(before), list(after)):
        was, now = before.get(path), after.get(path)
        if was == now:
            continue
        if path not in after:
            yield Change("-", path, (Line("-", f"{path}: {was}"),))
        elif path not in before:
            yield Change("+", path, (Line("+", f"{path}: {now}"),))
        else:
            yield Change("~", path, (Line("~", f"{path}: {gone(was or '')}{come(now or '')}"),))


def settings(section: str, spec: Spec) -> Mapping[str, str]:
    """Every setting of a section, by its path."""
    if section == "parameters":
        whole: object = {key: one.model_dump(exclude_none=True) for key, one in spec.settings.parameters.items()}
    else:
        whole = spec.settings.model_dump(include={section}).get(section)
    if whole is None:
        return {}
    return {path: shown(value) for path, value in leaves("", whole)}


def shown(value: object) -> str:
    """A setting as YAML has it."""
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    return str(value)


def leaves(path: str, value: object) -> Iterator[tuple[str, object]]:
    """(dotted path, value) of everything that is no mapping."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from leaves(f"{path}.{key}" if path else str(key), inner)
    else:
        yield path, value
