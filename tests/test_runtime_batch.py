"""Index sets, restriction, conversion from PyG, and what a batch refuses."""

from collections import Counter
from types import SimpleNamespace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch_geometric.data import Batch as PyGBatch
from torch_geometric.data import Data

from archspec import runtime as rt
from archspec.ir.sets import IndexSet
from archspec.reference.graph import Graph, pairs
from archspec.runtime import batch as batches_module
from tests.graphs import SHAPES, batches
from tests.test_runtime import ODD, SETS, listed, make


def expected_pairs(shapes, name):
    """The pairs of a set as the language page words them, in the numbering of the batch."""
    found, start = Counter(), 0
    for nodes, edges in shapes:
        edges = [(start + i, start + j) for i, j in edges]
        own = [(i, i) for i in range(start, start + nodes)]
        found.update(
            {
                "N": edges,
                "N + i": [(i, j) for i, j in edges if i != j] + own,
                "N - i": [(i, j) for i, j in edges if i != j],
                "V - i": [(i, j) for i, _ in own for j, _ in own if i != j],
                "V": [(i, j) for i, _ in own for j, _ in own],
                "reach": {*own, *edges, *((i, last) for i, j in edges for between, last in edges if j == between)},
            }[name]
        )
        start += nodes
    return found


def assert_set(shapes, name):
    pairs = make(shapes).pairs(name, 2 if name == "reach" else 0)
    assert Counter(listed(pairs)) == expected_pairs(shapes, name)
    assert pairs.target.tolist() == sorted(pairs.target.tolist())
    assert pairs.count.tolist() == [pairs.target.tolist().count(i) for i in range(pairs.rows)]
    assert pairs.index.dtype == pairs.target.dtype == torch.int64
    turned, order = pairs.reverse
    assert listed(turned) == [(j, i) for i, j in (listed(pairs)[p] for p in order)]


@pytest.mark.parametrize("name", [*SETS, "V - i"])
def test_sets_are_what_the_language_says(name):
    for shapes in ODD.values():
        assert_set(shapes, name)


@given(shapes=batches())
@pytest.mark.parametrize("name", SETS)
def test_sets_of_random_multigraphs(name, shapes):
    assert_set(shapes, name)


def test_sets_are_made_once():
    batch = make(ODD["everything"])
    for name in SETS:
        assert batch.pairs(name, 1) is batch.pairs(name, 1)
    assert batch.pairs("reach", 1) is not batch.pairs("reach", 2)
    with pytest.raises(KeyError, match="'M'"):
        batch.pairs("M")


@given(shapes=batches())
@pytest.mark.parametrize("k", [2, 4])
def test_an_expander_is_regular_symmetric_and_a_graph_s_own(k, shapes):
    """Every graph gets what it gets alone, and what the reference draws."""
    found, start = Counter(listed(make(shapes).pairs("expander", k))), 0
    for nodes, _ in shapes:
        alone = listed(make([(nodes, ())]).pairs("expander", k))
        assert alone == pairs(Graph(torch.zeros(nodes), nodes), IndexSet("expander", k))
        assert {(j, i) for i, j in alone} == set(alone)
        assert all(i != j for i, j in alone)
        degrees = Counter(i for i, _ in alone)
        assert all(min(2, nodes - 1) <= degrees[i] <= k for i in range(nodes))
        found -= Counter((start + i, start + j) for i, j in alone)
        start += nodes
    assert not found


def test_an_expander_is_connected_and_mostly_regular():
    drawn = make([(200, ())]).pairs("expander", 4)
    assert drawn.count.float().mean() > 3.9
    steps = torch.zeros(200, 200).index_put((drawn.target, drawn.index), torch.tensor(1.0)) + torch.eye(200)
    assert bool((torch.linalg.matrix_power(steps, 7) > 0).all())  # a cycle alone takes 100 steps


@pytest.mark.parametrize("k", [0, 1, 3, -2])
def test_an_expander_has_an_even_number_of_neighbours(k):
    with pytest.raises(ValueError, match="even"):
        make([(3, ())]).pairs("expander", k)


@given(shapes=batches(), seed=st.integers(0, 2**31))
@pytest.mark.parametrize("absent", [0, 0.5, torch.tensor([1.0, 2.0])])
@pytest.mark.parametrize("name", ["N", "N + i", "reach", "V - i", "V"])
def test_fill_adds_parallel_edges_and_marks_absent_pairs(name, absent, shapes, seed):
    batch = make(shapes)
    inner, outer = batch.pairs(name, 1), batch.pairs("V")
    v = torch.randn(len(inner), 2, generator=torch.Generator().manual_seed(seed))
    sums: dict = {}
    for pair, row in zip(listed(inner), v, strict=True):
        sums[pair] = sums.get(pair, 0) + row
    filled = rt.fill(outer, inner, v, absent)
    for pair, row in zip(listed(outer), filled, strict=True):
        torch.testing.assert_close(row, sums.get(pair, torch.as_tensor(absent) + torch.zeros(2)))


@given(shapes=batches(), seed=st.integers(0, 2**31))
def test_parts_of_a_set_are_found_pair_by_pair(shapes, seed):
    """Of parallel edges the very ones that were kept, through sets made from sets."""
    batch = make(shapes)
    draw = torch.Generator().manual_seed(seed)
    kept = rt.subset(batch.N, torch.rand(len(batch.N), generator=draw) < 0.6)
    fewer = rt.subset(kept, torch.rand(len(kept), generator=draw) < 0.6)
    alone = rt.without_self(kept)
    marks = torch.arange(len(batch.N))
    for part in (kept, fewer, alone):
        of_edges = rt.restrict(part, batch.N, marks)
        assert [listed(batch.N)[edge] for edge in of_edges.tolist()] == listed(part)
        assert len(set(of_edges.tolist())) == len(part)
        with_i = batch.pairs("N + i")
        torch.testing.assert_close(rt.restrict(part, with_i, torch.arange(len(with_i))), with_i.find(batch.N)[of_edges])
    torch.testing.assert_close(
        rt.restrict(fewer, kept, rt.restrict(kept, batch.N, marks)), rt.restrict(fewer, batch.N, marks)
    )


INSIDE = [
    ("N", "N + i"), ("N", "reach"), ("N", "V"), ("N + i", "reach"), ("N + i", "V"), ("reach", "V"), ("V", "V"),
    ("N - i", "N"), ("N - i", "N + i"),
    ("N - i", "V - i"), ("V - i", "V"), ("expander", "V - i"), ("expander", "expander + i"), ("reach - i", "reach"),
]  # fmt: skip


@given(shapes=batches())
@pytest.mark.parametrize(("inner", "outer"), INSIDE)
def test_restrict_reads_the_same_pair(inner, outer, shapes):
    batch = make(shapes)
    small, large = batch.pairs(inner, 2), batch.pairs(outer, 2)
    v = torch.randn(len(large), 2, dtype=torch.float64, requires_grad=True)
    result = rt.restrict(small, large, torch.stack([large.target, large.index], 1))
    assert list(map(tuple, result.tolist())) == listed(small)
    rt.restrict(small, large, v).sum().backward()
    read = Counter(large.find(small).tolist())
    assert v.grad.tolist() == [[read[p]] * 2 for p in range(len(large))]


def test_parallel_edges_are_told_apart_between_n_and_n_plus_i():
    batch = make([(3, ((1, 0), (1, 1), (1, 0), (1, 2), (1, 0)))])
    near = batch.pairs("N + i")
    rows = near.find(batch.N)
    assert len(set(rows.tolist())) == 5
    assert rows.tolist() == near._find(batch.N).tolist()


def test_restrict_to_the_same_set_is_free():
    batch = make(ODD["everything"])
    v = torch.randn(len(batch.N))
    assert rt.restrict(batch.N, batch.N, v) is v


def test_padding_places_every_node():
    batch = make([(2, ()), (0, ()), (3, ())])
    assert batch.padding.width == 3
    assert batch.padding.index.tolist() == [0, 1, 6, 7, 8]
    assert batch.padding.mask.tolist() == [[True, True, False], [False] * 3, [True] * 3]


def data(shape, **more):
    nodes, edges = shape
    edge_index = torch.tensor([(j, i) for i, j in edges], dtype=torch.int64).view(-1, 2).t()
    return Data(x=torch.randint(5, (nodes,)), edge_index=edge_index, y=torch.randint(2, (nodes,)), **more)


def test_pyg_batches_become_ours():
    graphs = [
        data(shape, edge_attr=torch.randn(len(shape[1]), 2), pos=torch.randn(shape[0], 3)) for shape in SHAPES.values()
    ]
    theirs = PyGBatch.from_data_list(graphs)
    ours = rt.as_batch(theirs)
    assert rt.as_batch(ours) is ours
    assert rt.as_batch(theirs) is ours
    assert torch.equal(ours.x, theirs.x)
    assert torch.equal(ours.y, theirs.y)
    assert torch.equal(ours.pos, theirs.pos)
    assert torch.equal(ours.node_ptr, theirs.ptr)
    assert listed(ours.N) == listed(make(list(SHAPES.values())).N)
    for start, (target, source) in enumerate(listed(ours.N)):
        same = (theirs.edge_index == torch.tensor([[source], [target]])).all(0).nonzero().flatten()
        repeat = listed(ours.N)[:start].count((target, source))
        assert torch.equal(ours.e[start], theirs.edge_attr[same[repeat]])


def test_a_changed_object_is_converted_anew():
    graph = data(SHAPES["undirected"])
    first = rt.as_batch(graph)
    graph.x[0] += 1
    second = rt.as_batch(graph)
    assert second is not first
    graph.edge_index = graph.edge_index.flip(0)
    assert rt.as_batch(graph) is not second
    assert "archspec" not in str(graph)


def test_features_that_want_gradients_are_not_kept():
    graph = data(SHAPES["undirected"])
    graph.x, graph.edge_attr = torch.randn(5, 2), torch.randn(len(SHAPES["undirected"][1]), 1, requires_grad=True)
    for _ in range(2):
        rt.as_batch(graph).e.sum().backward()
    assert torch.equal(graph.edge_attr.grad, torch.full_like(graph.edge_attr, 2.0))


def test_a_batch_vector_in_place_of_ptr():
    graph = SimpleNamespace(x=torch.randn(3, 1), edge_index=torch.tensor([[0], [1]]), batch=torch.tensor([0, 0, 2]))
    assert rt.as_batch(graph).node_ptr.tolist() == [0, 2, 2, 3]


def test_converted_objects_are_let_go():
    graph = data(SHAPES["undirected"])
    before = len(batches_module._CONVERTED)
    rt.as_batch(graph)
    assert len(batches_module._CONVERTED) == before + 1
    del graph
    assert len(batches_module._CONVERTED) == before


@pytest.mark.parametrize(
    ("value", "made"),
    [
        (torch.tensor([[1], [2]]), torch.tensor([1, 2])),
        (torch.tensor([1, 2], dtype=torch.uint8), torch.tensor([1, 2])),
        (torch.tensor([1.0, 2.0]), torch.tensor([[1.0], [2.0]])),
        (torch.tensor([[1.0, 3.0], [2.0, 4.0]]), torch.tensor([[1.0, 3.0], [2.0, 4.0]])),
    ],
)
def test_features_are_categories_or_numbers(value, made):
    batch = rt.as_batch(SimpleNamespace(x=value, edge_index=torch.zeros(2, 0, dtype=torch.int64)))
    assert torch.equal(batch.x, made)


def test_several_categories_are_as_many_as_a_model_reads():
    graphs = SimpleNamespace(x=torch.tensor([[1, 3], [2, 4]]), edge_index=torch.zeros(2, 0, dtype=torch.int64))
    assert torch.equal(rt.as_batch(graphs, x=2).x, graphs.x)
    with pytest.raises(TypeError, match=r"x must hold numbers .* or one category a row"):
        rt.as_batch(graphs)  # the batch of another model is not taken for its own
    with pytest.raises(TypeError, match=r"x must hold numbers .* or 3 categories a row"):
        rt.as_batch(graphs, x=3)


NO_EDGES = torch.zeros(2, 0, dtype=torch.int64)
REFUSED = [
    ({}, TypeError, "has no x"),
    ({"x": torch.zeros(2, 1)}, TypeError, "has no edge_index"),
    ({"x": torch.zeros(2, 3, dtype=torch.int64), "edge_index": NO_EDGES}, TypeError, "one category"),
    ({"x": torch.zeros(2, 1), "edge_index": torch.zeros(3, 2, dtype=torch.int64)}, ValueError, r"\[2, edges\]"),
    ({"x": torch.zeros(2, 1), "edge_index": torch.zeros(2, 0)}, ValueError, "int64"),
    ({"x": torch.zeros(2, 1), "edge_index": torch.tensor([[0], [2]])}, ValueError, "outside 0 to 1"),
    ({"x": torch.zeros(2, 1), "edge_index": torch.tensor([[-1], [0]])}, ValueError, "outside"),
    (
        {"x": torch.zeros(2, 1), "edge_index": torch.tensor([[0], [1]]), "ptr": torch.tensor([0, 1, 2])},
        ValueError,
        "different graphs",
    ),
    ({"x": torch.zeros(2, 1), "edge_index": NO_EDGES, "ptr": torch.tensor([0, 1])}, ValueError, "number of nodes, 2"),
    ({"x": torch.zeros(2, 1), "edge_index": NO_EDGES, "batch": torch.tensor([1, 0])}, ValueError, "ascending"),
    (
        {"x": torch.zeros(2, 1), "edge_index": torch.tensor([[0], [1]]), "edge_attr": torch.zeros(2, 1)},
        ValueError,
        "edge_attr has 2 rows",
    ),
    ({"x": torch.zeros(2, 1), "edge_index": NO_EDGES, "pos": torch.zeros(3, 2)}, ValueError, "each of the 2 nodes"),
    ({"x": torch.zeros(2, 1), "edge_index": NO_EDGES, "pos": torch.tensor([1, 2])}, ValueError, "pos must hold"),
]


@pytest.mark.parametrize(("fields", "kind", "message"), REFUSED, ids=[message for *_, message in REFUSED])
def test_what_does_not_fit_is_refused(fields, kind, message):
    with pytest.raises(kind, match=message):
        rt.as_batch(SimpleNamespace(**fields))


def test_a_batch_moves_as_a_whole():
    batch = make(ODD["everything"])
    batch.cache["walk"] = torch.randn(3)
    batch.e, batch.pos = torch.randn(3), torch.randn(3)
    assert batch.to("cpu") is batch
    there = batch.to("meta")
    assert {value.device.type for value in (there.x, there.e, there.pos, there.node_ptr, there.N.source)} == {"meta"}
    assert there.cache["walk"].device.type == "meta"
    assert list(there.cache) == ["walk"]
