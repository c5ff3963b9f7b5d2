"""What graphs of the user's own have to be: every problem of all of them, each where it stands.

Non-goal: opinions. Loops, repeated edges, isolated nodes and classes that a split lacks are told by `archspec data`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from archspec.data import targets
from archspec.data.folds import FOLDS
from archspec.data.packed import Rows
from archspec.data.raw import Array, Raw, Spot, are_letters, more, table, width
from archspec.data.targets import MANY
from archspec.diagnostics import Diagnostic, SpecError

COLUMNS = {"x": "num_nodes", "edge_attr": "num_edges", "pos": "num_nodes"}
"""Every array of features, and what it has a row for."""

MASKS = ("train_mask", "val_mask", "test_mask")
ENDS = {
    "edge_index": ("edge", "goes from node {} to {}", "source above target"),
    "edge_label_index": ("pair", "is of the nodes j = {} and i = {}", "j above i"),
}
THINGS = {"num_nodes": "node", "num_edges": "edge"}


def sound(splits: Mapping[str, Sequence[Raw]], whole: Spot, task: str | None) -> tuple[Rows, dict[str, list[Raw]]]:
    """What carries the labels, and the graphs with their features and labels in the form that is packed.

    `whole` is where the data set as such stands. Raises SpecError with all problems.
    """
    problems: list[Diagnostic] = []
    graphs = [graph for part in splits.values() for graph in part]
    well = []
    for graph in graphs:
        found = list(structure(graph))
        problems += found or finite(graph)
        well += [] if found else [graph]
    problems += parts(splits, whole)
    level, kind, wrong = targets.read(well, whole, task)
    if len(graphs) == len(well) == 1 and "all" in splits and not wrong:
        wrong = list(masks(graphs[0], level))
    for name in COLUMNS:
        problems += alike(name, well) or categories(name, well)
    problems += wrong
    if problems:
        raise SpecError(problems)
    letters = {name for name in COLUMNS if name != "pos" and are_letters(of_all(name, graphs))}
    done = {part: [packable(graph, letters, kind) for graph in one] for part, one in splits.items()}
    return level, done


def structure(graph: Raw) -> Iterator[Diagnostic]:
    """Nodes that there are, edges between them, and as many rows in every array as it needs."""
    if graph.num_nodes < 1:
        yield graph.at("graph", 0).problem("E0424", "it has no nodes", "leave it out")
        return
    for name in ENDS:
        if wrong := list(ends(graph, name)):
            yield from wrong
            return
    for name, rows in COLUMNS.items():
        values, wanted = getattr(graph, name), getattr(graph, rows)
        if values is not None and (not values.ndim or len(values) != wanted):
            message = f"`{name}` has the shape {list(values.shape)}, and there are {wanted} {THINGS[rows]}s"
            yield graph.at(name, 0).problem("E0422", message, f"give it one row a {THINGS[rows]}")
    for name in (*COLUMNS, *MASKS, "y"):
        if (values := getattr(graph, name)) is not None and values.dtype.kind not in "biuf":
            yield graph.at(name, 0).problem("E0421", f"`{name}` holds {values.dtype}", "write real or whole numbers")


def ends(graph: Raw, name: str) -> Iterator[Diagnostic]:
    """Edges, or pairs, to nodes that are not there."""
    values, (what, words, above) = getattr(graph, name), ENDS[name]
    if values is None:
        return
    if values.ndim != 2 or len(values) != 2 or values.dtype.kind not in "iu":
        message = f"`{name}` has the shape {list(values.shape)} and the type {values.dtype}"
        yield graph.at(name, 0).problem("E0420", message, f"write [2, {what}s] whole numbers, {above}")
    elif len(outside := np.flatnonzero(((values < 0) | (values >= graph.num_nodes)).any(0))):
        first = int(outside[0])
        message = f"{what} {first} {words.format(*values[:, first])}, and there are {graph.num_nodes}"
        cure = "number the nodes of every graph from 0, and set `num_nodes` where there is no x"
        yield graph.at(name, first).problem("E0420", message + more(len(outside)), cure)


def finite(graph: Raw) -> list[Diagnostic]:
    """Numbers among the features that are none."""
    found = []
    for name in COLUMNS:
        values = getattr(graph, name)
        if values is not None and values.dtype.kind == "f":
            with np.errstate(over="ignore"):
                bad = np.flatnonzero(~np.isfinite(table(values).astype(np.float32)).all(1))
            if len(bad):
                message = f"row {bad[0]} of `{name}` is not finite" + more(len(bad))
                found.append(
                    graph.at(name, int(bad[0])).problem("E0421", message, "replace it, or leave the graph out")
                )
    return found


def alike(name: str, graphs: Sequence[Raw]) -> list[Diagnostic]:
    """Graphs whose features are not as wide as those of the first, or that have none where others have."""
    widths = [width(getattr(graph, name)) for graph in graphs]
    wanted = next((one for one in widths if one is not None), None)
    found = []
    for graph, own in zip(graphs, widths, strict=True):
        if own != wanted:
            message = f"`{name}` has {own} numbers a row, those before have {wanted}"
            if own is None:
                message = f"there is no `{name}`, and other graphs have it"
            found.append(graph.at(name, 0).problem("E0422", message, f"give every graph the same columns of `{name}`"))
    return found


def of_all(name: str, graphs: Sequence[Raw]) -> list[Array]:
    """A column of every graph that has it."""
    return [values for graph in graphs if (values := getattr(graph, name)) is not None]


def categories(name: str, graphs: Sequence[Raw]) -> list[Diagnostic]:
    """Categories below 0, or numbered so high that they cannot be meant as such."""
    if name == "pos" or not are_letters(of_all(name, graphs)):
        return []
    cure = f"number categories from 0, or make `{name}` floating point if it holds numbers"
    found = []
    for graph in graphs:
        values = table(getattr(graph, name))
        if len(bad := np.flatnonzero((values < 0).any(1))):
            message = f"row {bad[0]} of `{name}` is the category {values[bad[0]].min()}" + more(len(bad))
            found.append(graph.at(name, int(bad[0])).problem("E0425", message, cure))
    most = max(graphs, key=lambda graph: getattr(graph, name).max(initial=0))
    column = table(getattr(most, name)).max(axis=1, initial=0)
    rows = sum(len(getattr(graph, name)) for graph in graphs)
    if len(column) and column.max() >= max(MANY, rows):
        row = int(column.argmax())
        message = f"row {row} of `{name}` is the category {column[row]}, and there are only {rows} rows"
        found.append(most.at(name, row).problem("E0425", message, cure))
    return found


def parts(splits: Mapping[str, Sequence[Raw]], whole: Spot) -> Iterator[Diagnostic]:
    """Splits that are empty, too little for folds, or masks that do not divide nodes."""
    for part, graphs in splits.items():
        if not graphs:
            where = "" if part == "all" else f" in `{part}`"
            yield whole.problem("E0427", f"there are no graphs{where}", "put some there")
    everything = splits.get("all", ())
    if 1 < len(everything) < FOLDS:
        message = f"{len(everything)} graphs without splits are too few for ten folds"
        yield whole.problem("E0427", message, "give splits: train, val and test")


def masks(graph: Raw, level: Rows) -> Iterator[Diagnostic]:
    """The masks of a single graph: all three or none, of truth values, a row for every label, no label in two."""
    found, labels = [getattr(graph, name) for name in MASKS], len(targets.rows(graph.y))
    if all(mask is None for mask in found):
        if labels < FOLDS:
            message = f"{labels} {level}s without masks are too few for ten folds"
            yield graph.at("train_mask", 0).problem("E0427", message, "give `train_mask`, `val_mask` and `test_mask`")
        return
    for name, mask in zip(MASKS, found, strict=True):
        if mask is None or not (mask.dtype.kind == "b" or np.isin(mask, (0, 1)).all()) or not mask.any():
            yield graph.at(name, 0).problem("E0427", f"`{name}` is missing, empty or not true and false", "add it")
            return
        if len(mask) != labels:
            message = f"`{name}` has the shape {list(mask.shape)}, and there are labels of {labels} {level}s"
            yield graph.at(name, 0).problem("E0422", message, f"give it one row a {level}")
            return
    widths = {table(mask).shape[1] for mask in found} - {1}
    if len(widths) > 1:
        message = f"the masks have {' and '.join(map(str, sorted(widths)))} columns"
        yield graph.at("train_mask", 0).problem("E0427", message, "give every mask one column a fold")
        return
    first, second, third = (table(mask).astype(np.int64) for mask in found)
    twice = np.flatnonzero((first + second + third > 1).any(1))
    if len(twice):
        message = f"{level} {twice[0]} is in two splits" + more(len(twice))
        yield graph.at("train_mask", int(twice[0])).problem("E0427", message, "let the masks not overlap")


def packable(graph: Raw, letters: set[str], kind: str) -> Raw:
    """The graph with categories as int64, [rows] or [rows, columns], and numbers as float32, [rows, numbers]."""
    changed: dict[str, Any] = {}
    for name in COLUMNS:
        if (values := getattr(graph, name)) is not None:
            rows = table(values)
            whole = rows[:, 0] if rows.shape[1] == 1 else rows
            changed[name] = whole.astype(np.int64) if name in letters else rows.astype(np.float32)
    assert graph.y is not None  # else it is not sound
    return replace(graph, **changed, y=targets.packable(graph.y, kind))
