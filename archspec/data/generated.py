"""Generated data sets: recipes by name, their options, and the cache around them."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

from archspec.data import cluster, colouring, csl, pattern, studied
from archspec.data.cache import Draw, Progress, Report, cached, present
from archspec.data.packed import Packed
from archspec.data.place import Place
from archspec.diagnostics import Diagnostic, SpecError
from archspec.syntax.schema import DataSettings, Scalar


@dataclass(frozen=True)
class Recipe:
    """How a data set is made: `generate(seed, split, graphs, **options)` yields the first graphs of a split."""

    version: int
    graphs: Mapping[str, int]
    generate: Callable[..., Iterable[Packed]]
    options: Mapping[str, Scalar] = field(default_factory=dict)
    """Every option with its default."""
    least: Mapping[str, int] = field(default_factory=dict)
    """The least value of options that are sizes."""


RECIPES = {
    "pattern": Recipe(pattern.VERSION, pattern.GRAPHS, pattern.generate, {"shared_patterns": True}),
    "cluster": Recipe(cluster.VERSION, cluster.GRAPHS, cluster.generate),
    "colouring": Recipe(colouring.VERSION, colouring.GRAPHS, colouring.generate),
    "colouring_pairs": Recipe(colouring.VERSION, colouring.GRAPHS_OF_PAIRS, colouring.generate_pairs),
    "palindrome": Recipe(studied.VERSION, studied.ONE, studied.palindromes, {"nodes": 4}, {"nodes": 2}),
    "palindrome_pairs": Recipe(studied.VERSION, studied.ONE, studied.palindrome_pairs, {"nodes": 4}, {"nodes": 2}),
    "pyramid": Recipe(studied.VERSION, studied.GRAPHS, studied.pyramids, {"base": 10}, {"base": 2}),
    "pyramid_pairs": Recipe(studied.VERSION, studied.ONE, studied.pyramid_pairs, {"base": 10}, {"base": 2}),
    "csl": Recipe(csl.VERSION, {"all": len(csl.SKIPS) * csl.COPIES}, csl.generate),
}


def fetch(
    settings: DataSettings, directory: Path, report: Report, progress: Progress, place: Place
) -> dict[str, Packed]:
    """The splits, of at least `limit` graphs: the whole set where that is cached, else a file of these alone."""
    recipe, limit = RECIPES[settings.name], settings.limit
    check_options(settings, recipe, place)
    full = draw(settings, None, progress)
    if limit is None or "all" in recipe.graphs or limit >= max(recipe.graphs.values()):
        return cached(full, directory, report)
    # A damaged file of the whole set is left for a run that needs it to report and rebuild.
    if (whole := present(full, directory)) is not None:
        return whole
    return cached(draw(settings, limit, progress), directory, report)


def check_options(settings: DataSettings, recipe: Recipe, place: Place) -> None:
    """E0403 for an option that the recipe does not have, E0407 for a value of another kind than its default."""
    problems = []
    for name, value in settings.options.items():
        at = place("data", "options", name)
        if name not in recipe.options:
            near = get_close_matches(name, recipe.options, 1)
            listed = ", ".join(f"`{one}`" for one in recipe.options)
            cure = f"write `{near[0]}`" if near else f"it has {listed}" if listed else "remove `data.options`"
            message = f"data set `{settings.name}` has no option `{name}`"
            problems.append(Diagnostic("E0403", message, at, help=cure))
        elif type(value) is not type(default := recipe.options[name]):
            message = f"the option `{name}` of `{settings.name}` cannot be `{value}`"
            problems.append(Diagnostic("E0407", message, at, help=f"its default is `{default}`".lower()))
        elif isinstance(value, int) and value < (least := recipe.least.get(name, value)):
            message = f"the option `{name}` of `{settings.name}` cannot be `{value}`"
            problems.append(Diagnostic("E0407", message, at, help=f"write a whole number from {least} on"))
    if problems:
        raise SpecError(problems)


def draw(settings: DataSettings, limit: int | None, progress: Progress) -> Draw:
    """A draw of a recipe: the first `limit` graphs of every split, or all."""
    name, seed, recipe = settings.name, settings.seed, RECIPES[settings.name]
    graphs = {split: whole if limit is None else min(limit, whole) for split, whole in recipe.graphs.items()}
    options = {key: value for key, value in settings.options.items() if value != recipe.options[key]}
    origin = {"name": name, "recipe": recipe.version, "seed": seed, "graphs": graphs}
    said = "".join(f"-{key}={value}".lower() for key, value in sorted(options.items()))
    file = f"{name}-seed{seed}{said}{'' if limit is None else f'-first{limit}'}.graphs"
    # Options that are not given are not named, so that files of earlier versions stay valid.
    return Draw(file, origin | ({"options": options} if options else {}), lambda: made(settings, graphs, progress))


def made(
    settings: DataSettings, graphs: Mapping[str, int], progress: Progress
) -> Iterator[tuple[str, Iterator[Packed]]]:
    """The splits of a draw as chunks, telling `progress` how far it got."""
    recipe, total, before = RECIPES[settings.name], sum(graphs.values()), 0
    for split, count in graphs.items():
        chunks = recipe.generate(settings.seed, split, count, **settings.options)
        yield split, counted(chunks, before, total, progress)
        before += count


def counted(chunks: Iterable[Packed], before: int, total: int, progress: Progress) -> Iterator[Packed]:
    """The chunks, each counted when it is done."""
    done = before
    progress(done, total)
    for chunk in chunks:
        done += chunk.graphs
        progress(done, total)
        yield chunk
