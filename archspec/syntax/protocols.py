"""Published protocols of training, by name: files of settings that stand below what a spec says itself.

A file has a section for every data set, or several of the same settings, that the protocol was published for, and what
they have in common under `every`.
"""

import difflib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from archspec.diagnostics import Problems
from archspec.source import SourceFile
from archspec.syntax.document import Entry, Mapping, Plain, Scalar, read_document

FOLDER = Path(__file__).parent.parent / "library" / "protocols"

COMMON, ABOUT = "every", "about"


def names() -> list[str]:
    """The protocols there are."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def document(name: str) -> Mapping:
    """The file of a protocol."""
    problems = Problems()
    source = SourceFile(
        f"archspec/library/protocols/{name}.yaml", (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
    )
    read = read_document(source, problems)
    problems.finish()
    assert isinstance(read, Mapping)
    return read


def data_sets(protocol: Mapping) -> dict[str, Mapping]:
    """The settings of every data set of a protocol, what they have in common below them."""
    common = section(protocol, COMMON)
    return {
        name: overlaid(common, entry.value)
        for key, entry in protocol.entries.items()
        if key not in (COMMON, ABOUT) and isinstance(entry.value, Mapping)
        for name in key.split(", ")
    }


def section(parent: Mapping, name: str) -> Mapping:
    """A section of a section, empty where there is none."""
    entry = parent.entries.get(name)
    return entry.value if entry and isinstance(entry.value, Mapping) else Mapping(parent.span)


def overlaid(below: Mapping, above: Mapping) -> Mapping:
    """Sections of settings with those of another over them, each setting as a whole: an optimiser is not mixed."""
    entries = dict(below.entries)
    for name, entry in above.entries.items():
        merged = replace(section(below, name), entries=section(below, name).entries | section(above, name).entries)
        entries[name] = Entry(entry.key, merged)
    return replace(below, entries=entries)


def read(name: Scalar, data: str | None, problems: Problems) -> Mapping | None:
    """The settings of a protocol for a data set; E0046 and None where there are none."""
    if name.text not in names():
        close = difflib.get_close_matches(name.text.lower(), names(), 1)
        cure = f"write `{close[0]}`" if close else f"known: {listed(names())}"
        problems.error("E0046", name.span, f"unknown protocol `{name.text}`", help=cure)
        return None
    found = data_sets(document(name.text))
    if data is None or data not in found:
        what = f"the data set `{data}`" if data else "a spec that names no data"
        message = f"the protocol `{name.text}` says nothing of {what}"
        problems.error("E0046", name.span, message, help=f"leave it out; it was published for {listed(found)}")
        return None
    return found[data]


def listed(known: list[str] | dict[str, Mapping]) -> str:
    """Names in a message."""
    return ", ".join(f"`{one}`" for one in known)


def published(name: str, data: str) -> dict[str, Plain]:
    """The settings of a protocol for a data set by their paths: `train.epochs` → 1000."""
    settings = data_sets(document(name)).get(data)
    return dict(leaves(settings.plain)) if settings else {}


def leaves(value: dict[str, Plain], path: str = "") -> Iterator[tuple[str, Plain]]:
    """The plain values below a section by their paths."""
    for name, one in value.items():
        if isinstance(one, dict) and one:
            yield from leaves(one, f"{path}{name}.")
        else:
            yield f"{path}{name}", one
