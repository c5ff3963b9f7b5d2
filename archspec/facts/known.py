"""Looking up the facts of the data set that a spec names."""

from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path

from archspec.diagnostics import Diagnostic, SpecError
from archspec.facts import kept, own, sources
from archspec.facts.studies import sized
from archspec.facts.table import TABLE, Facts
from archspec.source import Span
from archspec.syntax.schema import DataSettings

OGB = "ogbg-mol"
"""What the names of a dozen alike begin with."""

SHOWN = 3
"""Names that a message suggests."""


def known(settings: DataSettings | None, span: Span | None = None, directory: Path | None = None) -> Facts | None:
    """The facts of the data set of a spec, `limit` applied to the graphs of every split.

    None where no data is named, and for a set that PyG reads or of the user's own that is not in the table and was not
    read yet: its facts are kept in the cache folder, or `directory`, when it is. The other figures are those of the
    whole set, generated ones drawn with seed 0, so that a plan does not change with `limit` or `seed`. Raises SpecError
    E0401, placed at `span` (the name in the spec file), for a data set nobody knows.
    """
    if settings is None:
        return None
    if own.is_own(settings.name):
        found = kept.read(key, directory) if (key := own.key(settings)) else None
        return limited(found and replace(found, name=settings.name), settings)
    source = sources.source(settings)
    if source is None and settings.name not in TABLE:
        raise SpecError([unknown(settings.name, span)])
    # Options of a generated set change sizes at most, those of a PyG class may change any of its facts.
    facts = TABLE.get(short_name(settings)) or (source and kept.read(sources.key(source), directory))
    return limited(sized(settings.name, facts, settings.options) if facts else None, settings)


def limited(facts: Facts | None, settings: DataSettings) -> Facts | None:
    """The facts, `limit` applied."""
    limit = settings.limit
    if limit is None or facts is None:
        return facts
    return replace(facts, graphs={split: min(limit, graphs) for split, graphs in facts.graphs.items()})


def short_name(settings: DataSettings) -> str:
    """The name by which the table may know a data set: a class with the options of a short name is that."""
    wanted = sources.source(settings)
    if wanted is None:
        return settings.name
    same = [name for name, one in sources.SOURCES.items() if sources.key(one) == sources.key(wanted)]
    return same[0] if same else ""


def unknown(name: str, span: Span | None) -> Diagnostic:
    """E0401: no data set has this name; the nearest ones are suggested, those with short names are listed."""
    short = list(dict.fromkeys((*TABLE, *sources.SOURCES)))
    shown = [one for one in short if not one.startswith(OGB)]
    lower = {one.lower(): one for one in (*sources.classes(), *short)}
    folder = Path(name).is_dir()
    near = (
        [f"./{name}"] if folder else [lower[one] for one in get_close_matches(name.lower(), lower, n=SHOWN, cutoff=0.7)]
    )
    return Diagnostic(
        "E0401",
        f"unknown data set `{name}`",
        span,
        label="not a data set" if span else "",
        notes=(
            "known data sets: " + ", ".join(f"`{one}`" for one in shown) + f", and `{OGB}hiv` and others of its kind",
            "any class of torch_geometric.datasets is one too, such as `{name: TUDataset, options: {name: PROTEINS}}`",
            "data of your own is `{name: ./folder}` or `{name: package.module:function}`",
        ),
        help="write " + " or ".join(f"`{one}`" for one in near) + " for the folder" * folder if near else "",
    )
