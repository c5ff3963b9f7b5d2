"""What graphs alone give (distances, walks, encodings): computed once for a split, kept in a file, cut into batches.

    archspec graphs 2 crc32=…      as in `archspec.data.store`, with one column
    {"made_by": …, "columns": …}

Batches get it under the keys that emitted code asks for, so nothing else notices. Distances stand for all that follows
from them: `distance`, `adjacency`, `hops` and `reach(k)`.
"""

from __future__ import annotations

import shutil
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from archspec.data.cache import Progress, Report
from archspec.data.packed import offsets
from archspec.data.split import Split, cut
from archspec.data.store import (
    HEADER,
    Damaged,
    Origin,
    Rows,
    align,
    column,
    header,
    little,
    mapped,
    read_column,
    read_header,
    replacing,
)
from archspec.structure.memory import available

if TYPE_CHECKING:  # torch is imported when something is computed
    from torch import Tensor

    from archspec.runtime.batch import Batch

VERSION = 1
"""Counts changes of what is computed."""

PAIRS = 2**20
"""Pairs worked on at a time by a thread; a graph of more is alone."""

FAR = 255
"""A distance of a byte that stands for infinity; in more bytes it is -1."""

FOLDER = "structure"


@dataclass(frozen=True)
class Demand:
    """Something that the graph alone gives: `hops` with its numbers, `laplacian_pe` with its count, `reach` with k."""

    op: str
    numbers: tuple[int, ...] = ()

    @property
    def kept(self) -> Demand:
        """What is kept for it: the distances, or itself."""
        return Demand("distance") if self.op in FROM_DISTANCES else self

    def __str__(self) -> str:
        return f"{self.op}({', '.join(map(str, self.numbers))})" if self.numbers else self.op


FROM_DISTANCES = ("distance", "adjacency", "hops", "reach")


@dataclass(frozen=True)
class Place:
    """Where what is kept for a split goes, and what it is like."""

    demand: Demand
    path: Path
    origin: Origin
    dtype: np.dtype[Any]
    shape: tuple[int, ...]

    @property
    def rows(self) -> Rows:
        """What it has a row for."""
        return "node" if self.demand.op in ON_NODES else "pair"

    @property
    def bytes(self) -> int:
        """How large it is."""
        return int(np.prod(self.shape, dtype=np.int64)) * self.dtype.itemsize


ON_NODES = ("rwse", "laplacian_pe")


def place(demand: Demand, split: Split, digest: str, precision: int, directory: Path) -> Place:
    """Where something of a split is kept: the name says what it is and of which graphs."""
    sizes = split.packed.sizes.astype(np.int64)
    rows = int(sizes.sum() if demand.op in ON_NODES else (sizes**2).sum())
    if demand.op == "distance":
        dtype, axes = np.dtype(np.uint8 if sizes.max(initial=0) <= FAR else np.int16), []
    else:
        width = demand.numbers[0] if demand.op == "laplacian_pe" else len(demand.numbers)
        dtype, axes = np.dtype(f"f{precision // 8}"), [width]
    origin = {"structure": VERSION, "of": str(demand), "dtype": dtype.str, "graphs": digest}
    said = "-".join([demand.op, *map(str, demand.numbers), f"{8 * dtype.itemsize}"])
    name = f"{said if len(said) < 80 else f'{demand.op}-{zlib.crc32(said.encode()):08x}'}-{digest}.array"
    return Place(demand, directory / FOLDER / name, origin, dtype, (rows, *axes))


def digest_of(split: Split) -> str:
    """A hash of the edges of all graphs of a split."""
    digest = blake2b(digest_size=12)
    for values in (split.packed.sizes, split.packed.degree, split.packed.source):
        digest.update(f"{values.dtype.str}{values.shape}".encode())
        digest.update(np.ascontiguousarray(values).data)
    return digest.hexdigest()


class Structured(Split):
    """A split whose batches hold what is kept of their structure."""

    def __init__(self, split: Split, kept: Mapping[Demand, NDArray[Any]], demands: Sequence[Demand], precision: int):
        super().__init__(split.packed, split.symmetric)
        self.kept, self.demands, self.precision = kept, [one for one in demands if one.kept in kept], precision
        self.pair_ptr = offsets(split.packed.sizes.astype(np.int64) ** 2)

    def batch(self, indices: ArrayLike | Sequence[int]) -> Batch:
        """As of any split; what is kept is cut by the same numbers."""
        import torch

        batch, graphs = super().batch(indices), np.asarray(indices, dtype=np.int64)
        dtype = torch.float64 if self.precision == 64 else torch.float32
        nodes, pairs = cut(self.node_ptr, graphs), cut(self.pair_ptr, graphs)
        found = {
            demand: torch.from_numpy((nodes if demand.op in ON_NODES else pairs).copy(array, native(array.dtype)))
            for demand, array in self.kept.items()
        }
        for demand in self.demands:
            fill(batch, demand, found[demand.kept], dtype)
        return batch


def native(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The type in this machine's byte order, which torch wants."""
    return dtype.newbyteorder("=")


def fill(batch: Batch, demand: Demand, found: Tensor, dtype: Any) -> None:
    """Put something into a batch under the key that `archspec.runtime.encodings`, or `Batch.pairs`, looks it up by."""
    import torch

    from archspec.runtime.pairs import subset

    numbers = demand.numbers
    match demand.op:
        case "reach":
            near = (found <= min(numbers[0], FAR - 1)) if found.dtype == torch.uint8 else within(found, numbers[0])
            batch.cache["reach", numbers[0]] = subset(batch.pairs("V"), near, batch.N.symmetric)
        case "distance":
            far = found == (FAR if found.dtype == torch.uint8 else -1)
            batch.cache["distance", dtype] = found.to(dtype).masked_fill_(far, torch.inf)
        case "adjacency":
            batch.cache["adjacency", dtype] = (found == 1).to(dtype)
        case "hops":
            listed = torch.tensor([number if number < FAR or found.dtype != torch.uint8 else -1 for number in numbers])
            batch.cache["hops", numbers, dtype] = (found.short().unsqueeze(1) == listed.short()).to(dtype)
        case "laplacian_pe":
            batch.cache["laplacian_pe", numbers[0], dtype] = found
        case op:
            batch.cache[op, numbers, dtype] = found


def within(distances: Tensor, k: int) -> Tensor:
    """Which distances of more than a byte are at most k."""
    return (distances >= 0) & (distances <= k)


def structured(
    split: Split, demands: Sequence[Demand], precision: int, directory: Path, report: Report, progress: Progress
) -> Split:
    """The split with what is demanded computed and kept, as far as there is room; else it is left to each batch.

    `report` is told what is computed, what is damaged and made anew, and what is not kept. A split of one graph keeps
    its batch anyway and is returned as it is.
    """
    if split.packed.mask is not None or not demands:
        return split
    digest, kept = digest_of(split), {}
    places = [place(one, split, digest, precision, directory) for one in dict.fromkeys(one.kept for one in demands)]
    for one in sorted(places, key=lambda one: one.bytes):
        if (array := had(one, split, report, progress)) is not None:
            kept[one.demand] = array
    return Structured(split, kept, demands, precision) if kept else split


def had(one: Place, split: Split, report: Report, progress: Progress) -> NDArray[Any] | None:
    """What is kept, computed first if it is not there or damaged; None where it cannot be kept."""
    try:
        return read(one)
    except FileNotFoundError:
        pass
    except Damaged as damage:
        report(f"{one.path} {damage}; computing it again")
    size = f"{one.bytes / 1e6:,.1f} MB"
    try:
        one.path.parent.mkdir(parents=True, exist_ok=True)
        room = min(available(), shutil.disk_usage(one.path.parent).free) // 2
        if one.bytes > room:
            report(f"{one.demand} takes {size}, half of what is free is {room / 1e6:,.1f} MB: not kept")
            return None
        report(f"computing {one.demand} of {len(split):,} graphs once: {one.path}, {size}")
        write(one, computed(one, split, progress))
        return read(one)
    except (OSError, Damaged) as problem:
        report(f"{one.demand} cannot be kept ({problem}); it is computed for every batch")
        return None


def read(one: Place) -> NDArray[Any]:
    """A mapped array, its checksum compared. Raises FileNotFoundError or Damaged."""
    content = mapped(one.path)
    columns = read_header(content, one.origin)
    array = read_column(content, "values", columns["values"])
    if array.shape != one.shape:
        raise Damaged("does not hold what it should")
    return array


def write(one: Place, parts: Iterable[NDArray[Any]]) -> None:
    """Write the rows part by part and put the file in place. Raises OSError."""
    with replacing(one.path) as file:
        file.write(bytes(HEADER))
        start, checksum = align(file), 0
        for part in parts:
            data = little(part)
            file.write(data.data)
            checksum = zlib.crc32(data.data, checksum)
        file.seek(0)
        file.write(header(one.origin, {"values": column(start, one.dtype, one.shape, checksum, one.rows)}))


def computed(one: Place, split: Split, progress: Progress) -> Iterator[NDArray[Any]]:
    """The rows of all graphs, some graphs at a time, by as many threads as torch has, each alone with its graphs."""
    import torch

    threads, runs, done = torch.get_num_threads(), iter(list(chunks(split))), 0
    make = MAKE[one.demand.op]
    try:
        with ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            while some := list(islice(runs, threads)):  # no more is held in memory
                for run, found in zip(some, pool.map(lambda run: make(split.batch(run), one), some), strict=True):
                    yield found
                    done += len(run)
                    progress(done, len(split))
    finally:
        torch.set_num_threads(threads)


def chunks(split: Split) -> Iterator[NDArray[np.int64]]:
    """Graphs in order, so many at a time."""
    ends, first = offsets(split.packed.sizes.astype(np.int64) ** 2), 0
    while first < len(split):
        last = max(first + 1, int(np.searchsorted(ends, ends[first] + PAIRS, "right")) - 1)
        yield np.arange(first, last)
        first = last


def distances(batch: Batch, one: Place) -> NDArray[Any]:
    """Distances as whole numbers."""
    import torch

    from archspec.runtime.encodings import pair_distance

    found = pair_distance(batch, torch.float32)
    far = FAR if one.dtype == np.uint8 else -1
    return np.asarray(found.masked_fill(found.isinf(), far).numpy().astype(one.dtype))


def walk(batch: Batch, one: Place) -> NDArray[Any]:
    """Powers of D⁻¹A."""
    from archspec.runtime.encodings import pair_walk

    return np.asarray(pair_walk(batch, one.demand.numbers, torch_type(one)).numpy())


def rwse(batch: Batch, one: Place) -> NDArray[Any]:
    """Diagonals of the powers of D⁻¹A."""
    from archspec.runtime.encodings import node_rwse

    return np.asarray(node_rwse(batch, one.demand.numbers, torch_type(one)).numpy())


def laplacian_pe(batch: Batch, one: Place) -> NDArray[Any]:
    """Eigenvectors, their signs as they are."""
    from archspec.runtime.encodings import node_laplacian_pe

    return np.asarray(node_laplacian_pe(batch, one.demand.numbers[0], False, torch_type(one)).numpy())


def torch_type(one: Place) -> Any:
    """The type of the numbers."""
    import torch

    return torch.float64 if one.dtype.itemsize == 8 else torch.float32


MAKE: Mapping[str, Callable[[Batch, Place], NDArray[Any]]] = {
    "distance": distances,
    "walk": walk,
    "rwse": rwse,
    "laplacian_pe": laplacian_pe,
}
"""What computes the rows of some graphs."""
