"""`archspec table`: what the runs of a sweep come to, from its folder."""

from collections.abc import Callable
from pathlib import Path

import click

from archspec.diagnostics import Diagnostic, SpecError

PATH = click.Path(path_type=Path)

ENDINGS = {".txt": "text", ".md": "markdown", ".tex": "latex", ".csv": "csv", ".html": "html", ".htm": "html"}
"""The form that a file's name stands for."""


@click.command("table")
@click.argument("folder", type=PATH, metavar="DIR")
@click.option(
    "--as",
    "form",
    type=click.Choice(list(dict.fromkeys(ENDINGS.values()))),
    help="How it is written; default text, or what FILE's ending says.",
)
@click.option("-o", "--output", type=PATH, metavar="FILE", help="Write it there, over what is there.")
@click.option("--baseline", metavar="CELL", help="Compare with this cell: its name, or `axis=label, …`.")
@click.option("--score", metavar="NAME", help="Compare by this score in place of the sweep's.")
@click.option("--split", type=click.Choice(("val", "test")), help="The split of the score; test by default.")
def command(
    folder: Path, form: str | None, output: Path | None, baseline: str | None, score: str | None, split: str | None
) -> None:
    """Compare the cells of the sweep in DIR: means over seeds, paired differences, effects of the axes.

    DIR is what `archspec sweep` has made, finished or not. Neither torch nor the data is needed, so any machine can do
    it.
    """
    if output is not None and not output.parent.is_dir():
        problem = f"there is no folder `{output.parent}`"
        raise SpecError([Diagnostic("E0652", problem, path=str(output), help="make it first")])
    text = writer(form or ENDINGS.get(output.suffix if output else "", "text"))(folder, baseline, score, split)
    if output is None:
        click.echo(text, nl=False)
    else:
        from archspec.train.files import write

        write(output, text)


def writer(form: str) -> Callable[[Path, str | None, str | None, str | None], str]:
    """What makes the text of a form; the statistics are imported when it is asked for."""

    def written(folder: Path, baseline: str | None, score: str | None, split: str | None) -> str:
        from archspec.sweep.table import results

        outcome = results.read(folder)
        if not any(run.result for run in outcome.runs):
            cure = "`archspec sweep FILE` trains them; with it the table is shown after every run"
            raise SpecError([Diagnostic("E0811", "no run of this sweep is finished yet", path=str(folder), help=cure)])
        outcome = results.with_baseline(outcome, baseline) if baseline else outcome
        outcome = results.with_score(outcome, score) if score else outcome
        from archspec.sweep.table.blocks import table_of
        from archspec.sweep.table.formats import FORMATS

        made = table_of(outcome, split)
        if form != "html":
            return FORMATS[form](made)
        from archspec.sweep.table.page import page

        return page(made)

    return written
