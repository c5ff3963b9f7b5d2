"""The trackers: where each is written, what has to be installed for it, and how."""

import importlib
from dataclasses import dataclass

from archspec.track.tracker import Tracker


@dataclass(frozen=True)
class Row:
    """One tracker."""

    module: str
    kind: str
    """The class in that module."""
    install: str
    """What brings the package that it needs."""


TRACKERS = {
    "comet": Row("archspec.track.comet", "Comet", "pip install comet-ml"),
    "trackio": Row("archspec.track.trackio", "Trackio", 'pip install "archspec-nn[ui]"'),
    "tensorboard": Row("archspec.track.tensorboard", "TensorBoard", 'pip install "archspec-nn[tensorboard]"'),
}
"""The trackers by the names that a spec has for them."""


def make(name: str) -> Tracker:
    """A tracker by its name; its package is imported now. Raises ImportError, which says how to install it."""
    row = TRACKERS[name]
    try:
        module = importlib.import_module(row.module)
    except ModuleNotFoundError as problem:
        raise ImportError(f"`{problem.name}` is not installed: {row.install}") from problem
    tracker: Tracker = getattr(module, row.kind)()
    return tracker
