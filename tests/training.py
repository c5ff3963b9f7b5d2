"""A small module and a small data set, shared by the tests of training. Run as a script it trains and is killed."""

import os
import signal
import sys
from functools import cache
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from archspec.data.batching import BatchSize
from archspec.data.load import DataSet, load
from archspec.runtime.batch import Batch
from archspec.syntax.schema import DataSettings, TrainSettings
from archspec.train import run
from archspec.train.checkpoint import read
from archspec.train.display import Silent
from archspec.train.folder import RunFolder
from archspec.train.state import State
from archspec.train.task import Task

GRAPHS, BATCH = 22, 5  # five steps an epoch, the last batch smaller
CPU = run.Machine(torch.device("cpu"), "as installed")


class Small(nn.Module):
    """A neighbour sum, batch norm and dropout: every kind of state that a resumed run must get right."""

    def __init__(self, width: int = 8):
        super().__init__()
        self.encode = nn.Embedding(3, width)
        self.norm = nn.BatchNorm1d(2 * width)
        self.head = nn.Linear(2 * width, 2)

    def forward(self, batch: Batch) -> Tensor:
        x = self.encode(batch.x)
        near = torch.zeros_like(x).index_add_(0, batch.N.target, x[batch.N.source.long()])
        h = self.norm(torch.cat([x, near], dim=1))
        return self.head(F.relu(F.dropout(h, 0.2, self.training)))


@cache
def data(folder: Path) -> DataSet:
    """A few graphs of PATTERN, kept in a folder."""
    return load(DataSettings(name="pattern", limit=GRAPHS), folder)


def task(
    folder: Path,
    module: nn.Module | None = None,
    batches: tuple[BatchSize, int] = (BatchSize(BATCH, "graphs"), 1),
    **settings: object,
) -> Task:
    """A task whose weights are drawn with the seed of its settings; `batches` are their size and the buckets."""
    train = TrainSettings.model_validate({"epochs": 4, "optimizer": {"lr": 0.01}, "seed": 3} | settings)
    run.seed(train.seed)
    size, buckets = batches
    text, code = "name: small\n", "# the module's source\n"
    return Task("small", module or Small(), data(folder), size, train, text, code, buckets=buckets)


class Stops(Silent):
    """Raises a signal in the process at one step, or after the metrics of an epoch are written and nothing else is."""

    def __init__(self, number: int, epoch: int, step: int | None = None):
        self.number, self.at = number, (epoch, step)

    def step(self, state: State, loss: float, rate: float) -> None:
        if (state.epoch, state.step) == self.at:
            signal.raise_signal(self.number)

    def epoch(self, record: dict, state: State) -> None:
        if (record["epoch"], None) == self.at:
            signal.raise_signal(self.number)


def start(folder: Path, path: Path, display: Silent | None = None, **settings: object) -> RunFolder:
    """Train in a new folder."""
    return run.start(task(folder, **settings), path, CPU, display or Silent(), {})


def resume(folder: Path, path: Path, display: Silent | None = None, **settings: object) -> RunFolder:
    """Go on."""
    return run.resume(task(folder, **settings), RunFolder(path), CPU, display or Silent())


def untimed(records: list[dict]) -> list[dict]:
    """Metrics without times."""
    return [{key: value for key, value in one.items() if not key.startswith("seconds")} for one in records]


def differing(one: RunFolder, other: RunFolder) -> list[str]:
    """What is not the same bit for bit in two finished runs, times aside."""
    found = [
        which for which in ("best", "last") if one.weights(which).read_bytes() != other.weights(which).read_bytes()
    ]
    if untimed(one.records()) != untimed(other.records()):
        found.append("metrics")
    results = [{key: value for key, value in made.result().items() if "seconds" not in key} for made in (one, other)]
    if results[0] != results[1]:
        found.append("result")
    kept = [read(made.state) for made in (one, other)]
    return found + [key for key in ("module", "optimizer", "random", "best") if not equal(kept[0][key], kept[1][key])]


def equal(one: object, other: object) -> bool:
    """Whether nested values with tensors in them are the same."""
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(equal(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(equal, one, other))
    return one == other


if __name__ == "__main__":
    torch.set_num_threads(1)
    cached, path, epoch, step, every = sys.argv[1:]
    display = Stops(signal.SIGKILL, int(epoch), None if step == "-" else int(step))
    start(Path(cached), Path(path), display, checkpoint_every=int(every))
    os._exit(3)  # it should have been killed
