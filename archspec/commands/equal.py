"""`archspec equal`: whether two specs compute the same function."""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from archspec.commands.options import choose_format, spec_options
from archspec.compare.markup import number
from archspec.compare.sources import read
from archspec.compare.values import Values, read_values
from archspec.pipeline import compile_spec

if TYPE_CHECKING:
    from archspec.equal.specs import Verdict

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
@click.option(
    "--format",
    type=click.Choice(("text", "json")),
    default="text",
    is_eager=True,
    callback=choose_format,
    help="How it is told.",
)
@spec_options
def command(first: str, second: str, values: tuple[str, ...], format: str, overrides: tuple[str, ...]) -> None:
    """Say whether FIRST and SECOND compute the same: proved, agreed on graphs, or different.

    Proved where both have one normal form. Else weights are given from one to the other by name or role, and outputs
    and gradients are compared on small odd graphs in float64. Exits with 0 where they are the same, with 2 where not.
    """
    cases: list[Values | None] = [read_values(path) for path in values] or [None]
    found: list[tuple[str | None, Verdict]] = []
    for case in cases:
        found.append((case.path if case else None, judged(first, second, case, overrides)))
        if format == "text":
            path, one = found[-1]
            click.echo(f"{path}: {one}" if path else str(one))
    if format == "json":
        click.echo(json.dumps(as_data((first, second), found), indent=2, ensure_ascii=False))
    if not all(one for _, one in found):
        raise SystemExit(DIFFERENT)


def judged(first: str, second: str, values: Values | None, overrides: Sequence[str]) -> "Verdict":
    """What is found with some values."""
    specs = [read(name, overrides) for name in (first, second)]
    if values is not None:
        programs = [compile_spec(source.spec).program for source in specs]
        specs = values.given(specs, programs, overrides)
    from archspec.equal.specs import verdict

    return verdict(*(source.spec for source in specs))


def as_data(names: tuple[str, str], found: Sequence[tuple[str | None, "Verdict"]]) -> Mapping[str, Any]:
    """Everything as plain data, under the names of `archspec diff --format json`; `values` is the file of a case."""
    cases = [
        {"values": path, "verdict": one.kind, "told": one.told, "notes": list(one.notes), **numbers(one.evidence)}
        for path, one in found
    ]
    return {"old": names[0], "new": names[1], "different": not all(one for _, one in found), "cases": cases}


def numbers(data: Any) -> Any:
    """Plain data with numbers as JSON has them."""
    if isinstance(data, Mapping):
        return {key: numbers(value) for key, value in data.items()}
    if isinstance(data, list):
        return [numbers(one) for one in data]
    return number(data) if isinstance(data, float) else data
