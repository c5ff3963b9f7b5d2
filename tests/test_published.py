"""Specs that come with archspec have as many parameters as the papers say, where a paper says so.

Counts of Dwivedi et al., Benchmarking Graph Neural Networks, JMLR 2023, on PATTERN, CLUSTER and ZINC: a row sets what
the benchmark's configurations set, widths, layers, and the read-out of a graph on ZINC. GPS:
Rampášek et al., NeurIPS 2022; GRIT: Ma et al., ICML 2023, on PATTERN with one output and letters as one-hot vectors, on
ZINC with the 21 kinds of atoms of its subset.
"""

from dataclasses import dataclass, replace

import pytest

from archspec.cost.parameters import count
from archspec.facts.table import TABLE
from archspec.pipeline import compile_spec
from archspec.syntax.load import load_spec

FACTS = {
    "PATTERN": TABLE["pattern"],
    "CLUSTER": TABLE["cluster"],
    "ZINC": TABLE["zinc"],
    "ZINC, 21 atoms": replace(TABLE["zinc"], letters=21),
    "PATTERN, one-hot": replace(TABLE["pattern"], letters=None, features=3, out=1),
}


@dataclass(frozen=True)
class Row:
    """A configuration: the spec, what else is set, the data set, layers, width of a state."""

    spec: str
    data: str
    layers: int
    width: int
    published: int
    overrides: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.spec} on {self.data}, {self.published:,}"

    @property
    def settings(self) -> tuple[str, ...]:
        """Overrides of the spec."""
        sizes = {"d": self.width, "half": self.width // 2, "quarter": self.width // 4}
        return (
            f"model.stack={self.layers} * layer",
            *(f"model.sizes.{name}={size}" for name, size in sizes.items() if name in load_spec(self.spec).sizes),
            *((POOLED[self.spec],) if self.data == "ZINC" and self.spec in POOLED else ()),
            *self.overrides,
        )


READ = "model.output=mean[i in V](x[i]) -> linear(half) -> relu -> linear(quarter) -> relu -> linear(out)"
POOLED = {
    **dict.fromkeys(("gcn", "graph_sage", "gat", "gated_gcn"), READ),
    "gin": "model.output=sum(each(layers(x), h => linear(sum[i in V](h[i]), out)))",
}
"""The read-out of a graph, in specs for a data set with labels per node."""

BONDS = "e = encode(e, d)"
NO_BONDS = "e[i, j in N] = linear(1, d)"


def edges(states: str) -> tuple[str, ...]:
    """States per edge beside the nodes."""
    return (f"model.input=x = encode(x, d)\n{states}",)


def positions(count: int, states: str = NO_BONDS) -> tuple[str, ...]:
    """Laplacian eigenvectors added to the nodes."""
    return (f"model.input=x = encode(x, d) + linear(laplacian_pe({count}), d)\n{states}",)


WALKS = (
    "model.input=x = encode(x, d) + linear(rwse(0..20), d, bias = false)\n"
    "p = linear(walk(0..20), d, bias = false) + fill(encode(e, d), 0)",
    "model.output=sum[i in V](x[i]) -> linear(d / 2) -> relu -> linear(d / 4) -> relu -> linear(out)",
)
"""GRIT on molecules."""

ROWS = (
    Row("gcn", "PATTERN", 4, 146, 100_923),
    Row("gcn", "PATTERN", 16, 172, 500_823),
    Row("gcn", "CLUSTER", 4, 146, 101_655),
    Row("gcn", "CLUSTER", 16, 172, 501_687),
    Row("gcn", "ZINC", 4, 145, 103_077),
    Row("gcn", "ZINC", 16, 172, 505_079),
    Row("graph_sage", "PATTERN", 4, 89, 101_739),
    Row("graph_sage", "PATTERN", 16, 101, 502_842),
    Row("graph_sage", "CLUSTER", 4, 89, 102_187),
    Row("graph_sage", "CLUSTER", 16, 101, 503_350),
    Row("graph_sage", "ZINC", 4, 85, 94_977),
    Row("graph_sage", "ZINC", 16, 101, 505_341),
    Row("gat", "PATTERN", 4, 152, 109_936),
    Row("gat", "PATTERN", 16, 176, 526_990),
    Row("gat", "CLUSTER", 4, 152, 110_700),
    Row("gat", "CLUSTER", 16, 176, 527_874),
    Row("gat", "ZINC", 4, 144, 102_385),
    Row("gat", "ZINC", 16, 176, 531_345),
    Row("gin", "PATTERN", 4, 110, 100_884),
    Row("gin", "PATTERN", 16, 124, 508_574),
    Row("gin", "CLUSTER", 4, 110, 103_544),
    Row("gin", "CLUSTER", 16, 124, 517_570),
    Row("gin", "ZINC", 4, 110, 103_079),
    Row("gin", "ZINC", 16, 124, 509_549),
    Row("gated_gcn", "PATTERN", 4, 70, 104_003),
    Row("gated_gcn", "PATTERN", 16, 78, 502_223),
    Row("gated_gcn", "CLUSTER", 4, 70, 104_355),
    Row("gated_gcn", "CLUSTER", 16, 78, 502_615),
    Row("gated_gcn", "ZINC", 4, 70, 105_735),
    Row("gated_gcn", "ZINC", 4, 70, 105_875, edges(BONDS)),
    Row("gated_gcn", "ZINC", 16, 78, 504_309, edges(BONDS)),
    Row("gated_gcn", "PATTERN", 16, 78, 502_457, positions(2)),
    Row("gated_gcn", "CLUSTER", 16, 78, 504_253, positions(20)),
    Row("gated_gcn", "ZINC", 16, 78, 505_011, positions(8, BONDS)),
    Row("gps", "ZINC", 10, 64, 423_717),
    Row("grit", "PATTERN, one-hot", 10, 64, 477_953),
    Row("grit", "ZINC, 21 atoms", 10, 64, 473_473, WALKS),
)


def parameters(row: Row) -> int:
    """Trainable numbers of a configuration."""
    return count(compile_spec(load_spec(row.spec, list(row.settings)), FACTS[row.data]).program)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_as_many_parameters_as_published(row: Row) -> None:
    assert parameters(row) == row.published


def test_another_width_has_another_count() -> None:
    assert parameters(replace(ROWS[0], width=145)) != ROWS[0].published
