"""`archspec diff`: two architectures compared as text."""

import shutil
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

import click

from archspec.commands.options import spec_options
from archspec.compare.difference import Change, Difference, WeightChange, differences
from archspec.pipeline import compile_spec
from archspec.syntax.load import load_spec

COLOURS = {"+": "green", "-": "red", "~": "yellow", " ": None}

DIFFERENT = 3
"""Exit status of `--exit-code` where the specs differ; 1 is a bad spec, 2 a bug in archspec."""

MOST_WEIGHTS = 24
"""Lines about weights at most."""

Line = tuple[str, str]
"""A sign and a line of text."""


@click.command("diff")
@click.argument("old")
@click.argument("new")
@click.option("--exit-code", is_flag=True, help=f"Exit with {DIFFERENT} where they differ.")
@spec_options
def command(old: str, new: str, exit_code: bool, overrides: tuple[str, ...]) -> None:
    """Show what NEW changes of OLD: definitions, settings, parameters.

    Definitions stand side by side where the terminal is wide enough. `--set` applies to both.
    """
    specs = [load_spec(one, overrides) for one in (old, new)]
    programs = [compile_spec(spec).program for spec in specs]
    found = differences(specs[0], specs[1], (programs[0], programs[1]))
    width = shutil.get_terminal_size().columns
    for sign, path, spec in zip("-+", (old, new), specs, strict=True):
        click.echo(f"{sign} {path}" + (f" ({spec.name})" if spec.name != path else ""))
    for change in found.changes:
        click.echo("\n" + described(change, width))
    if found.weights:
        click.echo("\n" + "\n".join(weights(found.weights)))
    click.echo("\n" + summary(found))
    if exit_code and found:
        raise SystemExit(DIFFERENT)


def described(change: Change, width: int) -> str:
    """The sign and the path, then both texts: side by side where they fit, else one above the other."""
    heading = click.style(f"{change.sign} {change.path}", fg=COLOURS[change.sign], bold=True)
    old, new = change.old.splitlines(), change.new.splitlines()
    if "" in (change.old, change.new) or len(old) == len(new) == 1:
        return "\n".join([heading, *(f"    {painted(line)}" for line in above(old, new))])
    rows = list(beside(old, new))
    left = max(len(line) for (_, line), _ in rows) + 2
    right = max(len(line) for _, (_, line) in rows) + 2
    if left + right + 7 > width:
        return "\n".join([heading, *(f"    {painted(line)}" for line in above(old, new))])
    return "\n".join([heading, *(f"    {painted(one, left)} │ {painted(two)}".rstrip() for one, two in rows)])


def painted(line: Line, width: int = 0) -> str:
    """A line in the colour of its sign."""
    sign, text = line
    return click.style(f"{sign} {text}".ljust(width), fg=COLOURS[sign])


def above(old: Sequence[str], new: Sequence[str]) -> Iterator[Line]:
    """The lines of both texts in one column; what they share stands once."""
    for same, removed, added in parts(old, new):
        yield from ((" ", line) for line in same)
        yield from (("-", line) for line in removed)
        yield from (("+", line) for line in added)


def beside(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[Line, Line]]:
    """The lines of both texts in two columns; what they share stands in both."""
    for same, removed, added in parts(old, new):
        yield from (((" ", line), (" ", line)) for line in same)
        for at in range(max(len(removed), len(added))):
            left = ("-", removed[at]) if at < len(removed) else (" ", "")
            right = ("+", added[at]) if at < len(added) else (" ", "")
            yield left, right


def parts(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[Sequence[str], Sequence[str], Sequence[str]]]:
    """(lines of both, lines only the first has, lines only the second has), in order."""
    for tag, start, end, start_new, end_new in SequenceMatcher(a=old, b=new, autojunk=False).get_opcodes():
        if tag == "equal":
            yield old[start:end], [], []
        else:
            yield [], old[start:end], new[start_new:end_new]


def weights(changes: Sequence[WeightChange]) -> Iterator[str]:
    """The weights that come and go, one line for those of all block instances."""
    yield click.style("weights", bold=True)
    names = max(len(change.name) for change in changes)
    shapes = max(len(str(change.shape)) for change in changes)
    for change in changes[:MOST_WEIGHTS]:
        sign = "+" if change.instances > 0 else "-"
        times = f"× {abs(change.instances)}" if change.name.startswith("layers.*") else ""
        text = f"{change.name:<{names}}  {change.shape!s:<{shapes}}  {times:<5} {change.parameters:>+10,}"
        yield f"    {painted((sign, text))}"
    if len(changes) > MOST_WEIGHTS:
        yield f"    … and {len(changes) - MOST_WEIGHTS} more; `archspec show --as params` lists them all"


def summary(found: Difference) -> str:
    """One line: how many changes of each kind, and the parameters."""
    counts = {sign: sum(change.sign == sign for change in found.changes) for sign in "+~-"}
    changes = f"{counts['+']} added, {counts['~']} changed, {counts['-']} removed" if found else "no difference"
    same = "; the equations compute the same" if found.same_function and found else ""
    return f"{changes}; {sizes(found.parameters)}{same}"


def sizes(parameters: tuple[int, int] | None) -> str:
    """The number of parameters of both."""
    if parameters is None:
        return "the number of parameters is open without a data set"
    old, new = parameters
    return f"{old:,} parameters, no change" if old == new else f"parameters {old:,} → {new:,} ({new - old:+,})"
