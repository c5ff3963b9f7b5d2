"""Data of the user's own: files or a function become packed graphs, checked, converted once and kept.

The name of the kept file follows from the content of the files, so changed ones are converted again. While anything is
wrong nothing is kept.
"""

from collections.abc import Callable, Iterator
from difflib import get_close_matches
from functools import partial
from pathlib import Path

from archspec.data import entry, read, saved, tabled, tables
from archspec.data.cache import Draw, Progress, Report, cached
from archspec.data.infer import facts_of
from archspec.data.packed import Packed
from archspec.data.place import Place
from archspec.data.raw import Raw, Spot
from archspec.data.read import Unfit
from archspec.data.sound import sound
from archspec.diagnostics import Diagnostic, SpecError
from archspec.facts import Facts, kept
from archspec.facts.known import known
from archspec.facts.own import SPLITS, VERSION, Layout, folder, is_entry, key, layouts
from archspec.facts.tasks import KINDS
from archspec.syntax.schema import DataSettings

OPTIONS = {"pt": ("task",), "csv": ("task", "undirected"), "parquet": ("task", "undirected")}
"""The options of every form; those of a function are its arguments, `task` aside."""

Found = Callable[[], dict[str, list[Raw]]]
"""Reads the graphs of every split, or of `all`."""


def fetch(
    settings: DataSettings, directory: Path, report: Report, progress: Progress, place: Place, trust: bool
) -> tuple[dict[str, Packed], Facts]:
    """The graphs and their facts, measured and kept.

    Raises SpecError: E0402 the cache folder cannot be written, E0403, E0407 options, E0411 a package is missing, E0412
    not supported, E0415 a file needs `trust`, E0416 no data there, E0417 not readable, E0418 to E0427 what is wrong.
    """
    task, look = asked(settings, place), source(settings, place, trust)
    name = key(settings)
    if name is None:  # a function without a file: it says itself what is wrong
        look()
        raise AssertionError("data without content was read")
    origin = {"own": name, "version": VERSION}
    draw = Draw(f"{name}.graphs", origin, partial(converted, settings, look, task, progress), "reading")
    packed = cached(draw, directory, report)
    if (facts := known(settings, None, directory)) is None:
        kept.write(name, facts_of(settings.name, packed, None, task), directory)
        facts = known(settings, None, directory)
    assert facts is not None  # they have been kept
    return packed, facts


def asked(settings: DataSettings, place: Place) -> str | None:
    """The kind of task that the options name. Raises SpecError E0407 for one there is not."""
    task = settings.options.get("task")
    if task is None or task in KINDS:
        return None if task is None else str(task)
    cure = "write " + " or ".join(f"`{one}`" for one in KINDS)
    message = f"the option `task` of `{settings.name}` cannot be `{task}`"
    raise SpecError([Diagnostic("E0407", message, place("data", "options", "task"), help=cure)])


def source(settings: DataSettings, place: Place, trust: bool) -> Found:
    """What reads the graphs; nothing is read yet. Raises SpecError: E0403, E0407, E0416."""
    if is_entry(settings.name):
        options = {name: value for name, value in settings.options.items() if name != "task"}
        return partial(entry.read, settings.name, options, place("data", "name"))
    layout = layout_of(settings.name, place)
    check_options(settings, layout, place)
    if layout.form == "pt":
        return partial(saved.read, layout.files, trust)
    undirected = bool(settings.options.get("undirected", False))
    return lambda: tabled.read(tables.read(layout.files), undirected)


def layout_of(name: str, place: Place) -> Layout:
    """What the folder holds. Raises SpecError E0416 where it is not there or not one data set."""
    at, here = place("data", "name"), folder(name)
    holds = "`train.pt`, `val.pt` and `test.pt`, any `.pt` files, or `nodes.csv` and `edges.csv`"
    try:
        found = layouts(here)
    except OSError as problem:
        why = f"there is no folder `{name}`" if not here.exists() else f"`{name}` cannot be read as a folder"
        said = f"it is looked for from {Path.cwd()}"
        raise SpecError([Diagnostic("E0416", why, at, notes=(said,), help=f"a folder holds {holds}")]) from problem
    if not found:
        raise SpecError([Diagnostic("E0416", f"there is no data in `{name}`", at, help=f"a folder holds {holds}")])
    if len(found) > 1:
        said = " and ".join(f"`.{one.form}`" for one in found)
        message = f"there is data of several kinds in `{name}`: {said}"
        raise SpecError([Diagnostic("E0416", message, at, help="keep one kind in a folder")])
    (layout,) = found
    if layout.form == "pt" and "all" not in layout.files and (lost := [s for s in SPLITS if s not in layout.files]):
        message = f"there is no split `{lost[0]}` in `{name}`, and there are others"
        cure = f"write `{lost[0]}.pt`; files by other names are divided into ten folds"
        raise SpecError([Diagnostic("E0427", message, at, help=cure)])
    return layout


def check_options(settings: DataSettings, layout: Layout, place: Place) -> None:
    """E0403 for an option that the form does not have, E0407 for a value that is not true or false."""
    problems = []
    for name, value in settings.options.items():
        at = place("data", "options", name)
        if name not in (options := OPTIONS[layout.form]):
            near = get_close_matches(name, options, 1)
            cure = f"write `{near[0]}`" if near else "it has " + ", ".join(f"`{one}`" for one in options)
            problems.append(Diagnostic("E0403", f"data in `.{layout.form}` has no option `{name}`", at, help=cure))
        elif name == "undirected" and not isinstance(value, bool):
            message = f"the option `{name}` of `{settings.name}` cannot be `{value}`"
            problems.append(Diagnostic("E0407", message, at, help="write `true` or `false`"))
    if problems:
        raise SpecError(problems)


def converted(
    settings: DataSettings, look: Found, task: str | None, progress: Progress
) -> Iterator[tuple[str, list[Packed]]]:
    """The splits, read, checked and packed; every graph is counted. Raises SpecError before the first one is given."""
    level, splits = sound(look(), Spot(settings.name), task)
    total, done, letters = sum(map(len, splits.values())), 0, read.letters_of(splits.values())
    for part, graphs in splits.items():
        try:
            yield part, [read.packed(graphs, counter(progress, done, total), part == "all", level, letters)]
        except Unfit as problem:
            message = f"the data set `{settings.name}` {problem}"
            raise SpecError([Diagnostic("E0412", message, path=settings.name, help="see docs/data.md")]) from problem
        done += len(graphs)


def counter(progress: Progress, before: int, total: int) -> Callable[[int], None]:
    """Tells how many graphs of all are done."""
    return lambda count: progress(before + count, total)
