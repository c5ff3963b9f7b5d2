"""Spec files → `Spec`: layers merged, settings checked, equations parsed, all problems collected."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from archspec.diagnostics import Diagnostic, Problems, SpecError
from archspec.source import SourceFile, Span
from archspec.syntax.document import Mapping as Section
from archspec.syntax.document import Value, read_document
from archspec.syntax.equations import read_model
from archspec.syntax.files import find, shipped_specs
from archspec.syntax.library import load_library
from archspec.syntax.merge import by_heading, layers_of, merge_layers, read_layers
from archspec.syntax.overrides import read_overrides
from archspec.syntax.settings import check_settings
from archspec.syntax.spec import Spec
from archspec.syntax.writer import write_spec

__all__ = ["load_library", "load_spec", "shipped_specs"]


def load_spec(path: str | Path, overrides: Sequence[str] = (), above: Section | None = None) -> Spec:
    """The spec in a file, or one that comes with archspec by its name, with `PATH=VALUE` overrides laid over it.

    `above` is one more layer, laid over all.

    Raises SpecError with everything that is wrong with the files, their settings and the form of their equations.
    """
    problems = Problems()
    return laid(read_layers(find(str(path), Path()), problems, asked=str(path)), str(path), overrides, above, problems)


def load_under(path: str, folder: Path, above: Sequence[Section]) -> Spec:
    """The spec that a path names, seen from a folder, with further layers laid over it, the last one on top."""
    problems = Problems()
    layers = read_layers(find(path, folder), problems, asked=path)
    return laid([*layers, *above] if layers else [], path, (), None, problems)


def load_text(text: str, path: str = "<text>", overrides: Sequence[str] = ()) -> Spec:
    """The spec that a text holds, which is read as the file at a path would be: what it extends stands beside that."""
    problems = Problems()
    return laid(layers_of(SourceFile(path, text), problems), path, overrides, None, problems)


def laid(layers: list[Section], path: str, overrides: Sequence[str], above: Section | None, problems: Problems) -> Spec:
    """The spec of a file's layers, with overrides and one more layer laid over them."""
    if (layer := read_overrides(overrides, problems)) is not None and layers:
        layers.append(layer)
    layers += [above] if above is not None and layers else []
    if not layers and not problems.found:
        problems.add(Diagnostic("E0004", f"`{path}` holds no spec", path=path, help="write `name:` and `model:`"))
    problems.finish()
    return assemble(merge_layers(layers, problems), problems)


def parse_spec(text: str, path: str = "<text>") -> Spec:
    """The spec that a text holds, which may not extend a file."""
    problems = Problems()
    document = read_document(SourceFile(path, text), problems)
    problems.finish()
    if not isinstance(document, Section):
        raise SpecError([Diagnostic("E0004", f"`{path}` holds no spec", path=path, help="write `name:` and `model:`")])
    return assemble(merge_layers([by_heading(document, problems)], problems), problems)


def assemble(document: Section, problems: Problems) -> Spec:
    """The spec of a merged document."""
    model = read_model(document, problems)
    settings = check_settings(document, model, problems)
    problems.finish()
    if settings is None or model is None:
        raise AssertionError("a problem of the settings was not reported")
    return Spec(
        source=document.span.source,
        settings=settings,
        sizes=model.sizes,
        input=model.parts["input"],
        stack=model.parts["stack"],
        output=model.parts["output"],
        penalty=model.parts.get("penalty"),
        definitions=model.definitions,
        places=dict(places(document)),
        text=write_spec(settings),
    )


def places(value: Value, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Span]]:
    """The path and the span of every value below a value."""
    if isinstance(value, Section):
        for name, entry in value.entries.items():
            yield (*path, name), entry.value.span
            yield from places(entry.value, (*path, name))
