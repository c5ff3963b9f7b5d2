"""Runs of several processes, one after the other: `torchrun --nproc-per-node 2 -m tests.together FOLDER`.

FOLDER has a spec for every row of SPECS, and gets a run folder for each. Faults that are planted make runs that must
not come to the numbers of one process. At last process 1 is killed, and what process 0 says is kept.
"""

import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from unittest.mock import patch

import torch

from archspec.commands.main import main
from archspec.diagnostics import SpecError, render
from archspec.train import kinds
from archspec.train import state as states
from archspec.train.engine import Engine
from archspec.train.processes import Processes, Together, joined

SPECS = {
    "uneven": """\
model:
  sizes: {d: 8}
  input: x = encode(x, d)
  stack: 2 * layer
  output: linear(x, out)
  where: {layer: "x = relu(batch_norm(linear(x, d) + sum[j in N](x[j])))"}
data: {name: pattern, limit: 17}
train: {schedule: {name: plateau, patience: 0}, clip: 0.5, patience: 3, epochs: 6, optimizer: {lr: 1e-2}}
""",
    "ranked": """\
model:
  sizes: {d: 4}
  input: x = encode(x, d)
  stack: 1 * layer
  output: linear(x, out)
  where: {layer: "x = tanh(linear(mean[j in N](x[j]), d))"}
data: {name: pattern, limit: 6}
train: {monitor: roc_auc, loss: cross_entropy, epochs: 2, test_every: null}
""",
    "penalised": """\
model:
  sizes: {d: 4}
  input: x = encode(x, d)
  stack: 1 * layer
  output: linear(x, out)
  penalty: 0.1 * mean[i in V](x[i] @ x[i])
  where: {layer: "x = batch_norm(linear(x, d) * average(log(1 + degree)) + sum[j in N](x[j]))"}
data: {name: pattern, limit: 9}
train: {epochs: 2, optimizer: {name: sgd, lr: 0.1}}
""",
    "chance": """\
model:
  sizes: {d: 8}
  input: x = encode(x, d)
  stack: 1 * layer
  output: linear(x, out)
  where: {layer: "x = relu(batch_norm(linear(x, d) + sum[j in drop(N, 0.2)](x[j]))) -> dropout(0.2)"}
data: {name: pattern, limit: 17}
train: {epochs: 2}
""",
}
AS_DICT = states.as_dict
BATCH = 4
"""Graphs in the batch of each process; 17 graphs make 5 batches, so that process 1 has none in the last step."""


def call(folder: Path, spec: str, batch: int, to: str, *more: str) -> None:
    """Train as the command line does."""
    settings = [f"--set=data.batch_size={batch}", "--set=train.precision=64", "--set=train.eval_batch_size=3"]
    path = folder / f"{spec}.yaml"
    main.main(["train", str(path), "--run-dir", str(folder / to), *settings, *more], standalone_mode=False, obj={})


def same_weights(engine: Engine, state: states.State) -> dict[str, object]:
    """What a checkpoint holds; an error where the weights of two processes differ in a bit."""
    kept = AS_DICT(engine, state)
    weights, *others = engine.processes.gather(kept["module"])
    assert all(torch.equal(weights[name], one[name]) for one in others for name in weights)
    return kept


def not_joined(self: Together, module: torch.nn.Module) -> None:
    """Batch norms of the rows of one process."""


def not_added(self: kinds.Classification, entries: torch.Tensor, y: torch.Tensor, add: object) -> torch.Tensor:
    """A loss that is normalised by the counts of one process."""
    return kinds.batch_loss(entries, y, kinds.counts(y, self.out), self.weighted)


FAULTS: dict[str, tuple[type, str, Callable[..., object]]] = {
    "not_joined": (Together, "join", not_joined),
    "not_added": (kinds.Classification, "loss", not_added),
    "no_gradients": (Together, "add_gradients", lambda self, gradients: None),
    "not_merged": (Together, "total", lambda self, x: x),
}
"""Planted, each in a run of `uneven`."""


def interrupted(folder: Path, processes: Processes) -> None:
    """Process 1 is asked to stop in the middle of the second epoch; all have to."""
    usual = Engine.step

    def step(self: Engine, batch: object, number: int, tally: object) -> object:
        if number == self.steps + 1 and processes.number == 1:
            signal.raise_signal(signal.SIGTERM)
        return usual(self, batch, number, tally)

    with patch.object(Engine, "step", step), suppress(SystemExit):
        call(folder, "chance", BATCH, "interrupted")


def killed(folder: Path, processes: Processes) -> None:
    """Process 1 is killed before a step; what process 0 says of it is kept."""
    if processes.number:
        with patch.object(Engine, "step", lambda *_: os.kill(os.getpid(), signal.SIGKILL)):
            call(folder, "uneven", BATCH, "killed")
    try:
        call(folder, "uneven", BATCH, "killed")
    except SpecError as problem:
        (folder / "lost.txt").write_text(render(problem.diagnostics, "concise"))


def work(folder: Path) -> None:
    """All of them."""
    torch.set_num_threads(1)
    with joined() as processes:
        with patch.object(states, "as_dict", same_weights):
            for spec in SPECS:
                call(folder, spec, BATCH, f"{spec}-2")
        for name, (where, what, fault) in FAULTS.items():
            with patch.object(where, what, fault):
                call(folder, "uneven", BATCH, name, "--set=train.epochs=1")
        interrupted(folder, processes)
        processes.agree(lambda: (folder / "stopped").touch())
        call(folder, "chance", BATCH, "interrupted")
        killed(folder, processes)


if __name__ == "__main__":
    work(Path(sys.argv[1]))
