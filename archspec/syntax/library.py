"""The standard library: its files are read once, and each definition is parsed when it is first asked for."""

from collections import ChainMap
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from archspec.diagnostics import Problems
from archspec.source import SourceFile
from archspec.syntax import tree
from archspec.syntax.document import Entry, read_document
from archspec.syntax.document import Mapping as Section
from archspec.syntax.equations import read_definition
from archspec.syntax.merge import by_name
from archspec.syntax.spec import Spec

FOLDER = Path(__file__).parent.parent / "library"


class Library(Mapping[str, tree.Definition]):
    """Definitions by name; a name costs nothing, what it stands for is parsed once."""

    def __init__(self, entries: Mapping[str, Entry]):
        self.entries = entries
        self.parsed: dict[str, tree.Definition] = {}

    def __getitem__(self, name: str) -> tree.Definition:
        if name not in self.parsed:
            problems = Problems()
            found = read_definition(self.entries[name], problems)
            problems.finish()
            assert found is not None  # else there was a problem
            self.parsed[name] = found
        return self.parsed[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def __contains__(self, name: object) -> bool:
        return name in self.entries


@cache
def load_library() -> Library:
    """The definitions of every YAML file in `archspec/library`, by name."""
    problems = Problems()
    entries: dict[str, Entry] = {}
    for file in sorted(FOLDER.glob("*.yaml")):
        source = SourceFile(f"archspec/library/{file.name}", file.read_text(encoding="utf-8"))
        document = read_document(source, problems)
        if isinstance(document, Section):
            entries |= by_name(document, problems).entries
    problems.finish()
    return Library(entries)


def known_to(spec: Spec) -> Mapping[str, tree.Definition]:
    """A spec's own definitions, then those of the library that it does not replace."""
    return ChainMap(dict(spec.definitions), load_library())  # type: ignore[arg-type]


def reached(spec: Spec) -> Mapping[str, tree.Definition]:
    """The definitions of the library that a spec needs."""
    known = known_to(spec)
    found: dict[str, tree.Definition] = {}
    left: list[object] = [spec.input, spec.stack, spec.output, spec.penalty, *spec.definitions.values()]
    while left:
        for node in tree.walk(left.pop()):
            if isinstance(node, tree.Name) and node.id in known and node.id not in {**found, **spec.definitions}:
                found[node.id] = known[node.id]
                left.append(known[node.id])
    return found
