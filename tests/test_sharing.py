"""`shared(f)` and `tied(4 * layer)`: weights that several calls have, their names, and what modules compute."""

import pytest
import torch

from archspec.compare.same import same
from archspec.cost.parameters import count, parameters
from archspec.equal.compare import compare
from archspec.ir.ops import OPERATIONS
from archspec.pipeline import compile_spec
from archspec.syntax.load import parse_spec
from archspec.train import weights
from tests.checking import spec_text
from tests.compiling import CATEGORIES, Case, forced, of_spec

FUNCTIONS = """
mlp(h): h -> linear(d) -> batch_norm -> relu -> linear(d)
gate(x): |
  w = scalar(0.5)
  sigmoid(w) * x + sum[j in N](shared(linear)(x[j], d))
edge(a, b): relu(linear(a + b, d))
same: shared(mlp)
other: shared(mlp)
"""

SPECS: dict[str, dict[str, str]] = {
    "a function, in two layers and twice in each": {"layer": "x = x + shared(mlp)(shared(mlp)(x))"},
    "in input, layers and output": {
        "input": "x = encode(x, d) -> shared(mlp)",
        "layer": "x = x + shared(mlp)(x)",
        "output": "linear(shared(mlp)(x), out)",
    },
    "under two names": {"layer": "x = same(x) + other(x) * same(2 * x)"},
    "functions in functions": {"layer": "x = shared(gate)(x) - gate(x) + shared(gate)(2 * x)"},
    "under a sum, split and fused": {"layer": "x = x + sum[j in N](shared(edge)(x[i], x[j])) + shared(edge)(x, 1)"},
    "handed over, and a primitive": {"layer": "x = pre_norm(x, shared(mlp), norm = shared(layer_norm))"},
    "a block": {
        "stack": "tied(3 * layer)",
        "layer": "x = x + mlp(x) + eps * x",
        "where": FUNCTIONS + "eps: scalar(0.5)",
    },
    "among others": {
        "stack": "layer -> tied(3 * layer) -> layer -> tied(2 * (layer -> 2 * last))",
        "where": FUNCTIONS + "last: |\n  x = x + same(x) * two\ntwo: scalar(2)",
        "layer": "x = x + mlp(x)",
    },
    "with what it was after every block": {
        "stack": "tied(3 * layer)",
        "layer": "x = x + tanh(mlp(x))",
        "output": "sum(each(layers(x), h => linear(h, out)))",
    },
    "that reads depth": {
        "stack": "tied(2 * (layer -> turn)) -> tied(2 * layer) -> 2 * tied(2 * turn)",
        "layer": "x = x + tanh(mlp(x) / depth)",
        "where": FUNCTIONS + "turn: |\n  x = x + same(x) * scalar(0.5) * (1 if depth > 3 else 2 * depth)",
    },
    "tied in a tied stage": {"stack": "2 * tied(2 * (layer -> tied(2 * layer)))", "layer": "x = x + tanh(mlp(x))"},
}


def case(name: str, backend: str = "") -> Case:
    spec = parse_spec(spec_text(**({"where": FUNCTIONS} | SPECS[name])), "test.yaml")
    return of_spec(spec, CATEGORIES, **forced(backend))


def names(**parts: str) -> list[str]:
    spec = parse_spec(spec_text(**({"where": FUNCTIONS} | parts)), "test.yaml")
    return list(parameters(compile_spec(spec).program))


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("backend", ["", "gather"])
@pytest.mark.parametrize("name", SPECS)
def test_modules_compute_what_the_reference_does(name: str, backend: str, training: bool) -> None:
    made = case(name, backend)
    found = compare(made.built.module, made.built.program, made.graphs("everything"), made.weights, training)
    assert found.ok(), str(found)


@pytest.mark.parametrize("name", SPECS)
def test_every_weight_once(name: str, tmp_path) -> None:
    made = case(name)
    module, own = made.built.module, made.built.module.state_dict()
    assert sum(one.numel() for one in module.parameters()) == count(made.built.program)
    assert len({tensor.data_ptr() for tensor in own.values()}) == len(own)
    weights.save(tmp_path / "weights.safetensors", own, {})
    kept, about = weights.load(tmp_path / "weights.safetensors")
    assert about["shared"] == "{}"
    assert all(torch.equal(kept[key], tensor) for key, tensor in own.items())


def test_names_of_shared_weights() -> None:
    found = names(input="x = encode(x, d) -> shared(gate)", layer="x = shared(gate)(x) + same(x)")
    assert set(found) == {
        "shared.gate.w",
        "shared.linear.weight",
        "shared.linear.bias",
        "input.encode.weight",
        *(f"shared.same.{one}" for one in ("linear.weight", "linear.bias", "batch_norm.weight", "batch_norm.bias")),
        *("shared.same.linear_2.weight", "shared.same.linear_2.bias"),
        *("output.linear.weight", "output.linear.bias"),
    }


def test_tied_instances_go_by_the_first() -> None:
    found = names(stack="layer -> tied(3 * (layer -> layer)) -> layer", layer="x = x * linear(x)")
    assert [name for name in found if name.endswith("weight")] == [
        "input.encode.weight",
        *(f"layers.{number}.linear.weight" for number in (0, 1, 2, 7)),
        "output.linear.weight",
    ]


def test_running_statistics_are_shared_too() -> None:
    made = case("a function, in two layers and twice in each")
    own = made.built.module.state_dict()
    assert [name for name in own if "running_mean" in name] == ["shared.mlp.batch_norm.running_mean"]


def test_sharing_is_a_difference_of_programs() -> None:
    specs = [
        parse_spec(spec_text(where=FUNCTIONS, **parts), "test.yaml")
        for parts in (
            {"layer": "x = x + mlp(x)"},
            {"layer": "x = x + shared(mlp)(x)"},
            {"layer": "x = x + mlp(x)", "stack": "tied(2 * layer)"},
        )
    ]
    programs = [compile_spec(spec).program for spec in specs]
    for one, other in ((0, 1), (0, 2)):
        assert same(programs[one], programs[other]) is None


def test_every_operation_with_weights_can_be_shared() -> None:
    arguments = {"linear": ", d", "embed": ", d", "encode": ", d"}
    rows = [name for name, row in OPERATIONS.items() if row.arguments and row.weights is not OPERATIONS["relu"].weights]
    for name in (*rows, "encode"):
        value = "t" if name == "embed" else "x"
        text = f"x = x + shared({name})({value}{arguments.get(name, '')})"
        spec = parse_spec(spec_text(input="t = x\nx = encode(x, d)", layer=text), "test.yaml")
        program = compile_spec(spec).program
        assert any(one.startswith(f"shared.{name}.") for one in parameters(program)), name
        assert "self.shared = Shared()" in compile_spec(spec).code
