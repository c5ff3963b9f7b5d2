"""The comparison itself: tolerances, what counts as different, and what `check` reports."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner

from archspec.commands.equal import DIFFERENT, command
from archspec.diagnostics import SpecError
from archspec.equal import module
from archspec.equal.assignments import TRIES, assignments, calls
from archspec.equal.batch import packed
from archspec.equal.compare import compare, without_dropout
from archspec.equal.differences import Differences, difference
from archspec.equal.module import Disagreement, agreement
from archspec.equal.specs import Verdict, verdict
from archspec.pipeline import compile_spec
from archspec.reference import Graph
from archspec.syntax.load import load_spec, parse_spec
from tests.checking import spec_text
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


def judged_specs(one: Sequence[str], other: Sequence[str]) -> Verdict:
    """Two small specs like gin, changed."""
    return verdict(load_spec("gin", [*SMALL, *one]), load_spec("gin", [*SMALL, *other]))


def layer(text: str) -> list[str]:
    """Another layer, as a change."""
    return [f"model.where.layer={text}\nx = x + relu(between(mlp(h)))"]


PROVED = {
    "nothing": [],
    "a distributed sign": layer("h = --(1 + eps) * x + sum[j in N](x[j])"),
    "another order": layer("h = sum[j in N](x[j]) + x * (eps + 1)"),
    "another name": ["model.where.eps=null", "model.where.a=scalar(0)", *layer("h = (1 + a) * x + sum[j in N](x[j])")],
    "another beginning": ["model.where.eps=scalar(0.5)"],
}


@pytest.mark.parametrize("title", PROVED)
def test_one_normal_form_is_a_proof(title):
    found = judged_specs([], PROVED[title])
    assert found.kind == "proved"
    assert ("note: they begin at other values" in found.notes) == (title == "another beginning")


AGREED = {
    "a product taken apart": (layer("h = x + eps * x + sum[j in N](x[j])"), ""),
    "i among its neighbours": (layer("h = eps * x + sum[j in N + i](x[j])"), ""),
    "a mean times their number": (layer("h = (1 + eps) * x + mean[j in N](x[j]) * degree"), ""),
    "another name and another form": (
        ["model.where.eps=null", "model.where.a=scalar(0)", *layer("h = x + a * x + sum[j in N](x[j])")],
        "note: with layers.*.eps as layers.*.a",
    ),
}


@pytest.mark.parametrize("title", AGREED)
def test_specs_that_agree(title):
    change, note = AGREED[title]
    found = judged_specs([], change)
    assert found.kind == "agreed"
    assert found.told.startswith("outputs and gradients of 25 weights on 18 graphs up to ")
    assert found.notes == ((note,) if note else ())


def test_weights_whose_names_have_changed_places():
    """Their sum is the same function, which no name tells: only another assignment of the weights."""
    body = (
        "model.where.layer=p, q = linear(x, d), linear(x, d)\nx = x + eps * {0} * relu({1}) + {0} * sum[j in N](x[j])"
    )
    one, other = ([body.format(*names), "model.where.mlp(h)=h"] for names in ("pq", "qp"))
    assert judged_specs(one, other).kind == "proved"
    apart = body.replace(
        "eps * {0} * relu({1}) + {0} * sum[j in N](x[j])", "{0} * (eps * relu({1}) + sum[j in N](x[j]))"
    )
    found = judged_specs(one, [apart.format("q", "p"), "model.where.mlp(h)=h"])
    assert found.kind == "agreed"
    assert "layers.*.p.weight as layers.*.q.weight" in found.notes[0]
    assert "ways tried" in found.notes[0]


UNEQUAL = {
    "model.where.layer=h = 2 * x + sum[j in N](x[j])\nx = x + relu(between(mlp(h)))": "gin has or sets layers.*.eps",
    "model.where.between=detach": "gin has or sets layers.*.between.weight, layers.*.between.bias",
    "model.output=2 * sum(each(layers(x), h => linear(h, out)))": "",
    "model.input=x = detach(encode(x, d))": "",
    "model.sizes.d=5": "layers.*.mlp.linear.weight",
}


@pytest.mark.parametrize("change", UNEQUAL)
def test_specs_that_do_not(change):
    found = judged_specs([], [change])
    assert found.kind == "different"
    assert found.told.startswith("on a")
    assert UNEQUAL[change] in "\n".join(found.notes)


def test_the_smallest_graph_and_the_first_equation():
    found = judged_specs([], layer("h = (1 + eps) * x + max[j in N](x[j])"))
    assert found.told.startswith("on an undirected graph with 3 nodes (1→0, 0→1, 2→0, 0→2), in ")
    assert found.notes[:2] == ("first in gin: layers.0: sum[j in N](x[j])", "first in gin: layers.0: max[j in N](x[j])")
    found = judged_specs([], layer("h = (1 + eps) * x + sum[j in N](x[j]) + 1"))
    assert "with 1 node and no edges" in found.told


def test_the_graph_is_one_on_which_they_clearly_differ():
    found = judged_specs([], ["model.where.inner=identity"])
    assert found.told.startswith("on an undirected graph with 2 nodes and no edges, in training: output prediction: ")
    assert any(note.startswith("note: slightly already on an undirected graph with 1 node") for note in found.notes)
    clear, small = found.evidence["tensor"], found.evidence["smallest"]["tensor"]
    assert clear["off_by"] / clear["of"] > 1e-3 > small["off_by"] / small["of"]


def test_a_small_difference_everywhere_is_told_on_the_smallest_graph():
    found = judged_specs(
        ["model.stack=layer"],
        ["model.stack=layer", "model.output=(1 + 1e-6) * sum(each(layers(x), h => linear(h, out)))"],
    )
    assert found.told.startswith("on an undirected graph with 1 node and no edges, in ")
    assert not any("slightly" in note for note in found.notes)
    assert found.evidence["smallest"]["graph"] == found.evidence["graph"] == {"nodes": 1, "edges": []}


def test_weights_of_one_spec_alone_stay_as_they_begin():
    plain = layer("h = x + sum[j in N](x[j])")
    assert "note: only gin has or sets layers.*.eps" in judged_specs([], plain).notes
    assert not judged_specs(["model.where.eps=scalar(0.1)"], plain)


def test_weights_that_a_spec_sets_are_its_own():
    half = ["parameters={layers.*.eps: {init: 0.5}}"]
    assert "note: only gin has or sets layers.*.eps" in judged_specs(half, ["model.where.eps=scalar(0.5)"]).notes
    assert not judged_specs(half, [])


def test_only_with_data_can_specs_be_run():
    one, other = (
        spec_text(data="", output="linear(x, d)", layer=text) for text in ("x = x + x * x", "x = x * (1 + x)")
    )
    with pytest.raises(SpecError, match="E0311"):
        verdict(parse_spec(one), parse_spec(other))
    assert verdict(parse_spec(one), parse_spec(one)).kind == "proved"


GATES = "layers.*.gate.w0: {init: 40}\nlayers.*.gate.w1: {init: 40}\n"
IDENTITY = "layers.*.gate.*.weight: {init: {name: eye_}}\nlayers.*.gate.*.bias: {init: 0}\n"


def test_command(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    invoke = CliRunner().invoke
    assert invoke(command, ["gin", "gin_norms_on"]).exit_code == 0
    assert invoke(command, ["gin", "gin_inner_off", "--set", "model.sizes.d=4"]).exit_code == DIFFERENT == 2
    small = ["--set", "model.sizes.d=10", "--set", "model.sizes.heads=2", "--set", "model.stack=layer"]
    Path("gates.yaml").write_text(f"# both open\n{GATES}{IDENTITY}")
    Path("half.yaml").write_text("parameters:\n  layers.*.gate.w1: {init: 0}\n")
    found = invoke(command, ["gin_as_gating", "gin", *small, "--with", "gates.yaml", "--with", "half.yaml"])
    assert found.exit_code == DIFFERENT
    assert "gates.yaml: agreed: " in found.output
    assert "half.yaml: different: " in found.output
    Path("wrong.yaml").write_text("layers.*.gatee: {init: 0}\n")
    with pytest.raises(SpecError, match="E0501"):
        invoke(command, ["gin_as_gating", "gin", "--with", "wrong.yaml"], catch_exceptions=False)
    Path("list.yaml").write_text("- 1\n")
    for name, code in {"list.yaml": "E0032", "no.yaml": "E0001"}.items():
        with pytest.raises(SpecError, match=code):
            invoke(command, ["gin", "gin", "--with", name], catch_exceptions=False)


def test_json(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    small = ["--set", "model.sizes.d=4", "--set", "model.stack=layer", "--format", "json"]
    found = CliRunner().invoke(command, ["gin", "gin_norms_on", *small])
    said = json.loads(found.output)
    assert (found.exit_code, said["old"], said["new"], said["different"]) == (0, "gin", "gin_norms_on", False)
    [case] = said["cases"]
    assert case["values"] is None
    assert case["verdict"] == "proved"
    assert case["calls"] > 0
    found = CliRunner().invoke(command, ["gin", "gin_mean", *small])
    said = json.loads(found.output)
    assert (found.exit_code, said["different"]) == (DIFFERENT, True)
    [case] = said["cases"]
    assert case["graph"] == {"nodes": 2, "edges": [[1, 0], [0, 1]]}
    assert case["first"][0] == {"spec": "gin", "path": "layers.0", "equation": "sum[j in N](x[j])"}
    assert 0 < case["tensor"]["off_by"] < case["tensor"]["of"]
    Path("half.yaml").write_text("layers.*.eps: {init: 0.5}\n")
    Path("one.yaml").write_text("layers.*.eps: {init: 1}\n")
    found = CliRunner().invoke(command, ["gin", "gin_between_off", *small, "--with", "half.yaml", "--with", "one.yaml"])
    assert [case["values"] for case in json.loads(found.output)["cases"]] == ["half.yaml", "one.yaml"]


def test_assignments_begin_with_names_and_are_few():
    first, second = (compile_spec(load_spec(name)).program for name in ("content_attention", "gps"))
    assert next(assignments(first, first)) == {name: name for name in calls(first)}
    assert len(list(assignments(first, second))) <= TRIES
