"""What beginning a run costs, where many short ones are trained: a process for each, one process for all, forks of one.

    python benchmarks/short_runs.py [--runs 4] [--rounds 3] [-o benchmarks/results/short_runs.md]

The runs are those of the tests' tiny spec, of 3 epochs of 12 graphs, so nearly all of their time is the beginning:
Python, torch, compiling the spec. Processor time of all processes is told, since it depends less on what else the
machine does. The weights of all forms are compared bit for bit.
"""

import argparse
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
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

HEAD = """\
import os, sys
import archspec.data.load, archspec.train.run, archspec.train.structure
import archspec.commands.opening, archspec.commands.train, archspec.commands.training
from archspec.commands.main import run

def train(folder):
    try:
        run(["train", "tiny.yaml", "--run-dir", folder])
    except SystemExit as left:
        assert not left.code
"""

IN_TURN = HEAD + "for folder in sys.argv[1:]: train(folder)\n"

FORKED = (
    HEAD
    + """
for folder in sys.argv[1:]:
    child = os.fork()
    if child == 0:
        train(folder)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
"""
)


def started(program: list[str], place: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "ARCHSPEC_CACHE": str(place / "cache")}
    subprocess.run([sys.executable, *program], cwd=place, env=environment, stdout=subprocess.DEVNULL, check=True)


def each(place: Path, folders: list[str]) -> None:
    for folder in folders:
        started(["-m", "archspec", "train", "tiny.yaml", "--run-dir", folder], place)


def in_turn(place: Path, folders: list[str]) -> None:
    started(["-c", IN_TURN, *folders], place)


def forked(place: Path, folders: list[str]) -> None:
    started(["-c", FORKED, *folders], place)


FORMS: dict[str, Callable[[Path, list[str]], None]] = {
    "a process for each, as `--jobs` has it": each,
    "one process, as in turn": in_turn,
    "forks of one that has imported everything": forked,
}


def timed(work: Callable[[], None]) -> tuple[float, float]:
    """Seconds on the clock and of processors."""
    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    work()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - start, processor


def measure(runs: int, rounds: int) -> dict[str, list[tuple[float, float]]]:
    """The times of each form, round by round; a first run, which makes the data, does not count."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in FORMS}
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "tiny.yaml").write_text(SPEC)
        each(place, ["first"])
        wanted = (place / "first/checkpoints/last.safetensors").read_bytes()
        for at in range(rounds):
            for number, (name, form) in enumerate(FORMS.items()):
                folders = [f"{at}-{number}-{one}" for one in range(runs)]
                found[name].append(timed(lambda form=form, folders=folders: form(place, folders)))  # type: ignore[misc]
                assert all((place / one / "checkpoints/last.safetensors").read_bytes() == wanted for one in folders)
    return found


def report(found: dict[str, list[tuple[float, float]]], runs: int) -> str:
    rounds = len(next(iter(found.values())))
    lines = [
        "# Many short runs: what beginning each costs",
        "",
        f"`python benchmarks/short_runs.py`, {date.today()}: {runs} runs of a tiny spec, "
        f"medians of {rounds} rounds, the forms in turn.",
        f"{platform.machine()}, {os.cpu_count()} cores shared with other jobs (load average {os.getloadavg()[1]:.1f}), "
        f"Python {platform.python_version()}, torch {version('torch')}.",
        "All runs have the same weights to the bit.",
        "",
        f"| form | processor time of {runs} runs, s | on the clock, s |",
        "|---|---|---|",
    ]
    times = {name: [median(one[at] for one in taken) for at in (1, 0)] for name, taken in found.items()}
    lines += [f"| {name} | {processor:.1f} | {clock:.1f} |" for name, (processor, clock) in times.items()]
    alone, _, together = (processor for processor, _ in times.values())
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
