"""`archspec check`: whether specs are right, and whether the compiled module computes what the text says."""

import click

from archspec.commands.options import spec_options
from archspec.cost.parameters import count, count_frozen, uncounted
from archspec.diagnostics import Diagnostic, SpecError
from archspec.facts import with_defaults
from archspec.pipeline import build, compile_spec, facts_of
from archspec.syntax.load import load_spec
from archspec.syntax.spec import Spec


@click.command("check")
@click.argument("specs", nargs=-1, required=True)
@click.option("--static", is_flag=True, help="Read and type the specs only; no torch.")
@spec_options
def command(specs: tuple[str, ...], static: bool, overrides: tuple[str, ...]) -> None:
    """Check SPECS.

    Without `--static` each is also built and run, forward and backward, on a few small odd graphs in float64, and
    compared with the reference evaluator.
    """
    wrong: list[Diagnostic] = []
    for path in specs:
        try:
            spec = load_spec(path, overrides)
            click.echo(f"{path}: {checked(spec, static)}")
        except SpecError as error:
            wrong += error.diagnostics
    if wrong:
        raise SpecError(wrong)


def checked(spec: Spec, static: bool) -> str:
    """What was found right, in one line. Raises SpecError."""
    program = compile_spec(spec).program
    facts = facts_of(spec)
    with_defaults(spec, facts)
    if facts is None and spec.settings.data:
        return "ok; sizes that the data set would give are open until it has been read"
    if facts is None:
        return "ok; no data set, so sizes it would give are open"
    still, elsewhere = count_frozen(program), uncounted(program)
    frozen = f" ({still:,} frozen)" if still else ""
    if static:
        return f"ok, {count(program):,} parameters{elsewhere}{frozen}"
    from archspec.equal.module import agreement
    from archspec.train.task import check_settings

    check_settings(spec.settings.train, spec.place)
    total = built_parameters(spec) if elsewhere else count(program)
    return f"ok, {total:,} parameters{frozen}, {agreement(spec)}"


def built_parameters(spec: Spec) -> int:
    """Trainable numbers of the module, where it holds some that archspec did not write."""
    return sum(parameter.numel() for parameter in build(spec).module.parameters())
