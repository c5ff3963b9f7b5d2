"""Values for weights in a file of their own: a `parameters:` section that is laid over the specs it fits."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from archspec.compare.sources import Source, read
from archspec.diagnostics import Diagnostic, Problems, SpecError
from archspec.ir.nodes import Program
from archspec.ir.settings import matches
from archspec.ir.trainable import trainable
from archspec.syntax.document import Entry, Mapping, Scalar, read_document
from archspec.syntax.files import read_source


@dataclass(frozen=True)
class Values:
    """Patterns over the names of weights, each with what it says."""

    path: str
    patterns: Mapping

    def given(self, sources: Sequence[Source], programs: Sequence[Program], overrides: Sequence[str]) -> list[Source]:
        """The specs with these values, each with those of its own weights; E0501 for a pattern that fits none."""
        names = [list(trainable(program)) for program in programs]
        found = []
        for at, (source, own) in enumerate(zip(sources, names, strict=True)):
            fit = {
                pattern: entry
                for pattern, entry in self.patterns.entries.items()
                if any(matches(pattern, name) for name in own) or (not at and not any(fits(pattern, names)))
            }
            found.append(read(source.name, overrides, as_layer(replace(self.patterns, entries=fit))) if fit else source)
        return found


def fits(pattern: str, names: Sequence[Sequence[str]]) -> list[bool]:
    """Whether a pattern stands for weights, for each of several specs."""
    return [any(matches(pattern, name) for name in own) for own in names]


def as_layer(patterns: Mapping) -> Mapping:
    """Patterns as a layer of a spec."""
    return Mapping(patterns.span, {"parameters": Entry(Scalar(patterns.span, "parameters"), patterns)})


def read_values(path: str) -> Values:
    """The values in a file: a section `parameters:`, or its entries alone. Raises SpecError."""
    problems = Problems()
    source = read_source(Path(path), problems, path)
    document = read_document(source, problems) if source else None
    problems.finish()
    if isinstance(document, Mapping) and [*document.entries] == ["parameters"]:
        document = document.entries["parameters"].value
    if not isinstance(document, Mapping):
        help = "such as `layers.*.eps: {init: 0}`"
        raise SpecError([Diagnostic("E0032", f"`{path}` holds no values of weights", path=path, help=help)])
    return Values(path, document)
