"""`archspec new`: begin a spec as a copy of another."""

import json
import re
import shlex
from contextlib import suppress
from pathlib import Path

import click

from archspec.diagnostics import Diagnostic, Problems, SpecError
from archspec.source import SourceFile
from archspec.syntax.document import Mapping, Scalar, read_document, resolve
from archspec.syntax.files import find, read_source
from archspec.syntax.json_schema import FILE, MODELINE
from archspec.syntax.json_schema import text as schema_text
from archspec.syntax.load import load_spec
from archspec.syntax.writer import write_spec


@click.command("new")
@click.argument("name")
@click.option("--from", "origin", default="gin", show_default=True, metavar="SPEC", help="The spec to copy.")
def command(name: str, origin: str) -> None:
    """Write NAME.yaml, a copy of a spec that comes with archspec (or of any other) under a new name.

    Its first line names a JSON Schema for editors, `archspec.schema.json`, which is put beside it unless it is there.
    """
    path = Path(name if name.endswith(".yaml") else f"{name}.yaml")
    text = with_modeline(copy(origin, path.stem))
    try:
        with path.open("x", encoding="utf-8", newline="") as file:
            file.write(text)
    except FileExistsError:
        raise SpecError(
            [Diagnostic("E0052", f"`{path}` exists already", path=str(path), help="choose another name")]
        ) from None
    except FileNotFoundError:
        raise SpecError(
            [Diagnostic("E0001", f"there is no folder `{path.parent}`", path=str(path), help="make it first")]
        ) from None
    put_schema(path.parent / FILE)
    typed = shlex.quote(str(path))
    click.echo(f"wrote {path}, a copy of {origin}\nnext:  archspec check {typed}\n       archspec train {typed}")


def put_schema(path: Path) -> None:
    """Write the schema that the first line of the spec names, unless there is one."""
    with suppress(FileExistsError), path.open("x", encoding="utf-8") as file:
        file.write(schema_text())


def copy(origin: str, name: str) -> str:
    """The text of a spec under a new name: comments and all, or written out where it extends another."""
    problems = Problems()
    source = read_source(find(origin, Path()), problems, origin)
    problems.finish()
    load_spec(origin)  # a copy of a spec with problems is no good start
    document = read_document(source, problems) if source else None
    if source is None or not isinstance(document, Mapping):
        raise SpecError(problems.found)
    if {"extends", "uses"} & set(document.entries):
        source = SourceFile(source.path, header(source.text) + write_spec(load_spec(origin).settings, short=True))
        document = read_document(source, problems)
    return renamed(source, document, name)


def with_modeline(text: str) -> str:
    """The text with the line that tells editors where its schema is."""
    return text if "# yaml-language-server:" in text else f"{MODELINE}\n{text}"


def header(text: str) -> str:
    """The comment a file begins with."""
    found = re.match(r"(#[^\n]*\n)*", text)
    return found.group() if found else ""


def renamed(source: SourceFile, document: object, name: str) -> str:
    """The text with another name in it."""
    safe = re.fullmatch(r"[A-Za-z_][\w-]*", name) and isinstance(resolve(name), str)
    written = name if safe else json.dumps(name, ensure_ascii=False)
    entry = document.entries.get("name") if isinstance(document, Mapping) else None
    if entry is None or not isinstance(entry.value, Scalar):
        return f"name: {written}\n{source.text}"
    return source.text[: entry.value.span.start] + written + source.text[entry.value.span.end :]
