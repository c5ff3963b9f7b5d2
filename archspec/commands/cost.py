"""`archspec cost`: what a spec costs in parameters, FLOPs, bytes and memory, as numbers and as formulas; no torch."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, fields

import click

from archspec.commands.options import remember_format, spec_options
from archspec.commands.show import forced
from archspec.cost.bill import KEYS, Bill, Line, bill
from archspec.cost.figures import Figures, short
from archspec.cost.machine import keep, known, reference
from archspec.cost.memory import Memory
from archspec.cost.parameters import uncounted
from archspec.cost.solve import budget_of, solve
from archspec.diagnostics import Diagnostic, SpecError
from archspec.facts import Facts
from archspec.pipeline import Compiled, compile_spec, facts_of
from archspec.syntax.load import load_spec
from archspec.syntax.spec import Spec

COLUMNS = {
    "parameters": "parameters",
    "flops": "FLOPs",
    "backward": "FLOPs back",
    "moved": "bytes moved",
    "kept": "bytes kept",
}
"""The figures and what each is called."""

SYMBOLIC = ("parameters", "flops", "moved", "kept")
"""Those that are told as formulas."""

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
@click.option("--calibrate", is_flag=True, help="Measure this machine, which takes a minute, and keep what it takes.")
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
    click.echo(STYLES[style](found, compiled, ordered(found, sort), by))


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
    from archspec.pipeline import build
    from archspec.train.calibrate import machine

    built = build(load_spec("gin"))
    click.echo("measuring this machine, about a minute", err=True)
    found = machine(built.plan, built.module, lambda kernel: click.echo(f"  {kernel}", err=True))
    click.echo(f"measured {found.name}; kept in {keep(found)}", err=True)


def ordered(found: Bill, sort: str) -> list[Line]:
    """The lines as they are to be printed."""
    if sort == "model":
        return list(found.lines)
    return sorted(found.lines, key=lambda line: -(line.seconds if sort == "time" else getattr(line.figures, sort)))


def as_text(found: Bill, compiled: Compiled, lines: Sequence[Line], by: str) -> str:
    """Tables in columns."""
    rows = [titles(by), *numeric(found, lines)]
    parts = [heading(found), "", *columns(rows), "", *closing(found, compiled), ""]
    parts += [f"for one graph of {legend(found)}:"]
    formulas = {line.name: found.formulas(line) for line in lines}
    for name in SYMBOLIC:
        parts += ["", COLUMNS[name], *(f"  {row}" for row in columns(symbolic(formulas, name), flush=False))]
    return "\n".join(parts)


def as_markdown(found: Bill, compiled: Compiled, lines: Sequence[Line], by: str) -> str:
    """Tables of Markdown."""
    tables = [heading(found), "", *table(titles(by), numeric(found, lines)), "", *closing(found, compiled), ""]
    tables += [f"For one graph of {legend(found)}:", ""]
    by_line = {line.name: found.formulas(line) for line in lines}
    by_name = {name: dict(symbolic(by_line, name)) for name in SYMBOLIC}
    keys = [*(line.name for line in lines), "total"]
    formulas = [(key, *(f"`{by_name[name].get(key, '0')}`" for name in SYMBOLIC)) for key in keys]
    return "\n".join([*tables, *table((by, *(COLUMNS[name] for name in SYMBOLIC)), formulas)])


def as_json(found: Bill, compiled: Compiled, lines: Sequence[Line], by: str) -> str:
    """Everything, for tools."""
    result = {
        "spec": found.spec.name,
        "data": found.facts.name if found.facts else None,
        "batch": asdict(found.extent),
        "by": by,
        "lines": [
            {"name": line.name, "seconds": line.seconds, **asdict(line.figures), "formulas": texts(found, line)}
            for line in lines
        ],
        "total": asdict(found.total),
        "memory": {"training": asdict(found.training), "inference": asdict(found.inference)},
        "time": {"machine": found.machine.name, "step": asdict(found.time), "epoch": found.epoch},
        "uncounted": uncounted(compiled.program) or None,
    }
    return json.dumps(result, indent=1)


STYLES: Mapping[str, Callable[[Bill, Compiled, Sequence[Line], str], str]] = {
    "text": as_text,
    "markdown": as_markdown,
    "json": as_json,
}


def texts(found: Bill, line: Line) -> dict[str, str]:
    """The formulas of a line."""
    from archspec.cost.symbols import text

    formulas = found.formulas(line)
    return {one.name: text(getattr(formulas, one.name)) for one in fields(Figures)}


def heading(found: Bill) -> str:
    """What the numbers are for."""
    extent, facts = found.extent, found.facts
    of = f"of {facts.name}" if facts else "like molecules, for want of a data set"
    graphs = f"{extent.graphs:,.0f} graph{'s' * (extent.graphs != 1)}"
    size = f"{extent.nodes / extent.graphs:,.1f} nodes and {extent.edges / extent.graphs:,.1f} edges"
    return f"{found.spec.name}: a batch of {graphs} {of}, {size} each on average"


def legend(found: Bill) -> str:
    """`n nodes and m edges; L = 4 layers, d = 110`."""
    symbols = found.symbols
    sizes = ", ".join(f"{name} = {size}" for name, size in found.named_sizes.items())
    layers = f"; {symbols.layers} = {found.layers} layers" if found.layers > 1 else ""
    return f"{symbols.n} nodes and {symbols.m} edges{layers}{', ' if layers else '; '}{sizes}".rstrip("; ")


def titles(by: str) -> tuple[str, ...]:
    """What stands above the columns."""
    return (by, "time", *COLUMNS.values())


def numeric(found: Bill, lines: Sequence[Line]) -> list[tuple[str, ...]]:
    """A row of figures for every line, and their total."""
    whole = sum(line.seconds for line in found.lines)
    rows = [
        (line.name, f"{100 * line.seconds / whole:.0f} %" if whole else "", *figures(line.figures)) for line in lines
    ]
    return [*rows, ("total", "", *figures(found.total))]


def figures(of: Figures) -> list[str]:
    """The figures in the order of the columns."""
    return [f"{of.parameters:,.0f}", *(short(getattr(of, name)) for name in COLUMNS if name != "parameters")]


def symbolic(formulas: Mapping[str, Figures], name: str) -> list[tuple[str, str]]:
    """The formula of every line that has one, and their sum."""
    from archspec.cost.symbols import text

    of_lines = {key: getattr(figures, name) for key, figures in formulas.items()}
    rows = [(key, text(formula)) for key, formula in of_lines.items() if formula != 0]
    return [*rows, ("total", text(sum(of_lines.values())))]


def closing(found: Bill, compiled: Compiled) -> list[str]:
    """Memory at the peak, and what is not counted."""
    lines = [memory_line("training", found.training), memory_line("inference", found.inference), time_line(found)]
    if missing := uncounted(compiled.program):
        lines.append(f"not counted:{missing.removeprefix(' +')}")
    return lines


def memory_line(what: str, memory: Memory) -> str:
    """Bytes of tensors at the peak, and of what."""
    shares = ", ".join(f"{one.name} {megabytes(getattr(memory, one.name))}" for one in fields(memory))
    return f"memory in {what}: {megabytes(memory.total)} at the peak ({shares})"


def time_line(found: Bill) -> str:
    """Milliseconds of a step and seconds of an epoch, and on what machine."""
    shares = {"forward": found.time.forward, "backward": found.time.backward}
    said = ", ".join(f"{name} {1e3 * value:,.3g} ms" for name, value in shares.items())
    epoch = "" if found.epoch is None else f", {found.epoch:,.3g} s an epoch with its scores"
    return f"time: {1e3 * found.time.training:,.3g} ms a step ({said}){epoch}, on {found.machine.name}"


def megabytes(value: float) -> str:
    """`12.3 MB`."""
    return f"{value / 1e6:,.1f} MB"


def columns(rows: Sequence[Sequence[str]], flush: bool = True) -> list[str]:
    """Rows as lines, the first column to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for first, *rest in rows:
        cells = [cell.rjust(width) if flush else cell for cell, width in zip(rest, widths[1:], strict=True)]
        lines.append("   ".join([first.ljust(widths[0]), *cells]).rstrip())
    return lines


def table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A table of Markdown, numbers to the right."""
    marks = ["---", *["---:"] * (len(titles) - 1)]
    return [f"| {' | '.join(row)} |" for row in (titles, marks, *rows)]
