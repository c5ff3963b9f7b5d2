"""Weights as safetensors, with the spec they belong to in the metadata."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import safetensors
import safetensors.torch
from safetensors import SafetensorError
from torch import Tensor

from archspec.train.faults import fault
from archspec.train.files import put, written

Weights = dict[str, Tensor]


UNKNOWN = "sha256 of the file with these words where the digest stands".ljust(64, ".")
"""Stands for the digest while that is computed."""


def save(path: Path, weights: Mapping[str, Tensor], metadata: Mapping[str, str]) -> None:
    """Write weights; to `settle` the folder is left to the caller.

    A tensor with several names is written once, the others kept as `shared` in the metadata.
    """
    kept, shared = deduplicate(weights)
    extra = {"format": "pt", **metadata, "shared": json.dumps(shared), "sha256": UNKNOWN}
    content = ordered(safetensors.torch.save(kept, extra))
    put(written(path, content.replace(UNKNOWN.encode(), digest(content).encode(), 1)), path)


def digest(content: bytes) -> str:
    """The digest of a file whose own digest is not known yet."""
    return hashlib.sha256(content).hexdigest()


def ordered(content: bytes) -> bytes:
    """The same file with its header sorted, so that equal weights make equal files; the library orders it at random."""
    length = int.from_bytes(content[:8], "little")
    header = json.dumps(json.loads(content[8 : 8 + length]), sort_keys=True, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)  # the tensors stay aligned
    return len(header).to_bytes(8, "little") + header + content[8 + length :]


def load(path: Path) -> tuple[Weights, dict[str, str]]:
    """The weights under all their names, and the metadata; E0615 for a damaged file."""
    try:
        content = path.read_bytes()
        metadata = checked(content)
        weights = safetensors.torch.load(content)
    except (SafetensorError, OSError, ValueError) as problem:
        cure = "`archspec train --resume RUN` writes them anew from the checkpoint"
        raise fault("E0615", f"cannot read the weights: {problem}", path, cure) from problem
    shared: dict[str, str] = json.loads(metadata.get("shared", "{}"))
    return weights | {name: weights[first] for name, first in shared.items()}, metadata


def is_sound(path: Path) -> bool:
    """Whether the file is there and whole."""
    try:
        checked(path.read_bytes())
    except (OSError, ValueError):
        return False
    return True


def checked(content: bytes) -> dict[str, str]:
    """The metadata of a file that is what was written; ValueError where it is not."""
    length = int.from_bytes(content[:8], "little")
    try:
        metadata: dict[str, str] = json.loads(content[8 : 8 + length])["__metadata__"]
        known = metadata["sha256"]
    except (ValueError, KeyError) as problem:
        raise ValueError("its header is damaged") from problem
    if digest(content.replace(known.encode(), UNKNOWN.encode(), 1)) != known:
        raise ValueError("its content is not what was written")
    return metadata


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
