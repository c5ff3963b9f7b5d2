"""The labels of the user's own graphs: what carries them, and whether they are classes, answers or numbers."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from archspec.data.packed import Rows
from archspec.data.raw import Array, Raw, Spot, more, table
from archspec.diagnostics import Diagnostic

MANY = 1000
"""Classes, or categories, that are believed even where there are fewer rows than that."""

COUNTS: Mapping[Rows, Callable[[Raw], int]] = {
    "graph": lambda graph: 1,
    "node": lambda graph: graph.num_nodes,
    "edge": lambda graph: graph.num_edges,
    "pair": lambda graph: graph.num_pairs,
}
"""How many labels a graph has where they stand at a level."""


def read(graphs: Sequence[Raw], whole: Spot, task: str | None) -> tuple[Rows, str, list[Diagnostic]]:
    """What carries labels, of which kind they are, and what is wrong with them; `task` is the kind that is wanted."""
    cure = "give every graph labels `y`: one row a graph, or one a node"
    without = [graph.at("y", 0).problem("E0423", "there is no `y`", cure) for graph in graphs if graph.y is None]
    labelled = [graph for graph in graphs if graph.y is not None]
    if not labelled:
        return "graph", "regression", without
    level, wrong = level_of(labelled)
    if wrong := wrong or uneven(labelled):
        return level, "regression", without + wrong
    kind = task or kind_of(labelled)
    return level, kind, without + (list(CHECKS[kind](labelled)) or crowded(labelled, kind, whole))


def rows(y: Array | None) -> Array:
    """Labels as [rows, numbers]; a single number is one row."""
    assert y is not None  # asked for before
    return table(y.reshape(1) if y.ndim == 0 else y)


def level_of(graphs: Sequence[Raw]) -> tuple[Rows, list[Diagnostic]]:
    """What has as many labels in every graph; where nothing has, the graphs that do not go with the rest."""
    counts = [len(rows(graph.y)) for graph in graphs]
    listed = any(graph.edge_label_index is not None for graph in graphs)
    levels = levels_of(graphs[0], len(graphs), listed)
    fits = {
        level: [count == COUNTS[level](graph) for graph, count in zip(graphs, counts, strict=True)] for level in levels
    }
    best = max(levels, key=lambda level: sum(fits[level]))
    cure = "give it one row a graph (several numbers a graph are [1, numbers]), one a node or one an edge"
    things = "{0.num_nodes} nodes and {0.num_edges} edges"
    if listed:
        cure, things = "give `edge_label`, or `y`, one row for each pair of `edge_label_index`", "{0.num_pairs} pairs"
    return best, [
        graph.at("y", 0).problem("E0423", f"`y` has {count} rows, and there are {things.format(graph)}", cure)
        for graph, count, fit in zip(graphs, counts, fits[best], strict=True)
        if not fit
    ]


def levels_of(first: Raw, graphs: int, listed: bool) -> Sequence[Rows]:
    """What can carry the labels: what their table is of, the pairs that are listed, or anything else."""
    if first.level is not None:
        return (first.level,)
    if listed:
        return ("pair",)
    return ("graph", "node", "edge") if graphs > 1 else ("node", "edge")


def uneven(graphs: Sequence[Raw]) -> list[Diagnostic]:
    """Graphs whose labels are not as wide as those of the first."""
    wanted = rows(graphs[0].y).shape[1]
    return [
        graph.at("y", 0).problem(
            "E0422",
            f"`y` has {rows(graph.y).shape[1]} numbers a row, those before have {wanted}",
            "give every graph the same columns of `y`",
        )
        for graph in graphs
        if rows(graph.y).shape[1] != wanted
    ]


def kind_of(graphs: Sequence[Raw]) -> str:
    """The kind of task that labels look like: one whole number is a class, 0, 1 and NaN are answers."""
    found = [rows(graph.y) for graph in graphs]
    if found[0].shape[1] == 1 and all(one.dtype.kind in "uib" for one in found):
        return "classification"
    known = np.unique(np.concatenate([np.unique(one[one == one]) for one in found]))
    return "multi-label" if set(known.tolist()) <= {0, 1} else "regression"


def classes(graphs: Sequence[Raw]) -> Iterator[Diagnostic]:
    """Labels that are not one whole number from 0."""
    cure = "number classes from 0, or write `options: {task: regression}` if they are numbers"
    for graph in graphs:
        y = rows(graph.y)
        if y.shape[1] != 1:
            yield graph.at("y", 0).problem("E0423", f"`y` has {y.shape[1]} columns, and a class is one number", cure)
        elif len(bad := np.flatnonzero(~((y[:, 0] >= 0) & (y[:, 0] == np.floor(y[:, 0]))))):
            message = f"row {bad[0]} of `y` is {y[bad[0], 0]}, which is no class" + more(len(bad))
            yield graph.at("y", int(bad[0])).problem("E0423", message, cure)


def answers(graphs: Sequence[Raw]) -> Iterator[Diagnostic]:
    """Labels that are neither 0, 1 nor unknown."""
    for graph in graphs:
        y = rows(graph.y).astype(np.float64)
        if len(bad := np.flatnonzero(~(np.isnan(y) | (y == 0) | (y == 1)).all(1))):
            message = f"row {bad[0]} of `y` is neither 0, 1 nor NaN" + more(len(bad))
            yield graph.at("y", int(bad[0])).problem("E0423", message, "write 1 for yes, 0 for no, NaN for not known")


def numbers(graphs: Sequence[Raw]) -> Iterator[Diagnostic]:
    """Labels that are not finite."""
    for graph in graphs:
        with np.errstate(over="ignore"):
            bad = np.flatnonzero(~np.isfinite(rows(graph.y).astype(np.float32)).all(1))
        if len(bad):
            message = f"row {bad[0]} of `y` is not finite" + more(len(bad))
            yield graph.at("y", int(bad[0])).problem("E0421", message, "leave out what has no label")


CHECKS: Mapping[str, Callable[[Sequence[Raw]], Iterator[Diagnostic]]] = {
    "classification": classes,
    "multi-label": answers,
    "regression": numbers,
}
"""What the labels of every kind of task have to be."""


def crowded(graphs: Sequence[Raw], kind: str, whole: Spot) -> list[Diagnostic]:
    """Classes numbered so high that they cannot be meant, or no label that is known."""
    found = [rows(graph.y) for graph in graphs]
    if kind == "multi-label" and all(np.isnan(one.astype(np.float64)).all() for one in found):
        return [whole.problem("E0423", "no label is known: all are NaN", "give some")]
    if kind != "classification":
        return []
    count = sum(map(len, found))
    worst = max(range(len(found)), key=lambda number: found[number].max(initial=0))
    row = int(found[worst].argmax()) if len(found[worst]) else 0
    if found[worst].max(initial=0) < max(MANY, count):
        return []
    message = f"row {row} of `y` is the class {found[worst][row, 0]}, and there are only {count} labels"
    cure = "number classes from 0 without gaps, or write `options: {task: regression}` if they are numbers"
    return [graphs[worst].at("y", row).problem("E0423", message, cure)]


def packable(y: Array | None, kind: str) -> Array:
    """Classes as int64, [rows], others as float32, [rows, numbers]."""
    found = rows(y)
    return found[:, 0].astype(np.int64) if kind == "classification" else found.astype(np.float32)
