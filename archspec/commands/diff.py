"""`archspec diff`: two architectures compared as text."""

import difflib
import os
import shutil
import sys
from collections.abc import Callable, Mapping

import click

from archspec.commands.options import choose_format, spec_options
from archspec.compare import git
from archspec.compare.consequences import Checked
from archspec.compare.difference import Difference, differences, expanded
from archspec.compare.driver import driven
from archspec.compare.markup import html_of, json_of, markdown_of
from archspec.compare.shown import COLOUR, PLAIN, Style, text_of
from archspec.compare.sources import Source, read
from archspec.diagnostics import Diagnostic, SpecError
from archspec.interface.checking import compiled
from archspec.ir.printer import program_text

DIFFERENT = 2
"""Exit status of `--exit-code` where the specs differ, as of `archspec equal`; 1 is an error."""

FORMATS = ("text", "json", "html", "markdown")

LINES: Mapping[str, Callable[[Checked], str]] = {
    "text": lambda one: one.spec.text,
    "ir": lambda one: program_text(one.program),
}
"""The levels that are compared line by line."""

LEVELS = ("text", "definitions", "expanded", "ir")


@click.command("diff")
@click.argument("names", nargs=-1, metavar="OLD NEW")
@click.option(
    "--level",
    type=click.Choice(LEVELS),
    default="definitions",
    help="Compare resolved text, definitions (the default), also those of the library, or typed programs.",
)
@click.option(
    "--format",
    type=click.Choice(FORMATS),
    default="text",
    is_eager=True,
    callback=choose_format,
    help="How it is shown.",
)
@click.option("--exit-code", is_flag=True, help=f"Exit with 0 where they are the same, with {DIFFERENT} where not.")
@click.option("--git", "for_git", is_flag=True, help="Serve git as external diff and textconv; see --install.")
@click.option(
    "--install", is_flag=True, help="With --git: have this repository show `*.yaml`, or the patterns given, so."
)
@spec_options
def command(
    names: tuple[str, ...],
    level: str,
    format: str,
    exit_code: bool,
    for_git: bool,
    install: bool,
    overrides: tuple[str, ...],
) -> None:
    """Show what NEW changes of OLD: definitions, settings, consequences.

    OLD and NEW are spec files, folders of runs, specs that come with archspec, or `git:REV:PATH`. `--set` applies to
    both. Names, order and defaults are no difference.
    """
    if install:
        click.echo("\n".join(git.install(own_command(), names or ("*.yaml",))))
        return
    if for_git:
        click.echo(driven(names, lambda old, new: shown(old, new, level, "text", git_style())[0]), nl=False, color=True)
        return
    if len(names) != 2:
        raise SpecError([Diagnostic("E0044", f"`diff` compares two specs, not {len(names)}", help="name OLD and NEW")])
    old, new = (read(name, overrides) for name in names)
    text, different = shown(old, new, level, format, terminal_style())
    click.echo(text, nl=False)
    if exit_code and different:
        raise SystemExit(DIFFERENT)


def shown(old: Source, new: Source, level: str, format: str, style: Style) -> tuple[str, bool]:
    """The difference as text, and whether there is one."""
    first, second = checked(old), checked(new)
    if level in LINES:
        return lines(LINES[level](first), LINES[level](second), (old.name, new.name), style)
    found = differences(*map(expanded, (first, second))) if level == "expanded" else differences(first, second)
    return written(found, old, new, format, style), found.different


def written(found: Difference, old: Source, new: Source, format: str, style: Style) -> str:
    """A difference in a format."""
    if format == "text":
        return text_of(found, (old.title, new.title), style)
    return {"json": json_of, "html": html_of, "markdown": markdown_of}[format](found, (old.name, new.name))


def checked(source: Source) -> Checked:
    """A spec with its program."""
    return compiled(source.spec)


def lines(old: str, new: str, names: tuple[str, str], style: Style) -> tuple[str, bool]:
    """A difference line by line."""
    rows = [*difflib.unified_diff(old.splitlines(), new.splitlines(), *names, lineterm="")]
    painted = [style.signed(row[0], row) if row[0] in "+-" else row for row in rows]
    return "".join(f"{row}\n" for row in painted), bool(rows)


def terminal_style() -> Style:
    """Colour on a terminal, unless NO_COLOR says otherwise (https://no-color.org)."""
    return COLOUR if sys.stdout.isatty() and wants_colour() else PLAIN


def git_style() -> Style:
    """Colour where git has it."""
    piped = os.environ.get("GIT_PAGER_IN_USE") == "true"
    return COLOUR if wants_colour() and (sys.stdout.isatty() or piped) and git.colours() else PLAIN


def wants_colour() -> bool:
    """Whether nothing speaks against colour."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def own_command() -> str:
    """How git is to call this command."""
    return "archspec diff --git" if shutil.which("archspec") else f"'{sys.executable}' -m archspec diff --git"
