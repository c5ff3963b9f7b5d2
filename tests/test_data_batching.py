"""Which graphs make a batch: each once an epoch, never too many, as many batches every epoch, no graph favoured."""

from itertools import combinations

import numpy as np
import pytest

from archspec.data import batching
from archspec.data.batching import BatchSampler, BatchSize, batch_size, cut, in_order
from archspec.data.packed import Packed
from archspec.data.split import Split
from archspec.train.batches import alone_line
from archspec.train.pairs import most_pairs

DRAW = np.random.default_rng(0)
SIZES = {
    "like PATTERN": DRAW.integers(44, 189, 200),
    "like molecules": DRAW.integers(9, 38, 300),
    "of long tail": np.ceil(DRAW.pareto(1.1, 250) * 10 + 1).astype(np.int64),
    "all alike": np.full(100, 41),
    "a single one": np.array([70]),
}


def of_sizes(sizes: np.ndarray) -> Split:
    """Graphs without edges."""
    nodes = np.zeros(int(sizes.sum()), np.uint8)
    return Split(Packed(sizes.astype(np.int32), nodes, nodes, nodes, np.zeros(0, np.uint8)), True)


@pytest.mark.parametrize(
    ("weights", "most", "batches"),
    [
        ([1, 1, 1, 1, 1], 2, [[0, 1], [2, 3], [4]]),
        ([3, 2, 5, 1, 1], 5, [[0, 1], [2], [3, 4]]),
        ([9, 1, 9, 9, 1, 1], 4, [[0], [1], [2], [3], [4, 5]]),
        ([0, 0, 4, 0, 0], 4, [[0, 1, 2, 3, 4]]),
        ([4, 0, 1], 4, [[0, 1], [2]]),
        ([7], 3, [[0]]),
        ([], 3, []),
    ],
)
def test_cut(weights, most, batches):
    order = np.arange(len(weights))
    assert [one.tolist() for one in cut(order, np.array(weights, np.int64), most)] == batches
    turned = cut(order[::-1], np.array(weights[::-1], np.int64), most)
    assert [[len(weights) - 1 - graph for graph in one] for one in turned] == batches


def test_settings():
    assert batch_size(32) == BatchSize(32, "graphs")
    assert batch_size("4000 nodes") == BatchSize(4000, "nodes")
    assert str(batch_size("4000 nodes")) == "4,000 nodes"


@pytest.mark.parametrize("buckets", [1, 4, 1000])
@pytest.mark.parametrize("size", [BatchSize(7, "graphs"), BatchSize(150, "nodes"), BatchSize(4000, "nodes")], ids=str)
@pytest.mark.parametrize("name", SIZES)
def test_every_graph_is_there_once_and_no_batch_is_too_large(name, size, buckets):
    split = of_sizes(SIZES[name])
    sampler = BatchSampler(split, size, buckets, seed=3)
    weights = size.weights(split)
    for number in range(12):
        batches = sampler.epoch(number)
        assert len(batches) == sampler.steps
        assert sorted(np.concatenate(batches).tolist()) == list(range(len(split)))
        assert all(len(one) == 1 or 0 < weights[one].sum() <= size.most for one in batches)
    fewest = size.alone(split) + -(-int(weights[weights <= size.most].sum()) // size.most)
    assert fewest <= sampler.steps <= 2 * fewest


@pytest.mark.parametrize("size", [BatchSize(150, "nodes"), BatchSize(2000, "nodes")], ids=str)
def test_the_number_of_batches_does_not_depend_on_the_seed(size):
    split = of_sizes(SIZES["like PATTERN"])
    samplers = [BatchSampler(split, size, 1, seed) for seed in range(5)]
    assert len({sampler.steps for sampler in samplers}) == 1
    assert len({len(sampler.epoch(epoch)) for sampler in samplers for epoch in range(10)}) == 1


def test_orders_that_need_more_batches_are_drawn_again(monkeypatch):
    """With fewer tried, the epochs need more than the most of them more often."""
    monkeypatch.setattr(batching, "TRIED", 1)
    sampler = BatchSampler(of_sizes(SIZES["like PATTERN"]), BatchSize(300, "nodes"), 1, 0)
    first = [batching.Stream(0, batching.Purpose.EPOCH_ORDER, epoch, 0) for epoch in range(30)]
    needed = [len(sampler.drawn(stream)) for stream in first]
    assert max(needed) > sampler.steps > min(needed)
    assert {len(sampler.epoch(epoch)) for epoch in range(30)} == {sampler.steps}


def test_an_epoch_depends_on_seed_and_number_alone():
    split = of_sizes(SIZES["like molecules"])
    for size, buckets in ((BatchSize(9, "graphs"), 1), (BatchSize(200, "nodes"), 3)):
        there = [BatchSampler(split, size, buckets, 5).epoch(number) for number in (2, 0, 1)]
        back = BatchSampler(split, size, buckets, 5)
        assert all(equal(back.epoch(number), found) for number, found in zip((2, 0, 1), there, strict=True))
        others = [BatchSampler(split, size, buckets, 6).epoch(2), *there]
        assert not any(equal(one, other) for one, other in combinations(others, 2))


def equal(one: list[np.ndarray], other: list[np.ndarray]) -> bool:
    return [graphs.tolist() for graphs in one] == [graphs.tolist() for graphs in other]


def test_bits_are_pinned():
    """A run goes on with the batches it began with, whatever version of archspec continues it."""
    split = of_sizes(np.array([3, 9, 4, 8, 5, 7, 6, 2, 1, 5]))
    found = [
        [one.tolist() for one in BatchSampler(split, size, buckets, 41).epoch(7)]
        for size, buckets in ((BatchSize(4, "graphs"), 1), (BatchSize(4, "graphs"), 2), (BatchSize(12, "nodes"), 2))
    ]
    assert found[0] == [[2, 7, 3, 9], [8, 1, 0, 6], [4, 5]]
    assert found[1] == [[6, 3, 1, 5], [4, 8], [7, 0, 2, 9]]
    assert found[2] == [[3], [0, 8], [5], [1], [7, 2, 9], [6, 4]]


@pytest.mark.parametrize("size", [BatchSize(32, "graphs"), BatchSize(700, "nodes")], ids=str)
def test_buckets_bring_like_sizes_together(size):
    split = of_sizes(DRAW.integers(9, 38, 1500))
    wasted = [np.mean([padding(split, BatchSampler(split, size, k, 0).epoch(e)) for e in range(5)]) for k in (1, 4, 8)]
    assert wasted[0] > 0.4
    assert wasted[1] < wasted[0] / 2
    assert wasted[2] < wasted[0] / 3


def padding(split: Split, batches: list[np.ndarray]) -> float:
    """The share that is padding where graphs are padded to the largest of their batch."""
    sizes = split.packed.sizes.astype(np.int64)
    return 1 - (sizes**2).sum() / sum(len(one) * sizes[one].max() ** 2 for one in batches)


def met(buckets: int, epochs: int) -> np.ndarray:
    """How often graphs of 1, 2, …, 20 nodes were in a batch of six together: [20, 20]."""
    sampler = BatchSampler(of_sizes(np.arange(1, 21)), BatchSize(6, "graphs"), buckets, 0)
    together = np.zeros((20, 20))
    for epoch in range(epochs):
        for one in sampler.epoch(epoch):
            together[np.ix_(one, one)] += 1
    return together[~np.eye(20, dtype=bool)].reshape(20, 19)


def test_any_two_graphs_meet_equally_often_without_buckets():
    epochs, share = 2000, (3 * 6 * 5 + 2 * 1) / (20 * 19)
    found = met(1, epochs)
    assert np.abs(found - epochs * share).max() < 5 * np.sqrt(epochs * share * (1 - share))
    assert np.abs(met(2, epochs) - epochs * share).max() > 20 * np.sqrt(epochs * share * (1 - share))


def smaller(sampler: BatchSampler, epochs: int) -> tuple[np.ndarray, np.ndarray]:
    """How often every graph was in a batch of fewer than others, and how often in the first batch."""
    last, first = np.zeros(len(sampler.split)), np.zeros(len(sampler.split))
    for epoch in range(epochs):
        batches = sampler.epoch(epoch)
        first[batches[0]] += 1
        last[np.concatenate([one for one in batches if len(one) < sampler.size.most])] += 1
    return last, first


@pytest.mark.parametrize("buckets", [1, 2, 3])
def test_no_size_is_favoured_by_the_smaller_batch(buckets):
    """A graph of the smaller batch weighs more in the mean loss of its step, so it must not always be the largest."""
    sampler, epochs = BatchSampler(of_sizes(np.arange(1, 21)), BatchSize(6, "graphs"), buckets, 0), 2000
    last, first = smaller(sampler, epochs)
    assert np.abs(last - epochs * 2 / 20).max() < 5 * np.sqrt(epochs * 0.1 * 0.9)
    share = 0.3 if buckets == 1 else 0.25  # the smaller batch is the last one, or anywhere
    assert np.abs(first - epochs * share).max() < 5 * np.sqrt(epochs * share * (1 - share))


def test_the_check_of_the_smaller_batch_can_fail(monkeypatch):
    monkeypatch.setattr(np, "roll", lambda order, _places: order)
    last, _ = smaller(BatchSampler(of_sizes(np.arange(1, 21)), BatchSize(6, "graphs"), 4, 0), 200)
    assert last[-1] == last[-2] == 200


def test_batches_in_order():
    split = of_sizes(np.array([3, 9, 4, 8, 5]))
    assert [one.tolist() for one in in_order(split, BatchSize(2, "graphs"))] == [[0, 1], [2, 3], [4]]
    assert [one.tolist() for one in in_order(split, BatchSize(12, "nodes"))] == [[0, 1], [2, 3], [4]]
    assert [one.tolist() for one in in_order(split, BatchSize(8, "nodes"))] == [[0], [1], [2], [3], [4]]
    assert BatchSize(8, "nodes").alone(split) == 1
    assert (
        alone_line("train", 1, BatchSize(8, "nodes"))
        == "note: 1 graph of train is larger than 8 nodes and a batch of its own"
    )
    assert BatchSize(1, "graphs").alone(split) == 0


def test_most_pairs_of_a_batch():
    split = of_sizes(np.array([3, 9, 4, 8, 5]))
    assert most_pairs(split, BatchSize(2, "graphs")) == 81 + 64
    assert most_pairs(split, BatchSize(17, "nodes")) == 81 + 64
    assert most_pairs(split, BatchSize(16, "nodes")) == 81
    assert most_pairs(split, BatchSize(2, "nodes")) == 81
    assert most_pairs(split, BatchSize(99, "graphs")) == 81 + 64 + 25 + 16 + 9
