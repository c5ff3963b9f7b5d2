"""A batch that gave a loss or a gradient that is not finite, kept with all that it takes to compute it once more."""

import io
import pickle
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from archspec.runtime.batch import Batch
from archspec.runtime.pairs import Pairs
from archspec.train.faults import fault
from archspec.train.files import sealed, unsealed, write

PARTS = ("x", "node_ptr", "y", "e", "pos", "mask", "pair")
"""The tensors of a batch, its edges apart."""


@dataclass(frozen=True)
class Failure:
    """The batch, the state of the generators before it was computed (None where none is asked), and the mode."""

    batch: Batch
    random: dict[str, Any] | None
    training: bool
    epoch: int
    step: int
    """Both from 1; of a batch of the validation, the last step of the epoch."""

    def on(self, device: torch.device) -> "Failure":
        """The same with its batch on a device."""
        return replace(self, batch=self.batch.to(device))


def keep(path: Path, failure: Failure, module: nn.Module) -> None:
    """Write a failure and the module's weights of that moment."""
    batch, weights = failure.batch, module.state_dict()
    kept = {
        "batch": {name: host(getattr(batch, name)) for name in PARTS},
        "edges": {"ptr": host(batch.N.ptr), "source": host(batch.N.source), "symmetric": batch.N.symmetric},
        "random": failure.random,
        "training": failure.training,
        "epoch": failure.epoch,
        "step": failure.step,
        "module": {name: host(one) for name, one in weights.items()},
    }
    buffer = io.BytesIO()
    torch.save(kept, buffer)
    write(path, sealed(buffer.getvalue()))


def host(value: Tensor | None) -> Tensor | None:
    """A tensor on the CPU."""
    return None if value is None else value.detach().cpu()


def read(path: Path) -> tuple[Failure, dict[str, Tensor]]:
    """A failure and the weights of its moment; E0624 where there is none, E0615 where it is damaged."""
    if not path.exists():
        cure = "a run that meets a loss or a gradient that is not finite keeps its batch there"
        raise fault("E0624", "this run has kept no batch that failed", path, cure)
    try:
        kept = torch.load(io.BytesIO(unsealed(path.read_bytes())), map_location="cpu", weights_only=True)
    except (ValueError, RuntimeError, EOFError, pickle.UnpicklingError) as problem:
        raise fault("E0615", f"the batch that failed cannot be read: {problem}", path, "train again") from problem
    edges, parts = kept["edges"], kept["batch"]
    batch = Batch(N=Pairs(edges["ptr"], edges["source"], edges["symmetric"]), **parts)
    return Failure(batch, kept["random"], kept["training"], kept["epoch"], kept["step"]), kept["module"]
