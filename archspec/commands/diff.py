"""`archspec diff`: two architectures compared as text."""

import click

from archspec.commands.options import spec_options
from archspec.compare.difference import Change, Difference, differences
from archspec.pipeline import compile_spec
from archspec.syntax.load import load_spec

COLOURS = {"+": "green", "-": "red", "~": "yellow"}

DIFFERENT = 3
"""Exit status of `--exit-code` where the specs differ; 1 is a bad spec, 2 a bug in archspec."""


@click.command("diff")
@click.argument("old")
@click.argument("new")
@click.option("--exit-code", is_flag=True, help=f"Exit with {DIFFERENT} where they differ.")
@spec_options
def command(old: str, new: str, exit_code: bool, overrides: tuple[str, ...]) -> None:
    """Show what NEW changes of OLD: definitions, settings, parameters.

    `--set` applies to both.
    """
    specs = [load_spec(one, overrides) for one in (old, new)]
    programs = [compile_spec(spec).program for spec in specs]
    found = differences(specs[0], specs[1], (programs[0], programs[1]))
    click.echo(f"- {specs[0].name} ({old})\n+ {specs[1].name} ({new})")
    for change in found.changes:
        click.echo("\n" + described(change))
    click.echo("\n" + summary(found))
    if exit_code and found:
        raise SystemExit(DIFFERENT)


def described(change: Change) -> str:
    """The sign and path, then the old and the new text."""
    lines = [click.style(f"{change.sign} {change.path}", fg=COLOURS[change.sign], bold=True)]
    for sign, text in (("-", change.old), ("+", change.new)):
        lines += [click.style(f"    {sign} {line}", fg=COLOURS[sign]) for line in text.splitlines()]
    return "\n".join(lines)


def summary(found: Difference) -> str:
    """One line: how many changes of each kind, and the parameters."""
    counts = {sign: sum(change.sign == sign for change in found.changes) for sign in "+~-"}
    changes = f"{counts['+']} added, {counts['~']} changed, {counts['-']} removed" if found else "no difference"
    old, new = found.parameters
    sizes = f"{old:,} parameters, no change" if old == new else f"parameters {old:,} → {new:,} ({new - old:+,})"
    same = "; the equations compute the same" if found.same_function and found else ""
    return f"{changes}; {sizes}{same}"
