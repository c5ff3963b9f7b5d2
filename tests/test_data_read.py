"""PyG's graphs become packed ones: what labels are for, and graphs that are of no use."""

import pytest
import torch

from archspec.data.infer import facts_of
from archspec.data.read import Unfit, letters_of, packed


def graph(**given: object):
    from torch_geometric.data import Data

    return Data(**{"edge_index": torch.tensor([[0], [1]]), "num_nodes": 2, "y": torch.tensor([0]), **given})


@pytest.mark.parametrize(
    ("y", "task", "out"),
    [
        (torch.tensor([2]), "graph classification", 3),
        (torch.tensor([[1]]), "graph classification", 2),
        (torch.tensor([0.5]), "graph regression", 1),
        (torch.tensor([[0.5, 2.0, 1.0]]), "graph regression", 3),
        (torch.tensor([[1.0, 0.0, torch.nan]]), "graph multi-label", 3),
        (torch.tensor([[1, 0, 1]]), "graph multi-label", 3),
        (torch.tensor([1, 0]), "node classification", 2),
        (torch.tensor([[1.0, 0.0], [0.0, 0.0]]), "node multi-label", 2),
        (torch.tensor(True), "graph classification", 2),
    ],
)
def test_the_task_follows_from_the_labels(y, task, out):
    graphs = packed([graph(y=y) for _ in range(10)], print, whole=True)
    found = facts_of("x", {"all": graphs}, None)
    assert (found.task, found.out, found.letters) == (task, out, 1)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"y": None}, "without labels"),
        ({"y": torch.zeros(5)}, "neither one a node, one an edge nor one a graph"),
        ({"x": torch.tensor([[1.0], [torch.nan]])}, "in `x` of graph 1 that is not finite"),
        ({"x": torch.ones(3, 1)}, "has 3 rows of `x` in graph 1, where 2 belong"),
        ({"x": torch.ones(2, 4)}, "of different widths"),
        ({"y": torch.tensor([-1])}, "labels below 0"),
        ({"edge_index": torch.tensor([[0], [2]])}, "an edge of graph 1 to a node that is not there"),
    ],
)
def test_graphs_that_are_of_no_use(given, message):
    fine = {"x": torch.ones(2, 1), "y": torch.tensor([1])}
    with pytest.raises(Unfit, match=message):
        packed([graph(**fine), graph(**{**fine, **given})], print, whole=False)


def test_several_kinds_of_nodes_are_refused():
    from torch_geometric.data import HeteroData

    with pytest.raises(Unfit, match="several kinds of nodes"):
        packed([HeteroData()], print, whole=True)


WHOLE = {
    "categories": ([[1, 2], [3, 4]], "u"),
    "of which some are 0 or 1": ([[1, 2], [0, 4]], "u"),
    "0 and 1 alone, which are one-hot vectors": ([[1, 0], [0, 1]], "f"),
    "one below 0": ([[1, 2], [3, -4]], "f"),
    "more than there are rows": ([[1, 2], [3, 1000]], "f"),
    "many columns": ([[3] * 64, [1] * 64], "u"),
    "too many columns": ([[3] * 65, [1] * 65], "f"),
}


@pytest.mark.parametrize("name", WHOLE)
def test_whole_numbers_in_several_columns(name):
    x, kind = WHOLE[name]
    found = packed([graph(x=torch.tensor([[0] * len(x[0])] * 2)), graph(x=torch.tensor(x))], print, whole=False)
    assert found.x.tolist() == [[0] * len(x[0])] * 2 + x
    assert found.x.dtype.kind == kind


@pytest.mark.parametrize("e", [torch.zeros(1, 3), torch.tensor([[2, 0, 5]]), torch.tensor([2]), torch.zeros(1)])
def test_a_graph_without_edges_has_what_others_carry_on_theirs(e):
    bare = graph(edge_index=torch.zeros(2, 0).long(), edge_attr=e[:0])
    found = packed([graph(edge_attr=e), bare, graph(edge_attr=e)], print, whole=False)
    assert found.e.tolist() == (e if e.dtype == torch.int64 else e.reshape(1, -1)).tolist() * 2


def test_letters_are_letters_in_all_splits_or_in_none():
    first, second = ([graph(x=torch.tensor(x))] for x in ([[1, 0], [0, 1]], [[1, 2], [0, 1]]))
    assert letters_of([first]) == set()
    assert letters_of([first, second]) == {"x"}
    assert letters_of([second, [graph(x=torch.ones(2, 2))]]) == set()
    assert packed(first, print, whole=False, letters={"x"}).x.dtype.kind == "u"


def test_edges_are_sorted_and_what_they_carry_goes_along():
    given = {
        "edge_index": torch.tensor([[2, 0, 1, 0, 0], [1, 1, 0, 1, 2]]),
        "edge_attr": torch.tensor([5, 6, 7, 8, 9]),
        "num_nodes": 3,
    }
    found = packed([graph(**given)] * 2, print, whole=False)
    assert found.degree.tolist() == [1, 3, 1] * 2
    assert found.source.tolist() == [1, 0, 0, 2, 0] * 2
    assert found.e.tolist() == [7, 6, 8, 5, 9] * 2  # repeated edges stay in their order
