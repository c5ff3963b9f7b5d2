"""What every tracker does. A tracker may fail in any of it: it is left out then, and the run goes on."""

from typing import Any, Protocol

from archspec.track.about import About
from archspec.train.folder import Record

Memory = dict[str, Any]
"""What a tracker keeps in the run folder, to go on with the same experiment when the run is resumed."""

SENT = "epochs"
"""The key of a memory that says how many epochs the tracker has taken, so that they are not sent twice."""


class Tracker(Protocol):
    """One experiment of one tracker."""

    def begin(self, about: About, memory: Memory) -> str:
        """Open the experiment, or go on with the one that the memory tells of; what there is to say, if anything.

        The epochs after `memory[SENT]` follow, so a tracker that writes everything anew sets that to 0.
        """

    def epoch(self, record: Record) -> None:
        """Take the figures of an epoch."""

    def end(self, result: Record | None) -> str:
        """Close the experiment, with the content of `done.json` where the run is over; what there is to say."""
