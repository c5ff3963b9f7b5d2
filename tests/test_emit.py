"""The emitted source and the module it makes: its weights, its form, and that it behaves like any other module."""

import copy
import json
import pickle
import subprocess
import sys
import traceback
from math import sqrt
from pathlib import Path

import pytest
import torch
from torch import nn
from torch_geometric.data import Batch as PygBatch
from torch_geometric.data import Data

from archspec.emit.build import build_module
from archspec.emit.names import TAKEN, class_name, fresh
from archspec.emit.wrap import WIDTH, wrapped
from archspec.ir.nodes import Program
from archspec.ir.ops import OPERATIONS, weights_of
from archspec.ir.weights import Weight, no_weights
from archspec.pipeline import build
from archspec.runtime.batch import Batch, as_batch
from archspec.syntax.load import load_spec, parse_spec
from tests.checking import compiled, spec_text

ROOT = Path(__file__).parents[1]
SPECS = sorted(path.stem for path in (ROOT / "specs").glob("*.yaml"))


def module(**parts: str) -> tuple[nn.Module, Program]:
    """A spec of these parts as a module, and its program."""
    built = build(parse_spec(spec_text(**parts), "test.yaml"))
    return built.module, built.program


def graphs(*sizes: int, seed: int = 0) -> list[Data]:
    """Directed graphs with random edges and categories."""
    generator = torch.Generator().manual_seed(seed)
    return [
        Data(
            x=torch.randint(3, (size,), generator=generator),
            edge_index=torch.randint(size, (2, 3 * size), generator=generator),
            num_nodes=size,
        )
        for size in sizes
    ]


def weights(program: Program) -> dict[str, Weight]:
    """The weights of a program by their names in `state_dict`."""
    return {
        f"{path}.{name}": weight
        for path, section in program.sections()
        for node in section.nodes
        for name, weight in weights_of(node)
    }


EVERY_WEIGHT = "t = x\nx = encode(t, d)"
LAYERS = {
    "linear": "x = linear(x, heads, c) -> linear -> linear(d)",
    "linear without bias": "x = linear(x, d, bias = false)",
    "linear_part": "x = x + sum[j in N](relu(linear(concat(x[i], x[j]), d) + linear(x[i] - x[j], d, bias = false)))",
    "embed": "x = x + embed(t, d) + view(embed(t, heads, c, size = 9), d) + embed(t)",
    "batch_norm": "x = batch_norm(x) + batch_norm(linear(x))",
    "layer_norm": "x = linear(layer_norm(linear(x, heads, c)), d) + layer_norm(x)",
    "rms_norm": "x = rms_norm(x)",
    "graph_norm": "x = graph_norm(x)",
    "average": "x = x / average(degree) + linear(average(hops(0..3)), d)",
    "parameter": "x = x * scalar(-2.5) + vector(d, 1) + x @ matrix(c, d, 0.5) @ vector(c, 0)",
}


def test_every_operation_with_weights_is_here() -> None:
    known = {name for name, row in OPERATIONS.items() if row.weights is not no_weights}
    assert known == {name for name in LAYERS if name in OPERATIONS}


@pytest.mark.parametrize("title", LAYERS)
def test_weights_are_those_of_the_table(title: str) -> None:
    made, program = module(input=EVERY_WEIGHT, layer=LAYERS[title])
    table = weights(program)
    assert {name: tuple(value.shape) for name, value in made.state_dict().items()} == {
        name: weight.shape for name, weight in table.items()
    }
    assert {name for name, _ in made.named_parameters()} == {name for name, one in table.items() if one.trainable}
    assert any(name.startswith("layers.1.") for name in table)


@pytest.mark.parametrize("title", LAYERS)
def test_initial_values_are_those_of_the_table(title: str) -> None:
    torch.manual_seed(0)
    made, program = module(input=EVERY_WEIGHT, layer=LAYERS[title], sizes="{d: 128, heads: 2, c: d/heads}")
    state = made.state_dict()
    for name, weight in weights(program).items():
        value = state[name].double()
        if weight.start == "fan_in":
            weight_of = state[name.removesuffix("bias") + "weight"] if name.endswith("bias") else state[name]
            bound = 1 / sqrt(weight_of.shape[1])
            assert value.abs().max() <= bound
            assert value.numel() < 500 or value.std() == pytest.approx(bound / sqrt(3), rel=0.1)
        elif weight.start == "normal":
            assert value.numel() < 300 or value.std() == pytest.approx(1, rel=0.15)
        else:
            assert torch.allclose(value, torch.full_like(value, weight.start), rtol=0, atol=0, equal_nan=True)


@pytest.mark.parametrize("name", [*SPECS, "wide"])
def test_source_is_tidy(name: str, tmp_path: Path) -> None:
    code = compiled(layer=WIDE).code if name == "wide" else build(load_spec(name)).code
    assert max(map(len, code.splitlines())) <= WIDTH
    path = tmp_path / "model.py"
    path.write_text(code)
    assert ruff("check", "--select", "E,F,I,B", "--ignore", "E741", path) == ""  # names are those of the text
    broken = any(line.endswith("(") for line in code.splitlines())
    assert broken or ruff("format", "--check", path) == ""


def ruff(*arguments: object) -> str:
    """What ruff has to say."""
    command = [sys.executable, "-m", "ruff", *map(str, arguments), "--isolated", "--line-length", str(WIDTH)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    return ran.stdout if ran.returncode else ""


WIDE = "\n".join(
    (
        "long_name_of_a_value = x * 2",
        "x = x + " + " + ".join(f"sigmoid(linear(long_name_of_a_value, d)) * {n}" for n in range(9)),
        "x = linear(concat(" + ", ".join(f"long_name_of_a_value * {n}" for n in range(9)) + "), d)",
        "x = x + sum[j in N](relu(long_name_of_a_value[j] + x[i] + " + " + ".join(["x[j] * x[i]"] * 9) + "))",
    )
)


def test_long_lines_mean_the_same() -> None:
    made, _ = module(layer=WIDE)
    assert made(graphs_batch()).shape == (9, 2)


def graphs_batch() -> PygBatch:
    return PygBatch.from_data_list(graphs(4, 5))


WRAPPED = {
    "x = f(a)": ["x = f(a)"],
    "x = function(aaaaaaaa, bbbbbbbb)": ["x = function(", "    aaaaaaaa, bbbbbbbb", ")"],
    "x = function(aaaaaaaa, bbbbbbbb, cccccccc)": [
        "x = function(",
        "    aaaaaaaa,",
        "    bbbbbbbb,",
        "    cccccccc,",
        ")",
    ],
    "x = aaaaaaaa + bbbbbbbb * cccccccc + d": ["x = (", "    aaaaaaaa", "    + bbbbbbbb * cccccccc", "    + d", ")"],
    "return (aaaaaaaa * bbbbbbbb).sum(-1)[0]": ["return (", "    aaaaaaaa * bbbbbbbb", ").sum(-1)[0]"],
    'x = f("a, (b", cccccccccccccccc)': ["x = f(", '    "a, (b", cccccccccccccccc', ")"],
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx": ["xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"],
}


@pytest.mark.parametrize("line", WRAPPED)
def test_wrapping(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archspec.emit.wrap.WIDTH", 30)
    assert wrapped(line, 0) == WRAPPED[line]
    assert all(text.startswith("    ") for text in wrapped(line, 4))


NAMES = {"x": "x", "lambda": "lambda_", "batch": "batch_", "len": "len_", "N": "N_", "reach_2": "reach_2_", "y": "y_2"}


@pytest.mark.parametrize("wanted", NAMES)
def test_variables_hide_nothing(wanted: str) -> None:
    assert fresh(wanted, {"y"}.__contains__) == NAMES[wanted]


CLASSES = {
    "layer": "Layer",
    "pre_norm": "PreNorm",
    "None": "BlockNone",
    "tensor": "BlockTensor",
    "_": "Block",
    "f": "BlockF",
}


@pytest.mark.parametrize("title", CLASSES)
def test_classes_hide_nothing(title: str) -> None:
    name = class_name(title, set())
    assert name == CLASSES[title]
    assert name not in TAKEN
    assert class_name(title, {name}) == f"{name}2"


ODD = {
    "names Python takes": {
        "input": "batch = encode(x, d)\nself = linear(batch, d)\nlambda = self * 2",
        "stack": "2 * Tensor -> None -> _1 -> f",
        "output": "len = linear(batch + self, d)\nlinear(len + lambda, out)",
        "where": "Tensor: batch = batch + lambda\nNone: self = self + 1\n_1: |\n  torch = batch * 2\n  sum_ = torch\n"
        "  lambda = torch + sum_\nf: |\n  gather_source = linear(self, d)\n"
        "  N_ = sum[j in N](gather_source[j] + self[i])\n  self = N_",
    },
    "a state and the list of another": {
        "input": "x = encode(x, d)\nx_after = 2 * x",
        "output": "linear(sum(layers(x)) + x_after + sum(layers(x_after)), out)",
        "layer": "x = x + x_after",
    },
    "numbers where torch takes tensors": {
        "layer": "x = linear(concat(x, 1, linear(3, heads)), d) + linear(view(2, one), d) * maximum(0.5, x)",
        "sizes": "{d: 8, heads: 2, one: 1}",
    },
    "constant states": {
        "input": "x = encode(x, d)\nn = 2\nw = vector(d, 1)",
        "layer": "n = n + 1\nx = x * n + w\nw = w * n",
    },
    "a state of truth values first": {
        "input": "m = x\nx = encode(x, d)\nflag = x > 0",
        "layer": "x = maximum(x if flag else encode(m, d), 0.25)\nflag = x > 0.5",
    },
    "states that cross": {"input": "x = encode(x, d)\ny = 2 * x", "layer": "x, y = y, x + y\nx = x - y"},
    "a value that is read after its name is given anew": {
        "layer": "h = x * 2\ng = h + 1\nh = tanh(h)\nh = h + g\nx = h * x + (x -> tanh)",
    },
    "no blocks": {"stack": "0 * layer"},
    "constants beside rows": {
        "layer": "x = x + sum[j in N](vector(d, 1) * 2) + mean[j in V](scalar(3)) + sum[j in N](1)"
    },
    "one axis of size one": {"sizes": "{d: 1}", "layer": "x = linear(x, d) * linear(x)"},
    "axes in another order": {
        "layer": "a, b = linear(x, heads, c), linear(x, c, heads)\n"
        "x = view(a * b, d) + view(b + a, d) + linear(a @ b, d)",
    },
}


@pytest.mark.parametrize("title", ODD)
def test_agrees_with_the_reference(title: str) -> None:
    from archspec.equal.compare import compare
    from archspec.reference import initial_weights
    from tests.graphs import batch

    made, program = module(**ODD[title])
    found = compare(made, program, batch("everything", letters=3), initial_weights(program), training=True)
    assert found.ok(), found


@pytest.fixture(params=["gin", "content_attention"])
def model(request: pytest.FixtureRequest) -> nn.Module:
    torch.manual_seed(1)
    return build(load_spec(request.param, ["model.sizes.d=8"])).module.eval()


def test_takes_objects_of_pyg_and_packed_batches(model: nn.Module) -> None:
    data = graphs(4, 1, 7)
    joined = PygBatch.from_data_list(data)
    expected = torch.cat([model(one) for one in data])
    torch.testing.assert_close(model(joined), expected)
    packed = as_batch(joined)
    assert isinstance(packed, Batch)
    assert torch.equal(model(packed), model(joined))


def test_pickles_in_this_process(model: nn.Module) -> None:
    again = pickle.loads(pickle.dumps(model))
    assert torch.equal(again(graphs_batch()), model(graphs_batch()))


def test_pickles_into_another_process(tmp_path: Path) -> None:
    model = build(load_spec("gin", ["model.sizes.d=8"])).module.eval()
    batch = as_batch(graphs_batch())
    torch.save({"model": model, "batch": batch, "out": model(batch)}, tmp_path / "model.pt")
    code = (
        "import sys, torch\n"
        "kept = torch.load(sys.argv[1], weights_only=False)\n"
        "assert torch.equal(kept['model'](kept['batch']), kept['out'])\n"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "model.pt")], cwd=ROOT, check=True)


def test_copies_are_independent_and_draw_nothing(model: nn.Module) -> None:
    before = torch.get_rng_state()
    again = copy.deepcopy(model)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(again(graphs_batch()), model(graphs_batch()))
    with torch.no_grad():
        next(again.parameters()).add_(1)
    assert not torch.equal(again(graphs_batch()), model(graphs_batch()))


def test_moves_between_types(model: nn.Module) -> None:
    single = model(graphs_batch())
    double = copy.deepcopy(model).double()(graphs_batch())
    assert single.dtype == torch.float32
    assert double.dtype == torch.float64
    torch.testing.assert_close(single, double.float(), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", ['a """ b', "back\\slash\\", "two\nlines", 'ends in "', "äöü 图"])
def test_any_name_of_a_spec(name: str) -> None:
    text = spec_text().replace("name: test", f"name: {json.dumps(name)}")
    made = build(parse_spec(text, "test.yaml"))
    assert made.module(graphs_batch()).shape == (9, 2)


def test_infinite_numbers() -> None:
    made, _ = module(layer="x = x + minimum(relu(x), inf) * 0 + (0 if x > -inf else scalar(-inf))")
    assert made.layers[0].scalar.item() == -torch.inf
    assert made(graphs_batch()).isfinite().all()


def test_numbers_follow_the_type_of_the_module() -> None:
    made, _ = module(layer="x = maximum(x, 0.1) + sum[j in N](0.1) + concat(0.1, linear(x, 7))", sizes="{d: 8}")
    assert made.double()(graphs_batch()).dtype == torch.float64
    code = compiled(layer="x = maximum(x, 0.1)").code
    assert "torch.tensor(0.1, dtype=dtype, device=device)" in code


def test_weights_load_into_another_instance(model: nn.Module) -> None:
    other = type(model)()
    other.load_state_dict(model.state_dict())
    assert torch.equal(other.eval()(graphs_batch()), model(graphs_batch()))


def test_the_same_source_is_run_once() -> None:
    code = compiled().code
    assert type(build_module(code, "a")) is type(build_module(code, "b"))
    assert type(build_module(code, "a")) is not type(build_module(compiled(layer="x = x + 2").code, "a"))


def test_traceback_shows_the_emitted_line() -> None:
    made, _ = module(layer="x = x + tanh(linear(x, d))")
    made.layers[0].linear = nn.Linear(3, 3)
    with pytest.raises(RuntimeError) as caught:
        made(graphs_batch())
    text = "".join(traceback.format_exception(caught.value))
    assert "<archspec test " in text
    assert "x = x + torch.tanh(self.linear(x))" in text


def test_comments_are_the_equations() -> None:
    code = compiled(layer="h = linear(x, d)\nx = x + relu(h)").code
    lines = [line.strip() for line in code.splitlines()]
    at = lines.index("# h = linear(x, d)")
    assert lines[at + 1 : at + 4] == ["h = self.h(x)", "# x = x + relu(h)", "x = x + torch.relu(h)"]


def test_weights_are_drawn_from_the_generator() -> None:
    code = build(load_spec("gin")).code
    torch.manual_seed(3)
    first = build_module(code, "gin")
    torch.manual_seed(3)
    second = build_module(code, "gin")
    third = build_module(code, "gin")
    assert all(torch.equal(one, two) for one, two in zip(first.parameters(), second.parameters(), strict=True))
    assert not torch.equal(first.layers[0].mlp.linear.weight, third.layers[0].mlp.linear.weight)
