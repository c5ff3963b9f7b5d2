"""`archspec check`: whether specs are right, and whether the compiled module computes what the text says."""

import click

from archspec.commands.options import spec_options
from archspec.diagnostics import Diagnostic, SpecError
from archspec.interface.checking import told
from archspec.syntax.load import load_spec


@click.command("check")
@click.argument("specs", nargs=-1, required=True)
@click.option("--static", is_flag=True, help="Read and type the specs only; no torch.")
@spec_options
def command(specs: tuple[str, ...], static: bool, overrides: tuple[str, ...]) -> None:
    """Check SPECS.

    Without `--static` each is also built and run, forward and backward, on a few small odd graphs in float64, and
    compared with the reference evaluator.
    """
    wrong: list[Diagnostic] = []
    for path in specs:
        try:
            spec = load_spec(path, overrides)
            click.echo(f"{path}: {told(spec, static)}")
        except SpecError as error:
            wrong += error.diagnostics
    if wrong:
        raise SpecError(wrong)
