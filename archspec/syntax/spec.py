"""A spec as the compiler sees it: merged, validated, its equations parsed, every piece with its place."""

from collections.abc import Mapping
from dataclasses import dataclass

from archspec.source import SourceFile, Span
from archspec.syntax import tree
from archspec.syntax.schema import SpecSettings


@dataclass(frozen=True)
class Spec:
    """One architecture and how to train it."""

    source: SourceFile
    settings: SpecSettings
    sizes: Mapping[str, tree.Expr]
    """Named sizes in the order written: `d: 64`, `c: d/heads`."""
    input: tree.Body
    stack: tree.Stage
    output: tree.Body
    penalty: tree.Body | None
    definitions: Mapping[str, tree.Definition]
    """`where` after merging, by name; the library's are not in it."""
    places: Mapping[tuple[str, ...], Span]
    """Where each key stands, by its path: ("data", "name") → the span of its value."""
    text: str
    """The resolved spec as YAML in canonical form, without `extends` and `uses`; it reads back to the same spec."""

    @property
    def name(self) -> str:
        """The name it gives itself."""
        return self.settings.name

    def place(self, *path: str) -> Span | None:
        """The span of the value at a path, or of the nearest section around it."""
        for length in range(len(path), 0, -1):
            if span := self.places.get(path[:length]):
                return span
        return None
