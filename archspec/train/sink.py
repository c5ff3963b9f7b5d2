"""Who else is told when an epoch is recorded. Sinks read the run folder, and nothing that they do may stop a run."""

from collections.abc import Callable
from typing import Protocol

from archspec.train.folder import RunFolder


class Sink(Protocol):
    """Follows one run."""

    def epoch(self) -> None:
        """A record has been added to the metrics."""

    def close(self) -> None:
        """The run has ended, one way or another; its folder is as it stays."""


class Nobody:
    """Follows nothing."""

    def epoch(self) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""


Follow = Callable[[RunFolder, Callable[[str], None]], Sink]
"""Begins to follow the run of a folder, given how to say a line."""


def nobody(folder: RunFolder, say: Callable[[str], None]) -> Sink:
    """Follow nothing."""
    return Nobody()
