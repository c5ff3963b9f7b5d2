"""How threads wait for one another. It has to be said before torch is imported, so nothing here imports it."""

import os
from collections.abc import MutableMapping

SPINS = "1000"
"""Rounds that an idle thread spins before it sleeps: some microseconds, enough to go from one operation to the next.

By default it spins for milliseconds and takes the core from the thread it waits for whenever another program wants one:
a step of `gin.yaml` with two threads on two busy cores took 460 to 1400 ms, and 160 to 270 ms with this.
"""


def wait_politely(environment: MutableMapping[str, str] = os.environ) -> None:
    """Let the threads of GNU OpenMP, torch's on Linux, sleep while they wait; the user's own choice is kept."""
    if "OMP_WAIT_POLICY" not in environment:
        environment.setdefault("GOMP_SPINCOUNT", SPINS)
