"""The table of data sets whose facts come with archspec: their task, vocabulary, classes and sizes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast

from archspec.facts.tasks import KINDS, RANKED

Level = Literal["node", "edge", "pair", "graph"]
Letters = int | tuple[int, ...]
"""How many categories there are: of a single one, or of each of several columns."""


@dataclass(frozen=True)
class Facts:
    """What a data set is like. Sizes are means over the graphs of all splits unless they say otherwise.

    Either `letters` (x holds whole numbers below it, or several columns of them, each below its own) or `features` (x
    holds so many real numbers a node) is known; of `edge_letters` and `edge_features` at most one, neither where edges
    carry nothing.
    """

    name: str
    task: str
    """What carries a label and of what kind it is: `graph regression` (the kinds are in `archspec.facts.tasks`)."""
    out: int
    """Width of a prediction: classes, or how many numbers or answers of yes and no are predicted."""
    letters: Letters | None
    """Vocabulary of x, or of each of its columns; None when x is numeric."""
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
    edge_letters: Letters | None = None
    """Vocabulary of e, or of each of its columns; None where edges carry no category."""
    edge_features: int | None = None
    """Width of a numeric e, None where edges carry no numbers."""
    positions: int | None = None
    """Dimensions of pos, None where nodes have no place in space."""

    benchmark: tuple[str, str] | None = None
    """Loss and main score of the benchmark, None for those of the kind of task."""
    folds: int | None = None
    """How many ways to split it there are, of which `data.fold` names one; None for one."""

    @property
    def level(self) -> Level:
        """What carries a label: every node, edge, listed pair or graph."""
        return cast(Level, self.task.partition(" ")[0])

    @property
    def kind(self) -> str:
        """`classification`, `multi-label` or `regression`."""
        return self.task.partition(" ")[2]

    @property
    def loss(self) -> str:
        """The loss it is trained with unless a spec says otherwise."""
        return self.benchmark[0] if self.benchmark else KINDS[self.kind].losses[0]

    @property
    def score(self) -> str:
        """Its main score."""
        return self.benchmark[1] if self.benchmark else KINDS[self.kind].scores[0]

    @property
    def scores(self) -> tuple[str, ...]:
        """Every score it may be judged by; those of rankings need two classes."""
        known = KINDS[self.kind].scores
        few = self.kind != "classification" or self.out == 2
        return known if few else tuple(name for name in known if name not in RANKED)


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
        benchmark=("weighted_cross_entropy", "acc"),
    ),
    "cluster": Facts(
        name="cluster",
        task="node classification",
        out=6,
        letters=7,
        features=None,
        nodes=116.799,
        edges=4275.700,
        max_nodes=192,
        density=0.30334,
        padding=1.8146,
        symmetric=True,
        self_loops=False,
        repeated_edges=False,
        graphs={"train": 10_000, "val": 1_000, "test": 1_000},
        benchmark=("weighted_cross_entropy", "acc"),
    ),
    "colouring": Facts(
        name="colouring",
        task="node classification",
        out=3,
        letters=4,
        features=None,
        nodes=48.923,
        edges=243.0,
        max_nodes=210,
        density=0.051451,
        padding=3.0509,
        symmetric=True,
        self_loops=False,
        repeated_edges=False,
        graphs={"train": 2_000, "val": 200, "test": 400},
    ),
    "colouring_pairs": Facts(
        name="colouring_pairs",
        task="pair classification",
        out=2,
        letters=1,
        features=None,
        nodes=85.333,
        edges=443.0,
        max_nodes=210,
        density=0.039199,
        padding=3.0509,
        symmetric=True,
        self_loops=False,
        repeated_edges=False,
        graphs={"train": 8, "val": 2, "test": 8},
    ),
    "palindrome": Facts(
        name="palindrome",
        task="node classification",
        out=2,
        letters=1,
        features=None,
        nodes=4.0,
        edges=6.0,
        max_nodes=4,
        density=0.375,
        padding=1.0,
        symmetric=True,
        self_loops=False,
        repeated_edges=False,
        graphs={"train": 1, "val": 1, "test": 1},
    ),
    "palindrome_pairs": Facts(
        name="palindrome_pairs",
        task="pair classification",
        out=2,
        letters=1,
        features=None,
        nodes=4.0,
        edges=6.0,
        max_nodes=4,
        density=0.375,
        padding=1.0,
        symmetric=True,
        self_loops=False,
        repeated_edges=False,
        graphs={"train": 1, "val": 1, "test": 1},
    ),
    "pyramid": Facts(
        name="pyramid",
        task="node classification",
        out=3,
        letters=4,
        features=None,
        nodes=55.0,
        edges=270.0,
        max_nodes=55,
        density=0.08925620,
        padding=1.0,
        symmetric=True,
        self_loops=False,
        repeated_edges=False,
        graphs={"train": 200, "val": 50, "test": 50},
    ),
    "pyramid_pairs": Facts(
        name="pyramid_pairs",
        task="pair classification",
        out=2,
        letters=1,
        features=None,
        nodes=55.0,
        edges=270.0,
        max_nodes=55,
        density=0.08925620,
        padding=1.0,
        symmetric=True,
        self_loops=False,
        repeated_edges=False,
        graphs={"train": 1, "val": 1, "test": 1},
    ),
    "csl": Facts(
        name="csl",
        task="graph classification",
        out=10,
        letters=1,
        features=None,
        nodes=41.0,
        edges=164.0,
        max_nodes=41,
        density=0.09756,
        padding=1.0,
        symmetric=True,
        self_loops=False,
        repeated_edges=False,
        graphs={"train": 90, "val": 30, "test": 30},
        folds=5,
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
        benchmark=("l1", "mae"),
    ),
    "mutag": Facts(
        name="mutag",
        task="graph classification",
        out=2,
        letters=None,
        features=7,
        nodes=17.931,
        edges=39.585,
        max_nodes=28,
        density=0.11559,
        padding=2.0698,
        symmetric=True,
        self_loops=False,
        repeated_edges=False,
        graphs={"train": 150, "val": 19, "test": 19},
        edge_features=4,
        folds=10,
    ),
    "enzymes": Facts(
        name="enzymes",
        task="graph classification",
        out=6,
        letters=None,
        features=3,
        nodes=32.633,
        edges=124.273,
        max_nodes=126,
        density=0.09572,
        padding=3.3097,
        symmetric=True,
        self_loops=False,
        repeated_edges=False,
        graphs={"train": 480, "val": 60, "test": 60},
        folds=10,
    ),
    "cora": Facts(
        name="cora",
        task="node classification",
        out=7,
        letters=None,
        features=1433,
        nodes=2708.0,
        edges=10556.0,
        max_nodes=2708,
        density=0.0014395,
        padding=1.0,
        symmetric=True,
        self_loops=False,
        repeated_edges=False,
        graphs={"train": 1, "val": 1, "test": 1},
    ),
    "minesweeper": Facts(
        name="minesweeper",
        task="node classification",
        out=2,
        letters=None,
        features=7,
        nodes=10000.0,
        edges=78804.0,
        max_nodes=10000,
        density=0.00078804,
        padding=1.0,
        symmetric=True,
        self_loops=False,
        repeated_edges=False,
        graphs={"train": 1, "val": 1, "test": 1},
        benchmark=("cross_entropy", "roc_auc"),
        folds=10,
    ),
}
"""Data sets by name. Figures of generated ones are those of seed 0; other seeds differ by about 1 %. Where there are
folds, `padding` and `graphs` are those of the first.

`zinc`: 12,000 molecules, 28 kinds of atoms and 4 of bonds (0 for none), to predict the penalised logP (Dwivedi et al.
2023). Its figures are those of the benchmark's validation and test molecules with 10,000 others of the same pool for
training.
"""
