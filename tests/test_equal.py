"""The comparison itself: tolerances, what counts as different, and what `check` reports."""

import pytest
import torch

from archspec.diagnostics import SpecError
from archspec.equal import module
from archspec.equal.batch import packed
from archspec.equal.compare import compare, without_dropout
from archspec.equal.differences import Differences, difference
from archspec.equal.module import Disagreement, agreement
from archspec.equal.specs import equality
from archspec.reference import Graph
from archspec.syntax.load import load_spec
from tests.compiling import CATEGORIES, of_file, of_layer
from tests.nodes import doubles


def judged(ours: list[float], reference: list[float], *others: float) -> bool:
    """Whether a gradient is equal, beside others whose largest entries are given."""
    rest = [difference("gradient", f"other {one}", doubles(one), doubles(one)) for one in others]
    return Differences((difference("gradient", "w", doubles(*ours), doubles(*reference)), *rest)).ok(1e-6)


@pytest.mark.parametrize(
    ("ours", "reference", "others", "equal"),
    [
        ([1.0], [1.0], [], True),
        ([1.0 + 1e-8], [1.0], [], True),
        ([1.0 + 1e-5], [1.0], [], False),
        ([1e-5 + 1e-10], [1e-5], [], False),
        ([1e-5 + 1e-10], [1e-5], [1.0], True),
        ([1e3, 1e-5], [1e3, 0.0], [], True),
        ([0.0], [0.0], [], True),
        ([1e-16], [0.0], [], True),
        ([1e-3], [0.0], [], False),
        ([float("nan")], [1.0], [], False),
        ([1.0], [float("nan")], [], False),
        ([float("inf")], [float("inf")], [], True),
        ([1.0, 2.0], [1.0], [], False),
        ([], [], [], True),
    ],
)
def test_what_counts_as_equal(ours, reference, others, equal):
    assert judged(ours, reference, *others) is equal


def test_the_worst_tensor_is_told_first():
    found = Differences(
        (
            difference("output", "prediction", doubles(1.0), doubles(1.1)),
            difference("gradient", "layers.0.w", doubles(1.0), doubles(3.0)),
        )
    )
    assert str(found).splitlines() == [
        "gradient layers.0.w: off by 2.00e+00 of 3.00e+00",
        "output prediction: off by 1.00e-01 of 1.10e+00",
    ]
    assert str(Differences()) == "equal up to 0.0e+00"


def test_a_batch_by_hand():
    graphs = [
        Graph(doubles(0.0, 1.0), 2, ((1, 0), (0, 1)), doubles(5.0, 6.0)),
        Graph(doubles(2.0), 1, ((0, 0), (0, 0)), doubles(7.0, 8.0)),
    ]
    batch = packed(graphs)
    assert batch.node_ptr.tolist() == [0, 2, 3]
    assert batch.N.ptr.tolist() == [0, 1, 2, 4]
    assert batch.N.source.tolist() == [1, 0, 2, 2]
    assert batch.e.tolist() == [6, 5, 7, 8]
    assert batch.N.symmetric
    assert not packed([Graph(doubles(0.0, 1.0), 2, ((1, 0), (1, 0), (0, 1)))]).N.symmetric


def test_the_module_itself_stays_as_it_is():
    case = of_layer("x = batch_norm(x)")
    before = {name: tensor.clone() for name, tensor in case.built.module.state_dict().items()}
    compare(case.built.module, case.built.program, case.graphs("everything"), case.weights, training=True)
    for name, tensor in case.built.module.state_dict().items():
        assert torch.equal(tensor, before[name])
        assert tensor.dtype == before[name].dtype


@pytest.mark.parametrize("training", [True, False])
def test_dropout_is_off_on_both_sides(training):
    case = of_layer("x = x + dropout(tanh(batch_norm(x)), 0.5)")
    assert compare(case.built.module, case.built.program, case.graphs("everything"), case.weights, training).ok()


def test_sections_that_were_one_stay_one_without_dropout():
    program = without_dropout(of_layer("x = dropout(x, 0.5)").built.program)
    assert program.layers[0] is program.layers[1]


def test_agreement_says_how_close():
    spec = load_spec("gin", ["model.sizes.d=4"])
    assert agreement(spec).startswith("outputs and gradients equal the reference's up to ")


def test_agreement_refuses_a_module_that_differs(monkeypatch):
    other = of_file("gin")
    monkeypatch.setattr(module, "build", lambda *anything: other.built)
    monkeypatch.setattr(module, "initial_weights", lambda program: {})
    with pytest.raises(Disagreement, match="gin in training differs from the reference"):
        agreement(load_spec("gin"))
    assert CATEGORIES.letters


LAYERS = {
    "sum[j in N](x[j]) / degree": "E0314: the value is not finite on an undirected graph with 5 nodes",
    "sqrt(sum[j in N](0 * x[j]))": "E0314: the gradient input.encode.weight is not finite",
    "log(0 * x)": "E0314: the value is not finite on an undirected graph",
}


@pytest.mark.parametrize("term", LAYERS)
def test_equations_that_are_not_finite_are_the_specs_problem(term):
    with pytest.raises(SpecError) as raised:
        agreement(load_spec("gin", ["model.sizes.d=4", f"model.where.layer=x = x + {term}"]))
    [found] = raised.value.diagnostics
    assert f"{found.code}: {found.message}".startswith(LAYERS[term])


def test_graphs_the_data_set_has_not_are_left_out_where_equations_are_not_finite():
    layer = "model.where.layer=x = x + sum[j in N](x[j] / sqrt(degree[i] * degree[j]))"
    found = agreement(load_spec("gin", ["model.sizes.d=4", layer]))
    assert "on 5 of 6 graphs" in found
    assert (
        "a directed graph with 4 nodes in which an edge comes from a node without edges into it; pattern has none"
        in found
    )


SMALL = ["model.sizes.d=4", "model.stack=2 * layer"]


@pytest.mark.parametrize(
    "layer",
    [
        "h = x + eps * x + sum[j in N](x[j])\nx = x + relu(between(mlp(h)))",
        "h = eps * x + sum[j in N + i](x[j])\nx = relu(between(mlp(h))) + x",
        "h = (1 + eps) * x + mean[j in N](x[j]) * degree\nx = x + relu(between(mlp(h)))",
    ],
)
def test_specs_that_compute_the_same(layer):
    one, other = load_spec("gin", SMALL), load_spec("gin", [*SMALL, f"model.where.layer={layer}"])
    found = equality(one, other)
    assert found.startswith("outputs and gradients of 25 weights equal those of gin up to ")
    assert "note" not in found


DIFFERENT = {
    "model.where.layer=h = 2 * x + sum[j in N](x[j])\nx = x + relu(between(mlp(h)))": "gin has or sets layers.*.eps",
    "model.where.between=detach": "gin has or sets layers.*.between.weight, layers.*.between.bias",
    "model.output=2 * sum(each(layers(x), h => linear(h, out)))": "",
    "model.input=x = detach(encode(x, d))": "",
    "model.sizes.d=5": "layers.*.mlp.linear.weight",
}


@pytest.mark.parametrize("change", DIFFERENT)
def test_specs_that_do_not(change):
    with pytest.raises(SpecError) as raised:
        equality(load_spec("gin", SMALL), load_spec("gin", [*SMALL, change]))
    [found] = raised.value.diagnostics
    assert found.code == "E0315"
    assert found.message.startswith("gin does not equal gin in training: ")
    assert DIFFERENT[change] in "\n".join(found.notes)
    assert bool(found.notes) == bool(DIFFERENT[change])


def test_weights_of_one_spec_alone_stay_as_they_begin():
    plain = "model.where.layer=h = x + sum[j in N](x[j])\nx = x + relu(between(mlp(h)))"
    other = load_spec("gin", [*SMALL, plain])
    assert "note: only gin has or sets layers.*.eps" in equality(load_spec("gin", SMALL), other)
    with pytest.raises(SpecError, match="E0315"):
        equality(load_spec("gin", [*SMALL, "model.where.eps=scalar(0.1)"]), other)


def test_weights_that_a_spec_sets_are_its_own():
    half = load_spec("gin", [*SMALL, "parameters={layers.*.eps: {init: 0.5}}"])
    assert "note: only gin has or sets layers.*.eps" in equality(
        half, load_spec("gin", [*SMALL, "model.where.eps=scalar(0.5)"])
    )
    with pytest.raises(SpecError, match="E0315"):
        equality(half, load_spec("gin", SMALL))
