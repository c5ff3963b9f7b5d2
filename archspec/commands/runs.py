"""`archspec runs`: the runs there are, as a table; `archspec runs compare`: what differs between some of them."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from archspec.commands.options import format_option
from archspec.diagnostics import Diagnostic, SpecError
from archspec.runs import table, where
from archspec.runs.row import Row, find, read
from archspec.runs.where import check_fields
from archspec.train import folder
from archspec.train.faults import fault
from archspec.train.folder import Record, RunFolder

PATH = click.Path(path_type=Path)


@click.group(
    "runs",
    invoke_without_command=True,
    params=[format_option("How the table and errors are printed; json for tools, with every field of every run.")],
)
@click.option("--in", "folders", type=PATH, multiple=True, metavar="DIR", help="Look here, not in `runs`. Repeatable.")
@click.option("--where", "conditions", multiple=True, metavar="CONDITION", help="Such as `test > 85`. Repeatable.")
@click.option("--sort", metavar="FIELD", default="started", help="Lowest first; `-FIELD` for highest first.")
@click.option("--columns", metavar="FIELDS", default="", help="Further columns, such as `train.epochs,last.test.acc`.")
@click.pass_context
def command(
    context: click.Context, folders: tuple[Path, ...], conditions: tuple[str, ...], sort: str, columns: str
) -> None:
    """List the runs below a folder, the newest last.

    A FIELD is a column, a setting by its path (`train.optimizer.lr`, `model.where.layer`), or a score of the best
    validation epoch (`test.acc_0`) or of the last (`last.test.acc`); shares are in percent. A CONDITION is a field,
    one of = != < <= > >= or ~ (with * in the value), and a value; several are joined by `and`.
    """
    if context.invoked_subcommand is not None:
        return
    rows = collect(folders)
    more = [one.strip() for one in columns.split(",") if one.strip()]
    tests = [test for text in conditions for test in where.read(text)]
    check_fields([*more, sort.removeprefix("-"), *(test.field for test in tests)], rows)
    rows = ordered([row for row in rows if all(test(row) for test in tests)], sort)
    if (context.find_root().obj or {}).get("format") == "json":
        click.echo(json.dumps([as_data(row) for row in rows], indent=2, ensure_ascii=False))
    elif rows:
        click.echo("\n".join(table.lines(rows, more)))
    else:
        none = f"there are no runs in {named(folders)}: `archspec train SPEC` makes one"
        click.echo("no run is like that" if tests else none)


def collect(folders: Sequence[Path]) -> list[Row]:
    """The rows of all runs below some folders; below `runs` where none is named."""
    for one in folders:
        if not one.is_dir():
            raise fault("E0611", "there is no such folder", one, "name one that has runs in it")
    roots = [one for one in folders or (Path("runs"),) if one.is_dir()]
    return [read(path, str(path)) for root in roots for path in find(root)]


def named(folders: Sequence[Path]) -> str:
    """The folders that were looked in."""
    return ", ".join(map(str, folders)) or "runs"


def ordered(rows: list[Row], sort: str) -> list[Row]:
    """The rows by a field; those that lack it come last."""
    field = sort.removeprefix("-")
    having = [row for row in rows if field in row.fields]
    having.sort(key=lambda row: order(row.fields[field]), reverse=sort.startswith("-"))
    return [*having, *(row for row in rows if field not in row.fields)]


def order(value: Any) -> tuple[bool, Any]:
    """A sorting key for numbers beside texts."""
    number = isinstance(value, int | float)
    return (not number, value if number else str(value))


def as_data(row: Row) -> dict[str, Any]:
    """A row for tools."""
    return {"path": str(row.path), **row.fields, **({"trouble": row.trouble} if row.trouble else {})}


@command.command("compare")
@click.argument("names", type=PATH, nargs=-1, metavar="RUN RUN...")
def compare(names: tuple[Path, ...]) -> None:
    """Show what every other RUN changes of the first: scores beside the architecture, data and training."""
    if len(names) < 2:
        help = "name two runs or more; `archspec runs` lists them"
        raise SpecError([Diagnostic("E0044", f"`compare` compares runs, not {len(names)}", help=help)])
    first, *others = [read(folder.find(name).path, str(name)) for name in names]
    click.echo("\n\n".join("\n".join(beside(first, other)) for other in others))


def beside(old: Row, new: Row) -> Iterator[str]:
    """Two runs: whether their scores may be compared, the scores, and what the specs differ in."""
    from archspec.runs.compare import deltas, protocol_differences

    results = [result_of(row) for row in (old, new)]
    names = [str(row.fields["run"]) for row in (old, new)]
    rows = [("", *names, "change"), *((one.title, *one.texts) for one in deltas(old, new))]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for first, *figures in rows:
        cells = [first.ljust(widths[0]), *(one.rjust(width) for one, width in zip(figures, widths[1:], strict=True))]
        yield "  ".join(cells).rstrip()
    if apart := protocol_differences(*results):
        yield "the scores are of different protocols, so they are not to be compared: " + "; ".join(apart)
    yield from (f"{row.fields['run']}: {row.state}" + (f": {row.trouble}" if row.trouble else "")
                for row in (old, new) if row.state != "finished")  # fmt: skip
    if "damaged" not in (old.state, new.state):
        yield from health_of(old)
        yield from health_of(new)
        yield ""
        yield difference(old, new)


def health_of(row: Row) -> Iterator[str]:
    """The health of a run in its first and last epochs that have looks, and how many signs of trouble it gave."""
    from archspec.train.health.words import spreads

    run = RunFolder(row.path)
    looked = [one for one in run.records() if one.get("health", {}).get("looks")]
    for record in {one["epoch"]: one for one in (*looked[:1], *looked[-1:])}.values():
        yield f"\n{row.fields['run']}, epoch {record['epoch']}: largest ‖g‖ {record['gradient_norm']['max']:.3g}"
        yield from (f"  {line}" for line in spreads(record["health"]))
    if events := run.events():
        told = Counter(event["sign"] for event in events)
        yield f"  told of {', '.join(f'{sign} ({number})' for sign, number in told.items())}"


def result_of(row: Row) -> Record | None:
    """The content of a run's `done.json`, of one that is not damaged."""
    return None if row.state == "damaged" else RunFolder(row.path).result()


def difference(old: Row, new: Row) -> str:
    """What the specs of two runs differ in, as `archspec diff` shows it."""
    from archspec.commands.diff import checked, terminal_style
    from archspec.compare.difference import differences
    from archspec.compare.shown import text_of
    from archspec.compare.sources import read as read_source

    sources = [read_source(str(row.path)) for row in (old, new)]
    found = differences(checked(sources[0]), checked(sources[1]))
    return text_of(found, (sources[0].title, sources[1].title), terminal_style()).rstrip()
