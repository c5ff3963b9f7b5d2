"""`archspec fmt`: the equations of spec files in canonical form; comments stay."""

import os
import stat
import tempfile
from pathlib import Path

import click

from archspec.diagnostics import Diagnostic, Problems, SpecError
from archspec.source import SourceFile, Span
from archspec.syntax.files import read_source
from archspec.syntax.format import format_text


@click.command("fmt")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--check", is_flag=True, help="Change nothing; fail if a file is not in canonical form.")
def command(files: tuple[Path, ...], check: bool) -> None:
    """Write the equations of FILES, or of all spec files in a folder, in canonical form. Comments stay."""
    problems = Problems()
    changed = 0
    for path in [file for given in files for file in spec_files(given)]:
        source = read_source(path, problems)
        new = formatted(source, problems) if source else None
        if source is None or new is None or new == source.text:
            continue
        changed += 1
        if check:
            problems.add(not_canonical(source, new))
        else:
            replace_file(path, new)
            click.echo(f"formatted {path}")
    problems.finish()
    if not changed:
        click.echo("already in canonical form")


def spec_files(path: Path) -> list[Path]:
    """The file itself, or the spec files below a folder."""
    return sorted(path.rglob("*.yaml")) if path.is_dir() else [path]


def formatted(source: SourceFile, problems: Problems) -> str | None:
    """The new text of a file; None, with problems, where it has any."""
    try:
        return format_text(source)
    except SpecError as error:
        for diagnostic in error.diagnostics:
            problems.add(diagnostic)
        return None


def not_canonical(source: SourceFile, new: str) -> Diagnostic:
    """That a file is not in canonical form, at the first line that would change."""
    pairs = zip(source.text.split("\n"), new.split("\n"), strict=False)
    number = next((number for number, (old, line) in enumerate(pairs, 1) if old != line), 1)
    start = source.line_starts[number - 1]
    line = source.line(number)
    at = Span(source, start + len(line) - len(line.lstrip()), start + max(len(line), 1))
    after = new.split("\n")[number - 1].strip()
    return Diagnostic(
        "E0050",
        "not in canonical form",
        at,
        notes=(f"canonical is `{after}`",),
        help=f"run `archspec fmt {source.path}`",
    )


def replace_file(path: Path, text: str) -> None:
    """Write a file as a whole or not at all, with the mode and the byte order mark it had."""
    target = path.resolve()
    before = target.read_bytes()
    mark = "\ufeff" if before.startswith("\ufeff".encode()) else ""
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write((mark + text).encode())
        os.chmod(temporary, stat.S_IMODE(target.stat().st_mode))
        os.replace(temporary, target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
