"""What is said of a data set, against counting by hand and by loops over small odd graphs."""

import json
import subprocess
import sys
from itertools import permutations

import numpy as np
import pytest

from archspec.commands import description, histogram
from archspec.commands.main import run
from archspec.data.describe import class_insensitive, describe, neighbourhood
from archspec.data.duplicates import duplicates
from archspec.data.links import links, oddities
from archspec.data.load import DataSet, load
from archspec.data.packed import Packed, joined, smallest, sort_edges
from archspec.data.split import Split
from archspec.diagnostics import SpecError
from archspec.facts import TABLE
from archspec.syntax.data_settings import read_data_settings
from archspec.syntax.schema import DataSettings


def graph(edges, x, y, level="node", e=None) -> Packed:
    """A graph of edges (source, target)."""
    pairs = np.array(edges, dtype=np.int64).reshape(-1, 2).T
    order, degree, source = sort_edges(pairs, len(x))
    carried = None if e is None else np.array(e, np.uint8)[order]
    x, y = np.array(x, np.uint8), np.array(y)
    return Packed(np.array([len(x)], np.int32), x, y, smallest(degree), smallest(source), carried, level=level)


def drawn(
    seed: int, graphs: int = 6, classes: int = 3
) -> tuple[Packed, list[tuple[list[tuple[int, int]], np.ndarray]]]:
    """Directed graphs with loops, repeated edges and nodes alone, and what they were made from."""
    generator = np.random.default_rng(seed)
    made = []
    for _ in range(graphs):
        nodes = int(generator.integers(1, 7))
        edges = [tuple(pair) for pair in generator.integers(nodes, size=(int(generator.integers(0, 15)), 2)).tolist()]
        made.append((edges, generator.integers(classes, size=nodes).astype(np.uint8)))
    return joined([graph(edges, np.zeros(len(y)), y) for edges, y in made]), made


@pytest.mark.parametrize("seed", range(8))
def test_classes_and_edges_against_loops(seed, monkeypatch):
    monkeypatch.setattr("archspec.data.links.EDGES", 5)  # several chunks
    packed, made = drawn(seed)
    counts, connected, pairs = np.zeros((3, 3, 3), int)
    for edges, y in made:
        for source, target in edges:
            counts[y[target], y[source]] += 1
        for i, j in permutations(range(len(y)), 2):
            pairs[y[i], y[j]] += 1
            connected[y[i], y[j]] += (j, i) in edges
    found = neighbourhood(packed, 3)
    assert found.edges == counts.tolist()
    for own in range(3):
        for other in range(3):
            total, all_pairs = counts[own].sum(), pairs[own, other]
            assert found.neighbour[own][other] == (counts[own, other] / total if total else None)
            assert found.connection[own][other] == (connected[own, other] / all_pairs if all_pairs else None)
    same = sum(y[source] == y[target] for edges, y in made for source, target in edges)
    assert found.edge_homophily == same / sum(len(edges) for edges, _ in made)


def test_homophily_is_that_of_pyg():
    torch = pytest.importorskip("torch")
    homophily = pytest.importorskip("torch_geometric.utils").homophily
    edges = [(0, 1), (1, 0), (1, 2), (2, 1), (2, 3), (3, 2), (0, 3), (3, 0), (3, 4), (4, 3)]
    y = [0, 0, 1, 1, 1]
    found = neighbourhood(graph(edges, [0] * 5, np.array(y, np.uint8)), 2)
    index = torch.tensor(edges).T
    assert found.edge_homophily == pytest.approx(homophily(index, torch.tensor(y), method="edge"))
    assert found.class_insensitive == pytest.approx(homophily(index, torch.tensor(y), method="edge_insensitive"))


def test_class_insensitive_homophily_by_hand():
    # Class 0: 3 of 4 neighbours are of it, 2 of 4 nodes; class 1: 1 of 2, 2 of 4; class 2 does not occur.
    edges = np.array([[3, 1, 0], [1, 1, 0], [0, 0, 0]])
    assert class_insensitive(edges, np.array([2, 2, 0])) == 0.25
    assert class_insensitive(edges, np.array([4, 0, 0])) is None
    assert class_insensitive(edges * 0, np.array([2, 2, 0])) is None


@pytest.mark.parametrize("chunk", [1, 4, 2**21])
@pytest.mark.parametrize("seed", range(8))
def test_oddities_against_loops(seed, chunk, monkeypatch):
    monkeypatch.setattr("archspec.data.links.EDGES", chunk)
    packed, made = drawn(seed, 3)
    found = oddities(packed)
    assert found.one_way == any(edges.count(edge) != edges.count(edge[::-1]) for edges, _ in made for edge in edges)
    assert found.loops == any(i == j for edges, _ in made for i, j in edges)
    assert found.repeated == any(len(set(edges)) < len(edges) for edges, _ in made)
    assert sum(len(some.source) for some in links(packed)) == len(packed.source)


def test_oddities_of_a_graph_too_large_for_numbers_of_32_bits():
    edges = [(0, 69_999), (69_999, 0)]
    assert not oddities(graph(edges, [0] * 70_000, [0] * 70_000)).one_way
    assert oddities(graph(edges[:1], [0] * 70_000, [0] * 70_000)).one_way


TRIANGLE = [(0, 1), (1, 2), (2, 0)]
PATH = [(0, 1), (1, 0), (1, 2), (2, 1)]


def test_duplicates_by_hand():
    first = graph(PATH, [0, 1, 2], [0], "graph")
    mirrored = graph(PATH, [2, 1, 0], [1], "graph")
    other_letter = graph(PATH, [0, 1, 1], [0], "graph")
    turned = graph([(1, 0), (2, 1), (0, 2)], [0, 1, 2], [0], "graph")
    cycle = graph(TRIANGLE, [0, 1, 2], [0], "graph")
    found = duplicates({"train": joined([first, first, cycle, other_letter]), "val": joined([mirrored, first, turned])})
    assert found.bytes["train"].within == 1
    assert found.bytes["val"].earlier == {"train": 1}
    assert found.colours["train"].within == 1
    assert (found.colours["val"].within, found.colours["val"].earlier) == (1, {"train": 2})
    assert found.contradictory == 4  # the three that are `first`, and the mirrored one of class 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (graph(TRIANGLE, [0, 0, 0], [0] * 3), graph([(0, 1), (1, 2), (2, 2)], [0, 0, 0], [0] * 3)),
        (graph([(0, 1), (2, 3)], [0, 1, 2, 1], [0] * 4), graph([(2, 1), (0, 3)], [0, 1, 2, 2], [0] * 4)),
        (graph([(0, 1), (0, 2)], [0, 0, 0], [0] * 3), graph([(1, 0), (2, 0)], [0, 0, 0], [0] * 3)),
        (graph(PATH, [0, 1, 0], [0] * 3, e=[1, 1, 2, 2]), graph(PATH, [0, 1, 0], [0] * 3, e=[1, 2, 1, 2])),
        (graph([(0, 1)], [0, 0], [0] * 2), graph([(0, 1), (0, 1)], [0, 0], [0] * 2)),
    ],
    ids=["loop", "letters", "direction", "edge letters", "repeated"],
)
def test_different_graphs_have_different_colours(one, other):
    found = duplicates({"train": joined([one, one]), "val": joined([other])})
    assert found.colours["train"].within == 1
    assert found.colours["val"].earlier == {"train": 0}


@pytest.mark.parametrize("seed", range(6))
def test_colours_do_not_depend_on_the_numbering(seed):
    _, made = drawn(seed)
    generator = np.random.default_rng(seed)
    one, other = [], []
    for edges, y in made:
        order = generator.permutation(len(y))
        moved = [(int(order[i]), int(order[j])) for i, j in edges]
        letters = np.empty_like(y)
        letters[order] = y
        one.append(graph(edges, y, y))
        other.append(graph(moved, letters, letters))
    found = duplicates({"train": joined(one), "val": joined(other)})
    assert found.colours["val"].earlier == {"train": len(made)}


def test_pattern_as_a_whole(tmp_path):
    found = describe(load(DataSettings(name="pattern", limit=40), tmp_path), "val")
    size = found.sizes["train"]
    assert (size.graphs, size.labels) == (40, size.nodes)
    assert found.detailed == "val"
    assert sum(found.degree.counts) == found.sizes["val"].nodes == sum(found.x.counts)
    assert (found.edges.one_way, found.edges.loops, found.edges.repeated) == (False, False, False)
    connection = found.neighbourhood.connection
    assert connection[1][0] == connection[0][1] == pytest.approx(0.5, abs=0.02)  # the recipe's
    rules = {(one.rule.split()[0], one.score): one.splits for one in found.floors}
    assert rules["any", "acc"]["test"] == 0.5
    assert rules["always", "accuracy"]["train"] == max(found.labels["train"].counts) / size.labels
    assert found.duplicates.colours["test"].earlier == {"train": 0, "val": 0}
    assert "no graph occurs twice" in description.text(found)


def test_graphs_that_colours_cannot_tell_apart(tmp_path):
    found = describe(load(DataSettings(name="csl"), tmp_path))
    assert found.neighbourhood is None
    assert found.duplicates.bytes["test"].earlier == {"train": 0, "val": 0}
    assert found.duplicates.colours["test"].earlier == {"train": 30, "val": 30}
    assert found.duplicates.contradictory == 150
    assert "150 graphs have the colours of one with another label" in description.text(found)


def of_numbers(task: str, out: int, y: list[list[float]]) -> DataSet:
    """Graphs of one node with rows of numbers as labels."""
    one = joined([graph([], [0], np.array([row], np.float32), "graph") for row in y])
    split = Split(one, True)
    facts = TABLE["zinc"].__class__(**{**vars(TABLE["zinc"]), "task": task, "out": out})
    return DataSet("mine", split, split, split, facts)


def test_numbers_and_answers():
    found = describe(of_numbers("graph regression", 1, [[1], [2], [6]]))
    assert [(one.score, one.splits["val"]) for one in found.floors] == [
        ("mae", pytest.approx(5 / 3)),
        ("rmse", pytest.approx((14 / 3) ** 0.5)),
    ]
    assert found.labels["train"].mean == [3.0]
    answers = describe(of_numbers("graph multi-label", 2, [[1, 0], [1, np.nan], [0, 0]]))
    assert (answers.labels["train"].counts, answers.labels["train"].unknown) == ([2, 0], 1)
    assert answers.floors[0].splits["train"] == pytest.approx(4 / 5)
    for one in (found, answers):
        assert "same up to numbering" in description.text(one)


@pytest.mark.parametrize("largest", [0, 1, 14, 15, 99, 1234])
def test_bars_hold_everything_once(largest):
    counts = np.random.default_rng(largest).integers(1, 9, largest + 1).tolist()
    found = histogram.bars(counts)
    assert sum(bar.count for bar in found) == sum(counts)
    assert len(found) <= histogram.ROWS + 1
    assert [bar.first for bar in found[1:]] == [bar.last + 1 for bar in found[:-1]]
    assert (found[0].first <= 0, found[-1].last) == (True, largest)


def test_bars_of_a_long_tail_double():
    found = histogram.bars([5, 50, 20, 3] + [0] * 500 + [1])
    assert [bar.first for bar in found][:5] == [0, 1, 2, 4, 8]
    assert found[-1].last == 504
    assert histogram.bars([]) == histogram.bars([0, 0]) == []


def test_text_of_bars():
    assert histogram.text([histogram.Bar(0, 0, 1), histogram.Bar(1, 2, 3)], 3) == [
        "    0  █    25.0 %",
        "1 – 2  ███  75.0 %",
    ]
    assert histogram.line(0.01) == "▏"  # what is there is seen
    assert histogram.line(0) == ""


def told(*arguments: str, capsys) -> str:
    with pytest.raises(SystemExit) as left:
        run(["data", *arguments])
    assert not left.value.code
    return capsys.readouterr().out


def test_command(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("ARCHSPEC_CACHE", str(tmp_path))
    plot = tmp_path / "degrees.svg"
    out = told("pattern", "--set", "limit=5", "--split", "test", "--plot", str(plot), capsys=capsys)
    assert "in-neighbours of a node, test" in out
    text = plot.read_text(encoding="utf-8")
    assert text.startswith("<svg")
    assert text.endswith("</svg>\n")
    assert "pattern, test" in text
    data = json.loads(told("pattern", "--set", "data.limit=5", "--format", "json", capsys=capsys))
    assert data["sizes"]["train"]["graphs"] == 5
    assert set(data["duplicates"]["colours"]["test"]["earlier"]) == {"train", "val"}


MISTAKES = {
    ("patern",): "NAME:1:1: E0401 unknown data set `patern` (write `pattern`",
    ("pattern", "--set", "limit=no"): "--set:1:7: E0432 `data.limit` must be a whole number, found the text `no`",
    ("pattern", "--set", "limits=3"): "--set:1:1: E0430 unknown key `limits` in `data` (write `limit`)",
    ("pattern", "--set", "limit"): "--set:1:1: E0043 an override is written `PATH=VALUE`",
    ("pattern", "--set", "fold=3"): "--set:1:6: E0414 the data set `pattern` has no fold 3",
    ("pattern", "--set", "options.shared=1"): "--set:1:16: E0403 data set `pattern` has no option `shared`",
    ("pattern", "--plot", "a.png"): "a.png: E0650 a plot is written as SVG, and `a.png` does not end in `.svg`",
    ("pattern", "--plot", "no/a.svg"): "no/a.svg: E0001 there is no folder `no`",
    ("pattern", "--split", "tests"): "E0044 invalid value for '--split'",
}


@pytest.mark.parametrize("arguments", MISTAKES, ids=" ".join)
def test_mistakes(arguments, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("ARCHSPEC_CACHE", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as left:
        run(["data", *arguments, "--format", "concise"])
    assert left.value.code == 1
    out, err = capsys.readouterr()
    assert (out, list(tmp_path.iterdir())) == ("", [])
    assert err.startswith(MISTAKES[arguments])
    assert err.count("\n") == 1


def test_several_mistakes_are_told_at_once():
    with pytest.raises(SpecError) as caught:
        read_data_settings("pattern", ["limit=-1", "seed=x"])
    assert len(caught.value.diagnostics) == 2
    found, place = read_data_settings("TUDataset", ["options.name=MUTAG"])
    assert found.options == {"name": "MUTAG"}
    assert place("data", "options", "name").text == "MUTAG"
    assert place("data", "batch_size") is None


def test_nothing_of_torch_is_imported(tmp_path):
    code = f"""
import sys
from pathlib import Path
from archspec.data.describe import describe
from archspec.data.load import load
from archspec.syntax.schema import DataSettings
describe(load(DataSettings(name="pattern", limit=3), Path({str(tmp_path)!r})))
assert not {{"torch", "torch_geometric"}} & set(sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
