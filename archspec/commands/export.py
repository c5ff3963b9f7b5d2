"""`archspec export`: a spec or a run as something that needs no archspec."""

import shlex
from pathlib import Path

import click

from archspec.commands.options import spec_options
from archspec.train.faults import fault

PATH = click.Path(path_type=Path)
CHECKPOINTS = click.Choice(["best", "last"])

ENDINGS = (".py", ".pt2", ".onnx")
"""What can be written."""


@click.command("export")
@click.argument("source", metavar="SPEC_OR_RUN")
@click.option("-o", "--output", type=PATH, required=True, metavar="FILE", help="FILE.py, FILE.pt2 or FILE.onnx.")
@click.option("--checkpoint", type=CHECKPOINTS, default="best", show_default=True, help="The weights of a run.")
@click.option("--force", is_flag=True, help="Replace FILE if it exists.")
@spec_options
def command(source: str, output: Path, checkpoint: str, force: bool, overrides: tuple[str, ...]) -> None:
    """Write SPEC_OR_RUN as a file that works without archspec.

    FILE.py is one readable Python file that needs torch alone, with its weights in FILE.safetensors; it takes plain
    tensors and PyG's data, and `python FILE.py --check` compares it with the spec's module. FILE.pt2 is a program of
    torch.export, FILE.onnx one of ONNX; both take graphs of any size. Weights are those of the run, or those a spec
    begins with. What was written is compared with the spec's module before the command ends.
    """
    check(output, force)
    from archspec.export.opened import opened

    found = opened(source, overrides, checkpoint)
    if output.suffix == ".py":
        from archspec.export.write import write_python

        said = write_python(found, output)
    else:
        from archspec.export.program import write_program

        said = write_program(found, output)
    click.echo(f"wrote {shlex.quote(str(output))}, weights {found.weights}")
    click.echo(said)


def check(path: Path, force: bool) -> None:
    """E0650 for another ending, E0651 for a file that is there, E0652 for a folder that is not."""
    if path.suffix not in ENDINGS:
        message = f"`{path.name}` does not say what to write"
        raise fault("E0650", message, path, f"end it in {', '.join(f'`{one}`' for one in ENDINGS)}")
    if path.suffix == ".py" and not path.stem.isidentifier():
        raise fault("E0650", f"`{path.name}` cannot be imported", path, "letters, digits and `_`, such as `model.py`")
    beside = [path.with_suffix(".safetensors"), path.with_suffix(".check.safetensors")] if path.suffix == ".py" else []
    there = [one for one in (path, *beside) if one.exists()]
    if there and not force:
        raise fault("E0651", "there is a file of that name already", there[0], "add `--force`, or name another file")
    if not path.parent.is_dir():
        raise fault("E0652", f"there is no folder `{path.parent}`", path, "make it first")
