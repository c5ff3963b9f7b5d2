"""Layers of the library against PyG's own: outputs and gradients in float64, on odd directed multigraphs."""

from dataclasses import replace
from functools import cache

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch_geometric.data import Batch, Data

from archspec import runtime as rt
from tests.compiling import of_layer
from tests.graphs import BATCHES, SHAPES, batches
from tests.parity.layers import ROWS, of, of_batch, of_graphs
from tests.parity.measure import Pair, compare, pair
from tests.test_runtime import make

TOLERANCE = 1e-9


@cache
def pair_of(name: str, backend: str = "") -> Pair:
    """Made once: building takes longer than comparing."""
    torch.manual_seed(0)
    return pair(ROWS[name], backend)


@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
@pytest.mark.parametrize("name", ROWS)
def test_a_layer_is_pygs(name, training):
    both = pair_of(name).train(training)
    for batch, shapes in BATCHES.items():
        found = compare(both, [SHAPES[shape] for shape in shapes])
        assert found.ok(TOLERANCE), f"{batch}: {found}"


@pytest.mark.parametrize("backend", ["csr", "dense", "gather", "sdpa"])
@pytest.mark.parametrize("name", ROWS)
def test_every_form_of_a_layer_is_pygs(name, backend):
    found = compare(pair_of(name, backend).train(True), [SHAPES[shape] for shape in BATCHES["everything"]])
    assert found.ok(TOLERANCE), found


@given(st.sampled_from(sorted(ROWS)), batches(), st.booleans())
def test_a_layer_is_pygs_on_random_multigraphs(name, shapes, training):
    found = compare(pair_of(name).train(training), shapes)
    assert found.ok(TOLERANCE), f"{name}: {found}"


# the comparison can fail

ODD = [SHAPES[shape] for shape in BATCHES["everything"]]


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if row.over == "N" and row.run is not of_graphs])
def test_edges_the_other_way_are_another_layer(name):
    both = pair_of(name).train(True)
    run = both.row.run
    turned = replace(both.row, run=lambda layer, x, e, edges, graph: run(layer, x, e, edges.flip(0), graph))
    assert "x after the layer" in wrong(replace(both, row=turned))


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if row.run in (of_graphs, of_batch)])
def test_a_batch_read_as_one_graph_is_caught(name):
    both = pair_of(name).train(True)
    run = both.row.run
    one = replace(both.row, run=lambda layer, x, e, edges, graph: run(layer, x, e, edges, torch.zeros_like(graph)))
    assert "x after the layer" in wrong(replace(both, row=one))


MUTANTS = {
    "x after the layer": ("GCNConv", lambda out, x, e: out + 1e-6 * x.detach()),
    "of x": ("GCNConv", lambda out, x, e: out + 1e-6 * unseen(x)),
    "of e or p": ("GINEConv", lambda out, x, e: out + 1e-6 * unseen(e).sum()),
}
"""What a mutant changes: the output alone, or the gradient of an input alone."""


@pytest.mark.parametrize("changed", MUTANTS)
def test_a_mutant_is_caught_where_it_differs(changed):
    name, mutate = MUTANTS[changed]
    both = pair_of(name).train(True)
    run = both.row.run
    mutant = replace(both.row, run=lambda layer, x, *rest: mutate(run(layer, x, *rest), x, rest[0]))
    assert wrong(replace(both, row=mutant)) == {changed}


@pytest.mark.parametrize("name", ["lin.weight", "bias"])
def test_a_wrong_gradient_of_a_weight_is_caught(name):
    both = pair(ROWS["GCNConv"])
    both.theirs.get_parameter(name).register_hook(lambda grad: (1 + 1e-6) * grad)
    assert wrong(both) == {name}


@pytest.mark.parametrize("weights", [{}, {"lin.weight": of("gcn.linear.weight")}])
def test_every_weight_has_a_partner(weights):
    with pytest.raises((AssertionError, RuntimeError), match=r"PyG|Missing key"):
        pair(replace(ROWS["GCNConv"], weights=weights))


def test_a_self_loop_counted_twice_is_caught():
    both = pair_of("GCNConv").train(True)
    twice = replace(both.row, run=lambda layer, x, e, edges, graph: layer(x, torch.cat([edges, edges[:, -1:]], 1)))
    assert compare(both, [SHAPES["self loops"]]).ok(TOLERANCE)
    assert not compare(replace(both, row=twice), [SHAPES["self loops"]]).ok(TOLERANCE)


def unseen(x: Tensor) -> Tensor:
    """0 with the gradient 1."""
    return x - x.detach()


def wrong(both: Pair) -> set[str]:
    """The names of what differs."""
    return {one.name for one in compare(both, ODD).beyond(TOLERANCE)}


def test_a_model_takes_pygs_batch():
    case = of_layer("x = gin(x)")
    graphs = [(torch.randn(nodes, 3), torch.tensor([(j, i) for i, j in edges], dtype=torch.int64).view(-1, 2).t())
              for nodes, edges in SHAPES.values()]  # fmt: skip
    theirs = Batch.from_data_list([Data(x=x, edge_index=edges) for x, edges in graphs])
    ours = make(list(SHAPES.values()))
    ours = rt.Batch(theirs.x, ours.node_ptr, ours.N)
    assert torch.equal(case.built.module(theirs), case.built.module(ours))
