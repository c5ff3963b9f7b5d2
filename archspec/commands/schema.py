"""`archspec schema`: the JSON Schema of spec files."""

from pathlib import Path

import click

from archspec.diagnostics import Diagnostic, SpecError
from archspec.syntax.json_schema import text


@click.command("schema")
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Write it to FILE.")
def command(output: Path | None) -> None:
    """Print the JSON Schema of spec files, for editors: keys, their values, what each means."""
    if output is None:
        click.echo(text(), nl=False)
        return
    try:
        output.write_text(text(), encoding="utf-8")
    except FileNotFoundError:
        message = f"there is no folder `{output.parent}`"
        raise SpecError([Diagnostic("E0001", message, path=str(output), help="make it first")]) from None
    click.echo(f"wrote {output}")
