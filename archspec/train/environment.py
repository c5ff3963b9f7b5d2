"""What a run was made with: versions, processor, threads, command."""

import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

import archspec

PACKAGES = ("torch", "numpy", "lightning-fabric", "safetensors", "torch-geometric")
BITS = ("torch", "numpy", "processor", "device", "threads")
"""What may change the last bits of a result."""


def describe(device: torch.device, malloc: str) -> dict[str, Any]:
    """The environment as plain data."""
    return {
        "archspec": archspec.__version__,
        "python": platform.python_version(),
        **{name: installed(name) for name in PACKAGES},
        "system": platform.platform(),
        "processor": processor(),
        "device": str(device),
        "gpu": torch.cuda.get_device_name(device) if device.type == "cuda" else None,
        "threads": torch.get_num_threads(),
        "malloc": malloc,
        "spins": os.environ.get("GOMP_SPINCOUNT"),
        "command": sys.argv,
        "commit": commit(),
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def differences(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """What has changed since, among the things that may change the last bits."""
    return [f"{key}: {before[key]} → {now[key]}" for key in BITS if key in before and before[key] != now[key]]


def installed(name: str) -> str | None:
    """The version of a distribution, if it is there."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def processor() -> str:
    """The processor's name; Linux keeps it where `platform` does not look."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor()


def commit() -> str | None:
    """The git commit of the working folder, `-dirty` where files have changed, if there is one."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=5, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None if done.returncode == 0 else None
