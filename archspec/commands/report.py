"""`archspec report`: one page on one or several runs."""

import shlex
from pathlib import Path

import click

from archspec.train import folder
from archspec.train.faults import fault
from archspec.train.files import write

PATH = click.Path(path_type=Path)


@click.command("report")
@click.argument("runs", type=PATH, nargs=-1, required=True, metavar="RUN...")
@click.option("-o", "--output", type=PATH, metavar="FILE.html", help="Default RUN/report.html, of several report.html.")
@click.option("--force", is_flag=True, help="Replace FILE if it exists.")
def command(runs: tuple[Path, ...], output: Path | None, force: bool) -> None:
    """Write a page on every RUN: equations, diagram, curves, gradient health, cost, environment, how to do it again.

    Several runs are compared with the first. The page is one file, and nothing in it is loaded from elsewhere.
    """
    found = [folder.find(run).path for run in runs]
    target = output or (found[0] / "report.html" if len(found) == 1 else Path("report.html"))
    check(target, force or (output is None and len(found) == 1))  # that of a run's own folder is made anew
    from archspec.report.page import page

    write(target, page(found))
    click.echo(f"wrote {shlex.quote(str(target))}")


def check(path: Path, force: bool) -> None:
    """E0650 for another ending, E0651 for a file that is there, E0652 for a folder that is not."""
    if path.suffix not in (".html", ".htm"):
        raise fault(
            "E0650", f"a report is a page, and `{path.name}` does not end in `.html`", path, "end it in `.html`"
        )
    if path.exists() and not force:
        raise fault("E0651", "there is a file of that name already", path, "add `--force`, or name another file")
    if not path.parent.is_dir():
        raise fault("E0652", f"there is no folder `{path.parent}`", path, "make it first")
