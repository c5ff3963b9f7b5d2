"""The changes that make one spec another, and every spec between the two. No torch.

A change is a definition, a size, a part of the model, a pattern of `parameters:`, or a setting of `data:` or `train:`
that both have otherwise. A definition or a size that only one of both has comes and goes with what refers to it and is
no change of its own, unless the other spec means something else by its name. What only goes by another name, and what
is only written differently, is no change.

Non-goals: changes within a definition.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from archspec.bisect.minimise import Subset
from archspec.check.checker import check
from archspec.compare.consequences import Checked
from archspec.compare.definitions import Change, changes, parts
from archspec.compare.difference import both_parts, only_written, setting_changes, states
from archspec.compare.renames import renames, spec_with_names
from archspec.compare.same import same
from archspec.diagnostics import SpecError
from archspec.syntax import tree
from archspec.syntax.equations import PARTS, canonical
from archspec.syntax.load import load_library, parse_spec
from archspec.syntax.printer import print_body, print_expression, print_heading
from archspec.syntax.schema import SpecSettings
from archspec.syntax.spec import Spec
from archspec.syntax.writer import stated, write_spec

Path = tuple[str, ...]

KINDS: Mapping[Path, tuple[str, ...]] = {("train", "schedule"): (), ("train", "optimizer"): ("lr", "groups")}
"""Sections of a kind, which `name` says, with the keys that every kind has: of two kinds the rest is one change."""

WHOLE: tuple[Path, ...] = (("parameters",), ("train", "optimizer", "groups"))
"""Sections whose entries are one change each."""

ASIDE: tuple[Path, ...] = (
    *(("name",), ("about",), ("track",), ("protocol",)),
    *(("train", key) for key in ("seed", "seeds", "threads", "watch", "checkpoint_every", "eval_batch_size")),
    ("train", "test_every"),
)
"""What no training depends on, or on which all have to agree: every spec between has it from the one that works."""

SCORED: tuple[Path, ...] = (
    *(("data", key) for key in ("name", "options", "seed", "fold", "limit")),
    *(("train", key) for key in ("monitor", "select", "averaging")),
)
"""What makes a score another score: both specs have to say the same."""


@dataclass(frozen=True)
class Edit:
    """One change: the path of what it is about, and the lines that `archspec diff` has for it under a heading."""

    path: Path
    heading: str
    shown: tuple[Change, ...]

    @property
    def name(self) -> str:
        """What it is called in tables: `mlp`, `d`, `train.optimizer.lr`."""
        return self.path[-1] if self.path[0] == "model" else ".".join(self.path)


@dataclass(frozen=True)
class Side:
    """One spec as entries by path, a definition by its name with its heading; and the names that its equations use."""

    entries: Mapping[Path, Any]
    uses: Mapping[Path, tuple[str, ...]]

    def names_in(self, entry: Path) -> tuple[str, ...]:
        """The names that an entry uses."""
        return self.uses.get(entry, ())

    @cached_property
    def names(self) -> frozenset[str]:
        """All names that its equations use."""
        return frozenset(name for names in self.uses.values() for name in names)


@dataclass(frozen=True)
class Between:
    """Two specs, the changes from the first to the second, and what lies between."""

    good: Spec
    sides: tuple[Side, Side]
    edits: tuple[Edit, ...]
    together: frozenset[Path]
    """The sections that are one change: of another kind in the second, or with patterns in another order."""

    def spec(self, some: Subset, about: str = "", path: str = "<text>") -> Spec:
        """The first spec with some of the changes. Raises SpecError where they cannot be made without others."""
        made = {self.edits[number].path for number in some}
        good, bad = self.sides
        first, second = (bad, good) if made & {*WHOLE} else (good, bad)
        found: dict[Path, Side] = {}
        for entry in {**first.entries, **second.entries}:
            side = bad if self.edit_of(entry) in made else good
            if entry in side.entries and not self.is_loose(entry):
                found[entry] = side
        found |= self.followers(found)
        entries = {one: found[one].entries[one] for one in in_order(found)}
        said = {**entries, ("about",): about or self.good.settings.about}
        return parse_spec(write_spec(SpecSettings.model_validate(nested(said))), path)

    def edit_of(self, entry: Path) -> Path:
        """The path of the change that an entry is a part of."""
        for section in self.together:
            if entry[: len(section)] == section and entry[len(section)] not in KINDS.get(section, ()):
                return section
        return next((entry[: len(one) + 1] for one in WHOLE if entry[: len(one)] == one), entry)

    def is_loose(self, entry: Path) -> bool:
        """Whether an entry comes and goes with what refers to it."""
        good, bad = self.sides
        alone = (entry in good.entries) != (entry in bad.entries)
        return alone and entry[:2] in NAMED and entry not in {edit.path for edit in self.edits}

    def followers(self, found: Mapping[Path, Side]) -> dict[Path, Side]:
        """The loose entries that these need, and those that these need in their turn, each with the side it is of."""
        loose = {one[-1]: (one, side) for side in self.sides for one in side.entries if self.is_loose(one)}
        more: dict[Path, Side] = {}
        left = [name for one, side in found.items() for name in side.names_in(one)]
        while left:
            name = left.pop()
            if name in loose and loose[name][0] not in more:
                entry, side = loose[name]
                more[entry] = side
                left += side.names_in(entry)
        return more


def in_order(found: Mapping[Path, Side]) -> list[Path]:
    """Entries with every size behind those that it is made from."""
    ordered: dict[Path, None] = {}

    def put(one: Path, above: tuple[Path, ...] = ()) -> None:
        if one[:2] == SIZES and one not in above:
            for name in found[one].names_in(one):
                if (*SIZES, name) in found:
                    put((*SIZES, name), (*above, one))
        ordered.setdefault(one)

    for one in found:
        put(one)
    return [*ordered]


SIZES: Path = ("model", "sizes")
"""The section in which what stands above counts."""

NAMED: tuple[Path, ...] = (SIZES, ("model", "where"))
"""Sections of what goes by a name."""


def between(good: Checked, bad: Checked) -> Between:
    """The changes from one spec to another; all of them together give the normal form of the second.

    Names are seen through where no pattern over the names of weights depends on them. Where the proof fails, what is
    only written differently counts too, under the names that it has: then the second spec is made of its own texts.
    """
    *fewer, every = candidates(good, bad)
    return next((one for one in fewer if is_whole(one, bad)), every)


def candidates(good: Checked, bad: Checked) -> Iterator[Between]:
    """Fewer changes first: without new names and what is only written differently, without new names, all."""
    patterns = any(one.spec.settings.parameters or one.spec.settings.train.optimizer.groups for one in (good, bad))
    names = {} if patterns else {one.new: one.old for one in renames(good.spec, bad.spec)}
    turned = replace(bad, spec=spec_with_names(bad.spec, names))
    for other, everything in ((turned, False), (turned, True), (bad, True)):
        yield with_edits(good, other, everything)


def is_whole(one: Between, bad: Checked) -> bool:
    """Whether all changes together make a spec of the second's normal form."""
    with suppress(SpecError):
        whole = one.spec(frozenset(range(len(one.edits))))
        return same(check(whole, bad.facts, load_library()), bad.program) is not None
    return False


def with_edits(good: Checked, bad: Checked, everything: bool) -> Between:
    """The two with their changes, those that are only written differently if everything counts."""
    sides = (side_of(good.spec), side_of(bad.spec))
    kinds = [one for one in KINDS if len({side.entries.get((*one, "name")) for side in sides}) > 1]
    bare = Between(good.spec, sides, (), frozenset([*kinds, *(one for one in WHOLE if turned_round(one, *sides))]))
    found = [*model_edits(good, bad, sides, everything), *setting_edits(good.spec, bad.spec, bare)]
    return replace(bare, edits=tuple(found))


def turned_round(section: Path, good: Side, bad: Side) -> bool:
    """Whether the entries of the second, of which a later one counts, are in another order than those of the first."""
    before, after = ([one for one in side.entries if one[: len(section)] == section] for side in (good, bad))
    return [*(one for one in before if one in after), *(one for one in after if one not in before)] != after


def model_edits(good: Checked, bad: Checked, sides: tuple[Side, Side], everything: bool) -> Iterator[Edit]:
    """The changes of the equations."""
    found = tuple(changes(*both_parts(good.spec, bad.spec), list(states(good.spec, bad.spec))))
    dropped: set[str] = set()
    if not everything:
        one = same(good.program, bad.program) is not None
        dropped = {change.path for change in found} if one else only_written(good, bad, found)
    for change in found:
        path = ("model", *change.path.split(".", 1))
        other = {"+": sides[0], "-": sides[1]}.get(change.sign)
        if change.path not in dropped and (other is None or path[:2] not in NAMED or path[-1] in other.names):
            yield Edit(path, "architecture", (change,))


def setting_edits(good: Spec, bad: Spec, bare: Between) -> Iterator[Edit]:
    """The changes of everything else."""
    first, second = (side.entries for side in bare.sides)
    for section, heading in HEADINGS.items():
        entries = [one for one in {**first, **second} if one[0] == section and first.get(one) != second.get(one)]
        counted = [bare.edit_of(one) for one in entries if not any(one[: len(out)] == out for out in ASIDE)]
        counted += [one for one in bare.together if one in WHOLE and one[0] == section]
        paths: dict[Path, list[Change]] = {one: [] for one in counted}
        names = {".".join(path[1:]): path for path in paths}
        for line in setting_changes(section, good, bad):
            about = [one for one in names if not one or line.path == one or line.path.startswith(f"{one}.")]
            if about:
                paths[names[max(about, key=len)]].append(line)
        for path, shown in paths.items():
            yield Edit(path, heading, tuple(shown))


HEADINGS: Mapping[str, str] = {"parameters": "weights set or frozen", "data": "data", "train": "training"}


def scored_otherwise(good: Spec, bad: Spec) -> list[tuple[str, Any, Any]]:
    """What makes the scores of two specs different scores: path, value of the first, value of the second."""
    first, second = (dict(flat(spec.settings.model_dump(include={"data", "train"}))) for spec in (good, bad))
    paths = [path for path in {**first, **second} if path[:2] in SCORED]
    return [
        (".".join(path), first.get(path), second.get(path)) for path in paths if first.get(path) != second.get(path)
    ]


def side_of(spec: Spec) -> Side:
    """A spec as entries."""
    settings = {key: one for key, one in stated(spec.settings, False).items() if key != "model"}
    found: dict[Path, Any] = {("name",): spec.name}
    uses: dict[Path, tuple[str, ...]] = {}
    for path, one in parts(spec, {}).items():
        names = dict.fromkeys(node.id for node in tree.walk(one) if isinstance(node, tree.Name))
        uses["model", *path.split(".", 1)] = tuple(names)
    found |= {("model", "sizes", name): canonical(print_expression(value)) for name, value in spec.sizes.items()}
    for key, (_, write) in PARTS.items():
        if (part := getattr(spec, key)) is not None:
            found["model", key] = write(part)
    for name, one in spec.definitions.items():
        found["model", "where", name] = (print_heading(one.heading), canonical(print_body(one.body)))
    return Side(found | dict(flat(settings)), uses)


def flat(section: Mapping[str, Any], above: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every value of nested sections with its path; the entries of WHOLE as they are."""
    for key, value in section.items():
        if isinstance(value, Mapping) and value and above not in WHOLE:
            yield from flat(value, (*above, key))
        else:
            yield (*above, key), value


def nested(entries: Mapping[Path, Any]) -> dict[str, Any]:
    """The sections that entries make; a definition under its heading."""
    whole: dict[str, Any] = {}
    for path, value in entries.items():
        section = whole
        for key in path[:-1]:
            section = section.setdefault(key, {})
        name, content = value if path[:2] == ("model", "where") else (path[-1], value)
        section[name] = content
    return whole
