"""`archspec equal`: whether two specs compute the same function."""

from collections.abc import Sequence

import click

from archspec.commands.options import spec_options
from archspec.compare.sources import read
from archspec.compare.values import Values, read_values
from archspec.pipeline import compile_spec

DIFFERENT = 2
"""Exit status where they do not, as of `archspec diff --exit-code`; 1 is an error."""


@click.command("equal")
@click.argument("first")
@click.argument("second")
@click.option(
    "--with",
    "values",
    multiple=True,
    metavar="FILE",
    help="Values for weights of either spec, written as in `parameters:`. Repeatable: each file is a case of its own.",
)
@spec_options
def command(first: str, second: str, values: tuple[str, ...], overrides: tuple[str, ...]) -> None:
    """Say whether FIRST and SECOND compute the same: proved, agreed on graphs, or different.

    Proved where both have one normal form. Else weights are given from one to the other by name or role, and outputs
    and gradients are compared on small odd graphs in float64. Exits with 0 where they are the same, with 2 where not.
    """
    cases: list[Values | None] = [read_values(path) for path in values] or [None]
    found = [told(first, second, case, overrides) for case in cases]
    if not all(found):
        raise SystemExit(DIFFERENT)


def told(first: str, second: str, values: Values | None, overrides: Sequence[str]) -> bool:
    """Say what was found with some values; whether they are the same."""
    specs = [read(name, overrides) for name in (first, second)]
    if values is not None:
        programs = [compile_spec(source.spec).program for source in specs]
        specs = values.given(specs, programs, overrides)
    from archspec.equal.specs import verdict

    found = verdict(*(source.spec for source in specs))
    click.echo(f"{values.path}: {found}" if values is not None else str(found))
    return bool(found)
