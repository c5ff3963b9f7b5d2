"""PyG's `Data` objects become packed graphs, and what the labels are for is found out."""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from archspec.data.folds import FOLDS, dealt
from archspec.data.packed import PARTS, Packed, Rows, joined, smallest, sort_edges
from archspec.data.raw import are_letters, table, width
from archspec.data.targets import MANY

Array = NDArray[Any]
PARTS_OF_MASKS = {"train": "train_mask", "val": "val_mask", "test": "test_mask"}


class Unfit(Exception):
    """Graphs that cannot be learnt from here; the message completes the sentence `the data set `NAME` …`."""


def packed(
    graphs: Sequence[Any],
    watch: Callable[[int], None],
    whole: bool,
    level: Rows | None = None,
    letters: Collection[str] | None = None,
) -> Packed:
    """The graphs packed, letters and edges in as few bytes as they need; of a whole set of one graph with masks.

    What carries labels follows from their number where `level` does not say it, and which of `x` and `edge_attr` are
    letters from their values where `letters` does not. Raises Unfit for graphs without labels,
    of several kinds of nodes, or that do not have the same columns.
    """
    if not len(graphs):
        raise Unfit("has a split without graphs")
    level = level or level_of(graphs)
    letters = letters_of([graphs]) if letters is None else letters
    parts = []
    for number, graph in enumerate(graphs):
        parts.append(pack(graph, level, number, letters))
        watch(number + 1)
    alone = whole and len(graphs) == 1
    try:
        found = joined([masked(parts[0], graphs[0])] if alone else parts)
    except (ValueError, TypeError) as problem:
        raise Unfit(f"has features of different widths: {problem}") from problem
    return found.made({name: smallest(one) if one.dtype == np.int64 else one for name, one in found.columns.items()})


def level_of(graphs: Sequence[Any]) -> Rows:
    """What carries a label, from how many labels every graph has. Raises Unfit."""
    if not len(graphs):
        raise Unfit("holds no graphs")
    first = graphs[0]
    if not hasattr(first, "edge_index") or not hasattr(first, "num_nodes"):
        raise Unfit("has several kinds of nodes or edges, which is not supported yet")
    if any(labelled(one) is None or getattr(one, "edge_index", None) is None for one in graphs):
        raise Unfit("has graphs without labels `y` or without `edge_index`")
    if any(getattr(one, "edge_label_index", None) is not None for one in graphs):
        return "pair"
    counts = [(rows_of(one.y), one.num_nodes, one.edge_index.shape[1]) for one in graphs]
    if len(graphs) > 1 and all(labels == 1 for labels, _, _ in counts):
        return "graph"
    if all(labels == nodes for labels, nodes, _ in counts):
        return "node"
    if all(labels == edges for labels, _, edges in counts):
        return "edge"
    raise Unfit("has labels `y` that are neither one a node, one an edge nor one a graph")


def labelled(graph: Any) -> Any:
    """The labels: where pairs are listed in `edge_label_index`, theirs, `edge_label` or y; None without."""
    listed = getattr(graph, "edge_label_index", None) is not None
    own = getattr(graph, "edge_label", None) if listed else None
    return getattr(graph, "y", None) if own is None else own


def rows_of(y: Any) -> int:
    """How many labels a tensor holds."""
    return len(y) if y.dim() else 1


def letters_of(splits: Iterable[Sequence[Any]]) -> set[str]:
    """Which of `x` and `edge_attr` are letters in all graphs of all splits: whole numbers that can be meant as such."""
    found, graphs = set(), [graph for split in splits for graph in split]
    for name in ("x", "edge_attr"):
        columns = [array(values) for graph in graphs if (values := getattr(graph, name, None)) is not None]
        if are_letters(columns) and min(int(one.min(initial=0)) for one in columns) >= 0:
            most = max(int(one.max(initial=0)) for one in columns)
            if columns[0].size == len(columns[0]) or most < max(MANY, sum(map(len, columns))):
                found.add(name)
    return found


def pack(graph: Any, level: Rows, number: int, letters: Collection[str]) -> Packed:
    """One graph; without features every node carries the letter 0."""
    nodes = int(graph.num_nodes)
    edges = ends(graph.edge_index, nodes, f"an edge of graph {number}")
    order, degree, source = sort_edges(edges, nodes)
    x = np.zeros(nodes, np.int64) if graph.x is None else features(array(graph.x), "x", nodes, number, letters)
    y, kept = labels(array(labelled(graph))), labels_order(graph, level, number)
    if kept is not None and len(y) != len(kept):
        raise Unfit(f"has {len(y)} labels in graph {number}, where {len(kept)} belong")
    pair = np.flip(array(graph.edge_label_index).astype(np.int64).T[kept], 1) if level == "pair" else None
    e, pos = getattr(graph, "edge_attr", None), getattr(graph, "pos", None)
    return Packed(
        np.array([nodes], np.int32),
        x,
        y if kept is None else y[kept],
        degree,
        source,
        None if e is None else features(array(e), "edge_attr", len(order), number, letters)[order],
        None if pos is None else features(array(pos).astype(np.float32), "pos", nodes, number),
        pair_count=None if pair is None else np.array([len(pair)], np.int32),
        pair=pair,
        level=level,
    )


def ends(index: Any, nodes: int, what: str) -> NDArray[np.int64]:
    """Two rows of numbers of nodes that are there."""
    found = array(index).astype(np.int64)
    if found.ndim != 2 or len(found) != 2 or (found.size and not 0 <= found.min() <= found.max() < nodes):
        raise Unfit(f"has {what} to a node that is not there")
    return found


def labels_order(graph: Any, level: Rows, number: int = 0) -> NDArray[np.int64] | None:
    """Which label comes when: those of edges in their stored order, those of pairs (i, j) by i; None for others."""
    nodes = int(graph.num_nodes)
    if level == "edge":
        return sort_edges(array(graph.edge_index).astype(np.int64), nodes)[0]
    if level != "pair":
        return None
    if getattr(graph, "edge_label_index", None) is None:
        raise Unfit(f"lists no pairs in graph {number}, and others have `edge_label_index`")
    return np.argsort(ends(graph.edge_label_index, nodes, f"a pair of graph {number}")[1], kind="stable")


def array(tensor: Any) -> Array:
    """A tensor as an array, a sparse one in full; an array as it is."""
    if isinstance(tensor, np.ndarray):
        return tensor
    return cast(Array, (tensor.to_dense() if tensor.layout is not tensor_layout() else tensor).numpy())


def tensor_layout() -> Any:
    """The layout of a plain tensor."""
    import torch

    return torch.strided


def features(values: Array, name: str, rows: int, number: int, letters: Collection[str] = ()) -> Array:
    """Letters as whole numbers, [rows] or, of several columns, [rows, columns]; others as numbers, [rows, features]."""
    if len(values) != rows:
        raise Unfit(f"has {len(values)} rows of `{name}` in graph {number}, where {rows} belong")
    if name in letters:
        found = values.reshape(rows) if width(values) == 1 else table(values)
        return found.astype(np.int64)
    found = table(values).astype(np.float32)
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
    """A single graph with the masks of its splits, a row for every label; ten folds where it comes without."""
    if one.level == "graph":
        raise Unfit("has a single graph with labels that are not of its nodes, edges or pairs")
    masks = {
        part: array(mask) for part, name in PARTS_OF_MASKS.items() if (mask := getattr(graph, name, None)) is not None
    }
    if len(masks) < len(PARTS_OF_MASKS):
        return one.made({**one.columns, "mask": dealt_masks(one)})
    columns = {part: mask.reshape(len(mask), -1) for part, mask in masks.items()}
    if any(len(mask) != len(one.y) for mask in columns.values()):
        raise Unfit(f"has masks with another number of rows than the {len(one.y)} labels")
    kept = labels_order(graph, one.level)
    bits = np.zeros((len(one.y), max(mask.shape[1] for mask in columns.values())), dtype=np.uint8)
    for part, mask in columns.items():
        bits |= (mask if kept is None else mask[kept]).astype(np.uint8) * np.uint8(PARTS[part])
    return one.made({**one.columns, "mask": bits})


def dealt_masks(one: Packed) -> NDArray[np.uint8]:
    """Masks of ten folds over the labels of a graph, drawn with seed 0; those of (i, j) and (j, i) stay together."""
    first, group = together(one)
    bits = np.zeros((len(one.y), FOLDS), dtype=np.uint8)
    for fold in range(FOLDS):
        for part, groups in dealt(one.y[first], fold, 0).items():
            bits[np.isin(group, groups), fold] = PARTS[part]
    return bits


def together(one: Packed) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Labels that stay in one split: the first label of every group, and the group of every label.

    Each label is alone, except those of two nodes, which are one group in whatever direction: an undirected edge whose
    two directions were in different splits would give its label away.
    """
    if one.level not in ("edge", "pair"):
        return np.arange(len(one.y)), np.arange(len(one.y))
    if one.pair is not None:
        i, j = one.pair.astype(np.int64).T
    else:
        i, j = np.repeat(np.arange(len(one.degree)), one.degree), one.source.astype(np.int64)
    return np.unique(np.minimum(i, j) * len(one.x) + np.maximum(i, j), return_index=True, return_inverse=True)[1:]
