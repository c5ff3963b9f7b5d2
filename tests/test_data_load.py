"""Loading what a spec asks for: splits, prefixes under `limit`, batches, the floor."""

import subprocess
import sys

import numpy as np
import pytest
import torch

from archspec.data import floor, load, pattern, split
from archspec.data.floor import CEILINGS, degree_floor, fit
from archspec.data.generated import RECIPES, Recipe
from archspec.data.load import DataSet
from archspec.data.packed import Packed, offsets
from archspec.data.split import Split
from archspec.diagnostics import SpecError
from archspec.facts import TABLE, sources
from archspec.runtime.batch import Batch
from archspec.syntax.schema import DataSettings


def settings(**given) -> DataSettings:
    return DataSettings(name="pattern", **given)


@pytest.fixture
def small(monkeypatch):
    """PATTERN as if the whole set had 40, 20 and 20 graphs."""
    recipe = Recipe(1, {"train": 40, "val": 20, "test": 20}, pattern.generate)
    monkeypatch.setitem(RECIPES, "pattern", recipe)


def content(data: DataSet) -> list[bytes]:
    return [column.tobytes() for one in data.splits.values() for column in one.packed.columns.values()]


def test_recipes_and_facts_tell_of_the_same_data():
    for name, recipe in RECIPES.items():
        if TABLE[name].folds is None:
            assert dict(recipe.graphs) == TABLE[name].graphs
        else:
            assert recipe.graphs == {"all": sum(TABLE[name].graphs.values())}
    assert {name for name in TABLE if sources.source(DataSettings(name=name)) is None} == set(RECIPES)


def test_limit_generates_only_what_it_needs(tmp_path):
    steps = []
    data = load.load(settings(limit=9), tmp_path, progress=lambda done, total: steps.append((done, total)))
    assert [len(one) for one in data.splits.values()] == [9, 9, 9]
    assert (steps[0], steps[-1]) == ((0, 27), (27, 27))
    assert data.facts.graphs == {"train": 9, "val": 9, "test": 9}
    assert data.facts.out == 2


def test_a_limited_set_is_a_prefix_whether_or_not_the_whole_set_is_cached(tmp_path, small):
    alone = load.load(settings(limit=25), tmp_path / "alone")
    load.load(settings(), tmp_path / "both")
    lines = []
    cut = load.load(settings(limit=25), tmp_path / "both", lines.append)
    assert content(alone) == content(cut)
    assert [len(one) for one in cut.splits.values()] == [25, 20, 20]
    assert lines == []
    assert [path.name for path in (tmp_path / "both").iterdir()] == ["pattern-seed0.graphs"]
    assert content(load.load(settings(limit=24), tmp_path / "both")) != content(cut)


def test_a_limit_beyond_the_set_is_the_whole_set(tmp_path, small):
    data = load.load(settings(limit=10**9), tmp_path)
    assert len(data.train) == 40
    assert [path.name for path in tmp_path.iterdir()] == ["pattern-seed0.graphs"]


def test_another_seed_is_another_draw(tmp_path, small):
    assert content(load.load(settings(), tmp_path)) != content(load.load(settings(seed=1), tmp_path))


def test_a_damaged_whole_set_does_not_harm_a_limited_one(tmp_path, small):
    load.load(settings(), tmp_path)
    (tmp_path / "pattern-seed0.graphs").write_bytes(b"")
    assert len(load.load(settings(limit=5), tmp_path).train) == 5
    lines = []
    load.load(settings(), tmp_path, lines.append)
    assert lines == [f"{tmp_path / 'pattern-seed0.graphs'} is cut short; generating it again"]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (DataSettings(name="patern"), "E0401 unknown data set `patern`"),
        (settings(options={"size": 3}), "E0403 data set `pattern` has no option `size`"),
        (settings(options={"shared_pattern": False}), r"E0403 .* \(write `shared_patterns`\)"),
        (settings(options={"shared_patterns": "no"}), r"E0407 .* cannot be `no` \(its default is `true`\)"),
        (settings(fold=1), "E0414 the data set `pattern` has no fold 1"),
        (settings(seed=2**64), "E0404 a seed is a whole number"),
    ],
)
def test_wrong_settings_are_answered(tmp_path, wrong, message):
    with pytest.raises(SpecError, match=message):
        load.load(wrong, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_loading_does_not_import_pyg():
    command = "import sys, archspec.data.load, archspec.data.floor; print('torch_geometric' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "False"


# Batches

ODD = Packed(  # a directed triangle with a loop and a repeated edge; one node; no node; two nodes without edges
    np.array([3, 1, 0, 2], dtype=np.int32),
    np.arange(12, dtype=np.float32).reshape(6, 2),
    np.array([0, 1, 1, 0, 1, 0], dtype=np.uint8),
    np.array([3, 1, 1, 0, 0, 0], dtype=np.uint16),
    np.array([0, 2, 2, 0, 1], dtype=np.uint16),
)


def naive(packed: Packed, graphs: list[int]) -> dict[str, list]:
    """The batch by plain loops over lists."""
    nodes, edges = offsets(packed.sizes).tolist(), offsets(packed.degree).tolist()
    batch: dict[str, list] = {"x": [], "y": [], "node_ptr": [0], "ptr": [0], "source": []}
    for graph in graphs:
        first = len(batch["x"])
        for node in range(nodes[graph], nodes[graph + 1]):
            batch["x"].append(packed.x[node].tolist())
            batch["y"].append(packed.y[node].item())
            batch["source"] += [first + int(j) for j in packed.source[edges[node] : edges[node + 1]]]
            batch["ptr"].append(len(batch["source"]))
        batch["node_ptr"].append(len(batch["x"]))
    return batch


def listed(batch: Batch) -> dict[str, list]:
    parts = {"x": batch.x, "y": batch.y, "node_ptr": batch.node_ptr, "ptr": batch.N.ptr, "source": batch.N.source}
    return {name: part.tolist() for name, part in parts.items()}


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> DataSet:
    return load.load(settings(limit=70), tmp_path_factory.mktemp("cache"))


@pytest.mark.parametrize("graphs", [[0], [3, 1, 2], [69, 0, 69], list(range(70)), []], ids=len)
def test_batch_is_what_loops_make_of_it(data, graphs):
    assert listed(data.train.batch(graphs)) == naive(data.train.packed, graphs)


@pytest.mark.parametrize("graphs", [[0], [1], [2], [3], [3, 2, 1, 0], [0, 0]], ids=str)
def test_batch_of_odd_graphs_is_what_loops_make_of_it(graphs):
    assert listed(Split(ODD, symmetric=False).batch(graphs)) == naive(ODD, graphs)


def test_the_comparison_with_loops_can_fail(data, monkeypatch):
    monkeypatch.setattr(split.Slices, "numbered", lambda runs, column, add: runs.copy(column, np.dtype(np.int32)))
    assert listed(data.train.batch([0])) == naive(data.train.packed, [0])
    assert listed(data.train.batch([0, 1])) != naive(data.train.packed, [0, 1])


def test_types_of_a_batch(data):
    batch = data.train.batch(np.array([4, 2]))
    assert (batch.x.dtype, batch.y.dtype, batch.node_ptr.dtype, batch.N.ptr.dtype) == (torch.int64,) * 4
    assert batch.N.source.dtype == torch.int32
    assert batch.N.symmetric
    assert Split(ODD, symmetric=False).batch([0]).x.dtype == torch.float32
    assert not Split(ODD, symmetric=False).batch([0]).N.symmetric


def test_a_batch_can_be_changed_without_harm(data):
    before = data.train.packed.x[:5].tolist()
    data.train.batch([0]).x.zero_()
    assert data.train.packed.x[:5].tolist() == before


@pytest.mark.parametrize("graph", [70, -71])
def test_a_graph_that_is_not_there(data, graph):
    with pytest.raises(IndexError):
        data.train.batch([graph])


def test_batches_go_through_the_order_and_leave_nothing_out(data):
    order = np.random.default_rng(0).permutation(70)
    batches = list(data.train.batches(np.split(order, [32, 64])))
    assert [batch.graphs for batch in batches] == [32, 32, 6]
    assert torch.cat([batch.y for batch in batches]).tolist() == naive(data.train.packed, order.tolist())["y"]
    assert list(data.train.batches([])) == []


# The floor


@pytest.mark.parametrize("flip", [False, True])
def test_threshold_is_the_best_of_all(flip):
    random = np.random.default_rng(4)
    values = random.integers(0, 12, 60) / 12
    labels = ((values + random.normal(0, 0.3, 60) > 0.5) != flip).astype(np.uint8)

    def acc(threshold: float, above: bool) -> float:
        hits = ((values > threshold) == above) == (labels == 1)
        return (hits[labels == 0].mean() + hits[labels == 1].mean()) / 2

    best = max(acc(threshold, above) for threshold in np.arange(-0.04, 1.1, 0.01) for above in (True, False))
    assert acc(*fit(values, labels)) == pytest.approx(best, abs=1e-12)
    assert 0.6 < best < 1


def test_floor_counts_degrees_by_the_size_of_the_graph():
    ones = np.ones(2, dtype=np.uint8)
    packed = Packed(
        np.array([2, 3], np.int32), np.zeros(5, np.uint8), np.r_[ones, 0 * ones, 1], np.r_[ones, ones, 2], ODD.source
    )
    assert floor.normalised_degree(Split(packed, True)).tolist() == [1, 1, 0.5, 0.5, 1]
    both = Split(packed, True)
    found = degree_floor(DataSet("pattern", both, both, both, TABLE["pattern"]))
    assert (found.threshold, found.above, found.scores["test"]) == (0.75, True, (1, 1, 1))
    assert found.rule == "class 1 where degree/(n-1) > 0.7500"


def test_the_degree_alone_says_less_than_by_the_size_of_the_graph(data):
    found, alone = degree_floor(data), degree_floor(data, "degree")
    assert alone.rule.startswith("class 1 where degree > ")
    assert alone.scores["train"][0] < found.scores["train"][0] - 0.05


def test_no_floor_where_training_graphs_hold_one_class():
    packed = Packed(ODD.sizes, ODD.x, np.zeros_like(ODD.y), ODD.degree, ODD.source)
    one = Split(packed, False)
    assert degree_floor(DataSet("pattern", one, one, one, TABLE["pattern"])) is None


def test_a_class_absent_from_a_split_is_left_out_of_its_mean(data):
    packed = Packed(ODD.sizes, ODD.x, np.zeros_like(ODD.y), ODD.degree, ODD.source)
    found = degree_floor(DataSet("pattern", data.train, Split(packed, False), data.test, TABLE["pattern"]))
    acc, zero, one = found.scores["val"]
    assert acc == zero
    assert np.isnan(one)


def test_the_ceiling_is_told_for_pattern_alone():
    assert list(CEILINGS) == ["pattern"]
    assert "redraws" in CEILINGS["pattern"].what


def test_the_floor_generalises(data):
    scores = degree_floor(data).scores
    assert 0.80 < scores["test"][0] <= scores["train"][0] + 0.03


@pytest.mark.parametrize("long", [0, 10**9], ids=["slices", "index"])
@pytest.mark.parametrize("graphs", [[3, 1, 2], [69, 0, 69], []], ids=len)
def test_long_and_short_runs_are_cut_alike(data, monkeypatch, graphs, long):
    monkeypatch.setattr(split, "LONG", long)
    assert listed(data.train.batch(graphs)) == naive(data.train.packed, graphs)
