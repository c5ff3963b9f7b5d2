"""The table of built-in data sets: their task, vocabulary, classes and sizes."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Facts:
    """What a data set is like. Sizes are means over the graphs of all splits unless they say otherwise.

    Either `letters` (x holds whole numbers below it) or `features` (x holds so many real numbers a node) is known.
    """

    name: str
    task: str
    out: int
    """Classes, the width of a prediction."""
    letters: int | None
    """Vocabulary of x, None when x is numeric."""
    features: int | None
    """Width of a numeric x, None when x is categorical."""
    nodes: float
    """Mean number of nodes a graph."""
    edges: float
    """Mean number of directed edges a graph; an undirected edge counts twice."""
    max_nodes: int
    """Nodes of the largest graph."""
    density: float
    """Σ edges / Σ nodes²: the share of all ordered pairs that are edges (performance page, p)."""
    padding: float
    """Mean of 32·max(n)² / Σ n² over batches of 32 training graphs: what padding wastes (performance page, w)."""
    symmetric: bool
    """Whether every edge is there in both directions."""
    self_loops: bool
    repeated_edges: bool
    graphs: Mapping[str, int]
    """Graphs in each split, `limit` left aside."""


TABLE: Mapping[str, Facts] = {
    "pattern": Facts(
        name="pattern",
        task="node classification",
        out=2,
        letters=3,
        features=None,
        nodes=115.716,
        edges=5718.195,
        max_nodes=186,
        density=0.41319,
        padding=1.8226,
        symmetric=True,
        self_loops=False,
        repeated_edges=False,
        graphs={"train": 10_000, "val": 2_000, "test": 2_000},
    ),
}
"""Built-in data sets by name. Figures of generated ones are those of seed 0; other seeds differ by about 1 %."""
