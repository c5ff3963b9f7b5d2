"""What a data set is like: all that a researcher wants to know of it before training, from whole splits, exactly."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archspec.data.columns import Column, column, labels
from archspec.data.duplicates import Duplicates, duplicates
from archspec.data.floor import QUANTITIES, degree_floor
from archspec.data.links import Oddities, links, oddities
from archspec.data.load import DataSet
from archspec.data.packed import Packed
from archspec.data.split import Split
from archspec.facts import Facts


@dataclass(frozen=True)
class Spread:
    """Some whole numbers, summed up."""

    least: int
    median: float
    mean: float
    most: int


@dataclass(frozen=True)
class Size:
    """How much there is in a split."""

    graphs: int
    nodes: int
    edges: int
    """Directed ones."""
    labels: int
    """Rows that count."""
    nodes_per_graph: Spread
    edges_per_graph: Spread


@dataclass(frozen=True)
class Degrees:
    """In-neighbours of the nodes of a split."""

    spread: Spread
    counts: list[int]
    """How many nodes have 0, 1, 2, … of them."""


@dataclass(frozen=True)
class Neighbourhood:
    """How the classes of nodes and their edges go together. Rows are a node's own class, columns its neighbour's.

    `edge_homophily` is the share of edges whose ends have one class (Zhu et al., *Beyond Homophily in Graph Neural
    Networks*, 2020); `class_insensitive` is that of Lim et al., *Large Scale Learning on Non-Homophilous Graphs* (2021,
    equation 1), 0 where neighbours are as if drawn at random: Σ_k max(0, h_k - share of class k) / (classes - 1), h_k
    the share of one class among the neighbours of class k. What is not defined is None.
    """

    edges: list[list[int]]
    """Edges from a neighbour of the column's class into a node of the row's."""
    neighbour: list[list[float | None]]
    """P(neighbour's class | own class)."""
    connection: list[list[float | None]]
    """P(edge | classes): the share of the ordered pairs of two nodes of one graph that are joined, however often."""
    edge_homophily: float | None
    class_insensitive: float | None


@dataclass(frozen=True)
class Floor:
    """What a rule that knows nothing, or next to nothing, reaches."""

    rule: str
    score: str
    splits: dict[str, float]


@dataclass(frozen=True)
class Description:
    """A data set; what is not said by split is of the split in `detailed`."""

    name: str
    task: str
    out: int
    detailed: str
    sizes: dict[str, Size]
    shared: bool
    """Whether the splits are of the nodes of one graph."""
    edges: Oddities
    """Of all splits."""
    density: float
    """Edges for each ordered pair of nodes of one graph, a node with itself included."""
    degree: Degrees
    x: Column
    e: Column | None
    pos: Column | None
    labels: dict[str, Column]
    neighbourhood: Neighbourhood | None
    """Where nodes have classes."""
    floors: list[Floor]
    duplicates: Duplicates | None
    """Where splits are of graphs."""


def describe(data: DataSet, detailed: str = "train") -> Description:
    """Everything of a data set, with details of one split."""
    packed = {name: split.packed for name, split in data.splits.items()}
    chosen, shared = packed[detailed], data.train.packed.mask is not None
    squares = int((chosen.sizes.astype(np.int64) ** 2).sum())
    return Description(
        name=data.name,
        task=data.facts.task,
        out=data.facts.out,
        detailed=detailed,
        sizes={name: size(split) for name, split in data.splits.items()},
        shared=shared,
        edges=of_all([chosen] if shared else list(packed.values())),
        density=len(chosen.source) / max(1, squares),
        degree=Degrees(spread(chosen.degree), np.bincount(chosen.degree).tolist()),
        x=column(chosen.x, data.facts.letters),
        e=None if chosen.e is None else column(chosen.e, data.facts.edge_letters),
        pos=None if chosen.pos is None else column(chosen.pos),
        labels={name: labels(split.labels, data.facts) for name, split in data.splits.items()},
        neighbourhood=neighbourhood(chosen, data.facts.out) if of_nodes(data.facts) else None,
        floors=floors(data),
        duplicates=None if shared else duplicates(packed),
    )


def of_nodes(facts: Facts) -> bool:
    """Whether nodes have classes."""
    return facts.task == "node classification"


def size(split: Split) -> Size:
    """How much there is in a split."""
    nodes, edges = np.diff(split.packed.starts("node")), np.diff(split.packed.starts("edge"))
    return Size(len(split), split.nodes, split.edges, len(split.labels), spread(nodes), spread(edges))


def spread(values: NDArray[Any]) -> Spread:
    """Least, median, mean and most."""
    if not len(values):
        return Spread(0, 0.0, 0.0, 0)
    return Spread(int(values.min()), float(np.median(values)), float(values.mean()), int(values.max()))


def of_all(splits: list[Packed]) -> Oddities:
    """What the edges of any split are like."""
    found = [oddities(one) for one in splits]
    return Oddities(*(any(getattr(one, name) for one in found) for name in ("one_way", "loops", "repeated")))


def neighbourhood(packed: Packed, classes: int) -> Neighbourhood:
    """How classes and edges go together in the graphs of a split; loops and repetitions count as no connection."""
    edges, joined = np.zeros((2, classes, classes), np.int64)
    for some in links(packed):
        y = packed.y[some.nodes].astype(np.int64)
        kind = np.repeat(y * classes, packed.degree[some.nodes]) + y[some.source]
        edges += np.bincount(kind, minlength=classes**2).reshape(classes, classes)
        once = some.source != some.target
        once[1:] &= (some.source[1:] != some.source[:-1]) | (some.target[1:] != some.target[:-1])
        joined += np.bincount(kind if once.all() else kind[once], minlength=classes**2).reshape(classes, classes)
    return Neighbourhood(
        edges.tolist(),
        ratios(edges, edges.sum(1, keepdims=True)),
        ratios(joined, pairs(packed, classes)),
        ratio(np.trace(edges), edges.sum()),
        class_insensitive(edges, np.bincount(packed.y, minlength=classes)),
    )


def pairs(packed: Packed, classes: int) -> NDArray[np.int64]:
    """Ordered pairs of two nodes of one graph by their classes, [classes, classes]."""
    graph = np.repeat(np.arange(packed.graphs), packed.sizes)
    held = np.bincount(graph * classes + packed.y, minlength=packed.graphs * classes).reshape(-1, classes)
    return held.T @ held - np.diag(held.sum(0))


def class_insensitive(edges: NDArray[np.int64], nodes: NDArray[np.int64]) -> float | None:
    """Lim et al. (2021), equation 1, from the edges between classes and the nodes of each; classes that occur count."""
    there = nodes > 0
    if there.sum() < 2 or not edges.sum():
        return None
    own = np.diag(edges) / np.maximum(edges.sum(1), 1)
    return float(np.maximum(own - nodes / nodes.sum(), 0)[there].sum() / (there.sum() - 1))


def ratios(part: NDArray[np.int64], whole: NDArray[np.int64]) -> list[list[float | None]]:
    """Part by part of the whole."""
    return [
        [ratio(*both) for both in zip(*rows, strict=True)]
        for rows in zip(part, np.broadcast_to(whole, part.shape), strict=True)
    ]


def ratio(part: Any, whole: Any) -> float | None:
    """A part of a whole, None of nothing."""
    return int(part) / int(whole) if whole else None


def floors(data: DataSet) -> list[Floor]:
    """What rules reach that do not look at the graph, and where nodes have two classes those that see the degree."""
    y = data.train.labels
    if data.facts.kind == "regression":
        found = [constant(data, "mae", "the training median", np.asarray(np.nanmedian(y, axis=0)))]
        mean = np.asarray(np.nanmean(y, axis=0, dtype=np.float64))
        return [*found, constant(data, "rmse", "the training mean", mean)]
    if data.facts.kind == "multi-label":
        return [
            constant(data, "accuracy", "the answer more frequent in training", np.asarray(np.nanmean(y, axis=0) > 0.5))
        ]
    frequent = int(np.bincount(y).argmax())
    found = [constant(data, "accuracy", f"always class {frequent}", np.array(frequent))]
    if of_nodes(data.facts):
        balanced = {name: 1 / len(np.unique(split.labels)) for name, split in data.splits.items()}
        found.append(Floor("any one class", "acc", balanced))
        for quantity in QUANTITIES:
            if (best := degree_floor(data, quantity)) is not None:
                found.append(Floor(best.rule, "acc", {name: scores[0] for name, scores in best.scores.items()}))
    return found


def constant(data: DataSet, score: str, what: str, prediction: NDArray[Any]) -> Floor:
    """The score of one answer for all; an unknown label does not count."""
    found: Mapping[str, NDArray[Any]] = {
        name: np.abs(split.labels.astype(np.float64) - prediction) for name, split in data.splits.items()
    }
    scored = {
        "mae": lambda error: np.nanmean(error),
        "rmse": lambda error: np.sqrt(np.nanmean(error**2)),
        "accuracy": lambda error: np.nanmean(np.where(np.isnan(error), np.nan, error == 0)),
    }[score]
    return Floor(what, score, {name: float(scored(error)) for name, error in found.items()})
