"""Several seeds of one spec: one after the other in this process, or side by side in processes of their own."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path
from threading import RLock, Thread
from typing import TYPE_CHECKING

import click

from archspec.commands.origins import Process, origin
from archspec.commands.training import Means, begin, begins_alike, go_on, task_of
from archspec.diagnostics import Diagnostic, SpecError
from archspec.syntax.spec import Spec

if TYPE_CHECKING:  # torch is imported when the command runs, not for its help
    from archspec.train.display import Display
    from archspec.train.group import Group


def chosen(spec: Spec, option: str | None) -> list[int] | None:
    """The seeds to train with: those of `--seeds`, which are some numbers or how many, else those of the spec.

    So many are the first of `train.seeds` where it has as many, else `train.seed` and the numbers after it.
    """
    own, first = spec.settings.train.seeds, spec.settings.train.seed
    if option is None:
        return own
    if not re.fullmatch(r"\s*\d+\s*(,\s*\d+\s*)*,?\s*", option):
        raise SpecError([wrong(option)])
    numbers = [int(one) for one in option.split(",") if one.strip()]
    if "," in option:
        seeds = list(dict.fromkeys(numbers))
    else:
        count = numbers[0]
        seeds = own[:count] if own and len(own) >= count else [first + at for at in range(count)]
    if not seeds or max(seeds) >= 2**63 or len(seeds) < len(numbers):
        raise SpecError([wrong(option)])
    return seeds


def wrong(option: str) -> Diagnostic:
    """E0642 for a `--seeds` that cannot be read."""
    message = f"`--seeds {option}` is neither a number of seeds nor different seeds"
    return Diagnostic("E0642", message, help="write `--seeds 4`, or `--seeds 41,95,12,35`")


def begin_all(spec: Spec, path: Path | None, jobs: int | None, means: Means) -> None:
    """Train with several seeds in a new folder, or go on in one that holds these very runs."""
    from archspec.train import folder, group
    from archspec.train.group import with_seed

    check_one_process(means)
    if path is not None and group.is_group(path):
        found = group.Group(path)
        if found.spec.read_text(encoding="utf-8") == spec.text and begins_alike(means, found.told()["options"]):
            go_on_all(found, spec, [], jobs, means)
            return
    if path is not None:
        folder.check_free(path)
    seeds = spec.settings.train.seeds or []
    task_of(with_seed(spec, seeds[0]), means)  # so that the first run can begin, and all find their data in the cache
    made = group.create(path, spec, means.recorded())
    click.echo(f"{len(seeds)} seeds → {made.path}")
    train_all(made, spec, jobs, means)


def go_on_all(found: Group, spec: Spec, more: list[int], jobs: int | None, means: Means) -> None:
    """Go on with all seeds of a folder, and with further ones."""
    from archspec.commands.opening import completed
    from archspec.train.group import with_seeds

    check_one_process(means)
    told = found.told()
    means, seeds = means.or_recorded(told["options"]), list(dict.fromkeys([*told["seeds"], *more]))
    train_all(found, with_seeds(completed(spec, means.data_dir, means.shown, means.trust), seeds), jobs, means)


def check_one_process(means: Means) -> None:
    """E0641 for several seeds under `torchrun`, whose processes train one model together."""
    if means.processes.count > 1:
        message, cure = "several seeds cannot be together with `torchrun`", "train one seed at a time: `train.seed`"
        raise SpecError([Diagnostic("E0641", message, help=cure)])


def train_all(group: Group, spec: Spec, asked: int | None, means: Means) -> None:
    """Train with every seed that is not finished, and show what all come to; a run that diverged stops no other."""
    from archspec.train import device as devices
    from archspec.train.group import table
    from archspec.train.interrupt import Interrupted

    seeds = spec.settings.train.seeds or []
    jobs = jobs_for(spec, seeds, asked, devices.choose(means.device or "auto").type)
    with group.lock:
        group.write(spec, seeds)
        try:
            problems = side_by_side(group, spec, seeds, jobs, means) if jobs > 1 else in_turn(group, spec, seeds, means)
        except Interrupted as stopped:
            raise SystemExit(stopped.exit_code) from None
        finally:
            told = group.write(spec, seeds)
            click.echo(f"\n{table(group, told)}")
    if problems:
        raise SpecError(problems)


def in_turn(group: Group, spec: Spec, seeds: list[int], means: Means) -> list[Diagnostic]:
    """One seed after the other; the problems of those that diverged."""
    from archspec.train.engine import Diverged
    from archspec.train.group import with_seed

    problems: list[Diagnostic] = []
    for at, seed in enumerate(seeds, 1):
        click.echo(f"seed {seed}, {at} of {len(seeds)}")
        run, one = group.run(seed), with_seed(spec, seed)
        try:
            go_on(run, one, means) if run.spec.exists() else begin(one, run.path, means)
        except Diverged as problem:
            problems += problem.diagnostics
        group.write(spec, seeds)
    return problems


def side_by_side(group: Group, spec: Spec, seeds: list[int], jobs: int, means: Means) -> list[Diagnostic]:
    """So many seeds at a time, each in a process of its own; the problems of those that failed."""
    from archspec.train.interrupt import Interrupted

    open_seeds = [seed for seed in seeds if not is_finished(group, spec, seed)]
    threads = spec.settings.train.threads or max(1, cores() // jobs)
    each = "1 thread" if threads == 1 else f"{threads} threads"
    click.echo(f"{jobs} runs at a time, each with {each} in a process of its own, so with the bits of one with {each}")
    crew = Crew(means, threads)
    problems: list[Diagnostic] = []
    with crew.signals(), ThreadPoolExecutor(jobs) as pool:
        for done in as_completed([pool.submit(crew.train, group, seed, f"seed {seed}") for seed in open_seeds]):
            problems += done.result()
            group.write(spec, seeds)
    if crew.stopped:
        raise Interrupted(crew.stopped)
    return problems


class Crew:
    """Processes that train one seed each, to which a signal is passed on once."""

    def __init__(self, means: Means, threads: int):
        from archspec.train import device as devices

        self.means, self.stopped = means, 0
        environment = os.environ | {"OMP_NUM_THREADS": str(threads)}
        self.origin = origin(environment, devices.choose(means.device or "auto").type)
        self.running: set[Process] = set()
        self.lock = RLock()  # of one thread for many: a second signal may come while the first is passed on

    @contextmanager
    def signals(self) -> Iterator[None]:
        """Pass Ctrl-C and the polite kill on to the processes, each of which saves its state and ends."""
        usual = {number: signal.signal(number, self.stop) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in usual.items():
                signal.signal(number, handler)

    def stop(self, number: int, _frame: object) -> None:
        """Let every process stop, and start no more."""
        with self.lock:
            self.stopped, running = number, list(self.running)
        for process in running:
            process.send_signal(number)

    def train(self, group: Group, seed: int, title: str, until: int | None = None) -> list[Diagnostic]:
        """Train one seed of a group to its end, or until an epoch; what went wrong. Its lines begin with the title."""
        if self.stopped:
            return []
        process = self.begun(self.arguments(group, seed, until))
        said: list[str] = []
        listener = Thread(target=listen, args=(process, said))
        listener.start()
        relay(title, process, self.means.shown)
        listener.join()
        code = process.wait()
        self.running.discard(process)
        return self.problems(group, seed, code, said)

    def begun(self, arguments: list[str]) -> Process:
        """A process, which is told at once if all were asked to stop while it began."""
        process = self.origin.begin(arguments)
        with self.lock:
            self.running.add(process)
            late = self.stopped
        if late:
            process.send_signal(late)
        return process

    def arguments(self, group: Group, seed: int, until: int | None) -> list[str]:
        """Those of `archspec` that train one seed, or go on with it."""
        run = group.run(seed)
        where = ["--resume" if run.spec.exists() else "--run-dir", str(run.path)]
        means = options_of(self.means)
        if self.means.init_from and not run.spec.exists():
            means += ["--init-from", str(self.means.init_from)]
            means += [part for one in self.means.renames for part in ("--rename", one)]
        means += ["--until", str(until)] if until else []
        one = ["--set", f"train.seed={seed}", "--set", "train.seeds=null"]
        return ["train", str(group.spec), *where, *means, *one]

    def problems(self, group: Group, seed: int, code: int, said: list[str]) -> list[Diagnostic]:
        """What is to be told of a process that has ended."""
        from archspec.train import failed

        cure = f"mend that, then `archspec train --resume {group.path}`"
        return [] if self.stopped else failed.problems(group.run(seed), seed, code, said, cure)


def options_of(means: Means) -> list[str]:
    """With what a process of its own trains as this one would."""
    found = ["--device", means.device] if means.device else []
    found += ["--data-dir", str(means.data_dir.absolute())] if means.data_dir else []
    return [*found, *(["--trust"] if means.trust else [])]


def listen(process: Process, said: list[str]) -> None:
    """Keep the complaints of a process."""
    assert process.stderr is not None
    with process.stderr:
        said.extend(process.stderr)


def relay(title: str, process: Process, shown: Display) -> None:
    """Pass on what a process says, up to the table at its end."""
    assert process.stdout is not None
    ended = False
    with process.stdout:
        for line in process.stdout:
            ended = ended or not line.strip()
            if not ended:
                shown.say(f"{title}: {line.rstrip()}")


def is_finished(group: Group, spec: Spec, seed: int) -> bool:
    """Whether there is nothing left to do for a seed."""
    from archspec.train.resumption import finished

    return finished(group.run(seed), spec.settings.train.epochs) is not None


def cores() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def jobs_for(spec: Spec, seeds: list[int], asked: int | None, device: str) -> int:
    """How many seeds to train at a time: as asked, else as many as there are cores for.

    Without `train.threads` a run has all cores, and its bits depend on how many: they are trained one after the other.
    """
    if asked is not None:
        return min(asked, len(seeds))
    threads = spec.settings.train.threads
    return max(1, min(len(seeds), cores() // threads)) if threads and device == "cpu" else 1
