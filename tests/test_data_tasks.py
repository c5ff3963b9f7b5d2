"""What splits hold beside nodes and classes: labels at every level, masks over one graph, folds over graphs."""

import numpy as np
import pytest
import torch

from archspec.data import csl, folds
from archspec.data.batching import BatchSize, in_order
from archspec.data.divide import divide
from archspec.data.generated import RECIPES
from archspec.data.load import load
from archspec.data.masked import Masked, Whole
from archspec.data.packed import PARTS, Packed, joined
from archspec.data.random import Purpose, Stream
from archspec.data.split import Split
from archspec.facts import TABLE
from archspec.syntax.schema import DataSettings
from tests.test_data_store import LEVELS, everything


def rows_of(packed: Packed, level: str) -> list[list[int]]:
    """Which rows of a level belong to each graph, by plain counting."""
    counts = {
        "node": packed.sizes.tolist(),
        "edge": [int(packed.degree[:2].sum()), int(packed.degree[2:].sum())],
        "pair": packed.pair_count.tolist(),
        "graph": [1, 1],
    }[level]
    return [list(range(counts[0])), list(range(counts[0], sum(counts)))]


@pytest.mark.parametrize("graphs", [[0], [1], [1, 0], [0, 0, 1], []], ids=str)
@pytest.mark.parametrize("level", LEVELS)
def test_a_batch_has_the_labels_of_its_graphs(level, graphs):
    packed = everything(level, LEVELS[level])
    batch = Split(packed, symmetric=False).batch(graphs)
    for name, rows in (("y", level), ("x", "node"), ("e", "edge"), ("pos", "node")):
        wanted = [row for graph in graphs for row in rows_of(packed, rows)[graph]]
        np.testing.assert_array_equal(getattr(batch, name).numpy(), getattr(packed, name)[wanted])
    assert batch.y.dtype == (torch.float32 if packed.y.dtype == np.float32 else torch.int64)
    assert (batch.x.dtype, batch.e.dtype, batch.pos.dtype) == (torch.int64, torch.float32, torch.float32)
    if level == "pair":  # they are numbered in the batch
        first = np.cumsum([0, *(packed.sizes[graph] for graph in graphs)])
        pairs = [
            packed.pair[row] + first[at] for at, graph in enumerate(graphs) for row in rows_of(packed, level)[graph]
        ]
        assert batch.pair.tolist() == [one.tolist() for one in pairs]


def line(labels: list[int], mask: list[list[int]]) -> Packed:
    """One graph: a directed path."""
    nodes = len(labels)
    degree = np.array([0] + [1] * (nodes - 1), np.uint8)
    numbers = np.arange(nodes - 1, dtype=np.uint8)
    return Packed(
        np.array([nodes], np.int32),
        np.arange(nodes, dtype=np.uint8),
        np.array(labels, np.uint8),
        degree,
        numbers,
        mask=np.array(mask, np.uint8),
    )


MASK = [[PARTS["train"], 2], [PARTS["train"], 4], [PARTS["val"], 1], [PARTS["test"], 0], [0, 1]]


def test_parts_of_one_graph_share_all_of_it_but_the_mask():
    splits = divide({"all": line([0, 1, 2, 1, 0], MASK)}, TABLE["cora"], DataSettings(name="cora"))
    batches = {part: split.batch([0]) for part, split in splits.items()}
    assert {part: batch.mask.tolist() for part, batch in batches.items()} == {
        "train": [True, True, False, False, False],
        "val": [False, False, True, False, False],
        "test": [False, False, False, True, False],
    }
    assert [split.labels.tolist() for split in splits.values()] == [[0, 1], [2], [1]]
    train, val = batches["train"], batches["val"]
    assert train.x is val.x
    assert train.cache is val.cache  # what is computed for the graph is computed once
    assert splits["train"].batch([0]).N is train.N
    assert [batch.graphs for batch in splits["test"].batches(in_order(splits["test"], BatchSize(3, "graphs")))] == [1]


def test_another_fold_of_one_graph_has_other_masks():
    splits = divide(
        {"all": line([0, 1, 2, 1, 0], MASK)}, TABLE["minesweeper"], DataSettings(name="minesweeper", fold=1)
    )
    assert [split.labels.tolist() for split in splits.values()] == [[2, 0], [0], [1]]


def test_a_masked_split_has_one_graph():
    split = Masked(Whole(line([0, 1, 2, 1, 0], MASK), False), "train", 0)
    for wrong in ([1], [0, 0], []):
        with pytest.raises(IndexError):
            split.batch(wrong)


def of_classes(labels: list[int]) -> Packed:
    """Graphs of one node."""
    ones = np.zeros(len(labels), np.uint8)
    return Packed(np.ones(len(labels), np.int32), ones, np.array(labels, np.uint8), ones, ones[:0], level="graph")


def test_folds_test_every_graph_once_and_share_the_classes_out():
    labels = [0] * 52 + [1] * 31 + [2] * 20
    chosen = [folds.parts("mutag", of_classes(labels), fold, seed=0) for fold in range(10)]
    assert sorted(np.concatenate([one["test"] for one in chosen]).tolist()) == list(range(103))
    for number, one in enumerate(chosen):
        assert sorted(np.concatenate(list(one.values())).tolist()) == list(range(103))
        assert one["val"].tolist() == chosen[(number + 1) % 10]["test"].tolist()
        counts = np.bincount(np.array(labels)[one["test"]], minlength=3)
        assert (abs(counts - np.array([5.2, 3.1, 2.0])) < 1).all()
    other = folds.parts("mutag", of_classes(labels), 0, seed=1)
    assert other["test"].tolist() != chosen[0]["test"].tolist()


def test_folds_of_numbers_need_no_classes():
    packed = of_classes([0] * 20)
    numbers = packed.made({**packed.columns, "y": np.linspace(0, 1, 20, dtype=np.float32)[:, None]})
    assert {name: len(one) for name, one in folds.parts("x", numbers, 3, 0).items()} == {
        "train": 16,
        "val": 2,
        "test": 2,
    }


# CSL


def test_published_folds_of_csl_test_every_graph_once():
    packed = of_classes([number // 15 for number in range(150)])
    chosen = [folds.parts("csl", packed, fold, 0) for fold in range(5)]
    assert sorted(np.concatenate([one["test"] for one in chosen]).tolist()) == list(range(150))
    for one in chosen:
        assert {name: len(graphs) for name, graphs in one.items()} == {"train": 90, "val": 30, "test": 30}
        assert sorted(np.concatenate(list(one.values())).tolist()) == list(range(150))
        assert (np.bincount(packed.y[one["train"]]) == 9).all()  # every class alike


def dense(packed: Packed) -> np.ndarray:
    adjacency = np.zeros((41, 41), dtype=np.int64)
    adjacency[np.repeat(np.arange(41), packed.degree), packed.source] = 1
    return adjacency


def test_graphs_of_csl_are_regular_and_their_classes_are_told_apart_by_cycles():
    drawn = [csl.draw_graph(0, number) for number in (0, 1, *range(15, 150, 15))]
    matrices = [dense(one) for one in drawn]
    for one, matrix in zip(drawn, matrices, strict=True):
        assert (one.degree == 4).all()
        assert (matrix == matrix.T).all()
        assert matrix.trace() == 0
        assert one.level == "graph"
    assert not np.array_equal(matrices[0], matrices[1])  # copies differ in their numbering
    traces = [tuple(int(np.trace(np.linalg.matrix_power(one, k))) for k in range(3, 11)) for one in matrices]
    assert traces[0] == traces[1]
    assert len(set(traces)) == len(csl.SKIPS)
    assert [int(one.y[0]) for one in drawn[1:]] == list(range(10))


def test_csl_is_loaded_by_folds(tmp_path):
    data = load(DataSettings(name="csl", fold=2, limit=40), tmp_path)
    assert [len(one) for one in data.splits.values()] == [40, 30, 30]
    assert len(set(data.train.labels.tolist())) > 7  # not the first classes alone
    batch = data.train.batch([0, 1])
    assert (batch.y.shape, batch.graphs, batch.nodes) == ((2,), 2, 82)


# Options


def test_patterns_that_are_not_shared_differ_between_splits_and_from_shared_ones(monkeypatch):
    generate = RECIPES["pattern"].generate
    shared = {split: joined(list(generate(0, split, 2))) for split in ("train", "val")}
    own = {split: joined(list(generate(0, split, 2, shared_patterns=False))) for split in ("train", "val")}
    sizes = {
        name: [int(one.y[: one.sizes[0]].sum()) for one in both.values()]
        for name, both in (("shared", shared), ("own", own))
    }
    assert sizes["shared"][0] == sizes["shared"][1]  # graph 0 carries pattern 0 in every split
    assert len({*sizes["own"], sizes["shared"][0]}) == 3


def test_an_option_has_a_file_of_its_own_and_the_default_has_none(tmp_path):
    load(DataSettings(name="pattern", limit=2, options={"shared_patterns": False}), tmp_path)
    load(DataSettings(name="pattern", limit=2, options={"shared_patterns": True}), tmp_path)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"pattern-seed0-shared_patterns=false-first2.graphs", "pattern-seed0-first2.graphs"}


def test_streams_of_different_purposes_differ():
    words = {tuple(Stream(0, purpose).words(2).tolist()) for purpose in Purpose}
    assert len(words) == len(Purpose)
