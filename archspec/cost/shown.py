"""What a spec costs, as text, as Markdown or as JSON: figures by definition, formulas, memory, time."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, fields

from archspec.cost.bill import Bill, Line
from archspec.cost.figures import Figures, short
from archspec.cost.memory import Memory
from archspec.cost.parameters import uncounted

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


def as_text(found: Bill, lines: Sequence[Line], by: str) -> str:
    """Tables in columns."""
    rows = [titles(by), *numeric(found, lines)]
    parts = [heading(found), "", *columns(rows), "", *closing(found), ""]
    parts += [f"for one graph of {legend(found)}:"]
    formulas = {line.name: found.formulas(line) for line in lines}
    for name in SYMBOLIC:
        parts += ["", COLUMNS[name], *(f"  {row}" for row in columns(symbolic(formulas, name), flush=False))]
    return "\n".join(parts)


def as_markdown(found: Bill, lines: Sequence[Line], by: str) -> str:
    """Tables of Markdown."""
    tables = [heading(found), "", *table(titles(by), numeric(found, lines)), "", *closing(found), ""]
    tables += [f"For one graph of {legend(found)}:", ""]
    by_line = {line.name: found.formulas(line) for line in lines}
    by_name = {name: dict(symbolic(by_line, name)) for name in SYMBOLIC}
    keys = [*(line.name for line in lines), "total"]
    formulas = [(key, *(f"`{by_name[name].get(key, '0')}`" for name in SYMBOLIC)) for key in keys]
    return "\n".join([*tables, *table((by, *(COLUMNS[name] for name in SYMBOLIC)), formulas)])


def as_json(found: Bill, lines: Sequence[Line], by: str) -> str:
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
        "uncounted": uncounted(found.program) or None,
    }
    return json.dumps(result, indent=1)


STYLES: Mapping[str, Callable[[Bill, Sequence[Line], str], str]] = {
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


def closing(found: Bill) -> list[str]:
    """Memory at the peak, and what is not counted."""
    lines = [memory_line("training", found.training), memory_line("inference", found.inference), time_line(found)]
    if missing := uncounted(found.program):
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
