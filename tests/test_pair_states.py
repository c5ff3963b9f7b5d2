"""States per pair and per graph, updated in every layer, beside one per node: values, names, wiring, symmetry."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor
from torch_geometric.data import Batch, Data

from archspec.equal.batch import packed
from archspec.equal.compare import compare, prepared
from archspec.syntax.load import parse_spec
from tests.compiling import NUMBERS, Case, of_spec
from tests.graphs import permuted

SPEC = """
name: test
model:
  sizes: {{d: 4, heads: 2, c: d / heads}}
  input: |
    x = encode(x, d)
    p[i, j in V] = linear(x, heads)[i] * linear(x, heads)[j]
    near[i, j in reach(2)] = tanh(linear(x)[i] - linear(x)[j])
    e[i, j in N] = tanh(linear(x, d)[i] + linear(x, d)[j])
    g = mean[i in V](x[i])
  stack: 2 * (local -> global) -> local
  output: {output}
  where:
    local: |
      e = e + relu(linear(e, d))
      near[i, j in reach(2)] = near[i, j] / 2 + tanh(linear(p[i, j]))
      x = tanh(x + mean[j in N](e[i, j] * x[j] * near[i, j]) + linear(g, d))
      e[i, j in N] = e[i, j] * sigmoid(x[i] - x[j])
    global: |
      r, s = tanh(linear(p, heads)), tanh(linear(p, heads))
      m[i, j in V] = mean[k in V](r[i, k] * s[k, j])
      p = layer_norm(p + m)
      g = g + tanh(linear(mean[i in V](x[i]), d))
      a = softmax[j in V](p[i, j] + linear(x, heads)[j])
      x = x + linear(sum[j](a[i, j] * linear(x, heads, c)[j]), d)
"""

OUTPUTS = {
    "node": "concat(x, mean[j in V](sum(layers(p))[i,j]), max[j in N](concat(layers(e))[i,j])) -> linear(out)",
    "graph": "linear(sum(layers(g)), out) + mean[i in V](mean[j in V](linear(p, out)[i,j] + linear(p, out)[j,i]))",
}


def of(level: str) -> Case:
    """Five states, and a prediction per node or per graph."""
    task = f"{level} classification" if level == "node" else f"{level} regression"
    return of_spec(parse_spec(SPEC.format(output=OUTPUTS[level])), replace(NUMBERS, task=task))


def rows(case: Case, level: str, name: str = "everything") -> list[int]:
    """How many rows of a prediction each graph has."""
    return [graph.nodes if level == "node" else 1 for graph in case.graphs(name)]


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("level", OUTPUTS)
def test_states_of_every_kind_agree_with_the_reference(level: str, training: bool) -> None:
    case = of(level)
    for name in ("everything", "first and last without edges", "no edges anywhere"):
        found = compare(case.built.module, case.built.program, case.graphs(name), case.weights, training)
        assert found.ok(), f"{name}: {found}\n{case.built.code}"


def test_states_keep_their_domains_from_block_to_block() -> None:
    program = of("node").built.program
    kinds = {name: str(value.type.domain) for name, value in program.input.results}
    assert kinds == {
        "x": "per node",
        "p": "per pair in V",
        "near": "per pair in reach(2)",
        "e": "per edge",
        "g": "per graph",
    }
    for section in program.layers:
        assert {name: str(value.type.domain) for name, value in section.results}.items() <= kinds.items()


def predicted(case: Case, batch: object, training: bool = False) -> Tensor:
    return prepared(case.built.module, case.weights, training)(batch)


@pytest.mark.parametrize("level", OUTPUTS)
def test_a_graph_does_not_depend_on_its_batch_mates(level: str) -> None:
    case = of(level)
    graphs = case.graphs("everything")
    together = predicted(case, packed(graphs)).split(rows(case, level))
    for graph, result in zip(graphs, together, strict=True):
        torch.testing.assert_close(predicted(case, packed([graph])), result, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("level", OUTPUTS)
def test_numbering_nodes_otherwise(level: str) -> None:
    case = of(level)
    graphs = case.graphs("everything")
    orders = [torch.randperm(graph.nodes, generator=torch.Generator().manual_seed(graph.nodes)) for graph in graphs]
    others = [permuted(graph, order.tolist()) for graph, order in zip(graphs, orders, strict=True)]
    one, other = (predicted(case, packed(batch), training=True).split(rows(case, level)) for batch in (graphs, others))
    for before, after, order in zip(one, other, orders, strict=True):
        expected = before[order] if level == "node" else before
        torch.testing.assert_close(after, expected, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("level", OUTPUTS)
def test_batches_of_pyg_give_the_same(level: str) -> None:
    case = of(level)
    graphs = case.graphs("everything")
    edges = [torch.tensor(graph.edges, dtype=torch.long).reshape(-1, 2).flip(1).t() for graph in graphs]
    parts = [Data(x=graph.x, edge_index=edge_index) for graph, edge_index in zip(graphs, edges, strict=True)]
    theirs = predicted(case, Batch.from_data_list(parts))
    torch.testing.assert_close(theirs, predicted(case, packed(graphs)), rtol=1e-9, atol=1e-9)
