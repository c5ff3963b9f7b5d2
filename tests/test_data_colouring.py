"""Palindromes, pyramids and their 3-colouring: the shapes the study describes, one proper colouring, fixed bits."""

import hashlib
from itertools import product

import numpy as np
import pytest

from archspec.data import colouring
from archspec.data.colouring import BASES, NAMES, generate, on_nodes, on_pairs
from archspec.data.packed import joined
from archspec.data.plain import PlainGraph, palindrome, pyramid, undirected


def drawn(base: int) -> set[frozenset[tuple[int, int]]]:
    """The edges of a pyramid between (row, column), from its description."""
    places = [(r, c) for r in range(1, base + 1) for c in range(r)]
    steps = ((0, 1), (0, -1), (1, 0), (1, 1))
    reached = [((r, c), (r + down, c + right)) for r, c in places for down, right in steps]
    return {frozenset(edge) for edge in reached if edge[1] in places}


@pytest.mark.parametrize("base", [1, 2, 3, 4, 10])
def test_pyramid(base: int) -> None:
    made = pyramid(base)
    places = [(r, c) for r in range(1, base + 1) for c in range(r)]
    pairs = made.edges.T.tolist()
    assert made.nodes == base * (base + 1) // 2
    assert len(pairs) == 3 * base * (base - 1)
    assert {frozenset((places[source], places[target])) for source, target in pairs} == drawn(base)
    assert len({tuple(pair) for pair in pairs}) == len(pairs)
    assert pairs == sorted(pairs, key=lambda pair: pair[::-1])
    assert made.y.tolist() == [(r + c) % 3 for r, c in places]
    assert not made.x.any()


@pytest.mark.parametrize("base", [2, 3, 4])
def test_a_pyramid_has_one_colouring_up_to_names(base: int) -> None:
    made = pyramid(base)
    source, target = made.edges
    every = np.array(list(product(range(3), repeat=made.nodes)))
    proper = every[(every[:, source] != every[:, target]).all(1)]
    assert sorted(map(tuple, proper)) == sorted(map(tuple, NAMES[:, made.y]))


def test_names_are_all_orders() -> None:
    assert sorted(map(tuple, NAMES.tolist())) == [
        (a, b, c) for a, b, c in product(range(3), repeat=3) if {a, b, c} == {0, 1, 2}
    ]


def test_palindrome() -> None:
    assert palindrome(4).edges.tolist() == [[1, 0, 2, 1, 3, 2], [0, 1, 1, 2, 2, 3]]
    assert palindrome(7).y.tolist() == [0, 1, 2, 3, 2, 1, 0]


def test_undirected_edges_are_sorted_by_target_and_then_source() -> None:
    assert undirected(np.array([[2, 0], [0, 1]])).T.tolist() == [[1, 0], [2, 0], [0, 1], [0, 2]]


@pytest.mark.parametrize("split", BASES)
def test_on_nodes_reveals_one_node_of_each_colour(split: str) -> None:
    for number, made in enumerate(on_nodes(0, split, 20)):
        plain = pyramid(BASES[split][number % len(BASES[split])])
        source, target = made.edges
        assert made.edges.tolist() == plain.edges.tolist()
        assert (made.y[source] != made.y[target]).all()
        seeds = np.flatnonzero(made.x)
        assert sorted(made.x[seeds]) == [1, 2, 3]
        assert (made.x[seeds] == made.y[seeds] + 1).all()


def test_names_and_seeds_vary() -> None:
    graphs = list(on_nodes(0, "train", 240))
    assert len({tuple(made.y[:3]) for made in graphs}) == 6  # the triangle at the top
    assert len({made.x.tobytes() for made in graphs}) > 200


def test_sizes_of_training_are_smaller() -> None:
    assert max(BASES["train"]) < min(BASES["val"]) < max(BASES["val"]) < min(BASES["test"])


def test_on_pairs() -> None:
    graphs = list(on_pairs("train"))
    assert [made.nodes for made in graphs] == [base * (base + 1) // 2 for base in BASES["train"]]
    made = graphs[0]
    colour = pyramid(3).y
    assert made.y.tolist() == [[int(colour[i] == colour[j]) for j in range(6)] for i in range(6)]
    assert not made.x.any()


def digest(graphs: list[PlainGraph]) -> str:
    parts = [part.astype("<i8").tobytes() for made in graphs for part in (made.edges, made.x, made.y)]
    return hashlib.sha256(b"".join(parts)).hexdigest()[:16]


PINNED = {"train": "49e0e09c73a74626", "val": "57b1e24e3b2dd9bd", "test": "bcfe89d71523553e"}


@pytest.mark.parametrize("split", PINNED)
def test_bits_are_pinned(split: str) -> None:
    assert digest(list(on_nodes(0, split, 30))) == PINNED[split]


def test_graphs_depend_on_seed_split_and_number_alone() -> None:
    assert digest(list(on_nodes(0, "train", 9))) == digest(list(on_nodes(0, "train", 12))[:9])
    same_bases = {split: BASES["train"] for split in BASES}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(colouring, "BASES", same_bases)
        drawn = {digest(list(on_nodes(seed, split, 9))) for seed in (0, 1) for split in BASES}
    assert len(drawn) == 6


def test_packed_graphs_are_the_plain_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(colouring, "CHUNK", 8)
    chunks = list(generate(0, "test", 20))
    assert [chunk.graphs for chunk in chunks] == [8, 8, 4]
    whole, node, edge = joined(chunks), 0, 0
    for size, made in zip(whole.sizes.tolist(), on_nodes(0, "test", 20), strict=True):
        degree = whole.degree[node : node + size]
        source = whole.source[edge : edge + degree.sum(dtype=int)]
        assert np.stack([source, np.repeat(np.arange(size), degree)]).tolist() == made.edges.tolist()
        assert whole.x[node : node + size].tolist() == made.x.tolist()
        assert whole.y[node : node + size].tolist() == made.y.tolist()
        node, edge = node + size, edge + len(source)
    assert (node, edge) == (len(whole.x), len(whole.source))
