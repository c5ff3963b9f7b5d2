"""`archspec lsp`: the language server, for editors."""

import os

import click

from archspec.diagnostics import Diagnostic, SpecError


@click.command("lsp")
def command() -> None:
    """Serve an editor over standard input and output: problems, completion, types, renaming, quick fixes."""
    try:
        from archspec.editor.server import make
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("pygls", "lsprotocol"):
            raise
        raise SpecError(
            [Diagnostic("E0048", "`archspec lsp` needs pygls", help="pip install 'archspec-nn[lsp]'")]
        ) from None
    with os.fdopen(os.dup(0), "rb") as asked, os.fdopen(os.dup(1), "wb") as told:  # the server closes what it is given
        make().start_io(asked, told)
