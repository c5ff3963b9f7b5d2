"""Several layers of a spec become one: what it `extends`, the definitions it `uses`, the file itself, `--set`.

Sections merge key by key; a definition is replaced by its name, whatever its arguments; `null` removes what a spec
names freely (sizes, definitions, patterns, …) and is a value elsewhere (`clip: null`).
"""

import difflib
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from archspec.diagnostics import Problems
from archspec.source import SourceFile
from archspec.syntax import protocols, traps
from archspec.syntax.document import Entry, Mapping, Scalar, Sequence, Value, read_document
from archspec.syntax.files import find, read_source

REMOVES = ("", "model", "model.sizes", "model.where", "parameters", "track", "data.options", "train.optimizer",
           "train.optimizer.groups", "train.loss_options")  # fmt: skip
"""Sections in which `null` removes an entry."""

NAMED = ("model.sizes", "model.where", "parameters", "track", "train.optimizer.groups")
"""Sections in which removing what is not there is a mistake."""

KINDS = {
    "train.schedule": ("name",),
    "train.optimizer": ("name", "lr", "groups"),
    "data": ("name", "batch_size", "buckets", "limit", "seed"),
}
"""Sections of a kind, which `name` says, with the keys that every kind has: another kind keeps only those."""

NAME = re.compile(r"\s*([A-Za-z_][A-Za-z_0-9]*)\s*(\(|$)")


def read_layers(path: Path, problems: Problems, above: tuple[Path, ...] = (), asked: str = "") -> list[Mapping]:
    """The layers of a file, the lowest first: those of the file it extends, the files it uses, its own."""
    source = read_source(path, problems, asked)
    return layers_of(source, problems, above) if source else []


def layers_of(source: SourceFile, problems: Problems, above: tuple[Path, ...] = ()) -> list[Mapping]:
    """The layers of a text, which stands in a file or might."""
    path = Path(source.path)
    document = read_document(source, problems)
    if document is None:
        return []
    if not isinstance(document, Mapping):
        help = "begin with `name:` and `model:`; a blank follows each colon"
        problems.error("E0032", document.span, "a spec is a section of `key: value` lines", help=help)
        return []
    document = by_heading(document, problems)
    layers = []
    if extends := name_of_file(document, "extends", problems):
        layers += read_base(extends, path, problems, above)
    for used in names_of_files(document, "uses", problems):
        layers += read_definitions(used, path, problems)
    own = {name: entry for name, entry in document.entries.items() if name not in ("extends", "uses")}
    return [*layers, replace(document, entries=own)]


def read_base(extends: Scalar, path: Path, problems: Problems, above: tuple[Path, ...]) -> list[Mapping]:
    """The layers of the file that a file extends."""
    base = find(extends.text, path.parent)
    line = (*above, path.resolve())
    if base.resolve() in line:
        way = " → ".join(one.name for one in (*line, base))
        problems.error("E0040", extends.span, "a spec cannot extend itself", notes=(way,), help="extend another file")
        return []
    return at_value(extends, problems, lambda found: read_layers(base, found, line, extends.text))


def read_definitions(used: Scalar, path: Path, problems: Problems) -> list[Mapping]:
    """A file of shared definitions, as a layer."""

    def read(found: Problems) -> list[Mapping]:
        source = read_source(find(used.text, path.parent), found, used.text)
        document = read_document(source, found) if source else None
        if document is not None and not isinstance(document, Mapping):
            found.error(
                "E0032", document.span, "a file of definitions is a section of `name(arguments): equation` lines"
            )
        return [document] if isinstance(document, Mapping) else []

    return [in_where(document, problems) for document in at_value(used, problems, read)]


def in_where(document: Mapping, problems: Problems) -> Mapping:
    """Definitions as the layer of a spec."""
    where = Scalar(document.span, "where")
    model = Mapping(document.span, {"where": Entry(where, document)})
    return by_heading(Mapping(document.span, {"model": Entry(Scalar(document.span, "model"), model)}), problems)


def at_value(value: Scalar, problems: Problems, read: Callable[[Problems], list[Mapping]]) -> list[Mapping]:
    """What reading a named file gives; where the file itself cannot be read, the problem stands at its name."""
    found = Problems()
    layers = read(found)
    for problem in found.found:
        problems.add(problem if problem.span else replace(problem, span=value.span))
    return layers


def name_of_file(document: Mapping, key: str, problems: Problems) -> Scalar | None:
    """The file that a key names."""
    names = names_of_files(document, key, problems)
    if len(names) > 1:
        problems.error("E0041", names[1].span, f"`{key}` names one file", help="extend a file that extends the other")
    return names[0] if names else None


def names_of_files(document: Mapping, key: str, problems: Problems) -> list[Scalar]:
    """The files that a key names."""
    entry = document.entries.get(key)
    if entry is None or entry.value.plain is None:
        return []
    values = entry.value.items if isinstance(entry.value, Sequence) else (entry.value,)
    names = [value for value in values if isinstance(value, Scalar) and isinstance(value.plain, str)]
    if len(names) < len(values):
        problems.error("E0041", entry.value.span, f"`{key}` names files", help=f"write `{key}: FILE.yaml`")
    return names


def by_heading(document: Mapping, problems: Problems) -> Mapping:
    """The document with its definitions by name instead of by heading; both in one file are duplicates."""
    model = document.entries.get("model")
    where = model.value.entries.get("where") if model and isinstance(model.value, Mapping) else None
    if not model or not isinstance(model.value, Mapping) or not where or not isinstance(where.value, Mapping):
        return document
    named = replace(where, value=by_name(where.value, problems))
    section = replace(model.value, entries=model.value.entries | {"where": named})
    return replace(document, entries=document.entries | {"model": replace(model, value=section)})


def by_name(where: Mapping, problems: Problems) -> Mapping:
    """Definitions by name instead of by heading."""
    named: dict[str, Entry] = {}
    for heading, entry in where.entries.items():
        found = NAME.match(heading)
        name = found[1] if found else heading
        if name in named:
            traps.duplicate(name, entry.key.span, named[name].key.span, problems)
        named[name] = entry
    return replace(where, entries=named)


def merge_layers(layers: list[Mapping], problems: Problems) -> Mapping:
    """All layers as one document. A protocol stands below the layer that names it, and above those below that."""
    merged, naming = Mapping(layers[-1].span), [layer for layer in layers if "protocol" in layer.entries][-1:]
    for layer in layers:
        own = replace(layer, entries={name: entry for name, entry in layer.entries.items() if name != "protocol"})
        if layer in naming:
            merged, own = with_protocol(merged, own, layer.entries["protocol"], name_of_data(layers), problems)
        merged = merge(merged, own, "", problems)
    return merged


def with_protocol(
    merged: Mapping, layer: Mapping, entry: Entry, data: str | None, problems: Problems
) -> tuple[Mapping, Mapping]:
    """What lies below a layer with the settings of the protocol that it names, and the layer, which says so."""
    section = entry.value if isinstance(entry.value, Mapping) else Mapping(entry.value.span)
    name = section.entries["name"].value if "name" in section.entries else entry.value
    if not isinstance(name, Scalar) or is_null(name) or "filled" in section.entries:
        kept = {} if is_null(name) else {"protocol": entry}
        return merged, replace(layer, entries=layer.entries | kept)
    settings = protocols.read(name, data, problems)
    if settings is None:
        return merged, layer
    said = {"name": name, "filled": Scalar(name.span, "true")}
    filled = Mapping(name.span, {key: Entry(Scalar(entry.key.span, key), one) for key, one in said.items()})
    layer = replace(layer, entries=layer.entries | {"protocol": Entry(entry.key, filled)})
    return protocols.overlaid(merged, settings), layer


def name_of_data(layers: list[Mapping]) -> str | None:
    """The data set that the layers name together."""
    name: str | None = None
    for layer in layers:
        said = protocols.section(layer, "data").entries.get("name")
        if said and isinstance(said.value, Scalar):
            name = said.value.text
        elif "data" in layer.entries and is_null(layer.entries["data"].value):
            name = None
    return name


def merge(base: Mapping, layer: Mapping, path: str, problems: Problems) -> Mapping:
    """A section with the entries of another laid over it."""
    entries = kept(base, layer, path)
    for name, entry in layer.entries.items():
        here = f"{path}.{name}".strip(".")
        old = entries.get(name)
        if is_null(entry.value) and (
            path in REMOVES or path.startswith(("parameters.", "track.", "train.optimizer.groups."))
        ):
            entries.pop(name, None)
            if old is None and path in NAMED:
                nothing_there(name, entry, list(entries), problems)
        elif isinstance(entry.value, Mapping):
            below = old.value if old and isinstance(old.value, Mapping) else Mapping(entry.value.span)
            entries[name] = Entry(entry.key, merge(below, entry.value, here, problems))
        else:
            entries[name] = entry
    return replace(layer, entries=entries)


def kept(base: Mapping, layer: Mapping, path: str) -> dict[str, Entry]:
    """The entries of the base that stay: all of them, unless the layer makes it a section of another kind."""
    before, after = base.entries.get("name"), layer.entries.get("name")
    drawn = path.startswith("parameters.") and path.endswith(".init")
    common = ("name",) if drawn else KINDS.get(path)
    if common is None or before is None or after is None or before.value.plain == after.value.plain:
        return dict(base.entries)
    return {name: entry for name, entry in base.entries.items() if name in common}


def is_null(value: Value) -> bool:
    """Whether a value is YAML's null."""
    return isinstance(value, Scalar) and value.plain is None


def nothing_there(name: str, entry: Entry, names: list[str], problems: Problems) -> None:
    """Report a `null` that removes nothing."""
    close = difflib.get_close_matches(name, names, 1)
    help = f"write `{close[0]}`" if close else "write a value, or remove the line"
    problems.error(
        "E0042",
        entry.key.span,
        f"there is no `{name}` to remove",
        notes=("a key without a value removes it",),
        help=help,
    )
