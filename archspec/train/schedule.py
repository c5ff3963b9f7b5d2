"""The learning rate over time: a schedule sets it before a step, learns how an epoch ended, and may end the run."""

import math
from typing import Any, Protocol

from torch.optim import Optimizer
from torch.optim.lr_scheduler import ReduceLROnPlateau

from archspec.syntax.schema import (
    ConstantSettings,
    CosineSettings,
    PlateauSettings,
    TorchSettings,
    TrainSettings,
)
from archspec.train import torch_schedules
from archspec.train.faults import refusal
from archspec.train.metrics import Scores
from archspec.train.optimizer import Place, nowhere


class Schedule(Protocol):
    """What the loop asks of a schedule."""

    def before_step(self, step: int) -> None:
        """Set the rate for the step of this number, counted from 0 through the whole run."""

    def after_epoch(self, validation: Scores) -> None:
        """Learn how an epoch ended."""

    def over(self) -> str | None:
        """Why the run should end, if it should."""

    def state_dict(self) -> dict[str, Any]:
        """What has to be kept to go on later."""

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a kept state."""


class Constant:
    """Leaves the learning rate as it is."""

    def before_step(self, step: int) -> None:
        """Nothing to set."""

    def after_epoch(self, validation: Scores) -> None:
        """Nothing to learn."""

    def over(self) -> str | None:
        """Never ends a run."""
        return None

    def state_dict(self) -> dict[str, Any]:
        """Nothing to keep."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Nothing was kept."""


class Cosine(Constant):
    """Linear warm-up over the first steps, then min + (lr - min)·(1 + cos πt)/2 with t from 0 to 1 over the rest.

    The rate depends on the number of the step alone, so there is no state to keep.
    """

    def __init__(self, optimizer: Optimizer, settings: CosineSettings, warmup: int, steps: int):
        self.optimizer, self.warmup, self.steps, self.low = optimizer, warmup, steps, settings.min_lr
        self.high = [group["lr"] for group in optimizer.param_groups]

    def before_step(self, step: int) -> None:
        """Set the rate."""
        for group, high in zip(self.optimizer.param_groups, self.high, strict=True):
            group["lr"] = self.rate(step, high)

    def rate(self, step: int, high: float) -> float:
        """The rate of a step under a highest one; the first step of the warm-up has high/warmup, never 0."""
        if step < self.warmup:
            return high * (step + 1) / self.warmup
        passed = min(1.0, (step - self.warmup) / max(1, self.steps - self.warmup))
        return self.low + (high - self.low) * (1 + math.cos(math.pi * passed)) / 2


class Plateau(Constant):
    """torch's ReduceLROnPlateau on the validation loss; the run is over when the rate falls below `min_lr`."""

    def __init__(self, optimizer: Optimizer, settings: PlateauSettings):
        self.optimizer, self.low = optimizer, settings.min_lr
        self.torch = ReduceLROnPlateau(
            optimizer, factor=settings.factor, patience=settings.patience, threshold=settings.threshold
        )

    def after_epoch(self, validation: Scores) -> None:
        """Reduce the rate where the loss has not improved for long enough."""
        self.torch.step(validation["loss"] or 0.0)

    def over(self) -> str | None:
        """Whether the rate has fallen below the lowest."""
        rate = max(group["lr"] for group in self.optimizer.param_groups)
        return f"learning rate {rate:.2g} fell below {self.low:g}" if rate < self.low else None

    def state_dict(self) -> dict[str, Any]:
        """The best loss and the counters; the rate itself is the optimiser's."""
        return {key: getattr(self.torch, key) for key in ("best", "num_bad_epochs", "last_epoch", "cooldown_counter")}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Set them again."""
        vars(self.torch).update(state)


class Torch(Constant):
    """A schedule of torch's, which goes on after every epoch or before every step but the first."""

    def __init__(self, optimizer: Optimizer, settings: TorchSettings, epochs: int, steps: int, place: Place):
        self.by_step = torch_schedules.every(settings) == "step"
        self.torch = torch_schedules.make(optimizer, settings, epochs * steps if self.by_step else epochs, place)

    def before_step(self, step: int) -> None:
        """Go on by a step; the rate of the first is set from the start."""
        if self.by_step and step > 0:
            self.torch.step()

    def after_epoch(self, validation: Scores) -> None:
        """Go on by an epoch."""
        if isinstance(self.torch, ReduceLROnPlateau):
            self.torch.step(validation["loss"] or 0.0)
        elif not self.by_step:
            self.torch.step()

    def state_dict(self) -> dict[str, Any]:
        """Torch's own; rates and momenta themselves are the optimiser's."""
        return dict(self.torch.state_dict())

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Torch's own."""
        self.torch.load_state_dict(state)


def make(optimizer: Optimizer, settings: TrainSettings, steps: int, place: Place = nowhere) -> Schedule:
    """The schedule of a spec, with so many steps in an epoch."""
    check(settings, place)
    match settings.schedule:
        case TorchSettings() as torchs:
            return Torch(optimizer, torchs, settings.epochs, steps, place)
        case PlateauSettings() as plateau:
            return Plateau(optimizer, plateau)
        case CosineSettings() as cosine:
            return Cosine(optimizer, cosine, cosine.warmup * steps, settings.epochs * steps)
        case _:
            return Constant()


def check(settings: TrainSettings, place: Place = nowhere) -> None:
    """E0605 for a warm-up longer than the training, or a lowest rate above the highest; torch's by their own rules."""
    schedule, epochs = settings.schedule, settings.epochs
    if isinstance(schedule, TorchSettings):
        torch_schedules.check(schedule, place)
        return
    if isinstance(schedule, CosineSettings) and schedule.warmup > epochs:
        message = f"a warm-up of {schedule.warmup} epochs is longer than the training of {epochs}"
        at = place("train", "schedule", "warmup")
        raise refusal("E0605", message, at, f"write a `warmup` of at most {epochs}, or more `epochs`")
    if not isinstance(schedule, ConstantSettings) and schedule.min_lr > (lowest := lowest_rate(settings)):
        message = f"`min_lr` {schedule.min_lr:g} is above the learning rate {lowest:g}"
        at = place("train", "schedule", "min_lr")
        raise refusal("E0605", message, at, "write a smaller `min_lr`, or a larger `train.optimizer.lr`")


def lowest_rate(settings: TrainSettings) -> float:
    """The lowest rate that any weight begins with."""
    own = [entry.lr for entry in settings.optimizer.groups.values() if entry.lr is not None]
    return min([settings.optimizer.lr, *own])
