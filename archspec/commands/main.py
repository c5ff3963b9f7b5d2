"""The command line: commands from a table, imported when they are asked for; errors as diagnostics.

Exit codes: 0 done, 1 something the user can mend, 2 different (`diff --exit-code`, `equal`), 70 a bug in archspec,
130 interrupted.
"""

import difflib
import errno
import importlib
import io
import os
import re
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import click

from archspec import __version__
from archspec.commands.options import format_option
from archspec.diagnostics import Diagnostic, SpecError, render

COMMANDS = {
    "train": "Train a spec; everything it gives goes to a run folder.",
    "sweep": "Train every combination of alternatives, with several seeds each, and compare them.",
    "table": "Compare the cells of a sweep: means, paired differences, effects; text to HTML.",
    "bisect": "Find the smallest set of changes between two specs that breaks training.",
    "evaluate": "Score the weights of a run.",
    "predict": "Write the predictions of a run to a file.",
    "overfit": "Test whether a spec can learn a few graphs by heart.",
    "replay": "Compute the batch once more at which a run went wrong, equation by equation.",
    "runs": "List runs, filter and sort them; `runs compare` shows what differs.",
    "report": "Write a page on runs: equations, curves, health, cost, how to do it again.",
    "upload": "Send a run to Comet, or make the archive that can be sent.",
    "check": "Check specs: form, axes and domains; then one tiny batch against the reference.",
    "show": "Print a spec at one stage on its way to a module.",
    "export": "Write a spec or a run as one Python file, or for torch.export or ONNX.",
    "fmt": "Write the equations of spec files in canonical form.",
    "diff": "Show what one spec changes of another, definition by definition.",
    "equal": "Say whether two specs compute the same function.",
    "cost": "Count what a spec costs: parameters, FLOPs, bytes, memory, by definition.",
    "data": "Describe a data set: sizes, degrees, labels, homophily, floors, duplicates.",
    "receptive": "Count what walk encodings of pairs of nodes can tell apart, exactly.",
    "new": "Begin a spec as a copy of one that comes with archspec.",
    "lsp": "Serve an editor: problems, completion, types, renaming, while a spec is typed.",
    "schema": "Print the JSON Schema of spec files, for editors.",
}
"""The commands, each the module of that name in this folder, with the line it has in the overview."""


class Commands(click.Group):
    """A group whose commands are imported when needed; every one takes `--format`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a name."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"archspec.commands.{cmd_name}").command
        if not any("--format" in parameter.opts for parameter in command.params):
            command.params.append(format_option())
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """The command that arguments begin with; for a mistyped one the nearest is named."""
        if args and args[0] not in COMMANDS:
            close = difflib.get_close_matches(args[0], COMMANDS, 1)
            help = f"write `archspec {close[0]}`" if close else f"the commands are {', '.join(COMMANDS)}"
            raise SpecError([Diagnostic("E0044", f"there is no command `{args[0]}`", help=help)])
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The overview, from the table alone."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=Commands, invoke_without_command=True, params=[format_option()])
@click.version_option(__version__, prog_name="archspec")
@click.pass_context
def main(context: click.Context) -> None:
    """Write a graph neural network as equations, train it, and diff it as text."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


def run(arguments: Sequence[str] | None = None) -> NoReturn:
    """The console entry: run a command and leave with its exit code."""
    session = {"format": "pretty"}
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal without `→` is no reason to stop
    look_for_namesake()
    try:
        given = None if arguments is None else list(arguments)
        result = main.main(given, "archspec", standalone_mode=False, obj=session)
        if sys.stdout:  # there is none where the caller has closed it
            sys.stdout.flush()
        sys.exit(result if isinstance(result, int) else 0)
    except SpecError as error:
        leave(error.diagnostics, session["format"])
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    except click.ClickException as error:
        leave([of_click(error)], session["format"])
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else Python complains when it flushes at exit
        sys.exit(0)
    except Exception as error:
        if isinstance(error, OSError) and error.errno in MACHINE:
            leave([of_machine(error)], session["format"])
        if out_of_memory(error):
            leave([of_memory(error)], session["format"])
        traceback.print_exc()
        print(f"bug in archspec: {type(error).__name__}: {error}", file=sys.stderr)
        print("This is not a mistake in your spec. Please report it with the text above.", file=sys.stderr)
        sys.exit(BUG)


BUG = 70
"""Exit code of a bug in archspec, `EX_SOFTWARE` of sysexits."""

MACHINE = {
    *(errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS),
    *(errno.EISDIR, errno.ENOTDIR, errno.ENAMETOOLONG),
}
"""Errors of the machine: a full disk, a folder that may not be written to."""


def leave(diagnostics: Sequence[Diagnostic], style: str) -> NoReturn:
    """Print problems and leave."""
    print(render(diagnostics, style), file=sys.stderr)
    sys.exit(1)


def of_click(error: click.ClickException) -> Diagnostic:
    """An error in how a command was called."""
    message = error.format_message().strip()
    message = re.sub(r"\s*\(?Did you mean.*", "", message, flags=re.DOTALL)
    close = getattr(error, "possibilities", None) or []
    if choice := re.search(r"'([^']*)' is not one of (.*)", message):
        close = difflib.get_close_matches(choice[1], re.findall(r"'([^']*)'", choice[2]), 1)
    help = f"write `{close[0]}`" if close else ""
    context = getattr(error, "ctx", None)
    usage = (f"see `{context.command_path} --help`",) if context else ()
    return Diagnostic("E0044", message[:1].lower() + message[1:].rstrip("."), help=help, notes=usage)


def of_machine(error: OSError) -> Diagnostic:
    """An error of the machine, with the file it is about."""
    reason = (error.strerror or str(error)).lower()
    return Diagnostic("E0005", f"cannot use `{error.filename}`: {reason}" if error.filename else reason)


def out_of_memory(error: Exception) -> bool:
    """Whether Python or torch, which is not imported for this, asked for more memory than there is."""
    named = isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"
    return named or (isinstance(error, RuntimeError) and "can't allocate memory" in str(error))


def of_memory(error: Exception) -> Diagnostic:
    """Too large a model or batch for this machine."""
    said = str(error).partition("\n")[0].rpartition("DefaultCPUAllocator: ")[2]
    return Diagnostic(
        "E0006",
        "there is not enough memory",
        notes=(said,) if said else (),
        help="make a size in `model.sizes` smaller, or `data.batch_size`",
    )


def look_for_namesake() -> None:
    """Say so if PyPI's other `archspec`, which names processors, is installed in this environment."""
    for folder in dict.fromkeys(sys.path):
        if (Path(folder or ".") / "archspec" / "cpu" / "__init__.py").is_file():
            print("warning: another package called `archspec` (names of processors) is installed here", file=sys.stderr)
            print("         and shares files with archspec-nn: keep them in different environments", file=sys.stderr)
            return


if __name__ == "__main__":
    run()
