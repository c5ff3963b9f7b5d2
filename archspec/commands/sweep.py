"""`archspec sweep`: every combination of alternatives trained with several seeds, and what they come to."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from archspec.commands import seeds as several
from archspec.commands.options import spec_options, trust_option
from archspec.commands.training import Means
from archspec.commands.where import Doing, Where, where_options
from archspec.diagnostics import Diagnostic, SpecError
from archspec.sweep.cells import Cell, Ground, cells_of, ground_of
from archspec.sweep.file import Sweep, read_sweep
from archspec.syntax.spec import Spec
from archspec.train.waiting import wait_politely

if TYPE_CHECKING:  # torch is imported when the command runs, not for its help
    from archspec.sweep.drive import Ended, Job, Queue, Voice
    from archspec.sweep.folder import SweepFolder
    from archspec.sweep.plan import Planned

PATH = click.Path(path_type=Path)
Plan = Callable[[Sequence[Cell]], "list[Planned]"]
"""What compiles and costs cells."""


@click.command("sweep")
@click.argument("file", metavar="FILE")
@click.option("--run-dir", type=PATH, metavar="DIR", help="Folder of the sweep; default runs/NAME.")
@click.option("--seeds", metavar="N|A,B,…", help="Seeds of every cell in place of those of the file.")
@click.option("--dry-run", is_flag=True, help="Show the cells, their parameters and a forecast of the time, then stop.")
@click.option("--device", metavar="D", help="cpu, cuda, cuda:1, … or auto (the default): a GPU if there is one.")
@click.option(
    "--data-dir", type=PATH, metavar="DIR", help="Folder for data; default ARCHSPEC_CACHE, else a cache folder."
)
@where_options
@trust_option
@spec_options
def command(
    file: str,
    run_dir: Path | None,
    seeds: str | None,
    dry_run: bool,
    device: str | None,
    data_dir: Path | None,
    jobs: int | None,
    on: str,
    address: str | None,
    cpus_per_run: float | None,
    gpus_per_run: float | None,
    slurm: tuple[str, ...],
    trust: bool,
    overrides: tuple[str, ...],
) -> None:
    """Train every cell of the sweep in FILE with every seed, and compare them.

    All cells are compiled before any is trained. The same command goes on where an earlier one was stopped or killed;
    what is finished is not trained again. `--set` changes the base.
    """
    wait_politely()
    sweep = read_sweep(file)
    where = Where(on, jobs, address, cpus_per_run, gpus_per_run, slurm)
    if not dry_run:
        where.check()
    ground, base = ground_of(sweep, overrides)
    chosen = several.chosen(base, seeds or sweep.seeds) or [base.settings.train.seed]
    from archspec.train import device as devices
    from archspec.train.display import choose
    from archspec.train.processes import joined

    with joined() as processes:
        means = Means(device, data_dir, trust, choose(), processes)
        several.check_one_process(means)
        if on == "local":
            devices.choose(device or "auto")
        plan = planner(ground, means)
        cells = plan(cells_of(sweep))
        if dry_run:
            show_forecast(sweep, cells, chosen, jobs or 1)
            return
        run_all(Work.of(sweep, cells, run_dir, chosen, means), base, where, plan)


def planner(ground: Ground, means: Means) -> Plan:
    """What compiles and costs cells; a data set that nothing is known of is read first."""
    from archspec.commands.opening import completed
    from archspec.sweep.plan import plan
    from archspec.train.task import check_settings

    def complete(spec: Spec) -> Spec:
        check_settings(spec.settings.train, spec.place)
        return completed(spec, means.data_dir, means.shown, means.trust)

    return lambda cells: plan(ground, cells, complete, means.data_dir)


def show_forecast(sweep: Sweep, cells: Sequence[Planned], seeds: Sequence[int], jobs: int) -> None:
    """What would be trained."""
    from archspec.sweep.shown import forecast

    click.echo(forecast(sweep, cells, seeds, jobs))


@dataclass
class Work:
    """A sweep on its way."""

    sweep: Sweep
    checked: Sequence[Planned]
    """The cells, or those at the ends of ranges."""
    folder: SweepFolder
    means: Means
    queue: Queue | None = None
    voice: Voice | None = None
    """Who says how far it is."""

    @classmethod
    def of(cls, sweep: Sweep, cells: Sequence[Planned], path: Path | None, seeds: Sequence[int], means: Means) -> Work:
        """The sweep in its folder."""
        from archspec.sweep.folder import SweepFolder

        own = Path("runs") / "".join(letter if letter.isalnum() or letter in "-_+" else "_" for letter in sweep.name)
        return cls(sweep, cells, SweepFolder(path or own, seeds), means)

    @property
    def cells(self) -> Sequence[Planned]:
        """Those that there are by now."""
        return self.queue.cells if self.queue else []

    def begin(self) -> None:
        """Put down the cells."""
        self.folder.begin(self.sweep, self.cells, self.means.recorded())

    def queued(self, plan: Plan) -> Queue:
        """What is to do, as the file says: all cells, all as far as they are not given up, or trials."""
        from archspec.sweep.drive import Grid
        from archspec.sweep.halving import Rungs
        from archspec.sweep.search import Trials

        if self.sweep.search:
            if not self.folder.is_begun:
                self.begin()  # before there is a journal: a folder is that of a sweep, or empty
            self.queue = trials = Trials(self.sweep, self.folder, self.rank, lambda cell: plan([cell])[0])
            trials.recall()
            trials.added = lambda _: self.begin()
        elif self.sweep.halving:
            self.queue = Rungs(self.sweep.halving, self.folder, self.checked, self.rank[1])
        else:
            self.queue = Grid.of(self.folder, self.checked)
        self.begin()
        return self.queue

    def speaking(self) -> Voice:
        """A table that is redrawn where someone looks on, else lines."""
        from archspec.sweep.live import Board, LiveBoard, Plain
        from archspec.train.display import Silent

        if sys.stdout.isatty():
            self.voice = LiveBoard(Board(self.sweep, self.folder, self.cells, self.rank[1]))
            self.means = replace(self.means, shown=Silent())  # there is no room for a bar
        else:
            self.voice = Plain(self.queue.to_do if self.queue else 0)
        return self.voice

    @property
    def rank(self) -> tuple[str, str]:
        """The split and the score that cells are ranked by."""
        from archspec.sweep.plan import rank_of

        return rank_of(self.sweep, self.checked[0])

    def begins(self, job: Job) -> None:
        """Say which run begins; by then it is known which cells were given up."""
        if self.sweep.halving:
            self.begin()
        if self.voice:
            self.voice.begins(job)

    def ended(self, one: Ended) -> None:
        """Put down what a cell has come to, and the table of all."""
        if self.voice:
            self.voice.ended(one)
        self.folder.keep(one.job.planned)
        self.write()

    def write(self) -> str:
        """The table, which is also kept."""
        from archspec.sweep.table import results
        from archspec.sweep.table.blocks import table_of
        from archspec.sweep.table.formats import FORMATS
        from archspec.train.files import write

        if not self.cells:
            return "there is no trial yet"
        text = FORMATS["text"](table_of(results.read(self.folder.path)))
        write(self.folder.table, text)
        return text.rstrip()

    def write_page(self) -> Path | None:
        """The table with plots, which is kept too; none where no run is finished."""
        from archspec.sweep.table import results
        from archspec.sweep.table.blocks import table_of
        from archspec.sweep.table.page import page
        from archspec.train.files import write

        if not self.cells:
            return None
        outcome = results.read(self.folder.path)
        if not any(run.result for run in outcome.runs):
            return None
        path = self.folder.table.with_suffix(".html")
        write(path, page(table_of(outcome)))
        return path


def run_all(work: Work, base: Spec, where: Where, plan: Plan) -> None:
    """Train what is not finished, and show what all come to."""
    from archspec.sweep.drive import drive
    from archspec.train.folder import made
    from archspec.train.interrupt import Interrupted

    folder = work.folder
    folder.check(work.sweep, [] if work.sweep.search else work.checked)
    made(folder.path)
    with folder.lock:
        queue = work.queued(plan)
        click.echo(f"{queue.what}, {queue.runs} runs, {queue.to_do} to do → {folder.path}")
        problems: list[Diagnostic] = []
        try:
            if queue.to_do:
                voice = work.speaking()
                with where.executor(Doing(base, work.means, folder, queue.to_do)) as executor, voice:
                    if executor.said:
                        click.echo(executor.said)
                    problems = drive(queue, executor, work)
        except Interrupted as stopped:
            raise SystemExit(stopped.exit_code) from None
        finally:
            work.begin()
            click.echo(f"\n{work.write()}")
        if page := work.write_page():
            click.echo(f"page: {page}")
    if problems or queue.refused:
        raise SpecError([*problems, *queue.refused])
