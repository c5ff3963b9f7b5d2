"""What beginning a run costs, where many short ones are trained: in turn, and side by side started anew or forked.

    python benchmarks/short_runs.py [--runs 4] [--rounds 3] [-o benchmarks/results/short_runs.md]

The runs are those of the tests' tiny spec, of 3 epochs of 12 graphs, so nearly all of their time is the beginning:
Python, torch, compiling the spec. Processor time of all processes is told, since it depends less on what else the
machine does. The weights of all forms are compared bit for bit.
"""

import argparse
import ctypes
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from functools import partial
from importlib.metadata import version
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parent.parent

SPEC = """\
name: tiny
model:
  sizes: {d: 8}
  input: x = encode(x, d)
  stack: 2 * layer
  output: linear(x, out)
  where:
    layer: |
      x = relu(batch_norm(linear(x, d) + sum[j in N](x[j]))) -> dropout(0.1)
data: {name: pattern, limit: 12, batch_size: 4}
train: {epochs: 3, threads: 1, optimizer: {name: adam, lr: 1e-2}}
"""

FROM_A_PROGRAM = "import sys; from archspec.commands.main import run; run(sys.argv[1:])"
"""In a program of the user's, `--jobs` starts every process anew, as the command did before it forked."""

FORMS = {
    "side by side, each started anew": (["-c", FROM_A_PROGRAM], "2"),
    "side by side, forked": (["-m", "archspec"], "2"),
    "in turn, in one process": (["-m", "archspec"], "1"),
}
"""Which Python program trains, and how many runs at a time."""


def train(form: str, runs: int, place: Path, folder: str) -> list[bytes]:
    """Train with so many seeds; the weights of each."""
    program, jobs = FORMS[form]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "ARCHSPEC_CACHE": str(place / "cache")}
    command = [sys.executable, *program, "train", "tiny.yaml", "--seeds", str(runs), "--jobs", jobs]
    command += ["--run-dir", folder]
    subprocess.run(command, cwd=place, env=environment, stdout=subprocess.DEVNULL, check=True)
    return [(place / folder / f"seed-{seed}/checkpoints/last.safetensors").read_bytes() for seed in range(runs)]


def adopt_orphans() -> None:
    """Let what the commands leave behind be waited for here: the process that is forked ends after the command."""
    assert ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0


PR_SET_CHILD_SUBREAPER = 36  # of prctl(2)


def wait_for_orphans() -> None:
    with suppress(ChildProcessError):
        while True:
            os.wait()


def timed(work: Callable[[], list[bytes]]) -> tuple[list[bytes], float, float]:
    """What comes of it, and the seconds on the clock and of processors."""
    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    made = work()
    clock = time.perf_counter() - start
    wait_for_orphans()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return made, clock, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measure(runs: int, rounds: int) -> dict[str, list[tuple[float, float]]]:
    """The times of each form, round by round; a first command, which makes the data, does not count."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in FORMS}
    adopt_orphans()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "tiny.yaml").write_text(SPEC)
        wanted = train("in turn, in one process", runs, place, "first")
        for at in range(rounds):
            for number, name in enumerate(FORMS):
                made, clock, processor = timed(partial(train, name, runs, place, f"{at}-{number}"))
                assert made == wanted, name
                found[name].append((clock, processor))
    return found


def report(found: dict[str, list[tuple[float, float]]], runs: int) -> str:
    rounds = len(next(iter(found.values())))
    lines = [
        "# Many short runs: what beginning each costs",
        "",
        f"`python benchmarks/short_runs.py`, {date.today()}: {runs} seeds of a tiny spec with `archspec train --jobs`, "
        f"medians of {rounds} rounds, the forms in turn.",
        f"{platform.machine()}, {os.cpu_count()} cores shared with other jobs (load average {os.getloadavg()[1]:.1f}), "
        f"Python {platform.python_version()}, torch {version('torch')}.",
        "Each seed has the same weights to the bit in all forms. Two runs at a time, each with one thread.",
        "",
        f"| form | processor time of {runs} runs, s | on the clock, s |",
        "|---|---|---|",
    ]
    times = {name: [median(one[at] for one in taken) for at in (1, 0)] for name, taken in found.items()}
    lines += [f"| {name} | {processor:.1f} | {clock:.1f} |" for name, (processor, clock) in times.items()]
    alone, together, _ = (processor for processor, _ in times.values())
    saved = (alone - together) / (runs - 1)
    lines += [
        "",
        f"From the second run on, a fork saves {saved:.1f} s of processor time a run: "
        f"{100 * saved / (30 + saved):.0f} % of one that trains for 30 s, and less of a longer one.",
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("-o", "--output", type=Path)
    given = parser.parse_args()
    text = report(measure(given.runs, given.rounds), given.runs)
    print(text)
    if given.output:
        given.output.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
