"""How far a run has come: everything that has to be kept to go on bit for bit."""

from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, nn

from archspec.train.engine import Engine
from archspec.train.faults import refusal
from archspec.train.generators import random_state, set_random_state
from archspec.train.processes import command
from archspec.train.tally import Tally


@dataclass
class Best:
    """The epoch with the best validation score so far."""

    epoch: int
    score: float
    weights: dict[str, Tensor]


@dataclass
class Norms:
    """Norms of the gradient over the steps of an epoch."""

    total: float = 0.0
    largest: float = 0.0

    def add(self, norm: float) -> None:
        """Count a step."""
        self.total += norm
        self.largest = max(self.largest, norm)


@dataclass
class State:
    """How far a run has come, weights, optimiser and random numbers apart."""

    tally: Tally
    epoch: int = 0
    """Epochs that are complete, scores and all."""
    step: int = 0
    """Steps made in the epoch after those."""
    seconds: float = 0.0
    """Time of training in that epoch."""
    elapsed: float = 0.0
    """Time of all complete epochs, evaluation included."""
    norms: Norms = field(default_factory=Norms)
    penalty: float = 0.0
    """Sum of what the steps of the epoch added to the loss."""
    best: Best | None = None

    def next_epoch(self, seconds: float) -> None:
        """An epoch is complete."""
        self.epoch, self.step, self.seconds, self.elapsed = self.epoch + 1, 0, 0.0, self.elapsed + seconds
        self.tally, self.norms, self.penalty = Tally(self.tally.kind), Norms(), 0.0


def copy_weights(module: nn.Module) -> dict[str, Tensor]:
    """The weights as they are now, on the CPU; names that share memory share it in the copy too."""
    copies: dict[object, Tensor] = {}
    weights = module.state_dict()
    for tensor in weights.values():
        copies.setdefault((tensor.data_ptr(), tensor.shape), tensor.detach().cpu().clone())
    return {name: copies[tensor.data_ptr(), tensor.shape] for name, tensor in weights.items()}


def as_dict(engine: Engine, state: State) -> dict[str, Any]:
    """What a checkpoint holds: plain values and tensors only, so that it loads with `weights_only=True`."""
    best = state.best
    return {
        "module": engine.module.state_dict(),
        "optimizer": engine.optimizer.state_dict(),
        "schedule": engine.schedule.state_dict(),
        "random": engine.processes.gather(random_state()),
        "epoch": state.epoch,
        "step": state.step,
        "seconds": state.seconds,
        "elapsed": state.elapsed,
        "tally": engine.processes.gather(state.tally.state()),
        "norms": [state.norms.total, state.norms.largest],
        "penalty": state.penalty,
        "watch": engine.watch.state(),
        "best": None if best is None else {"epoch": best.epoch, "score": best.score, "weights": best.weights},
    }


def restore(kept: dict[str, Any], engine: Engine) -> State:
    """Put a checkpoint's values into module, optimiser, schedule and the random generators; the rest as a State.

    E0614 where another number of processes wrote it: each has random numbers and sums of its own.
    """
    if (before := len(kept["random"])) != engine.processes.count:
        message = f"the run was trained by {before} processes together, and cannot go on with {engine.processes.count}"
        raise refusal("E0614", message, None, f"write `{command(before)} --resume RUN`")
    engine.module.load_state_dict(kept["module"])
    try:
        engine.optimizer.load_state_dict(kept["optimizer"])
    except ValueError as problem:  # written when weight decay was on norms too, so with other groups of weights
        message = f"the optimiser of the checkpoint does not fit: {problem}"
        cure = "resume with the archspec it was written by, or train again"
        raise refusal("E0615", message, None, cure) from problem
    engine.schedule.load_state_dict(kept["schedule"])
    number = engine.processes.number
    set_random_state(kept["random"][number])
    if watched := kept.get("watch"):  # older checkpoints have none
        engine.watch.restore(watched)
    tally = Tally(engine.kind)
    tally.restore(kept["tally"][number])
    best = None if kept["best"] is None else Best(**kept["best"])
    return State(
        tally=tally,
        epoch=kept["epoch"],
        step=kept["step"],
        seconds=kept["seconds"],
        elapsed=kept["elapsed"],
        norms=Norms(*kept["norms"]),
        penalty=kept.get("penalty", 0.0),  # older checkpoints have none
        best=best,
    )
