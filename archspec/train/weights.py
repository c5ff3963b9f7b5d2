"""Weights as safetensors, with the spec they belong to in the metadata."""

import json
from collections.abc import Mapping
from pathlib import Path

import safetensors
import safetensors.torch
from safetensors import SafetensorError
from torch import Tensor

from archspec.train.faults import refusal
from archspec.train.files import write

Weights = dict[str, Tensor]


def save(path: Path, weights: Mapping[str, Tensor], metadata: Mapping[str, str]) -> None:
    """Write weights. A tensor with several names is written once, the others kept as `shared` in the metadata."""
    kept, shared = deduplicate(weights)
    extra = {"format": "pt", **metadata, "shared": json.dumps(shared)}
    write(path, ordered(safetensors.torch.save(kept, extra)))


def ordered(content: bytes) -> bytes:
    """The same file with its header sorted, so that equal weights make equal files; the library orders it at random."""
    length = int.from_bytes(content[:8], "little")
    header = json.dumps(json.loads(content[8 : 8 + length]), sort_keys=True, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)  # the tensors stay aligned
    return len(header).to_bytes(8, "little") + header + content[8 + length :]


def load(path: Path) -> tuple[Weights, dict[str, str]]:
    """The weights under all their names, and the metadata; E0615 for a damaged file."""
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            metadata = dict(file.metadata() or {})
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as problem:
        raise refusal("E0615", f"cannot read the weights in `{path}`: {problem}", None, "train again") from problem
    shared: dict[str, str] = json.loads(metadata.get("shared", "{}"))
    return weights | {name: weights[first] for name, first in shared.items()}, metadata


def deduplicate(weights: Mapping[str, Tensor]) -> tuple[Weights, dict[str, str]]:
    """Each tensor once under its first name, and the further names → the first one."""
    first: dict[object, str] = {}
    kept: Weights = {}
    shared: dict[str, str] = {}
    for name, tensor in weights.items():
        key = (
            tensor.untyped_storage().data_ptr(),
            tensor.storage_offset(),
            tensor.shape,
            tensor.stride(),
            tensor.dtype,
        )
        if tensor.numel() and key in first:
            shared[name] = first[key]
        else:
            first[key] = name
            # A view into another tensor's memory would be refused, or drag all of it along.
            kept[name] = tensor.detach().cpu().contiguous().clone()
    return kept, shared
