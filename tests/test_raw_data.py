"""Raw features per edge and positions: what they are to a spec, and compiled specs on them against the reference."""

from dataclasses import replace

import pytest
import torch
from torch_geometric.data import Batch as PyGBatch
from torch_geometric.data import Data

from archspec.diagnostics import SpecError
from archspec.equal.batch import packed
from archspec.equal.compare import compare
from archspec.equal.samples import samples
from archspec.facts import TABLE, Facts
from archspec.pipeline import compile_spec
from archspec.reference import Graph
from archspec.syntax.load import parse_spec
from tests.checking import spec_text
from tests.compiling import CATEGORIES, NUMBERS, Case, of_spec
from tests.graphs import permuted

INPUT = """
x = encode(x, d)
e = encode(e, d)
p = encode(pos, heads)
"""
LAYER = """
g[i, j in N] = linear(e, d)[i, j] + linear(p, d)[i] - linear(p, d)[j] + x[j]
s = softmax[j in N](linear(e)[i, j])
x = x + sum[j in N](s[i, j] * linear(x, d)[j]) + max[j in N](tanh(g)[i, j] * e[i, j])
e = e + relu(batch_norm(g))
"""


def case(facts: Facts) -> Case:
    """Two layers that read all raw data and update a state per edge."""
    spec = parse_spec(spec_text(input=INPUT, layer=LAYER, data=""))
    return of_spec(spec, facts)


@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
@pytest.mark.parametrize("facts", [CATEGORIES, NUMBERS], ids=["categories", "numbers"])
def test_edge_states_and_positions_are_the_references(facts: Facts, training: bool) -> None:
    one = case(facts)
    for name in ("everything", "no edges anywhere", "edges out of order", "repeated edges"):
        found = compare(one.built.module, one.built.program, one.graphs(name), one.weights, training)
        assert found.ok(), f"{name}: {found}"


def test_gradients_of_raw_numbers_are_compared() -> None:
    one = case(NUMBERS)
    found = compare(one.built.module, one.built.program, one.graphs("repeated edges"), one.weights)
    scales = {entry.name: entry.scale for entry in found.tensors}
    assert all(scales[f"of {name} in graph 0"] > 0 for name in ("x", "e", "pos"))


def test_every_parallel_edge_has_its_own_features() -> None:
    one = case(NUMBERS)
    [graph] = one.graphs("repeated edges")
    assert graph.e is not None
    swapped = replace(graph, e=graph.e[[2, 1, 0, 3, 4, 5, 6]])  # the first and third edge are parallel
    other = replace(graph, e=graph.e[[1, 0, 2, 3, 4, 5, 6]])
    first, same, different = (predicted(one, graphs) for graphs in (graph, swapped, other))
    torch.testing.assert_close(first, same)
    assert (first - different).abs().max() > 1e-3


def predicted(one: Case, graph: Graph) -> torch.Tensor:
    module = one.built.module.double().eval()
    module.load_state_dict(one.weights)
    return module(packed([graph])).detach()


def test_nodes_may_be_numbered_otherwise() -> None:
    one = case(NUMBERS)
    [graph] = one.graphs("edges out of order")
    order = [2, 0, 3, 1]
    torch.testing.assert_close(predicted(one, graph)[order], predicted(one, permuted(graph, order)))


def test_pyg_data_gives_edge_attr_and_pos() -> None:
    one = case(NUMBERS)
    graphs = one.graphs("everything")
    theirs = PyGBatch.from_data_list(
        [
            Data(
                x=graph.x,
                edge_index=torch.tensor([(j, i) for i, j in graph.edges], dtype=torch.int64).view(-1, 2).t(),
                edge_attr=graph.e,
                pos=graph.pos,
            )
            for graph in graphs
        ]
    )
    module = one.built.module.double().eval()
    module.load_state_dict(one.weights)
    torch.testing.assert_close(module(theirs), module(packed(graphs)))


def test_samples_have_what_the_data_set_has() -> None:
    graphs = samples(CATEGORIES)
    assert all(len(graph.e) == len(graph.edges) and graph.pos.shape == (graph.nodes, 2) for graph in graphs)
    assert max(int(graph.e.max()) for graph in graphs if graph.edges) == 3
    plain = samples(TABLE["pattern"])
    assert plain[0].e is plain[0].pos is None


def test_without_a_data_set_edges_may_carry_anything() -> None:
    spec = parse_spec(spec_text(input="x = encode(x, d) + linear(pos, d)\ne = encode(e, d)", data=""))
    assert [str(node.type) for _, node in compile_spec(spec).program.input.results] == [
        "per node, axes (d)",
        "per edge, axes (d)",
    ]


def test_a_node_prediction_does_not_fit_labels_per_graph() -> None:
    with pytest.raises(SpecError) as caught:
        compile_spec(parse_spec(spec_text(data="{name: zinc}")))
    [problem] = caught.value.diagnostics
    assert (problem.code, problem.message) == (
        "E0310",
        "the prediction is per node; the data set has labels per graph",
    )
    assert "sum[i" in problem.help or "mean[i" in problem.help
