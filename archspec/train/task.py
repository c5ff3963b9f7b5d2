"""What a run trains, put together before it starts, and the check of its settings."""

from dataclasses import dataclass, field

from torch import nn

from archspec.data.batching import BatchSize
from archspec.data.load import DataSet
from archspec.data.structure import Demand
from archspec.passes.schedule import Plan
from archspec.syntax.schema import TrainSettings
from archspec.train import optimizer, schedule
from archspec.train.health.equations import Equations
from archspec.train.optimizer import Place, nowhere
from archspec.train.protocol import Protocol


@dataclass(frozen=True)
class Task:
    """A module, the data it learns from and how."""

    name: str
    module: nn.Module
    """From a batch to predictions, [nodes, out], or so for edges, pairs or graphs."""
    data: DataSet
    batch_size: BatchSize
    train: TrainSettings
    spec: str = ""
    """The resolved spec as text."""
    code: str = ""
    """The module's source."""
    place: Place = nowhere
    demands: tuple[Demand, ...] = ()
    """What the module asks of the graphs alone."""
    buckets: int = 1
    """The graphs of so many batches at a time are sorted by size."""
    protocol: Protocol = field(default_factory=dict)
    """What its scores are the scores of."""
    equations: Equations | None = None
    """What the module was made from, where it was made from a spec."""
    plan: Plan | None = None
    """What it computes in which form, where it was."""


def check_settings(settings: TrainSettings, place: Place = nowhere) -> None:
    """What can be said against training settings without a module: optimiser, its options, schedule."""
    optimizer.check(optimizer.find(settings.optimizer.name, place), settings.optimizer, place)
    schedule.check(settings, place)
