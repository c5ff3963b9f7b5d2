"""`archspec receptive` of data sets: every figure against fractions and sets of tuples, on odd graphs."""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from archspec.data import telling
from archspec.data.masked import Masked, Whole
from archspec.data.packed import PARTS, Packed, joined, sort_edges
from archspec.data.split import Split
from archspec.data.telling import KINDS, Graphs, told
from archspec.structure.exact import Encoded, Groups
from archspec.structure.receptive import Field
from tests.graphs import SHAPES, Shape
from tests.test_command_line import call
from tests.test_receptive import powers

LAST = 3
LEVELS = {"node": "node", "same": "node", "edge": "edge", "pair": "pair", "graph": "graph"}


def packed(shape: Shape, level: str, seed: int) -> Packed:
    """A shape with random letters, and labels of two kinds for whatever has them."""
    nodes, edges = shape
    draw = np.random.default_rng([seed, nodes])
    order, degree, source = sort_edges(np.array([(j, i) for i, j in edges], np.int64).reshape(-1, 2).T, nodes)
    pair = np.sort(draw.integers(nodes, size=(nodes + 1, 2)), axis=0)
    rows = {"node": nodes, "edge": len(order), "pair": len(pair), "graph": 1}[level]
    return Packed(
        np.array([nodes], np.int32),
        draw.integers(2, size=nodes),
        draw.integers(2, size=rows),
        degree,
        source,
        pair=pair,
        pair_count=np.array([len(pair)], np.int32),
        level=level,
    )


def data(level: str) -> list[Packed]:
    """All odd shapes, each twice with other letters and labels."""
    return [packed(shape, level, seed) for seed in (0, 1) for shape in SHAPES.values()]


def by_hand(parts: Sequence[Packed], labels: str, field: int, features: bool) -> list[tuple[Hashable, int, bool]]:
    """The encoding, the label and whether it is not all zero, of everything there is, with Python's fractions."""
    found: list[tuple[Hashable, int, bool]] = []
    for one in parts:
        nodes, y = int(one.sizes[0]), one.y.tolist()
        target = np.repeat(np.arange(nodes), one.degree).tolist()
        edges = list(zip(target, one.source.tolist(), strict=True))
        dense = powers((nodes, tuple(edges)), field)
        walks = {(i, j): tuple(power[i][j] for power in dense) for i in range(nodes) for j in range(nodes)}
        known = {(i, j): (one.x[i], one.x[j]) if features else () for i, j in walks}
        code = {pair: (known[pair], walk) for pair, walk in walks.items()}
        own = [frozenset(Counter(code[i, j] for j in range(nodes) if any(walks[i, j])).items()) for i in range(nodes)]
        if labels == "node":
            found += [(own[i], y[i], True) for i in range(nodes)]
        elif labels == "graph":
            found.append((frozenset(Counter(own).items()), y[0], True))
        else:
            listed = {"same": list(walks), "edge": edges, "pair": [tuple(row) for row in one.pair.tolist()]}[labels]
            asked = [int(y[i] == y[j]) for i, j in listed] if labels == "same" else y
            found += [(code[pair], label, any(walks[pair])) for pair, label in zip(listed, asked, strict=True)]
    return found


def counted(things: list[tuple[Hashable, int, bool]]) -> tuple[int, int, int, int, int, int]:
    """Encodings, ambiguous ones, what has these, what is covered, all, and what is right at best."""
    groups: dict[Hashable, list[tuple[int, bool]]] = defaultdict(list)
    for code, label, covered in things:
        groups[code].append((label, covered))
    mixed = [one for one in groups.values() if len({label for label, _ in one}) > 1 and one[0][1]]
    best = sum(max(Counter(label for label, _ in one).values()) for one in groups.values())
    covered = sum(one for _, _, one in things)
    return len(groups), len(mixed), sum(map(len, mixed)), covered, len(things), best


def figures(field: Field) -> tuple[int, int, int, int, int, int]:
    return field.distinct, field.ambiguous, field.ambiguous_items, field.covered, field.items, field.best


@pytest.mark.parametrize("features", [False, True], ids=["walks", "with x"])
@pytest.mark.parametrize("labels", LEVELS)
def test_every_figure_is_that_of_fractions(labels: str, features: bool) -> None:
    parts = data(LEVELS[labels])
    graphs = Graphs(Split(joined(parts), False))
    _, level, of = KINDS[labels]
    found = list(told(graphs, of(graphs), level, range(LAST + 1), features))
    assert [one.field for one in found] == list(range(LAST + 1))
    for one in found:
        things = by_hand(parts, labels, one.field, features)
        assert figures(one) == counted(things)
        if one.example:
            (first, label, _), (second, other, _) = (things[at] for at in one.example)
            assert first == second
            assert label > other
    assert any(one.ambiguous for one in found)


def all_covered(graphs: Graphs, encoded: Encoded) -> tuple[np.ndarray, np.ndarray]:
    """Nodes whose pairs count even where they are all zero."""
    return telling.of_nodes(graphs, replace(encoded, covered=np.ones_like(encoded.covered)))


def sources(one: Packed) -> list[list[np.ndarray]]:
    """The nodes that edges lead to in place of those they come from."""
    return [list(one_way) for one_way in near_of(replace(one, source=one.source[::-1]))]


def cut_short(self: Groups, column: np.ndarray) -> None:
    """Residues of which one bit is looked at."""
    refine(self, column % 2)


refine = Groups.refine
near_of = telling.near_of
MUTANTS: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "pairs that are all zero count": lambda patch: patch.setitem(telling.LEVELS, "node", all_covered),
    "edges lead elsewhere": lambda patch: patch.setattr(telling, "near_of", sources),
    "residues are cut short": lambda patch: patch.setattr(Groups, "refine", cut_short),
}


@pytest.mark.parametrize("mutant", MUTANTS)
def test_the_comparison_can_fail(mutant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    MUTANTS[mutant](monkeypatch)
    parts = data("node")
    graphs = Graphs(Split(joined(parts), False))
    found = told(graphs, KINDS["node"][2](graphs), "node", range(LAST + 1), False)
    assert any(figures(one) != counted(by_hand(parts, "node", one.field, False)) for one in found)


def test_graphs_are_compared_with_each_other_and_not_each_with_itself() -> None:
    parts = data("node")
    graphs = Graphs(Split(joined(parts), False))
    [together] = told(graphs, KINDS["node"][2](graphs), "node", [2], False)
    alone = [Graphs(Split(one, False)) for one in parts]
    apart = [one.distinct for own in alone for one in told(own, KINDS["node"][2](own), "node", [2], False)]
    assert together.distinct < sum(apart)
    assert together.ambiguous > 0


def test_labels_that_do_not_count_or_are_not_known_are_left_out() -> None:
    shape = SHAPES["undirected"]
    nodes = shape[0]
    one = packed(shape, "node", 0)
    y = np.arange(nodes, dtype=np.float32)[:, None] % 2
    y[0] = np.nan
    mask = np.full((nodes, 1), PARTS["train"], np.uint8)
    mask[1] = PARTS["test"]
    whole = Packed(one.sizes, one.x, y, one.degree, one.source, mask=mask)
    graphs = Graphs(Masked(Whole(whole, False), "train", 0))
    things = KINDS["node"][2](graphs)
    assert (things.at.tolist(), things.unknown) == (list(range(2, nodes)), 1)
    pairs = KINDS["same"][2](graphs)
    assert (pairs.unknown, pairs.left) == (1, 0)
    assert pairs.at.tolist() == [i * nodes + j for i in range(2, nodes) for j in range(2, nodes)]
    assert pairs.labels.tolist() == [int(i % 2 == j % 2) for i in range(2, nodes) for j in range(2, nodes)]


def studied(one: Packed, labels: str, most: int) -> list[bool]:
    """Of every thing of a graph whether its i is among the first that have a label, as many as have so many pairs."""
    nodes = int(one.sizes[0])
    everywhere = list(range(nodes))
    of = {
        "node": everywhere,
        "same": [i for i in everywhere for _ in everywhere],
        "edge": np.repeat(everywhere, one.degree).tolist(),
        "pair": one.pair[:, 0].tolist(),
    }[labels]
    if nodes**2 <= most:
        return [True] * len(of)
    kept = sorted(set(of))[: max(1, most // nodes)]
    return [i in kept for i in of]


@pytest.mark.parametrize("labels", ["node", "same", "edge", "pair"])
def test_of_large_graphs_some_rows_are_studied_and_the_rest_is_counted(
    labels: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = data(LEVELS[labels])
    split = Split(joined(parts), False)
    monkeypatch.setattr(telling, "MOST_PAIRS", 12)
    graphs = Graphs(split, telling.wanted(split))
    _, level, of = KINDS[labels]
    things = of(graphs)
    inside = [here for one in parts for here in studied(one, labels, 12)]
    assert (things.left, len(things.at)) == (inside.count(False), inside.count(True))
    assert 0 < things.left < len(inside)
    for one in told(graphs, things, level, range(LAST + 1), True):
        whole = by_hand(parts, labels, one.field, True)
        assert figures(one) == counted([thing for thing, here in zip(whole, inside, strict=True) if here])


# From the command line


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ARCHSPEC_CACHE", str(tmp_path / "cache"))


def test_a_data_set_of_pairs_is_the_study(capsys: pytest.CaptureFixture[str]) -> None:
    """A pyramid as data, its colours asked of pairs, gives the figures of the notebook's table."""
    assert call("receptive", "pyramid_pairs", "--fields", "1,2,4,9,19") == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()[4:9]]
    assert [row[:4] for row in rows] == [
        ["1", "5", "0", "0"],
        ["2", "25", "0", "0"],
        ["4", "118", "1", "72"],
        ["9", "417", "0", "0"],
        ["19", "417", "0", "0"],
    ]
    assert call("receptive", "pyramid", "--labels", "same", "--limit", "1", "--fields", "4") == 0
    assert capsys.readouterr().out.splitlines()[-3].split()[:4] == ["4", "118", "1", "72"]


def test_what_is_left_out_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("receptive", "cluster", "--limit", "3", "--fields", "1", "--split", "val") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("cluster, val: 3 graphs, ")
    assert lines[1] == "left out: the other 997 of 1,000 graphs (--limit)"
    assert lines[-1].startswith("R = 1: node ")
    assert ", label " in lines[-1]


def test_features_tell_more(capsys: pytest.CaptureFixture[str]) -> None:
    found = {}
    for features in ([], ["--features"]):
        assert call("--format", "json", "receptive", "colouring", "--limit", "20", "--fields", "0..3", *features) == 0
        found[bool(features)] = json.loads(capsys.readouterr().out)
    best = {key: [one["best"] for one in value["fields"]] for key, value in found.items()}
    assert found[True]["labelled"] == found[False]["labelled"] > 0
    assert all(more >= less for more, less in zip(best[True], best[False], strict=True))
    assert best[True][3] > best[False][3]
    assert found[True]["graphs_left_out"] == 1980


def test_graphs_that_do_not_fit_into_memory_are_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("archspec.structure.memory.available", lambda: 10_000)
    assert call("receptive", "palindrome", "--labels", "node", "--set", "options.nodes=20") == 1
    assert "E0006" in capsys.readouterr().err
