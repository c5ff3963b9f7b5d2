"""Checkpoints on the disk: each with its digest, the last one beside the one before it."""

import io
import pickle
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch

from archspec.diagnostics import SpecError
from archspec.train.faults import fault
from archspec.train.files import put, sealed, settle, unsealed, written
from archspec.train.folder import RunFolder

VERSION = 3

Kept = dict[str, Any]
"""The content of a checkpoint: plain values and tensors."""


def save(folder: RunFolder, kept: Kept) -> None:
    """Write the last checkpoint and keep the one that was the last as the previous; an OSError loses neither.

    To `settle` the folder is left to the caller.
    """
    buffer = io.BytesIO()
    torch.save(kept | {"version": VERSION}, buffer)
    part = written(folder.state, sealed(buffer.getvalue()))
    if folder.state.exists():
        put(folder.state, folder.previous)
    put(part, folder.state)


def read(path: Path) -> Kept:
    """The content of a checkpoint; E0615 where it is damaged or of another version."""
    try:
        kept: Kept = torch.load(io.BytesIO(unsealed(path.read_bytes())), map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, ValueError, EOFError, pickle.UnpicklingError) as problem:
        why = problem.strerror if isinstance(problem, OSError) else str(problem).partition("\n")[0]
        raise fault("E0615", f"cannot read the checkpoint: {why}", path, "train again in a new folder") from problem
    if kept.get("version") != VERSION:
        message = f"the checkpoint has version {kept.get('version')}, this archspec reads {VERSION}"
        raise fault("E0615", message, path, "resume with the archspec it was written by, or train again")
    return kept


def latest(folder: RunFolder, say: Callable[[str], None]) -> Kept | None:
    """The last checkpoint; where it is damaged, the one before it, which `say` is told of. None where there is none.

    The damaged one is put aside, lest it take the place of the whole one when the next is written. A run that goes on
    from an earlier checkpoint comes to the same bits. E0615 where no checkpoint is whole.
    """
    if not folder.state.exists():  # killed between two renames, or before the first checkpoint
        return read(folder.previous) if folder.previous.exists() else None
    try:
        return read(folder.state)
    except SpecError as damage:
        with suppress(SpecError):
            kept = read(folder.previous)
            aside = folder.state.with_suffix(".damaged")
            folder.state.replace(aside)
            settle(folder.checkpoints)
            say(f"warning: {damage.diagnostics[0].message}; it is kept as {aside}")
            say(f"going on from the one before it, of epoch {kept['epoch']}")
            return kept
        raise
