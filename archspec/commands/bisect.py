"""`archspec bisect`: of what a spec that fails changes of one that works, the smallest set that breaks training."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from archspec.commands import seeds as several
from archspec.commands.diff import choose_format, terminal_style
from archspec.commands.options import spec_options, trust_option
from archspec.commands.training import Means
from archspec.commands.where import Doing, Where
from archspec.compare.sources import read
from archspec.diagnostics import Diagnostic, SpecError
from archspec.syntax.spec import Spec
from archspec.train.waiting import wait_politely

if TYPE_CHECKING:  # torch is imported when the command runs, not for its help
    from archspec.bisect.folder import BisectFolder, Trial
    from archspec.bisect.pair import Pair
    from archspec.bisect.search import Found, Search, Tried
    from archspec.sweep.drive import Ended, Job

PATH = click.Path(path_type=Path)

SEEDS, MOST = 2, 4
"""Seeds of every spec to begin with, and at most."""


@click.command("bisect")
@click.argument("good", metavar="GOOD")
@click.argument("bad", metavar="BAD")
@click.option(
    "--score", metavar="NAME", help="What tells, such as `acc`, `test.acc`, `train.loss`; default the monitor."
)
@click.option("--seeds", metavar="N|A,B,…", help=f"Seeds of every spec, two at least; default {SEEDS}.")
@click.option(
    "--max-seeds", type=click.IntRange(2), metavar="N", help=f"Seeds at most where fewer do not decide; default {MOST}."
)
@click.option("--epochs", type=click.IntRange(1), metavar="N", help="Epochs of every run; as `--set train.epochs=N`.")
@click.option("--run-dir", type=PATH, metavar="DIR", help="Folder of it all; default runs/bisect-GOOD-BAD.")
@click.option("--jobs", type=click.IntRange(1), metavar="N", help="Runs at a time, each in a process of its own.")
@click.option("--dry-run", is_flag=True, help="Show the changes, how many runs and a forecast of the time, then stop.")
@click.option("--format", type=click.Choice(("text", "json")), default="text", is_eager=True, callback=choose_format,
              help="How the result is shown; with json the progress goes to standard error.")  # fmt: skip
@click.option("--device", metavar="D", help="cpu, cuda, cuda:1, … or auto (the default): a GPU if there is one.")
@click.option(
    "--data-dir", type=PATH, metavar="DIR", help="Folder for data; default ARCHSPEC_CACHE, else a cache folder."
)
@trust_option
@spec_options
def command(
    good: str,
    bad: str,
    score: str | None,
    seeds: str | None,
    max_seeds: int | None,
    epochs: int | None,
    run_dir: Path | None,
    jobs: int | None,
    dry_run: bool,
    format: str,
    device: str | None,
    data_dir: Path | None,
    trust: bool,
    overrides: tuple[str, ...],
) -> None:
    """Find the smallest set of changes from GOOD to BAD that breaks training.

    Specs between the two are trained, chosen by delta debugging. The same command goes on where an earlier one was
    stopped or killed; what is finished is not trained again. `--set` applies to both.
    """
    wait_politely()
    given = (*overrides, *([f"train.epochs={epochs}"] if epochs else []))
    sources = read(good, given), read(bad, given)
    from archspec.bisect.pair import pair_of, score_of
    from archspec.train.display import choose
    from archspec.train.processes import joined

    with told_to(format), joined() as processes:
        means = Means(device, data_dir, trust, choose(), processes)
        several.check_one_process(means)
        pair = pair_of(*sources, lambda spec: complete(spec, means), data_dir)
        asked = Asked(
            *seeds_of(pair.good.spec, seeds, max_seeds), score_of(score, pair), Where("local", jobs, None, None, None)
        )
        path = run_dir or Path("runs") / f"bisect-{stem(good)}-{stem(bad)}"
        found = show_forecast(pair, asked) if dry_run else run(pair, asked, path, means)
    if format == "json":
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))


@dataclass(frozen=True)
class Asked:
    """What the command line asks for."""

    seeds: list[int]
    most: int
    score: tuple[str, str]
    where: Where


@contextmanager
def told_to(format: str) -> Iterator[None]:
    """Send progress to standard error where standard output is for tools."""
    if format != "json":
        yield
        return
    with redirect_stdout(sys.stderr):
        yield


def stem(name: str) -> str:
    """A name of a folder from how a spec was named."""
    path = Path(name)
    return "".join(letter if letter.isalnum() or letter in "-_+" else "_" for letter in path.stem or path.name)


def complete(spec: Spec, means: Means) -> Spec:
    """A spec with what it leaves to its data set, its settings checked."""
    from archspec.commands.opening import completed
    from archspec.train.task import check_settings

    check_settings(spec.settings.train, spec.place)
    return completed(spec, means.data_dir, means.shown, means.trust)


def seeds_of(spec: Spec, seeds: str | None, most: int | None) -> tuple[list[int], int]:
    """The seeds to begin with, and how many there may be. E0863 for too few."""
    chosen = several.chosen(spec, seeds) or several.chosen(spec, str(SEEDS)) or []
    if len(chosen) < 2:
        message = "one seed cannot tell what breaks training from chance"
        raise SpecError([Diagnostic("E0863", message, help=f"write `--seeds {SEEDS}` or more")])
    if most is not None and most < len(chosen):
        message = f"`--max-seeds {most}` is less than the {len(chosen)} seeds to begin with"
        raise SpecError([Diagnostic("E0863", message, help=f"write `--max-seeds {len(chosen)}` or more")])
    return chosen, max(len(chosen), MOST) if most is None else most


def show_forecast(pair: Pair, asked: Asked) -> dict[str, Any]:
    """Tell what would be trained; the same as data."""
    from archspec.bisect.search import seeds_up_to
    from archspec.bisect.shown import changes_of, forecast, planned_data

    click.echo("\n".join(changes_of(pair, terminal_style())) + "\n")
    every = seeds_up_to(asked.seeds, asked.most)
    click.echo("\n".join(forecast(pair, asked.seeds, every, asked.where.jobs or 1)))
    return planned_data(pair, asked.seeds)


def run(pair: Pair, asked: Asked, path: Path, means: Means) -> dict[str, Any]:
    """Search, and tell what it comes to, which is also given as data; where that ends early what was tried so far."""
    from archspec.bisect.folder import BisectFolder
    from archspec.bisect.search import Search
    from archspec.bisect.shown import changes_of, evidence
    from archspec.train.folder import made
    from archspec.train.interrupt import Interrupted

    folder = BisectFolder(path)
    search = Search(pair, folder, asked.seeds, asked.most, asked.score)
    folder.check(pair)
    made(path)
    with folder.lock:
        folder.begin(pair)
        click.echo("\n".join(changes_of(pair, terminal_style())) + f"\n\n→ {path}")
        try:
            found = search.run(Work(pair, folder, means, asked.where).train, lambda one: tell(one, search))
        except (Interrupted, SpecError) as stopped:
            if search.tried:
                click.echo(f"\n{evidence(search)}")
            if isinstance(stopped, Interrupted):
                click.echo("\nnot finished: the same command goes on")
                raise SystemExit(stopped.exit_code) from None
            raise
        return conclude(found, search)


def tell(one: Tried, search: Search) -> None:
    """Say what a spec has come to."""
    from archspec.bisect.shown import row

    click.echo("→ " + "  ".join(part for part in row(one, search.pair, search.score) if part))


def conclude(found: Found, search: Search) -> dict[str, Any]:
    """Tell the result, and keep it."""
    from archspec.bisect.shown import answer, data_of

    data = data_of(found, search)
    search.folder.conclude(data, answer(found, search))
    click.echo(f"\n{answer(found, search, terminal_style())}")
    return data


@dataclass(frozen=True)
class Work:
    """How the runs of a search are trained."""

    pair: Pair
    folder: BisectFolder
    means: Means
    where: Where

    def train(self, wanted: Sequence[tuple[Trial, int]]) -> None:
        """Train what is not finished. A run that diverges is a result; any other problem stops the search."""
        from archspec.sweep.drive import Grid, drive
        from archspec.sweep.folder import SweepFolder

        for trial in {one.folder: one for one, _ in wanted}.values():
            self.folder.begin_trial(trial, [seed for one, seed in wanted if one is trial], self.means.recorded())
        jobs = [self.folder.job(*one, self.pair) for one in wanted if self.folder.is_open(*one)]
        if not jobs:
            return
        doing = Doing(self.pair.good.spec, self.means, SweepFolder(self.folder.path, []), len(jobs))
        with self.where.executor(doing) as executor:
            if problems := drive(Grid(jobs), executor, self):
                raise SpecError(problems)

    def begins(self, job: Job) -> None:
        """Say which run begins."""
        click.echo(job.title)

    def ended(self, one: Ended) -> None:
        """Put down what the runs of a spec have come to."""
        self.folder.keep(one.job)
