"""Where and with how many bits a run computes; lightning-fabric places the module and drives backward and optimiser."""

from typing import Any

import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments import LightningEnvironment
from lightning_fabric.plugins.precision.amp import MixedPrecision
from lightning_fabric.plugins.precision.double import DoublePrecision
from lightning_fabric.plugins.precision.precision import Precision

from archspec.runtime.batch import Batch
from archspec.syntax.schema import TrainSettings
from archspec.train.faults import refusal


class Double(DoublePrecision):
    """Float64 from the batch to the loss; Fabric's own copies every batch and rounds logits to float32."""

    def convert_input(self, data: Any) -> Any:
        """Leave it: `place_batch` has converted the batch."""
        return data

    def convert_output(self, data: Any) -> Any:
        """Leave the logits as they are."""
        return data


def choose(name: str, local: tuple[int, int] = (0, 1)) -> torch.device:
    """The device a user names: `cpu`, `cuda`, `cuda:1`, … or `auto` for the first GPU there is, else the CPU.

    Of several processes on this machine, `local` is the number of this one and how many they are: each has a GPU of its
    own, as numbered.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError:
        raise refusal("E0606", f"unknown device `{name}`", None, "write `cpu`, `cuda`, `cuda:1` or `auto`") from None
    if device.type not in ("cpu", "cuda"):
        raise refusal("E0606", f"archspec does not train on `{name}`", None, "write `cpu`, `cuda`, `cuda:1` or `auto`")
    if device.type == "cpu" and device.index:
        raise refusal("E0606", f"unknown device `{name}`: the CPU has no number", None, "write `cpu`")
    number, processes = local
    if device.type == "cuda" and processes > 1:
        return own_gpu(device, number, processes)
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise refusal(
            "E0607", f"there is no `{name}` here: torch finds {torch.cuda.device_count()} of them", None, cure()
        )
    return device


def own_gpu(device: torch.device, number: int, processes: int) -> torch.device:
    """The GPU of one of several processes; E0607 where not each can have its own."""
    if device.index is not None:
        message = f"`{device}` is one device, and there are {processes} processes on this machine"
        raise refusal("E0607", message, None, "write `--device cuda`: each process takes its own")
    if (there := torch.cuda.device_count()) < processes:
        message = f"{processes} processes on this machine need as many GPUs: torch finds {there}"
        raise refusal("E0607", message, None, cure() if there == 0 else f"write `--nproc-per-node {there}`")
    return torch.device("cuda", number)


def cure() -> str:
    """What helps when a GPU is missing."""
    if torch.cuda.is_available():
        return f"GPUs are numbered from `cuda:0` to `cuda:{torch.cuda.device_count() - 1}`"
    return "write `--device cpu`, or install a torch that was built for your GPU"


class BFloat16(MixedPrecision):
    """Products in bfloat16, by torch's autocast; logits come out in float32, and so do losses and scores."""

    def __init__(self, device: torch.device):
        super().__init__("bf16-mixed", device.type)


def bits(settings: TrainSettings) -> int:
    """Those of weights and data."""
    return 64 if settings.precision == 64 else 32


def open_fabric(device: torch.device, precision: int | str) -> Fabric:
    """Fabric for one device."""
    devices: int | list[int] = 1 if device.type == "cpu" else [device.index or 0]
    plugin: Precision = Precision()
    if precision != 32:
        plugin = Double() if precision == 64 else BFloat16(device)
    # Inside a cluster's job Fabric would take one process a task for granted and refuse to be alone.
    return Fabric(accelerator=device.type, devices=devices, plugins=[plugin, LightningEnvironment()])


def place_batch(batch: Batch, device: torch.device, precision: int) -> Batch:
    """The batch on the device of the module, its numbers with the module's bits."""
    moved = batch.to(device) if device.type != "cpu" else batch
    if precision == 64:
        for name in ("x", "e", "pos", "y"):
            value = getattr(moved, name)
            if value is not None and value.is_floating_point():
                setattr(moved, name, value.double())
    return moved
