"""CLUSTER: the very same graphs everywhere, with the statistics of the published recipe."""

import numpy as np
import pytest

from archspec.data import cluster
from archspec.data.cluster import EDGE, generate
from archspec.data.packed import Packed, joined
from archspec.data.random import threshold
from tests.test_data_pattern import adjacency, digest

PINNED = {"train": "dd0c9d4e8498ff7f", "val": "836f9a219b0b8a11", "test": "18692def080e979d"}


def drawn(seed: int, split: str, graphs: int) -> Packed:
    return joined(list(generate(seed, split, graphs)))


@pytest.mark.parametrize("split", PINNED)
def test_bits_are_pinned(split):
    assert digest(drawn(0, split, 60)) == PINNED[split]


def test_first_graphs_do_not_depend_on_how_many_follow(monkeypatch):
    long = drawn(5, "val", 30)
    monkeypatch.setattr(cluster, "CHUNK", 7)
    assert digest(drawn(5, "val", 20)) == digest(long.first(20))
    assert digest(drawn(6, "val", 20)) != digest(long.first(20))


def deviations(graphs: int) -> dict[str, float]:
    """How many standard deviations the edges between each two communities are from their expected number."""
    packed = drawn(2, "train", graphs)
    edges, pairs = np.zeros((6, 6)), np.zeros((6, 6))
    for graph in range(graphs):
        _, y, dense = adjacency(packed, graph)
        one_hot = np.eye(6)[y]
        edges += one_hot.T @ dense @ one_hot / 2
        pairs += one_hot.T @ (np.ones_like(dense) - np.eye(len(y))) @ one_hot / 2
    chance = np.where(np.eye(6) > 0, 0.55, 0.25)
    factor = np.where(np.eye(6) > 0, 1, 2)  # a pair of different communities is seen from both
    return (edges - pairs * chance) * factor / np.sqrt(pairs * factor * chance * (1 - chance))


def test_edges_have_the_probabilities_of_the_recipe():
    assert np.abs(deviations(40)).max() < 4.5


def test_a_wrong_probability_would_be_seen(monkeypatch):
    wrong = EDGE.copy()
    wrong[wrong == threshold(0.25)] = threshold(0.26)
    monkeypatch.setattr(cluster, "EDGE", wrong)
    assert np.abs(deviations(40)).max() > 4.5


def test_one_node_of_every_community_carries_its_letter():
    packed = drawn(1, "test", 30)
    places = []
    for graph in range(30):
        x, y, dense = adjacency(packed, graph)
        told = np.flatnonzero(x)
        assert sorted(x[told].tolist()) == [1, 2, 3, 4, 5, 6]
        assert (y[told] + 1 == x[told]).all()
        assert (np.bincount(y, minlength=6) >= 5).all()
        assert (np.bincount(y, minlength=6) <= 34).all()
        assert (dense == dense.T).all()
        places += (told / len(x)).tolist()
    assert abs(np.mean(places) - 0.5) < 0.1  # nodes are in random order


def test_sizes_are_those_of_the_recipe():
    sizes = drawn(0, "val", 120).sizes
    assert sizes.mean() == pytest.approx(6 * 19.5, abs=4 * np.sqrt(6 * (30**2 - 1) / 12 / 120))
