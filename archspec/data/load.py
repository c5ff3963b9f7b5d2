"""From the `data:` section of a spec to splits in memory."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from archspec.data import pattern
from archspec.data.cache import Draw, Progress, Report, cached, folder, present
from archspec.data.packed import Packed
from archspec.data.split import Split
from archspec.diagnostics import Diagnostic, SpecError
from archspec.facts import Facts, known
from archspec.source import Span
from archspec.syntax.schema import DataSettings


@dataclass(frozen=True)
class DataSet:
    """A data set in memory (mapped from its file), and what is known of it."""

    name: str
    train: Split
    val: Split
    test: Split
    facts: Facts

    @property
    def classes(self) -> int:
        """How many classes there are."""
        return self.facts.out

    @property
    def splits(self) -> dict[str, Split]:
        """The three splits by name."""
        return {"train": self.train, "val": self.val, "test": self.test}


@dataclass(frozen=True)
class Recipe:
    """How a generated data set is made: `generate(seed, split, graphs)` yields the first graphs of a split."""

    version: int
    graphs: Mapping[str, int]
    generate: Callable[[int, str, int], Iterable[Packed]]


RECIPES = {"pattern": Recipe(pattern.VERSION, pattern.GRAPHS, pattern.generate)}


def ignore(*_: object) -> None:
    """Take a report or progress and do nothing."""


def load(
    settings: DataSettings, directory: Path | None = None, report: Report = ignore, progress: Progress = ignore
) -> DataSet:
    """The data set of a spec, generated into the cache folder if it is not there (see `archspec.data.cache.folder`).

    With `limit`, every split holds its first so many graphs, the very graphs of the whole set; only those are
    generated if the whole set is not cached. `report` takes lines for the user, `progress` graphs done of all while
    generating. Raises SpecError: E0401 unknown data set, E0402 cache folder not writable, E0403 unknown option, E0404
    seed too large, E0406 a data set that cannot be loaded yet.
    """
    facts = known(settings)
    assert facts is not None  # settings are given
    check_loadable(settings)
    check_options(settings)
    packed = fetch(settings, folder(directory), report, progress)
    splits = {name: Split(graphs, facts.symmetric) for name, graphs in packed.items()}
    return DataSet(settings.name, splits["train"], splits["val"], splits["test"], facts)


def check_loadable(settings: DataSettings, span: Span | None = None) -> None:
    """E0406 for a data set whose facts are known, but whose graphs this version cannot load."""
    if settings.name not in RECIPES:
        message = f"the data set `{settings.name}` cannot be loaded yet, only checked and shown"
        cure = f"name one that can: {', '.join(f'`{name}`' for name in RECIPES)}"
        raise SpecError([Diagnostic("E0406", message, span, help=cure)])


def check_options(settings: DataSettings) -> None:
    """E0403 for every option: no data set has any yet."""
    if settings.options:
        names = ", ".join(f"`{name}`" for name in settings.options)
        message = f"data set `{settings.name}` has no option {names}"
        raise SpecError([Diagnostic("E0403", message, help="remove `data.options`")])


def fetch(settings: DataSettings, directory: Path, report: Report, progress: Progress) -> dict[str, Packed]:
    """The splits with `limit` applied: from the whole set where that is cached, else from a file of these alone."""
    full = draw(settings.name, settings.seed, None, progress)
    limit = settings.limit
    if limit is None or limit >= max(RECIPES[settings.name].graphs.values()):
        return cached(full, directory, report)
    # A damaged file of the whole set is left for a run that needs it to report and rebuild.
    if (whole := present(full, directory)) is not None:
        return {split: packed.first(limit) for split, packed in whole.items()}
    return cached(draw(settings.name, settings.seed, limit, progress), directory, report)


def draw(name: str, seed: int, limit: int | None, progress: Progress) -> Draw:
    """A draw of a recipe: the first `limit` graphs of every split, or all."""
    recipe = RECIPES[name]
    graphs = {
        split: all_graphs if limit is None else min(limit, all_graphs) for split, all_graphs in recipe.graphs.items()
    }
    origin = {"name": name, "recipe": recipe.version, "seed": seed, "graphs": graphs}
    file = f"{name}-seed{seed}{'' if limit is None else f'-first{limit}'}.graphs"
    return Draw(file, origin, lambda: generated(recipe, seed, graphs, progress))


def generated(
    recipe: Recipe, seed: int, graphs: Mapping[str, int], progress: Progress
) -> Iterator[tuple[str, Iterator[Packed]]]:
    """The splits of a draw as chunks, telling `progress` how far it got."""
    total, before = sum(graphs.values()), 0
    for split, count in graphs.items():
        yield split, counted(recipe.generate(seed, split, count), before, total, progress)
        before += count


def counted(chunks: Iterable[Packed], before: int, total: int, progress: Progress) -> Iterator[Packed]:
    """The chunks, each counted when it is done."""
    done = before
    progress(done, total)
    for chunk in chunks:
        done += chunk.graphs
        progress(done, total)
        yield chunk
