"""How long archspec takes to begin: its textual commands, and training up to the first step.

    python benchmarks/start.py [--rounds 11] [-o benchmarks/results/start.md]

Every row is the time of a whole process, from before it is started to after it has ended, as a user waits for it.
Training ends right behind its first optimiser step, on the full PATTERN out of a warm cache; beside it stands a script
that imports torch and takes one Adam step. All rows are taken in turn, round by round, so that load on the machine
falls on all of them. Python keeps its bytecode, as it does for a user, whatever the session says.
"""

import argparse
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from datetime import date
from importlib.metadata import version
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parent.parent

COMMANDS = (
    "--help",
    "train --help",
    "show gin_sigmoid_eps",
    "show gin_sigmoid_eps --as ir",
    "show gin_sigmoid_eps --as plan",
    "show gin_sigmoid_eps --as code",
    "show content_attention --as params",
    "diff gin gin_sigmoid_eps",
    "check --static gin",
    "fmt --check specs",
)

RUN = "import sys; from archspec.commands.main import run; run(sys.argv[1:])"

TORCH = """
import torch
layer = torch.nn.Linear(64, 64)
adam = torch.optim.Adam(layer.parameters())
layer(torch.randn(8, 64)).sum().backward()
adam.step()
"""

FIRST_STEP = """
import importlib.util, os, sys

class Watch:
    # ends the process behind the first optimiser step, without importing torch a moment before archspec does
    def find_spec(self, name, path, target=None):
        if name != "torch.optim.optimizer":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        load = spec.loader.exec_module
        def watched(module):
            load(module)
            module.register_optimizer_step_post_hook(lambda *_: os._exit(0))
        spec.loader.exec_module = watched
        return spec

sys.meta_path.insert(0, Watch())
from archspec.commands.main import run
run(sys.argv[1:])
"""


ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def rows(cache: Path) -> dict[str, list[str]]:
    """What is timed: a label, and the arguments of Python."""
    found = {f"archspec {command}": ["-c", RUN, *command.split()] for command in COMMANDS}
    found["import torch, one Adam step"] = ["-c", TORCH]
    found["the same, and import torch_geometric"] = ["-c", TORCH + "import torch_geometric"]
    for spec in ("gin", "gin_sigmoid_eps"):
        command = ["train", spec, "--data-dir", str(cache), "--run-dir"]
        found[f"archspec train {spec}, to the first step"] = ["-c", FIRST_STEP, *command]
    return found


Taken = tuple[float, float]
"""Seconds on the clock and seconds of processor time."""


def seconds(arguments: list[str], cache: Path) -> Taken:
    """The times of one process; every training has a run folder of its own."""
    if arguments[-1] == "--run-dir":
        arguments = [*arguments, tempfile.mkdtemp(dir=cache)]
    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, check=False
    )
    taken, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(f"{arguments[2:]} failed:\n{done.stderr}")
    return taken, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measure(rounds: int) -> dict[str, list[Taken]]:
    """The times of every row; the first round, which warms caches, does not count."""
    with tempfile.TemporaryDirectory() as folder:
        cache = Path(folder)
        timed: dict[str, list[Taken]] = {label: [] for label in rows(cache)}
        for number in range(rounds + 1):
            for label, arguments in rows(cache).items():
                taken = seconds(arguments, cache)
                if number:
                    timed[label].append(taken)
    return timed


def processor() -> str:
    """The processor's name."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def report(timed: dict[str, list[Taken]]) -> str:
    """The page of results."""
    torch, rounds = timed["import torch, one Adam step"], len(next(iter(timed.values())))
    slowest = [max(middle(timed[f"archspec {one}"], which) for one in COMMANDS) for which in (0, 1)]
    lines = [
        "# How long archspec takes to begin",
        "",
        f"`python benchmarks/start.py`, {date.today()}: medians of {rounds} rounds, all rows in turn, whole processes.",
        f"{processor()}, {os.cpu_count()} shared cores, Python {platform.python_version()}, torch {version('torch')}.",
        f"The machine's load was {os.getloadavg()[1]:.1f} in the last minutes, this program at priority {os.nice(0)}.",
        "",
        "| what | seconds | fastest | slowest | processor time |",
        "|---|---|---|---|---|",
        *(row(label, times) for label, times in timed.items()),
        "",
        f"- The slowest textual command takes {slowest[0]:.2f} s, {slowest[1]:.2f} s of processor time (aim: < 0.5 s).",
    ]
    for label, times in timed.items():
        if "first step" in label:
            more = [median(a[which] - b[which] for a, b in zip(times, torch, strict=True)) for which in (0, 1)]
            said = f"{more[0]:+.2f} s, {more[1]:+.2f} s of processor time"
            lines.append(f"- {label}: {said} against the script with torch alone (aim: at most +1.5 s).")
    return "\n".join(lines) + "\n"


def middle(times: list[Taken], which: int = 0) -> float:
    """The median of one of the two times."""
    return median(one[which] for one in times)


def row(label: str, times: list[Taken]) -> str:
    """A row of the table."""
    clock = [one[0] for one in times]
    return f"| {label} | {median(clock):.2f} | {min(clock):.2f} | {max(clock):.2f} | {middle(times, 1):.2f} |"


def main() -> None:
    """Measure, print, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("-o", "--output", type=Path)
    given = parser.parse_args()
    text = report(measure(given.rounds))
    print(text)
    if given.output:
        given.output.parent.mkdir(parents=True, exist_ok=True)
        given.output.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
