"""Whether Ray and its cluster are there, asked before anything is compiled. No torch."""

import socket
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

from archspec.diagnostics import Diagnostic, SpecError

PATIENCE = 5.0
"""Seconds for an address to take a connection."""

HEALTH = 20.0
"""Seconds for a cluster to say that it is well; importing Ray is most of it."""


@dataclass(frozen=True)
class Share:
    """Where runs are trained, and what each has of it."""

    address: str | None
    """Of a cluster; None for one that is begun on this machine and ends with the sweep."""
    cpus: float
    gpus: float
    jobs: int | None
    """Runs at a time; None for as many as there is room for."""


def imported() -> Any:
    """Ray. E0841 where it is not there."""
    try:
        import ray
    except ModuleNotFoundError as problem:
        if problem.name != "ray":
            raise
        cure = '`pip install "archspec-nn[ray]"`'
        raise SpecError([Diagnostic("E0841", "`--on ray` needs Ray, which is not installed", help=cure)]) from None
    return ray


def check(share: Share) -> None:
    """E0841 where Ray is not installed, E0842 where its cluster does not answer; in seconds."""
    imported()
    if share.address is None:
        return
    if share.address != "auto":
        check_port(share.address)
    if not share.address.startswith("ray://"):
        check_health(share.address)


def check_port(address: str) -> None:
    """E0842 where nothing takes connections at HOST:PORT."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdecimal():
        raise silent(address, "it is not HOST:PORT")
    try:
        socket.create_connection((host.strip("[]"), int(port)), PATIENCE).close()
    except (OSError, OverflowError) as problem:
        raise silent(address, (getattr(problem, "strerror", None) or str(problem) or "no answer").lower()) from None


def check_health(address: str) -> None:
    """E0842 where no cluster answers. Asked in a process of its own, since Ray itself waits for minutes."""
    asked = [sys.executable, "-m", "ray.scripts.scripts", "health-check"]
    asked += [] if address == "auto" else ["--address", address]
    try:
        found = subprocess.run(asked, capture_output=True, text=True, timeout=HEALTH, check=False)
    except subprocess.TimeoutExpired:
        raise silent(address, "it takes connections but does not answer as Ray does") from None
    if found.returncode:
        said = [line for line in found.stderr.splitlines() if line.strip()]
        raise silent(address, said[-1].partition(". ")[0] if said else "it says that it is not well")


def silent(address: str, why: str) -> SpecError:
    """E0842 for an address."""
    message = f"no cluster of Ray answers at `{address}`"
    cure = "begin one with `ray start --head`, or leave out `--address` for this machine alone"
    return SpecError([Diagnostic("E0842", message, notes=(why,), help=cure)])
