"""Predictions of a split, a row for every node, edge, pair or graph, into a file: `.csv`, `.npz` or `.pt`."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from archspec.data.split import Split
from archspec.runtime.batch import Batch
from archspec.train.engine import Evaluator
from archspec.train.faults import fault

Columns = dict[str, NDArray[Any]]
"""graph, node or i and j (their numbers in the graph) [rows]; label, prediction [rows] or [rows, out]; logit,
probability."""


def write(evaluator: Evaluator, split: Split, path: Path, watch: Callable[[int], None]) -> int:
    """Write the predictions of a split batch by batch, and return how many rows there were.

    The file appears when it is complete. `watch` is told the number of graphs done.
    """
    part = path.with_name(f".{path.name}.part")
    parts = columns(evaluator, split, watch)
    try:
        with part.open("wb") as file:
            rows = WRITERS[path.suffix](parts, file)
        part.replace(path)
    except OSError as problem:
        raise fault(
            "E0652", f"cannot write predictions: {problem.strerror}", path, "name a file that can be written"
        ) from problem
    finally:
        part.unlink(missing_ok=True)
    return rows


def check(path: Path, force: bool) -> Path:
    """A path predictions may be written to; E0650 for an unknown ending, E0651 where a file stands."""
    if path.suffix not in WRITERS:
        known = ", ".join(f"`{ending}`" for ending in WRITERS)
        raise fault(
            "E0650", f"unknown kind of file `{path.suffix or path.name}`", path, f"let the name end in one of {known}"
        )
    if path.is_dir() or not path.parent.is_dir():
        message = "this is a folder" if path.is_dir() else f"there is no folder `{path.parent}`"
        raise fault("E0652", f"cannot write predictions: {message}", path, "name a file in a folder that exists")
    if path.exists() and not force:
        raise fault(
            "E0651", "there is a file of this name already", path, "name another one, or replace it with `--force`"
        )
    return path


def columns(evaluator: Evaluator, split: Split, watch: Callable[[int], None]) -> Iterator[Columns]:
    """The columns of every batch; graphs are numbered as in the split, nodes as in their graph."""
    first = 0
    for batch, prediction, _entries, y in evaluator.outputs(split):
        found = places(batch, first, evaluator.task.data.facts.level) | evaluator.kind.columns(prediction, y)
        yield {name: value.cpu().numpy() for name, value in found.items()}
        first += batch.graphs
        watch(first)


def places(batch: Batch, first: int, level: str) -> dict[str, Tensor]:
    """Which graph, and which node or pair (i, j) of it, every row of a prediction is for; edges lead from j to i."""
    if level == "graph":
        return {"graph": torch.arange(first, first + batch.graphs)}
    graph, ptr = batch.graph.cpu(), batch.node_ptr.cpu()
    counted = slice(None) if batch.mask is None else batch.mask.cpu()
    if level in ("edge", "pair"):
        pairs = batch.pairs("N" if level == "edge" else "targets")
        i, j = pairs.target.cpu()[counted], pairs.index.cpu()[counted]
        return {"graph": graph[i] + first, "i": i - ptr[graph[i]], "j": j - ptr[graph[j]]}
    node = torch.arange(batch.nodes) - ptr[graph]
    return {"graph": (graph + first)[counted], "node": node[counted]}


def write_csv(parts: Iterator[Columns], file: IO[bytes]) -> int:
    """A line for every row; numbers with all their digits."""
    rows = 0
    for part in parts:
        flat = dict(spread(part))
        if not rows:
            file.write((",".join(flat) + "\n").encode())
        lines = zip(*(column.tolist() for column in flat.values()), strict=True)
        file.write("".join(",".join(map(repr, line)) + "\n" for line in lines).encode())
        rows += len(part["graph"])
    return rows


def spread(part: Columns) -> Iterator[tuple[str, NDArray[Any]]]:
    """Matrices as one column a class or number: `logit_0`, `logit_1`; a single column keeps its name."""
    for name, column in part.items():
        if column.ndim == 1 or column.shape[1] == 1:
            yield name, column.reshape(-1)
        else:
            yield from ((f"{name}_{label}", column[:, label]) for label in range(column.shape[1]))


def write_npz(parts: Iterator[Columns], file: IO[bytes]) -> int:
    """One array a column."""
    with tempfile.TemporaryDirectory() as folder:
        found = gather(parts, Path(folder))
        np.savez(file, **found)  # type: ignore[arg-type]  # its stub takes the names for its own options
        return len(found["graph"])


def write_pt(parts: Iterator[Columns], file: IO[bytes]) -> int:
    """One tensor a column, loadable with `weights_only=True`."""
    with tempfile.TemporaryDirectory() as folder:
        found = gather(parts, Path(folder))
        torch.save({name: torch.from_numpy(column) for name, column in found.items()}, file)
        return len(found["graph"])


def gather(parts: Iterator[Columns], folder: Path) -> Columns:
    """The columns of all batches as arrays mapped from files, so that a large split need not fit into memory."""
    like: Columns = {}
    files: dict[str, IO[bytes]] = {}
    for part in parts:
        like = part
        for name, column in part.items():
            if name not in files:
                files[name] = (folder / name).open("wb")
            files[name].write(np.ascontiguousarray(column).tobytes())
    for file in files.values():
        file.close()
    return {
        name: np.memmap(folder / name, column.dtype, "c").reshape(-1, *column.shape[1:])
        for name, column in like.items()
    }


WRITERS: dict[str, Callable[[Iterator[Columns], IO[bytes]], int]] = {
    ".csv": write_csv,
    ".npz": write_npz,
    ".pt": write_pt,
}
