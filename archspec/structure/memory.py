"""How much memory can be had, asked before something large is begun."""

import os
from contextlib import suppress
from pathlib import Path

LIMITS = (
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
)
"""Files with the limit of a container and with what it uses of it."""

LARGE = 2**28
"""Bytes that are taken without asking."""


def need(taken: int, what: str) -> None:
    """Raise MemoryError, before anything is begun, where so many bytes cannot be had."""
    if taken > LARGE and taken > (free := available()):
        raise MemoryError(shortage(what, taken, free))


def shortage(what: str, taken: int, free: int) -> str:
    """What takes how much, and how much there is."""
    return f"{what} take at least {taken / 1e9:,.1f} GB, {free / 1e9:,.1f} GB are free"


def available() -> int:
    """Bytes that this process can still get without swapping: of the machine, or of its container if that is less."""
    return min([of_machine(), *of_containers()])


def of_machine() -> int:
    """What Linux calls available; elsewhere all of the machine's memory."""
    with suppress(OSError):
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def of_containers() -> list[int]:
    """What is left of every limit that can be read; `max` is none."""
    left = []
    for limit, used in LIMITS:
        with suppress(OSError, ValueError):
            left.append(int(Path(limit).read_text()) - int(Path(used).read_text()))
    return left
