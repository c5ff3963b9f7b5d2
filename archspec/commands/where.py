"""Where a sweep's runs are trained, by name: the options of `archspec sweep` for it, and the table they choose from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from archspec.commands import seeds as several
from archspec.commands.training import Means
from archspec.diagnostics import Diagnostic, SpecError
from archspec.syntax.spec import Spec

if TYPE_CHECKING:  # torch is imported when the command runs, not for its help
    from archspec.sweep.cluster import Share
    from archspec.sweep.drive import Executor
    from archspec.sweep.folder import SweepFolder
    from archspec.sweep.orders import Orders
    from archspec.sweep.slurm import Request

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True)
class Where:
    """What was asked for."""

    on: str
    jobs: int | None
    address: str | None
    cpus: float | None
    gpus: float | None
    slurm: tuple[str, ...] = ()

    def check(self) -> None:
        """E0840 for an option of another place, and what the place finds wrong before anything is compiled."""
        place = PLACES[self.on]
        given: dict[str, object] = {"--address": self.address, "--cpus-per-run": self.cpus, "--gpus-per-run": self.gpus}
        given |= {"--slurm": self.slurm or None}
        for option, value in given.items():
            if value is not None and option not in place.options:
                named = " or ".join(f"`--on {name}`" for name, one in PLACES.items() if option in one.options)
                cure = f"write {named}, or leave it out"
                raise SpecError([Diagnostic("E0840", f"`{option}` says nothing of `--on {self.on}`", help=cure)])
        place.check(self)

    def executor(self, to_do: Doing) -> Executor:
        """What trains the runs."""
        return PLACES[self.on].make(self, to_do)


@dataclass(frozen=True)
class Doing:
    """What is to be trained: so many runs like that of a spec, in a folder."""

    base: Spec
    means: Means
    folder: SweepFolder
    runs: int


def where_options(command: Command) -> Command:
    """`--jobs`, `--on` and what belongs to that."""
    options = (
        click.option("--jobs", type=click.IntRange(1), metavar="N", help="Runs at a time, each in its own process."),
        click.option("--on", type=click.Choice(list(PLACES)), default="local", help="Where runs are trained."),
        click.option("--address", metavar="A", help="With `--on ray`: a cluster that is there, HOST:PORT or auto."),
        click.option("--cpus-per-run", type=click.FloatRange(0.01), metavar="C", help="On Ray or Slurm."),
        click.option(
            "--gpus-per-run", type=click.FloatRange(0), metavar="G", help="On Ray or Slurm; 0.5 is half a GPU, on Ray."
        ),
        click.option(
            "--slurm", multiple=True, metavar="KEY=VALUE", help="An option of sbatch: partition=gpu. Repeatable."
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def local(where: Where, doing: Doing) -> Executor:
    """In turn, or so many at a time as asked, or as there are cores for."""
    from archspec.commands.executors import InTurn, SideBySide
    from archspec.train import device as devices

    device = devices.choose(doing.means.device or "auto").type
    jobs = several.jobs_for(doing.base, [*range(doing.runs)], where.jobs, device)
    if jobs < 2:
        return InTurn(doing.means)
    return SideBySide(doing.means, jobs, doing.base.settings.train.threads or max(1, several.cores() // jobs))


def share(where: Where, threads: int) -> Share:
    """What of a cluster a run has: by default as many processors as threads, and no GPU."""
    from archspec.sweep.cluster import Share

    return Share(where.address, where.cpus or float(threads), where.gpus or 0.0, where.jobs)


def check_ray(where: Where) -> None:
    """That Ray is there, and its cluster."""
    from archspec.sweep import cluster

    cluster.check(share(where, 1))


def on_ray(where: Where, doing: Doing) -> Executor:
    """As tasks of Ray."""
    from archspec.sweep.on_ray import OnRay

    threads = doing.base.settings.train.threads or max(1, int(where.cpus or 1))
    return OnRay(share(where, threads), orders(doing, threads, bool(where.gpus)))


def check_slurm(where: Where) -> None:
    """That Slurm is there, and can give what was asked for."""
    from archspec.sweep import slurm

    slurm.check()
    request(where)


def request(where: Where) -> Request:
    """What a job of Slurm is to have."""
    from archspec.sweep import slurm

    return slurm.read(where.cpus, where.gpus, where.jobs, where.slurm)


def on_slurm(where: Where, doing: Doing) -> Executor:
    """As tasks of an array job of Slurm."""
    from archspec.sweep.on_slurm import OnSlurm

    threads = doing.base.settings.train.threads or int(where.cpus or 1)
    told = orders(doing, threads, request(where).has_gpu)
    return OnSlurm(request(where), told, doing.folder.path, doing.folder.path.name)


def orders(doing: Doing, threads: int, gpu: bool) -> Orders:
    """What workers are told; a run that has no GPU of its own keeps away from those that there are."""
    from archspec.sweep.orders import Orders

    options = several.options_of(doing.means)
    options += [] if doing.means.device else ["--device", "cuda" if gpu else "cpu"]
    return Orders.of(doing.folder.path, options, threads)


@dataclass(frozen=True)
class Place:
    """A row: the options that say something of it, what is checked first, and what trains."""

    options: tuple[str, ...]
    check: Callable[[Where], None]
    make: Callable[[Where, Doing], Executor]


PLACES = {
    "local": Place((), lambda _: None, local),
    "ray": Place(("--address", "--cpus-per-run", "--gpus-per-run"), check_ray, on_ray),
    "slurm": Place(("--slurm", "--cpus-per-run", "--gpus-per-run"), check_slurm, on_slurm),
}
"""What `--on` may say."""
