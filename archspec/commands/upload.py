"""`archspec upload`: a run sent to Comet as its folder tells it, also one that was killed or never tracked."""

from pathlib import Path

import click

from archspec.diagnostics import Diagnostic, SpecError
from archspec.track import feed
from archspec.train import folder

PATH = click.Path(path_type=Path)


@click.command("upload")
@click.argument("run", type=PATH)
def command(run: Path) -> None:
    """Send RUN to Comet where there is a key (COMET_API_KEY), else make the archive that can be sent later.

    Everything comes from the run folder, so it can be a run that was killed, or one that had no tracker.
    """
    found = folder.find(run)
    if not feed.send(found, ("comet",), click.echo):
        cure = f"see {found.path / 'track' / 'log.txt'}"
        raise SpecError([Diagnostic("E0701", "the run could not be sent to Comet", path=str(run), help=cure)])
