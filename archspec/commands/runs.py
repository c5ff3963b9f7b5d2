"""`archspec runs`: the runs there are, as a table; `archspec runs compare`: what differs between some of them."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from archspec.commands.options import format_option
from archspec.runs import table, where
from archspec.runs.row import Row, find, read
from archspec.runs.where import check_fields
from archspec.train.faults import fault

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
    for folder in folders:
        if not folder.is_dir():
            raise fault("E0611", "there is no such folder", folder, "name one that has runs in it")
    roots = [folder for folder in folders or (Path("runs"),) if folder.is_dir()]
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
