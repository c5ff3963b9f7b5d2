"""`archspec data`: what is to be known of a data set before anything is trained on it."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from archspec.commands import histogram
from archspec.commands.options import format_option, trust_option
from archspec.diagnostics import Diagnostic, SpecError
from archspec.facts import known
from archspec.syntax.data_settings import read_data_settings
from archspec.train.waiting import wait_politely

if TYPE_CHECKING:  # numpy is imported when the command runs, not for its help
    from archspec.data.describe import Description

PATH = click.Path(path_type=Path)
SPLITS = click.Choice(["train", "val", "test"])


@click.command("data", params=[format_option("How the description and errors are printed; json for tools.")])
@click.argument("name")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="A key of the section `data`, such as `limit=100`, `seed=3` or `options.shared_patterns=false`. Repeatable.",
)
@click.option("--split", type=SPLITS, default="train", show_default=True, help="The split that details are of.")
@click.option("--plot", type=PATH, metavar="FILE.svg", help="Draw the degree distribution into this file.")
@click.option("--data-dir", type=PATH, metavar="DIR", help="Folder for data; default ARCHSPEC_CACHE, else a cache.")
@trust_option
@click.pass_context
def command(
    context: click.Context,
    name: str,
    settings: tuple[str, ...],
    split: str,
    plot: Path | None,
    data_dir: Path | None,
    trust: bool,
) -> None:
    """Describe the data set NAME: sizes, degrees, features, labels, homophily, floors, duplicates."""
    wait_politely()
    check_plot(plot)
    chosen, place = read_data_settings(name, settings)
    known(chosen, place("data", "name"), data_dir)  # an unknown name is told before numpy is imported
    from archspec.data.describe import describe
    from archspec.data.load import load

    found = describe(load(chosen, data_dir, lambda line: click.echo(line, err=True), place=place, trust=trust), split)
    style = context.find_root().obj["format"] if context.find_root().obj else "pretty"
    if style == "json":
        click.echo(json.dumps(plain(asdict(found)), indent=2))
    else:
        from archspec.commands.description import text

        click.echo(text(found))
    if plot is not None:
        draw(found, plot)


def check_plot(path: Path | None) -> None:
    """E0650 for a file of another kind than SVG, E0001 where its folder is not there."""
    if path is None:
        return
    if path.suffix != ".svg":
        message = f"a plot is written as SVG, and `{path.name}` does not end in `.svg`"
        raise SpecError([Diagnostic("E0650", message, path=str(path), help=f"write `{path.with_suffix('.svg')}`")])
    if not path.parent.is_dir():
        message = f"there is no folder `{path.parent}`"
        raise SpecError([Diagnostic("E0001", message, path=str(path), help="make it first")])


def draw(found: Description, path: Path) -> None:
    """Write the degree distribution."""
    bars = histogram.bars(found.degree.counts)
    path.write_text(histogram.svg(bars, f"{found.name}, {found.detailed}: in-neighbours of a node"), encoding="utf-8")
    click.echo(f"wrote {path}", err=True)


def plain(value: Any) -> Any:
    """The value as JSON has it: what is not a finite number is null."""
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
