"""The table of built-in data sets: their task, vocabulary, classes and sizes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast

Task = Literal["node classification", "graph classification", "graph regression"]


@dataclass(frozen=True)
class Facts:
    """What a data set is like. Sizes are means over the graphs of all splits unless they say otherwise.

    Either `letters` (x holds whole numbers below it) or `features` (x holds so many real numbers a node) is known; of
    `edge_letters` and `edge_features` at most one, neither where edges carry nothing.
    """

    name: str
    task: Task
    out: int
    """Width of a prediction: classes, or how many numbers are predicted."""
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
    edge_letters: int | None = None
    """Vocabulary of e, None where edges carry no category."""
    edge_features: int | None = None
    """Width of a numeric e, None where edges carry no numbers."""
    positions: int | None = None
    """Dimensions of pos, None where nodes have no place in space."""

    @property
    def level(self) -> Literal["node", "graph"]:
        """What carries a label: every node, or every graph."""
        return cast(Literal["node", "graph"], self.task.partition(" ")[0])


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
    "zinc": Facts(
        name="zinc",
        task="graph regression",
        out=1,
        letters=28,
        features=None,
        nodes=23.154,
        edges=49.801,
        max_nodes=38,
        density=0.08948,
        padding=1.9190,
        symmetric=True,
        self_loops=False,
        repeated_edges=False,
        graphs={"train": 10_000, "val": 1_000, "test": 1_000},
        edge_letters=4,
    ),
}
"""Built-in data sets by name. Figures of generated ones are those of seed 0; other seeds differ by about 1 %.

`zinc`: 12,000 molecules, 28 kinds of atoms and 4 of bonds (0 for none), to predict the penalised logP (Dwivedi et al.
2023). Its figures are those of the benchmark's validation and test molecules with 10,000 others of the same pool for
training.
"""
