"""Labels of edges and of listed pairs in the user's own data: splits by files and by masks on one graph."""

import csv
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from torch_geometric.data import Data
from torch_geometric.transforms import RandomLinkSplit

from archspec.commands.main import main
from archspec.data.load import DataSet
from archspec.data.read import Unfit, packed
from tests.own import assert_same, opened, problems, save, write

MODEL = """\
name: mine
data: {name: ./mine}
model:
  sizes: {d: 4}
  input: x = encode(x, d)
  stack: layer
  output: |
    y[i, j in targets] = linear(x[i] + 2 * x[j], out)
    y
  where:
    layer: x = relu(linear(x + sum[j in N](x[j]), d))
train: {epochs: 2}
"""

NODES = 14
EDGES = torch.tensor([[3, 0, 1, 2, 4, 5, 7, 6, 9, 8, 11, 10], [0, 3, 2, 1, 5, 4, 6, 7, 8, 9, 10, 11]])
PAIRS = torch.tensor([[0, 5, 5, 1, 11, 0, 2, 3, 4], [7, 2, 0, 1, 0, 7, 9, 10, 2]])  # j above i; (7, 0) is there twice
PARTS = ("train", "val", "test")


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """Relative names are looked for in a folder of the test's own, and data is kept there."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ARCHSPEC_CACHE", str(tmp_path / "cache"))


def masks(rows: int) -> dict[str, torch.Tensor]:
    return {f"{part}_mask": torch.arange(rows) % 3 == at for at, part in enumerate(PARTS)}


def graph(**given: object) -> Data:
    return Data(**{"x": torch.arange(NODES) % 4, "edge_index": EDGES, **given})


def of_edges() -> Data:
    """A label for every directed edge, some in each split."""
    return graph(y=torch.arange(12) % 2, **masks(12))


def of_pairs() -> Data:
    """A label for every listed pair, some in each split; classes of nodes are there too, and mean nothing."""
    return graph(y=torch.zeros(NODES).long(), edge_label_index=PAIRS, edge_label=torch.arange(9) % 2, **masks(9))


def counted(data: DataSet) -> dict[str, set[tuple[int, int, int]]]:
    """By split every (j, i, label) that counts."""
    found = {}
    for name, split in data.splits.items():
        batch = split.batch([0])
        pairs = batch.pairs("N" if split.packed.level == "edge" else "targets")
        rows = zip(pairs.index.tolist(), pairs.target.tolist(), batch.y.tolist(), batch.mask.tolist(), strict=True)
        found[name] = {(j, i, label) for j, i, label, here in rows if here}
        assert split.labels.tolist() == batch.y[batch.mask].tolist()
    return found


def wanted(index: torch.Tensor) -> dict[str, set[tuple[int, int, int]]]:
    """The same from the index as it was given."""
    rows = index.T.tolist()
    return {part: {(*rows[at], at % 2) for at in range(len(rows)) if at % 3 == k} for k, part in enumerate(PARTS)}


GRAPHS = {"edge": (of_edges, EDGES), "pair": (of_pairs, PAIRS)}


@pytest.mark.parametrize("level", GRAPHS)
def test_masks_of_labels_on_one_graph(level):
    make, index = GRAPHS[level]
    save("mine", graph=make())
    data = opened("./mine")
    assert data.facts.task == f"{level} classification"
    assert counted(data) == wanted(index)


@pytest.mark.parametrize("level", GRAPHS)
def test_masks_of_graphs_that_pyg_reads(level):
    graph = GRAPHS[level][0]()
    found = packed([graph], print, whole=True)
    save("mine", graph=graph)
    ours = opened("./mine").train.packed
    for name, column in ours.columns.items():
        np.testing.assert_array_equal(column, getattr(found, name), err_msg=name)


def tables(level: str) -> None:
    """The tables of the same graphs, the last row first."""
    rows = [f"{j},{i},{at % 2},{PARTS[at % 3]}" for at, (j, i) in enumerate(GRAPHS[level][1].T.tolist())][::-1]
    edges = ["source,target", *(f"{j},{i}" for j, i in EDGES.T.tolist())]
    found = {"nodes": " ".join(["x", *(str(node % 4) for node in range(NODES))])}
    if level == "edge":
        write("tables", **found, edges=" ".join(["source,target,y,split", *rows]))
    else:
        write("tables", **found, edges=" ".join(edges), pairs=" ".join(["j,i,y,split", *rows]))


@pytest.mark.parametrize("level", GRAPHS)
def test_tables_hold_the_same(level):
    tables(level)
    assert counted(opened("./tables")) == wanted(GRAPHS[level][1])


@pytest.mark.parametrize("level", GRAPHS)
def test_from_the_command_line_to_predictions_of_what_counts(level):
    save("mine", graph=GRAPHS[level][0]())
    Path("mine.yaml").write_text(MODEL)
    run = CliRunner()
    result = run.invoke(main, ["train", "mine.yaml", "--run-dir", "run"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    count = len(wanted(GRAPHS[level][1])["test"])
    estimated = run.invoke(main, ["train", "mine.yaml", "--dry-run"], catch_exceptions=False).output
    assert f"{count} of {GRAPHS[level][1].shape[1]} {level}s of one graph" in estimated
    scored = run.invoke(main, ["evaluate", "run"], catch_exceptions=False)
    assert "the same as recorded, bit for bit" in scored.output
    assert run.invoke(main, ["predict", "run", "-o", "p.csv"], catch_exceptions=False).exit_code == 0
    with Path("p.csv").open() as file:
        rows = [(int(row["j"]), int(row["i"]), int(row["label"])) for row in csv.DictReader(file)]
    assert len(rows) == count
    assert set(rows) == wanted(GRAPHS[level][1])["test"]
    described = run.invoke(main, ["data", "./mine"], catch_exceptions=False).output
    assert f"{level} classification" in described


def test_both_directions_of_an_edge_are_in_one_fold():
    save("mine", graph=graph(y=(EDGES.sum(0) % 2)))
    data = opened("./mine")
    assert data.facts.folds == 10
    seen = [{frozenset(row[:2]) for row in part} for part in counted(data).values()]
    assert all(seen)
    assert sum(map(len, seen)) == len(set.union(*seen)) == 6  # so many undirected edges, each in one split


def test_a_table_says_what_its_labels_are_of():
    write("tables", nodes="x 0 1 2", edges="source,target,y,split 0,1,1,train 1,2,0,val 2,0,1,test")  # as many of both
    assert opened("./tables").facts.task == "edge classification"


def test_an_undirected_table_has_one_split_for_both_directions():
    write("tables", nodes="x 0 1 2 0", edges="source,target,y,split 0,1,1,train 1,2,0,val 3,2,1,test")
    found = counted(opened("./tables", undirected=True))
    assert found == {"train": {(0, 1, 1), (1, 0, 1)}, "val": {(1, 2, 0), (2, 1, 0)}, "test": {(3, 2, 1), (2, 3, 1)}}


def test_what_random_link_split_makes_is_three_splits():
    torch.manual_seed(0)
    whole = graph(y=torch.zeros(NODES).long(), **masks(NODES))  # masks of nodes, which are not asked for
    splits = dict(zip(PARTS, RandomLinkSplit(0.2, 0.4, is_undirected=True)(whole), strict=True))
    save("mine", **splits)
    data = opened("./mine")
    assert data.facts.task == "pair multi-label"
    for name, split in data.splits.items():
        theirs, batch = splits[name], split.batch([0])
        rows = zip(*theirs.edge_label_index.tolist(), theirs.edge_label.tolist(), strict=True)
        ours = zip(batch.pair[:, 1].tolist(), batch.pair[:, 0].tolist(), batch.y[:, 0].tolist(), strict=True)
        assert sorted(ours) == sorted(rows)
        assert batch.N.index.numel() == theirs.edge_index.shape[1]


def test_a_list_of_graphs_with_pairs():
    graphs = [graph(edge_label_index=PAIRS[:, : 3 + at % 3], edge_label=torch.arange(3 + at % 3)) for at in range(12)]
    save("mine", graphs=graphs)
    save("reference", **{part: graphs for part in PARTS})
    data = opened("./mine")
    assert (data.facts.task, data.facts.out, data.facts.folds) == ("pair classification", 5, 10)
    batch = opened("./reference").test.batch([2, 0])
    assert batch.pair.tolist() == [[0, 5], [0, 11], [1, 1], [2, 5], [7, 0], [14, 19], [16, 19], [21, 14]]
    assert batch.y.tolist() == [2, 4, 3, 1, 0, 2, 1, 0]
    assert_same(data, opened("./mine"))


WRONG = {
    "fewer labels than pairs": (
        of_pairs().update({"edge_label": torch.zeros(4).long()}),
        "E0423 graph 0: `y` has 4 rows, and there are 9 pairs",
    ),
    "a pair of a node that is not there": (
        of_pairs().update({"edge_label_index": PAIRS + 5}),
        "E0420 graph 0: pair 4 is of the nodes j = 16 and i = 5",
    ),
    "pairs on their side": (
        of_pairs().update({"edge_label_index": PAIRS.T}),
        "E0420 graph 0: `edge_label_index` has the shape [9, 2]",
    ),
    "masks of nodes": (of_pairs().update(masks(14)), "E0422 graph 0: `train_mask` has the shape [14], and there are"),
    "an edge in two splits": (
        of_edges().update({"val_mask": torch.arange(12) % 3 == 0}),
        "E0427 graph 0: edge 0 is in two splits, and 3 more",
    ),
    "few pairs without masks": (
        Data(x=torch.zeros(12).long(), edge_index=EDGES, edge_label_index=PAIRS, y=torch.zeros(9).long()),
        "E0427 graph 0: 9 pairs without masks are too few",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_with_pairs_is_told(case):
    data, message = WRONG[case]
    save("mine", graph=data)
    [said] = problems("./mine")
    assert message in said


TABLES = {
    "a pair of a node that is not there": (
        {"pairs": "i,j,y 0,1,1 0,9,0"},
        "tables/pairs.csv:3:1: E0420 the j `9` is no node of its graph",
    ),
    "pairs without labels": ({"pairs": "i,j 0,1"}, "tables/pairs.csv: E0418 there are no labels `y…` of the pairs"),
    "pairs without i": ({"pairs": "j,y 0,1"}, "tables/pairs.csv:1:1: E0418 there is no column `i`"),
    "labels twice": (
        {"nodes": "x,y 0,1 0,1", "pairs": "i,j,y 0,1,1"},
        "E0418 there are labels `y…` in the tables of nodes and pairs",
    ),
    "a split of what has no labels": (
        {"nodes": "x,split 0,train 1,val", "pairs": "i,j,y 0,1,1"},
        "tables/nodes.csv: E0427 the nodes have a split, and labels stand in the table of pairs",
    ),
    "several graphs split by edges": (
        {"nodes": "graph,x a,0 b,1", "edges": "graph,source,target,y,split a,0,0,1,train"},
        "tables/edges.csv: E0427 several graphs cannot be split by edges",
    ),
}


@pytest.mark.parametrize("case", TABLES)
def test_what_is_wrong_with_tables_of_pairs_is_told(case):
    given, message = TABLES[case]
    write("tables", **{"nodes": "x 0 1 2", **given})
    said = problems("./tables")
    assert any(message in one for one in said), said


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"edge_label": torch.zeros(4).long()}, "has 4 labels in graph 0, where 9 belong"),
        ({"edge_label_index": PAIRS + 5}, "a pair of graph 0 to a node that is not there"),
        (masks(12), "masks with another number of rows than the 9 labels"),
    ],
)
def test_pairs_of_pyg_that_are_of_no_use(given, message):
    with pytest.raises(Unfit, match=message):
        packed([of_pairs().update(given)], print, whole=True)
    with pytest.raises(Unfit, match="lists no pairs in graph 1"):
        packed([of_pairs(), of_edges()], print, whole=False)
