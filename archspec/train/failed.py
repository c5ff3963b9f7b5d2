"""What is to be told of a process that was to train a run and has ended."""

from collections.abc import Sequence

from archspec.diagnostics import Diagnostic
from archspec.train.folder import RunFolder

SHOWN = 5
"""Lines of what a process said that are shown."""


def problems(run: RunFolder, seed: int, code: int, said: Sequence[str], cure: str) -> list[Diagnostic]:
    """E0620 for a run that diverged, E0643 for a process that failed otherwise, with what it said and what to do."""
    if code == 0:
        return []
    result = run.result() or {}
    if result.get("reason") == "diverged":
        smaller = "a smaller `train.optimizer.lr`, or `train.clip`"
        return [Diagnostic("E0620", f"seed {seed} diverged: {result['stopped']}", path=str(run.path), help=smaller)]
    notes = tuple(line.rstrip() for line in said[:SHOWN] if line.strip())
    message = f"the run with seed {seed} ended with exit code {code}"
    return [Diagnostic("E0643", message, path=str(run.path), notes=notes, help=cure)]
