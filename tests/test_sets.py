"""Sets that conditions and chance decide on: what they mean, by hand and by the reference, and where they may stand."""

import pytest
import torch

from archspec.equal.compare import compare
from archspec.ir.nodes import Section
from archspec.ir.verify import Malformed, verify_section
from archspec.passes.forms import FORMS
from archspec.reference import Graph, evaluate
from archspec.syntax.load import parse_spec
from tests.compiling import NUMBERS, Case, forced, of_layer, of_spec
from tests.graphs import batch
from tests.test_meaning import dense

LAYERS = {
    "on nodes": ("s = linear(x)", "x = tanh(x + sum[j in V if s[j] > 0 and s[j] > s[i]](x[j]))"),
    "on parallel edges one by one": (
        "e[i, j in N] = linear(x[i] - 2 * x[j], heads)",
        "few = N if linear(e)[i,j] > 0",
        "f[i, j in few] = e[i,j]",
        "x = tanh(x + linear(sum[j](f[i,j]), d) + linear(sum[j in V](fill(f, 0.5)[i,j]), d))",
    ),
    "in sets in sets": (
        "near = (V if linear(x)[j] > 0) - i if linear(x)[i] < 0.2",
        "e[i, j in near] = batch_norm(x[i] * x[j])",
        "x = tanh(x + sum[j](e[i,j]) + max[j in near](e[i,j] - x[j]) + sum[j in V](fill(e, vector(d, 1))[i,j]))",
    ),
    "with i": ("far = (N if linear(x)[j] > 0) + i", "x = tanh(x + mean[j in far](x[j] * sigmoid(x[i])))"),
    "softmax": (
        "q, k, v = linear(x, heads, c), linear(x, heads, c), linear(x, heads, c)",
        "b[i, j in V] = linear(x, heads)[j]",
        "a = softmax[j in V if q[i] @ k[j] @ vector(heads, 1) > 0](q[i] @ k[j] + b[i,j])",
        "x = tanh(x + linear(sum[j](a[i,j] * v[j]), d))",
    ),
    "all reductions": (
        "s = linear(x)",
        "up = N if s[i] < s[j]",
        "m = concat(mean[j in up](x[j]), std[j in up](x[j]), min[j in up](x[j]))",
        "x = tanh(linear(m, d)) + logsumexp[j in up](x[j])",
    ),
    "a third index": (
        "s = linear(x)",
        "up = V if s[i] < s[j]",
        "m[i, j in up] = sum[k in up](x[k] * x[j])",
        "x = tanh(x + sum[j](m[i,j]))",
    ),
    "of one number": ("x = tanh(x + sum[j in V if scalar(1) > 0](x[j]) + sum[j in V if degree[j] > 1](1))",),
}


@pytest.mark.parametrize("backend", ["csr", "dense", "gather"])
@pytest.mark.parametrize("name", LAYERS)
def test_layers_agree_with_the_reference(name, backend):
    case = of_layer(*LAYERS[name], backend=backend)
    for graphs in ("everything", "all undirected", "no edges anywhere"):
        for training in (False, True):
            found = compare(case.built.module, case.built.program, case.graphs(graphs), case.weights, training)
            assert found.ok(), f"{graphs}: {found}\n{case.built.code}"


def test_a_condition_by_hand():
    case = of_layer("s = linear(x)", "x = x + sum[j in V if s[j] > s[i]](x[j]) + sum[j in N if s[j] > 0](x[j])")
    [graph] = case.graphs("repeated edges")
    x = graph.x @ case.weights["input.encode.weight"].T + case.weights["input.encode.bias"]
    for layer in (0, 1):
        s = (x @ case.weights[f"layers.{layer}.s.weight"].T + case.weights[f"layers.{layer}.s.bias"]).squeeze(1)
        x = x + (s[None] > s[:, None]).double() @ x + (dense(graph) * (s > 0)[None]) @ x
    expected = x @ case.weights["output.linear.weight"].T + case.weights["output.linear.bias"]
    torch.testing.assert_close(evaluate(case.built.program, case.weights, [graph])[0], expected)


def of_graph(condition: str) -> Case:
    """A state on the pairs of a set that the graph decides on, which every layer reads and writes."""
    return of_spec(
        parse_spec(f"""
name: test
model:
  sizes: {{d: 4}}
  input: |
    x = encode(x, d)
    e[i, j in near] = linear(x, d)[i] * linear(x, d)[j]
  stack: layer -> layer -> other
  output: linear(concat(x, sum[j in near](max(layers(e))[i,j])), out)
  where:
    near: {condition}
    layer: |
      e = e + batch_norm(e)
      x = tanh(x + sum[j](e[i,j] * x[j]))
    other: |
      x = tanh(x + sum[j in V if distance[i,j] <= 1](x[j]))
"""),
        NUMBERS,
    )


@pytest.mark.parametrize(
    "condition", ["V if distance[i,j] <= 2", "reach(2) if degree[j] > 1 and degree[i] < 3", "N - i"]
)
def test_states_on_a_set_of_the_graph(condition):
    case = of_graph(condition)
    for training in (False, True):
        found = compare(case.built.module, case.built.program, case.graphs("everything"), case.weights, training)
        assert found.ok(), f"{found}\n{case.built.code}"


def test_what_no_member_reads_is_not_computed():
    """A logarithm that is defined for the members alone brings no NaN, in no direction."""
    case = of_layer("s = linear(x)", "x = tanh(x + sum[j in V if s[j] > 0.1](x[j] * log(s[j]) / sqrt(s[j])))")
    found = compare(case.built.module, case.built.program, case.graphs("everything"), case.weights, training=True)
    assert found.ok(), f"{found}\n{case.built.code}"


def test_a_condition_has_no_gradient():
    case = of_layer("x = tanh(x + sum[j in V if linear(x)[j] > 0](x[j]))")
    module = case.built.module
    module(as_batch_of(case)).sum().backward()
    assert module.layers[0].linear.weight.grad is None
    assert module.input.encode.weight.grad is not None


def as_batch_of(case: Case, name: str = "everything"):
    """A batch of the runtime in single precision."""
    from archspec.equal.batch import packed

    graphs = [Graph(graph.x.float(), graph.nodes, graph.edges) for graph in case.graphs(name)]
    return packed(graphs)


def test_drop_leaves_out_some_pairs_in_training_alone():
    case = of_layer("x = sum[j in drop(V, 0.25)](1) * vector(d, 1)")
    module = case.built.module.train()
    kept = [module.layers[0](as_batch_of(case))[:, 0] for _ in range(400)]
    pairs = as_batch_of(case).pairs("V").count
    share = torch.stack(kept).sum() / (400 * pairs.sum())
    assert 0.74 < share < 0.76
    assert torch.stack(kept).std(0)[pairs > 1].min() > 0
    assert torch.equal(module.eval().layers[0](as_batch_of(case))[:, 0], pairs.float())


def test_a_name_stands_for_one_draw_and_a_mention_for_its_own():
    one = of_layer("few = drop(V, 0.5)", "x = (sum[j in few](1) - sum[k in few](1)) * vector(d, 1)").built.module
    two = of_layer("x = (sum[j in drop(V, 0.5)](1) - sum[j in drop(V, 0.5)](1)) * vector(d, 1)").built.module
    case = of_layer("x = x")
    assert not one.train().layers[0](as_batch_of(case)).any()
    assert two.train().layers[0](as_batch_of(case)).any()


def test_drop_in_training_has_no_reference():
    case = of_layer("x = x + sum[j in drop(N, 0.5)](x[j])")
    graphs = batch("undirected", features=3)
    assert evaluate(case.built.program, case.weights, graphs)
    with pytest.raises(ValueError, match="`drop` in training"):
        evaluate(case.built.program, case.weights, graphs, training=True)


def test_equal_conditions_are_one_set_and_others_are_not():
    one = of_layer("s = linear(x)", "x = x + sum[j in V if s[j] > 0](x[j]) + max[k in V if s[k] > 0](x[k])")
    two = of_layer("s = linear(x)", "x = x + sum[j in V if s[j] > 0](x[j]) + max[j in V if s[i] > 0](x[j])")
    assert [len(case.built.program.layers[0].sets) for case in (one, two)] == [1, 2]


def test_a_set_without_its_condition_is_malformed():
    section = of_layer("x = x + sum[j in V if linear(x)[j] > 0](x[j])").built.program.layers[0]
    verify_section("layers.0", section)
    with pytest.raises(Malformed, match="which pairs its set has"):
        verify_section("layers.0", Section(section.title, section.results))
    [(over, condition)] = section.sets
    with pytest.raises(Malformed, match="does not say which pairs"):
        verify_section("layers.0", Section(section.title, section.results, ((over, condition.operands[0]),)))


def test_forms_serve_decided_sets():
    [(over, _)] = of_layer("x = x + sum[j in V if linear(x)[j] > 0](x[j])").built.program.layers[0].sets
    served = {op: [form.backend for form in forms if form.serves(over)] for op, forms in FORMS.items()}
    assert served["attention"] == ["dense", "gather"]
    assert all(served[op] for op in forced("csr"))
