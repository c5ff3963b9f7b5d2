"""What watching costs: training steps with the default `train.watch`, with all of it left out, and with a look a step.

    python benchmarks/watch.py [--steps 100] [-o benchmarks/results/watch.md]

One process and one thread; the three engines take turns, step by step, on the same batches, so that whatever else the
machine does meets all of them. They have the same seed, and their losses are compared bit by bit. Figures are times of
the thread's CPU, and the first steps are left out. A step is batch, forward, backward, optimiser and sums of scores.
"""

import argparse
import time
from datetime import date
from pathlib import Path

import torch
from start import processor

from archspec.commands.opening import assemble, completed
from archspec.syntax.load import load_spec
from archspec.train.display import Silent
from archspec.train.engine import Engine
from archspec.train.run import prepare
from archspec.train.tally import Tally

WARM = 5
VARIANTS = {
    "left out": ["train.watch.every=null"],
    "default": [],
    "a look a step": ["train.watch.every=1"],
}
ROWS = {
    "gine (ZINC, 128 graphs)": ["data.limit=640"],
    "gin": ["data.limit=320"],
    "position_gating": ["data.limit=320"],
    "content_attention": ["data.limit=160"],
}
"""Specs and what is set."""


def engine(spec: str, settings: list[str]) -> Engine:
    """A spec ready to train."""
    read = completed(load_spec(spec, [*settings, "train.seed=0"]), None, Silent())
    return Engine(assemble(read, None, Silent()), torch.device("cpu"))


class Blind:
    """In the place of a watch: takes nothing and looks at nothing, as engines did before there was one."""

    draws = False

    def step(self, *_: object) -> None:
        """Nothing."""

    def due(self, _number: int) -> bool:
        """Never."""
        return False


def times(spec: str, settings: list[str], steps: int) -> dict[str, float]:
    """Seconds of so many steps by variant. AssertionError where the losses differ by a bit."""
    engines = {name: engine(spec, settings + more) for name, more in VARIANTS.items()}
    engines["left out"].watch = Blind()
    total = dict.fromkeys(engines, 0.0)
    batches = engines["default"].sampler.epoch(0)
    for number in range(steps + WARM):
        losses = set()
        for name, one in engines.items():
            torch.manual_seed(number)
            one.module.train()
            graphs = batches[number % len(batches)]
            began = time.thread_time()
            batch = one.task.data.train.batch(graphs)
            losses.add(one.step(batch, number, Tally(one.kind)).loss)
            total[name] += (time.thread_time() - began) * (number >= WARM)
        assert len(losses) == 1, f"step {number}: {losses}"
    return total


def table(steps: int) -> str:
    """A row for every spec."""
    lines = ["| spec | step, milliseconds | with the default | with a look a step |", "|---|---|---|---|"]
    for spec, settings in ROWS.items():
        found = times(spec.partition(" ")[0], settings, steps)
        base = found["left out"]
        more = [f"+{100 * (found[name] / base - 1):.1f} %" for name in ("default", "a look a step")]
        lines.append(f"| `{spec}` | {1000 * base / steps:.1f} | {more[0]} | {more[1]} |")
        print(lines[-1], flush=True)
    return "\n".join(lines)


def main() -> None:
    """Measure, and write the page."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--steps", type=int, default=100)
    arguments.add_argument("-o", type=Path)
    given = arguments.parse_args()
    prepare(torch.device("cpu"), 1)
    head = f"# What watching costs\n\nWritten by `benchmarks/watch.py` on {date.today()}, {processor()}, torch "
    head += f"{torch.__version__}, one thread, {given.steps} steps of each variant in turns.\n\n"
    text = head + table(given.steps) + "\n"
    if given.o:
        given.o.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
