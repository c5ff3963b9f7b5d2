"""Looking up the facts of the data set that a spec names."""

from dataclasses import replace
from difflib import get_close_matches

from archspec.diagnostics import Diagnostic, SpecError
from archspec.facts.table import TABLE, Facts
from archspec.source import Span
from archspec.syntax.schema import DataSettings


def known(settings: DataSettings | None, span: Span | None = None) -> Facts | None:
    """The facts of the data set of a spec, `limit` applied to the graphs of every split; None where no data is named.

    The other figures are those of the whole set drawn with seed 0, so that a plan does not change with `limit` or
    `seed`. Raises SpecError E0401, placed at `span` (the name in the spec file), for a data set nobody knows.
    """
    if settings is None:
        return None
    if settings.name not in TABLE:
        raise SpecError([unknown(settings.name, span)])
    facts = TABLE[settings.name]
    limit = settings.limit
    if limit is None:
        return facts
    return replace(facts, graphs={split: min(limit, graphs) for split, graphs in facts.graphs.items()})


def unknown(name: str, span: Span | None) -> Diagnostic:
    """E0401: no data set has this name; the nearest one is suggested, all are listed."""
    near = get_close_matches(name.lower(), TABLE, n=1)
    return Diagnostic(
        "E0401",
        f"unknown data set `{name}`",
        span,
        label="not a data set" if span else "",
        notes=("known data sets: " + ", ".join(f"`{one}`" for one in TABLE),),
        help=f"write `{near[0]}`" if near else "",
    )
