"""`archspec cost`: what a spec costs in parameters, FLOPs, bytes and memory, as numbers and as formulas; no torch."""

import json
import time
from dataclasses import asdict

import click

from archspec.commands.options import remember_format, spec_options
from archspec.commands.show import forced
from archspec.cost.bill import KEYS, Bill, Line, bill
from archspec.cost.machine import keep, known, reference
from archspec.cost.shown import COLUMNS, STYLES
from archspec.cost.solve import budget_of, solve
from archspec.diagnostics import Diagnostic, SpecError
from archspec.facts import Facts
from archspec.pipeline import compile_spec, facts_of
from archspec.syntax.load import load_spec
from archspec.syntax.spec import Spec

BUSY = 0.9
"""The share of the processor below which a calibration says that it had to share it."""

SORTS = ("time", "model", *COLUMNS)


def remember(context: click.Context, parameter: click.Parameter, value: str) -> str:
    """Errors are printed for tools too where costs are."""
    if value == "json":
        remember_format(context, parameter, value)
    return value


@click.command("cost")
@click.argument("spec", required=False)
@click.option("--by", type=click.Choice(list(KEYS)), default="definition", show_default=True, help="What lines are of.")
@click.option("--sort", type=click.Choice(SORTS), default="time", show_default=True, help="The largest share first.")
@click.option(
    "--on",
    "where",
    type=click.Choice(("this", "reference")),
    default="this",
    help="The machine that times are of: this one, if it was calibrated, or that of the table.",
)
@click.option(
    "--calibrate", is_flag=True, help="Measure this machine, which takes a minute or two, and keep what it takes."
)
@click.option("--budget", metavar="N", help="With `--solve`: parameters at most, such as 100k.")
@click.option("--solve", "size", metavar="SIZE", help="Find the largest SIZE of `model.sizes` within the budget.")
@click.option("--backend", multiple=True, metavar="OP=FORM", help="Force the form of an operation in the plan.")
@click.option(
    "--format",
    "style",
    type=click.Choice(("text", "markdown", "json")),
    default="text",
    is_eager=True,
    callback=remember,
    help="How costs are printed.",
)
@spec_options
def command(
    spec: str | None,
    by: str,
    sort: str,
    where: str,
    calibrate: bool,
    budget: str | None,
    size: str | None,
    backend: tuple[str, ...],
    style: str,
    overrides: tuple[str, ...],
) -> None:
    """Count what SPEC costs: parameters, FLOPs, bytes, memory and time, by definition, as numbers and as formulas."""
    if calibrate:
        measure()
    if spec is None and calibrate:
        return
    read = load_spec(needed(spec), overrides)
    if budget is not None or size is not None:
        click.echo(solved(read, budget, size, style))
        return
    facts = facts_read(read)
    compiled = compile_spec(read, facts, forced(backend))
    machine = reference() if where == "reference" else known()
    found = bill(read, compiled.program, compiled.plan, facts, by, machine)
    click.echo(STYLES[style](found, ordered(found, sort), by))


def facts_read(spec: Spec) -> Facts | None:
    """What is known of the data set; E0311 for one that was not read yet."""
    facts = facts_of(spec)
    if facts is None and spec.settings.data is not None:
        name = spec.settings.data.name
        message = f"nothing is known of the data set `{name}` before it is read"
        cure = f"read it once: `archspec data {name}`, with the same options"
        raise SpecError([Diagnostic("E0311", message, spec.place("data", "name"), help=cure)])
    return facts


def solved(spec: Spec, budget: str | None, size: str | None, style: str) -> str:
    """The width that fits a budget, and what to write."""
    if budget is None or size is None:
        given, missing = ("--budget", "--solve d") if size is None else ("--solve", "--budget 100k")
        raise SpecError([Diagnostic("E0044", f"`{given}` is alone", help=f"write `{missing}` too")])
    most = budget_of(budget)
    found = solve(spec, size, most)
    if style == "json":
        return json.dumps({"budget": most, **asdict(found)}, indent=1)
    apart = f" ({size} in steps of {found.step}: others do not compile)" if found.step > 1 else ""
    return "\n".join(
        [
            f"{size} = {found.value}: {found.parameters:,} of {most:,} parameters{apart}",
            f"{size} = {found.value + found.step} would take {found.above:,}",
            f"write `{size}: {found.value}` in `model.sizes`, or `--set model.sizes.{size}={found.value}`",
        ]
    )


def needed(spec: str | None) -> str:
    """The spec, which only `--calibrate` can do without."""
    if spec is None:
        raise SpecError([Diagnostic("E0044", "missing argument 'SPEC'", help="write `archspec cost SPEC`")])
    return spec


def measure() -> None:
    """Measure this machine and keep what was found."""
    from archspec.commands.opening import assemble, completed
    from archspec.train import device
    from archspec.train.calibrate.machine import machine
    from archspec.train.display import Silent
    from archspec.train.engine import Engine

    few = load_spec("gin", ["data.limit=4", "data.batch_size=2"])
    engine = Engine(assemble(completed(few, None, Silent()), None, Silent()), device.choose("cpu"))
    click.echo("measuring this machine, a minute or two", err=True)
    began, used = time.perf_counter(), time.process_time()
    found = machine(engine, lambda kernel: click.echo(f"  {kernel}", err=True))
    share = (time.process_time() - used) / max(1e-9, time.perf_counter() - began)
    click.echo(f"measured {found.name}; kept in {keep(found)}", err=True)
    if share < BUSY:
        told = (
            f"note: it had a processor for {100 * share:.0f} % of the time; kernels take longer beside other programs,"
        )
        click.echo(f"{told} so forecasts are for a machine as busy as it was", err=True)


def ordered(found: Bill, sort: str) -> list[Line]:
    """The lines as they are to be printed."""
    if sort == "model":
        return list(found.lines)
    return sorted(found.lines, key=lambda line: -(line.seconds if sort == "time" else getattr(line.figures, sort)))
