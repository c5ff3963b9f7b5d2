"""PyG's `Data` objects become packed graphs, and what the labels are for is found out."""

from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from archspec.data.folds import FOLDS, dealt
from archspec.data.packed import PARTS, Packed, Rows, joined, smallest, sort_edges

Array = NDArray[Any]
PARTS_OF_MASKS = {"train": "train_mask", "val": "val_mask", "test": "test_mask"}


class Unfit(Exception):
    """Graphs that cannot be learnt from here; the message completes the sentence `the data set `NAME` …`."""


def packed(graphs: Sequence[Any], watch: Callable[[int], None], whole: bool, level: Rows | None = None) -> Packed:
    """The graphs packed, letters and edges in as few bytes as they need; of a whole set of one graph with masks.

    What carries labels follows from their number where `level` does not say it. Raises Unfit for graphs without labels,
    of several kinds of nodes, or that do not have the same columns.
    """
    if not len(graphs):
        raise Unfit("holds no graphs")
    level = level or level_of(graphs)
    parts = []
    for number, graph in enumerate(graphs):
        parts.append(pack(graph, level, number))
        watch(number + 1)
    alone = whole and len(graphs) == 1
    try:
        found = joined([masked(parts[0], graphs[0])] if alone else parts)
    except (ValueError, TypeError) as problem:
        raise Unfit(f"has features of different widths: {problem}") from problem
    return found.made({name: smallest(one) if one.dtype == np.int64 else one for name, one in found.columns.items()})


def level_of(graphs: Sequence[Any]) -> Rows:
    """What carries a label, from how many labels every graph has."""
    first = graphs[0]
    if not hasattr(first, "edge_index") or not hasattr(first, "num_nodes"):
        raise Unfit("has several kinds of nodes or edges, which is not supported yet")
    if any(getattr(one, "y", None) is None or getattr(one, "edge_index", None) is None for one in graphs):
        raise Unfit("has graphs without labels `y` or without `edge_index`")
    counts = [(rows_of(one.y), one.num_nodes, one.edge_index.shape[1]) for one in graphs]
    if len(graphs) > 1 and all(labels == 1 for labels, _, _ in counts):
        return "graph"
    if all(labels == nodes for labels, nodes, _ in counts):
        return "node"
    if all(labels == edges for labels, _, edges in counts):
        return "edge"
    raise Unfit("has labels `y` that are neither one a node, one an edge nor one a graph")


def rows_of(y: Any) -> int:
    """How many labels a tensor holds."""
    return len(y) if y.dim() else 1


def pack(graph: Any, level: Rows, number: int) -> Packed:
    """One graph; without features every node carries the letter 0."""
    nodes = int(graph.num_nodes)
    edges = array(graph.edge_index).astype(np.int64)
    if edges.size and not 0 <= edges.min() <= edges.max() < nodes:
        raise Unfit(f"has an edge of graph {number} to a node that is not there")
    order, degree, source = sort_edges(edges, nodes)
    x = np.zeros(nodes, np.int64) if graph.x is None else features(array(graph.x), "x", nodes, number)
    y = labels(array(graph.y))
    e, pos = getattr(graph, "edge_attr", None), getattr(graph, "pos", None)
    return Packed(
        np.array([nodes], np.int32),
        x,
        y[order] if level == "edge" else y,
        degree,
        source,
        None if e is None else features(array(e), "edge_attr", len(order), number)[order],
        None if pos is None else features(array(pos).astype(np.float32), "pos", nodes, number),
        level=level,
    )


def array(tensor: Any) -> Array:
    """A tensor as an array, a sparse one in full; an array as it is."""
    if isinstance(tensor, np.ndarray):
        return tensor
    return cast(Array, (tensor.to_dense() if tensor.layout is not tensor_layout() else tensor).numpy())


def tensor_layout() -> Any:
    """The layout of a plain tensor."""
    import torch

    return torch.strided


def features(values: Array, name: str, rows: int, number: int) -> Array:
    """One whole number a row as letters, [rows]; anything else as numbers, [rows, features]."""
    if len(values) != rows:
        raise Unfit(f"has {len(values)} rows of `{name}` in graph {number}, where {rows} belong")
    if values.dtype.kind in "uib" and values[:1].size <= 1 and values.min(initial=0) >= 0:
        return values.reshape(rows).astype(np.int64)
    found = values.reshape(rows, -1).astype(np.float32)
    if not np.isfinite(found).all():
        raise Unfit(f"has a number in `{name}` of graph {number} that is not finite")
    return found


def labels(y: Array) -> Array:
    """One whole number a row as classes, [rows]; anything else as numbers, [rows, numbers]."""
    y = y.reshape(1) if y.ndim == 0 else y
    if y.dtype.kind in "uib" and y[:1].size <= 1:
        if y.min(initial=0) < 0:
            raise Unfit("has labels below 0")
        return y.reshape(len(y)).astype(np.int64)
    return y.reshape(len(y), -1).astype(np.float32)


def masked(one: Packed, graph: Any) -> Packed:
    """A single graph with the masks of its splits; ten folds over its nodes where it comes without."""
    if one.level != "node":
        raise Unfit("has a single graph with labels that are not of its nodes")
    masks = {part: getattr(graph, name, None) for part, name in PARTS_OF_MASKS.items()}
    if any(mask is None for mask in masks.values()):
        return one.made({**one.columns, "mask": dealt_masks(one)})
    columns = {part: array(mask).reshape(len(one.x), -1) for part, mask in masks.items()}
    folds = max(mask.shape[1] for mask in columns.values())
    bits = np.zeros((len(one.x), folds), dtype=np.uint8)
    for part, mask in columns.items():
        bits |= mask.astype(np.uint8) * np.uint8(PARTS[part])
    return one.made({**one.columns, "mask": bits})


def dealt_masks(one: Packed) -> NDArray[np.uint8]:
    """Masks of ten folds over the nodes of a graph, drawn with seed 0."""
    bits = np.zeros((len(one.x), FOLDS), dtype=np.uint8)
    for fold in range(FOLDS):
        for part, nodes in dealt(one.y, fold, 0).items():
            bits[nodes, fold] = PARTS[part]
    return bits
