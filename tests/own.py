"""Data of the user's own for tests: files of graphs, functions and tables in the current folder."""

import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch_geometric.data import Data

from archspec.data.load import DataSet, load
from archspec.diagnostics import SpecError
from archspec.syntax.schema import DataSettings

SPEC = """\
name: mine
data: {{name: {name}, batch_size: 4}}
model:
  sizes: {{d: 4}}
  input: x = encode(x, d)
  stack: layer
  output: linear(mean[i in V](x[i]), out)
  where:
    layer: x = relu(linear(x + sum[j in N](x[j]), d))
train: {{epochs: 2}}
"""


def ring(number: int, **given: object) -> Data:
    """A directed ring of 3 to 5 nodes with letters and a class."""
    nodes = 3 + number % 3
    first = torch.arange(nodes)
    found = {
        "x": first * (number + 1) % 4,
        "edge_index": torch.stack([first, (first + 1) % nodes]),
        "y": torch.tensor([number % 2]),
    }
    return Data(**{**found, **given})


def save(folder: str, **splits: object) -> None:
    """Files of graphs in a folder."""
    Path(folder).mkdir(exist_ok=True)
    for split, graphs in splits.items():
        torch.save(graphs, Path(folder) / f"{split}.pt")


def three(graphs: Iterable[Data] | None = None) -> dict[str, list[Data]]:
    """The three splits of some graphs."""
    found = list(graphs or map(ring, range(12)))
    return {"train": found[:6], "val": found[6:9], "test": found[9:]}


def opened(name: str, trust: bool = False, **options: object) -> DataSet:
    """A data set of the test's own."""
    return load(DataSettings(name=name, options=options), trust=trust)


def problems(name: str, **options: object) -> list[str]:
    """Everything that is wrong, in one line each."""
    with pytest.raises(SpecError) as caught:
        opened(name, **options)
    assert not list(Path("cache").glob("*"))
    assert not list(Path("cache").glob(".*"))
    return str(caught.value).split("\n\n")


def write(folder: str, **tables: str) -> None:
    """CSV tables in a folder; rows are apart by blanks, cells by commas."""
    Path(folder).mkdir(exist_ok=True)
    for table, rows in tables.items():
        Path(folder, f"{table}.csv").write_text("\n".join(rows.split()) + "\n", encoding="utf-8")


def define(module: str, body: str) -> str:
    """A module in the current folder with a function `graphs` of this body; the name of the data set."""
    text = f"import torch\nfrom torch_geometric.data import Data\nfrom tests.own import ring, three\n\n{body}"
    Path(f"{module}.py").write_text(text, encoding="utf-8")
    sys.modules.pop(module, None)
    return f"{module}:graphs"


def as_tables(folder: str, graphs: list[Data], splits: list[str] | None) -> None:
    """The tables of some graphs with letters and a class each; nodes have names, and rows are not in order."""
    nodes = ["graph,node,x"] + [
        f"g{number},n{node},{graph.x[node]}" for number, graph in enumerate(graphs) for node in range(graph.num_nodes)
    ]
    edges = ["source,graph,target"] + [
        f"n{i},g{number},n{j}" for number, graph in enumerate(graphs) for i, j in graph.edge_index.T.tolist()
    ]
    labels = [f"g{number},{graph.y.item()}" for number, graph in enumerate(graphs)]
    rows = (
        ["graph,y", *labels]
        if splits is None
        else ["graph,y,split", *(f"{row},{split}" for row, split in zip(labels, splits, strict=True))]
    )
    edges[1:] = edges[:0:-1]
    write(folder, nodes=" ".join(nodes), edges=" ".join(edges), graphs=" ".join(rows))


def assert_same(one: DataSet, other: DataSet) -> None:
    """The same graphs in the same splits."""
    for name, split in one.splits.items():
        theirs = other.splits[name].packed
        assert split.packed.columns.keys() == theirs.columns.keys()
        assert split.packed.level == theirs.level
        for column, values in split.packed.columns.items():
            np.testing.assert_array_equal(values, theirs.columns[column], err_msg=column)


SPLITS = ["train"] * 6 + ["val"] * 3 + ["test"] * 3


def whole(**given: object) -> Data:
    """One graph of twelve nodes with masks."""
    number = torch.arange(12)
    masks = {f"{part}_mask": number % 3 == k for k, part in enumerate(("train", "val", "test"))}
    edges = torch.stack([number, (number + 1) % 12])
    return Data(**{"x": torch.eye(12)[:, :5], "edge_index": edges, "y": number % 2, **masks, **given})
