"""What a run trains, put together before it starts."""

from dataclasses import dataclass

from torch import nn

from archspec.data.load import DataSet
from archspec.syntax.schema import TrainSettings
from archspec.train.optimizer import Place, nowhere


@dataclass(frozen=True)
class Task:
    """A module, the data it learns from and how."""

    name: str
    module: nn.Module
    """From a batch to logits [nodes, classes]."""
    data: DataSet
    batch_size: int
    train: TrainSettings
    spec: str = ""
    """The resolved spec as text."""
    code: str = ""
    """The module's source."""
    place: Place = nowhere
