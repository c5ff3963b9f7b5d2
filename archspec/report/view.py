"""What the template shows of one run: evidence made into tables, formulas and pictures."""

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

import archspec
from archspec.cost.bill import bill
from archspec.cost.figures import Figures, short
from archspec.cost.parameters import uncounted
from archspec.facts import known
from archspec.notation.diagram import diagram
from archspec.notation.mathml import mathml
from archspec.notation.spec import formulas
from archspec.notation.svg import svg
from archspec.report import curves, health
from archspec.report.curves import Curve
from archspec.report.evidence import Evidence
from archspec.report.health import Line
from archspec.runs.table import figure
from archspec.train.display import clock
from archspec.train.folder import Record

Pair = tuple[str, str]


@dataclass(frozen=True)
class View:
    """One run, ready for the template."""

    anchor: str
    evidence: Evidence
    summary: Sequence[Pair]
    scores: Sequence[Sequence[str]]
    equations: Sequence[tuple[str, Sequence[Markup]]]
    diagram: Markup | None
    curves: Sequence[Curve]
    health: Curve | None
    parameters_health: Sequence[Line]
    cost: Sequence[Sequence[str]]
    environment: Sequence[Pair]
    commands: Sequence[Pair]

    @property
    def troubles(self) -> list[str]:
        """What could not be read, each once."""
        return list(dict.fromkeys([*filter(None, [self.evidence.row.trouble]), *self.evidence.troubles]))


def view(one: Evidence, number: int) -> View:
    """Everything of one run; what cannot be made of it is a trouble and left out."""
    spec = one.spec
    made: list[tuple[str, Sequence[Markup]]] = []
    if spec is not None:
        made = [(title, [Markup(mathml(formula)) for formula in found]) for title, found in formulas(spec)]
    return View(
        anchor=f"run-{number}",
        evidence=one,
        summary=list(summary(one)),
        scores=one.attempt(lambda: list(scores(one)), []),
        equations=made,
        diagram=one.attempt(lambda: Markup(svg(diagram(spec))), None) if spec is not None else None,
        curves=one.attempt(lambda: curves.of_run(one, number), []),
        health=one.attempt(lambda: health.picture(one, number), None),
        parameters_health=one.attempt(lambda: health.table(one), []),
        cost=one.attempt(lambda: list(cost(one)), []),
        environment=list(environment(one)),
        commands=one.attempt(lambda: list(commands(one)), []),
    )


def summary(one: Evidence) -> Iterator[Pair]:
    """What is to be known first."""
    fields, result = one.row.fields, one.result or {}
    stopped = f": {result['stopped']}" if result.get("stopped") else ""
    yield "state", f"{one.row.state}{stopped}"
    for label, name in (("data", "data"), ("seed", "seed"), ("started", "started"), ("parameters", "parameters")):
        if name in fields:
            yield label, figure(name, fields[name])
    if "epochs" in fields:
        yield "epochs", f"{fields['epochs']} of {fields['of']}"
    if result.get("seconds") is not None:
        yield "time", f"{clock(result['seconds'])}, {result['seconds_per_epoch']:.1f} s an epoch"


def scores(one: Evidence) -> Iterator[Sequence[str]]:
    """A heading, then the test scores of the best and of the last epoch, and what to hold them against."""
    result = one.result or {}
    best, last = result.get("best"), result.get("last") or (one.records[-1] if one.records else None)
    found: Record = next((entry["test"] for entry in (best, last) if entry and entry.get("test")), {})
    names = sorted(found, key=lambda name: (name != one.metric, name.startswith("acc_"), name == "loss"))
    if not names:
        return
    yield ["test", *(curves.axis(name) for name in names), "epoch"]
    for title, entry in (("best validation", best), ("last epoch", last)):
        if entry and entry.get("test"):
            yield [title, *(score(name, entry["test"].get(name)) for name in names), str(entry["epoch"])]
    for title, entry in (("floor", (result.get("floor") or {}).get("test")), ("ceiling", result.get("ceiling"))):
        if entry:
            yield [title, *(score(name, entry.get(name)) for name in names), ""]


def score(name: str, value: float | None) -> str:
    """A score as it is shown."""
    return "–" if value is None else figure(name, curves.shown(name, value))


COSTS = {"flops": "FLOPs", "backward": "FLOPs back", "moved": "bytes moved", "kept": "bytes kept"}
"""The figures of a step, and what each is called."""


def cost(one: Evidence) -> Iterator[Sequence[str]]:
    """A heading, then what every definition costs in a step, the largest first, and their sum."""
    if one.spec is None or one.compiled is None:
        return
    data, program = one.spec.settings.data, one.compiled.program
    found = bill(one.spec, program, one.compiled.plan, known(data, None) if data else None)
    extent = found.extent
    yield [f"a step of {extent.graphs:,.0f} graphs", "parameters", *COSTS.values()]
    total = (f"total{uncounted(program)}", found.total)
    for name, figures in (*sorted(((line.name, line.figures) for line in found.lines), key=by_flops), total):
        yield [name, f"{figures.parameters:,.0f}", *(short(getattr(figures, key)) for key in COSTS)]


def by_flops(line: tuple[str, Figures]) -> float:
    """A sorting key."""
    return -line[1].flops


TOLD = ("archspec", "python", "torch", "numpy", "torch-geometric", "system", "processor", "device", "gpu", "threads",
        "commit", "started")  # fmt: skip
"""What is shown of `environment.json`, in this order."""


def environment(one: Evidence) -> Iterator[Pair]:
    """What the run was made with, and what it was resumed with where that differs."""
    yield from ((key, str(one.told[key])) for key in TOLD if one.told.get(key) is not None)
    for at, again in enumerate(one.told.get("resumed") or [], 1):
        changed = [f"{key} {again[key]}" for key in TOLD if again.get(key) not in (None, one.told.get(key))]
        yield f"resumed, {at}", ", ".join(changed)


def commands(one: Evidence) -> Iterator[Pair]:
    """What was typed, and what does it again: from this page alone, and from the run's folder."""
    path = shlex.quote(one.name)
    if command := one.told.get("command"):
        yield "as it was started", shlex.join(["archspec", *map(str, command[1:])])
    torch = str(one.told.get("torch", "")).partition("+")[0]
    version = one.told.get("archspec", archspec.__version__)
    yield "the same versions", f"pip install archspec-nn=={version}" + (f" torch=={torch}" if torch else "")
    threads = f" --set train.threads={one.told['threads']}" if one.told.get("threads") else ""
    yield "again, from the spec below saved as spec.yaml", f"archspec train spec.yaml{threads}"
    yield "scores of the weights", f"archspec evaluate {path}"
    if one.row.state == "stopped":
        yield "the rest of it", f"archspec train --resume {path}"


def overview(runs: Sequence[Evidence]) -> list[Sequence[str]]:
    """A heading, and a line for every run."""
    lines: list[Sequence[str]] = [["run", "state", "epochs", "metric", "val", "test", "parameters", "seed"]]
    for one in runs:
        fields: Any = one.row.fields
        metric = one.metric
        cells = [
            one.name,
            one.row.state,
            f"{fields['epochs']} of {fields['of']}" if "epochs" in fields else "–",
            metric,
        ]
        cells += [figure(metric, fields[key]) if key in fields else "–" for key in ("val", "test")]
        cells += [figure(key, fields[key]) if key in fields else "–" for key in ("parameters", "seed")]
        lines.append(cells)
    return lines
