"""A text that is being written, read as far as it goes: its problems, its trees, its typed program if there is one.

Non-goals: torch, data sets that were not read before, other files as they stand in an editor (they are read from disk).
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from archspec.check.checker import check
from archspec.diagnostics import Diagnostic, Problems, SpecError, concise, place
from archspec.facts import with_defaults
from archspec.ir.nodes import Program
from archspec.pipeline import facts_of
from archspec.source import SourceFile, Span
from archspec.syntax import tree
from archspec.syntax.document import Mapping, Value, read_document
from archspec.syntax.equations import Model, read_definitions, read_model
from archspec.syntax.load import load_library, load_text
from archspec.syntax.merge import by_heading, by_name
from archspec.syntax.spec import Spec

LARGEST = 1_000_000
"""Characters of a text that are looked at."""


@dataclass(frozen=True)
class Reading:
    """What was made of a text; None where it could not be made."""

    source: SourceFile
    problems: tuple[Diagnostic, ...]
    document: Mapping | None = None
    model: Model | None = None
    spec: Spec | None = None
    program: Program | None = None

    def definitions(self) -> dict[str, tree.Definition]:
        """All definitions that can be called: the library's, those of other files, the text's own."""
        found = dict(load_library())
        found |= self.spec.definitions if self.spec else {}
        return found | (self.model.definitions if self.model else {})

    def sizes(self) -> dict[str, tree.Expr]:
        """All named sizes."""
        return {**(self.spec.sizes if self.spec else {}), **(self.model.sizes if self.model else {})}


def read(text: str, path: str) -> Reading:
    """Read a spec, or a file of definitions; a text that is neither has no problems. Raises nothing."""
    source = SourceFile(path, text)
    found = Problems()
    document = read_document(source, found) if len(text) <= LARGEST else None
    if not isinstance(document, Mapping):
        return Reading(source, tuple(found.found) if looks_like_spec(text) else ())
    if not {"model", "extends"} & set(document.entries):
        return shared(source, document) if is_shared(document) else Reading(source, (), document)
    model = read_model(by_heading(document, Problems()), Problems())
    spec = program = None
    told = Problems()
    with collected(told):
        spec = load_text(text, path)
    if spec is not None:
        facts = None
        with collected(told):  # what is wrong with the data hides nothing of the equations
            facts = facts_of(spec)
        with collected(told):
            program = check(spec, facts, load_library())
            with_defaults(spec, facts)
    return Reading(source, tuple(told.found), document, model, spec, program)


@contextmanager
def collected(problems: Problems) -> Iterator[None]:
    """Collect problems where they would be raised."""
    try:
        yield
    except SpecError as error:
        for one in error.diagnostics:
            problems.add(one)


def looks_like_spec(text: str) -> bool:
    """Whether a text that cannot be read has the sections of a spec."""
    return any(line.startswith(("model:", "extends:")) for line in text.splitlines())


def is_shared(document: Mapping) -> bool:
    """Whether a document is a file of definitions: everything has a heading, some with arguments."""
    return any("(" in name for name in document.entries) and all(
        not isinstance(entry.value, Mapping) for entry in document.entries.values()
    )


def shared(source: SourceFile, document: Mapping) -> Reading:
    """A file of definitions, of which only the form is known to be right or wrong."""
    problems = Problems()
    model = Model(definitions=read_definitions(by_name(document, problems), problems))
    return Reading(source, tuple(problems.found), document, model)


def shown(reading: Reading) -> Iterator[tuple[Diagnostic, Span]]:
    """Every problem with its place in this text; those of other files at the line that names files, or at the top."""
    for problem in sorted(reading.problems, key=place):
        span = problem.span
        if span is not None and span.source.path == reading.source.path:
            yield problem, Span(reading.source, span.start, span.end)
        else:
            said = problem if span is None else Diagnostic(problem.code, concise(problem), help=problem.help)
            yield said, top(reading)


def top(reading: Reading) -> Span:
    """Where other files are named, else the first line."""
    entries = reading.document.entries if reading.document else {}
    for key in ("extends", "uses"):
        if key in entries:
            return entries[key].value.span
    return Span(reading.source, 0, len(reading.source.line(1)))


def keys(value: Value, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Span]]:
    """The path of every key, and where it stands."""
    if isinstance(value, Mapping):
        for name, entry in value.entries.items():
            yield (*path, name), entry.key.span
            yield from keys(entry.value, (*path, name))


def file_of(span: Span) -> Path | None:
    """The file that a span stands in; None for what is in none."""
    path = Path(span.source.path)
    if span.source.path.startswith("archspec/library/"):
        path = Path(__file__).parent.parent / "library" / path.name
    with suppress(OSError):
        return path.resolve() if path.is_file() else None
    return None
