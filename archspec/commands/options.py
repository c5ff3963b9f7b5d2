"""Options that several commands share."""

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import click

from archspec.check.suggest import nearest
from archspec.diagnostics import Diagnostic, SpecError
from archspec.syntax.schema import TrackSettings

FORMATS = ("pretty", "concise", "json")

Command = TypeVar("Command", bound=Callable[..., Any])


def remember_format(context: click.Context, parameter: click.Parameter, value: str | None) -> None:
    """Keep how errors are printed with the whole call, where `main.run` finds it."""
    root = context.find_root()
    if root.obj is None:
        root.obj = {}
    if value is not None:
        root.obj["format"] = value


def choose_format(context: click.Context, parameter: click.Parameter, value: str) -> str:
    """The format of a command that has more of them; errors are JSON too where it is that."""
    if value == "json":
        remember_format(context, parameter, "json")
    return value


def format_option(help: str = "How errors are printed; pretty by default, json for tools.") -> click.Option:
    """`--format pretty|concise|json`, for the group and for every command."""
    return click.Option(
        ["--format"],
        type=click.Choice(FORMATS),
        expose_value=False,
        is_eager=True,
        callback=remember_format,
        help=help,
    )


def spec_options(command: Command) -> Command:
    """`--set`, which comes as `overrides`, a tuple of `PATH=VALUE`."""
    return click.option(
        "--set",
        "overrides",
        multiple=True,
        metavar="PATH=VALUE",
        help="Override a value of the spec, such as `model.sizes.d=110` or `train.epochs=5`. Repeatable.",
    )(command)


def trust_option(command: Command) -> Command:
    """`--trust`, a truth value."""
    return click.option(
        "--trust",
        is_flag=True,
        help="Load `.pt` files of data that hold more than tensors and graphs of PyG: they can run any program.",
    )(command)


def track_option(command: Command) -> Command:
    """`--track comet,tensorboard`, which comes as `track`, overrides that add these to the spec's trackers."""
    return click.option(
        "--track",
        metavar="NAMES",
        default="",
        callback=lambda _context, _parameter, value: tuple(trackers(value)),
        help=f"Experiment trackers besides those of the spec, such as `comet,tensorboard`: {', '.join(TRACKERS)}.",
    )(command)


def trackers(names: str) -> Iterator[str]:
    """The override that adds each tracker; E0730 for an unknown one."""
    for name in filter(None, (one.strip() for one in names.split(","))):
        if name not in TRACKERS:
            help = nearest(name, TRACKERS) or f"the trackers are {', '.join(TRACKERS)}"
            raise SpecError([Diagnostic("E0730", f"there is no tracker `{name}`", help=help)])
        yield f"track.{name}={{}}"


TRACKERS = tuple(TrackSettings.model_fields)
"""The trackers that there are."""
