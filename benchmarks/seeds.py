"""Two seeds of a small model: in turn with all threads, in turn with one, and side by side with one each.

    python benchmarks/seeds.py [--rounds 9] [-o benchmarks/results/seeds.md]

Processes that have imported everything and have their data in memory wait for their turn, so start-up is left out. In a
round each form makes the same number of steps of training (batch, forward, backward, Adam) of both seeds; figures are
medians over the rounds of wall time, and of the processors' time, a step. Forms take turns, so that what else the
machine does falls on all of them. Several models in one call (`torch.func.vmap`) are not among the forms: the batches
of two seeds are other graphs, with other numbers of nodes and edges.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path
from statistics import median
from subprocess import PIPE

from start import processor

SPECS = {"gin_sigmoid_eps": (), "gin": (), "position_gating": ()}
STEPS = 10
GRAPHS = 320


def worker(name: str, seed: int) -> None:
    """Make as many steps as a line of the input says, and answer with wall time and processor time."""
    import numpy as np
    import torch

    from archspec.commands.opening import assemble, completed
    from archspec.runtime import malloc
    from archspec.syntax.load import load_spec
    from archspec.train.display import Silent
    from archspec.train.engine import Engine
    from archspec.train.tally import Tally

    malloc.tune()
    spec = load_spec(name, [f"data.limit={GRAPHS}", f"train.seed={seed}", "data.batch_size=32"])
    task = assemble(completed(spec, None, Silent()), None, Silent())
    engine = Engine(task, torch.device("cpu"))
    tally, draw = Tally(engine.kind), np.random.default_rng(seed)
    engine.module.train()
    number = 0
    print("ready", flush=True)
    for line in sys.stdin:
        wall, cpu, left = time.perf_counter(), time.process_time(), int(line)
        while left > 0:
            order = draw.permutation(len(task.data.train))[: 32 * left]
            for at in range(0, len(order) - 31, 32):
                engine.step(task.data.train.batch(order[at : at + 32]), number, tally)
                left, number = left - 1, number + 1
        print(time.perf_counter() - wall, time.process_time() - cpu, flush=True)


class Process:
    """A worker."""

    def __init__(self, name: str, threads: int, seed: int):
        command = [sys.executable, __file__, "--worker", name, str(seed)]
        environment = os.environ | {"OMP_NUM_THREADS": str(threads)}
        self.process = subprocess.Popen(command, stdin=PIPE, stdout=PIPE, text=True, env=environment)
        assert self.process.stdout is not None
        while self.process.stdout.readline().strip() not in ("ready", ""):
            pass

    def start(self, steps: int) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{steps}\n")
        self.process.stdin.flush()

    def wait(self) -> tuple[float, float]:
        assert self.process.stdout is not None
        wall, cpu = self.process.stdout.readline().split()
        return float(wall), float(cpu)

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


def timed(processes: Sequence[Process], steps: int) -> tuple[float, float]:
    """Wall time until all have made so many steps, and their processor time together."""
    began = time.perf_counter()
    for one in processes:
        one.start(steps)
    found = [one.wait() for one in processes]
    return time.perf_counter() - began, sum(cpu for _, cpu in found)


def measure(name: str, rounds: int, cores: int) -> dict[str, list[tuple[float, float]]]:
    """Milliseconds a step, wall and processor, of every form in every round."""
    many, one, other = Process(name, cores, 1), Process(name, 1, 1), Process(name, 1, 2)
    forms = {
        f"in turn, {cores} threads": lambda: timed([many], 2 * STEPS),
        "in turn, 1 thread": lambda: timed([one], 2 * STEPS),
        "side by side, 1 thread each": lambda: timed([one, other], STEPS),
    }
    found: dict[str, list[tuple[float, float]]] = {form: [] for form in forms}
    try:
        for form in forms.values():
            form()
        for _ in range(rounds):
            for form, run in forms.items():
                wall, cpu = run()
                found[form].append((1000 * wall / (2 * STEPS), 1000 * cpu / (2 * STEPS)))
    finally:
        for process in (many, one, other):
            process.close()
    return found


def rows(name: str, found: dict[str, list[tuple[float, float]]]) -> list[str]:
    """A line of the table for every form, the first of which is what the others are held against."""
    first = next(iter(found))
    lines = []
    for form, times in found.items():
        wall, cpu = (median(one) for one in zip(*times, strict=True))
        ratio = median(a[0] / b[0] for a, b in zip(found[first], times, strict=True))
        lines.append(f"| `{name}` | {form} | {wall:.1f} | {cpu:.1f} | **{ratio:.2f}** |")
    return lines


def main() -> None:
    """Be a worker where one is asked for; else measure every spec and print or write the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--worker", nargs=2)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("-o", type=Path)
    given = parser.parse_args()
    if given.worker:
        worker(given.worker[0], int(given.worker[1]))
        return
    cores = len(os.sched_getaffinity(0))
    before = os.getloadavg()[0]
    table = [line for name in SPECS for line in rows(name, measure(name, given.rounds, cores))]
    load = f"load average {before:.1f} before, {os.getloadavg()[0]:.1f} after"
    head = f"""# Two seeds: in turn or side by side

`python benchmarks/seeds.py`, {date.today()}: {processor()}, {cores} cores shared with other jobs ({load});
torch {version("torch")}. Milliseconds a step of 32 graphs of PATTERN, of either seed; medians of {given.rounds} rounds
of {2 * STEPS} steps, the forms in turn; ratios are medians of the rounds' ratios.

| spec | form | wall, ms a step | processors, ms a step | as fast as in turn with all threads |
|---|---|---|---|---|
"""
    text = head + "\n".join(table) + "\n"
    if given.o:
        given.o.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
