"""Weights go by names that follow the text, and as many as there should be."""

from pathlib import Path

import pytest

from archspec.cost.parameters import count, parameters
from archspec.ir.ops import weights_of
from archspec.pipeline import build
from archspec.syntax.load import load_spec
from tests.checking import program

SPECS = sorted((Path(__file__).parents[1] / "specs").glob("*.yaml"))


def names(**parts: str) -> list[str]:
    """Names of the modules and parameters of the first block instance, in order of their first use."""
    section = program(stack="layer", **parts).layers[0]
    found = [name for node in section.nodes for name, _ in weights_of(node)]
    tails = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked", "mean_scale")
    return list(dict.fromkeys(name.rsplit(".", 1)[0] if name.endswith(tails) else name for name in found))


MLP = "mlp(h): h -> linear(d) -> batch_norm -> relu -> linear(d)"

NAMES: dict[str, tuple[dict[str, str], list[str]]] = {
    "unnamed calls are numbered from the second": (
        {"layer": "x = linear(relu(linear(x, d)), d) + x"},
        ["linear", "linear_2"],
    ),
    "a call alone on the right is named after the local": (
        {"layer": "h = linear(x, d)\nx = h + linear(x, d)"},
        ["h", "linear"],
    ),
    "tuples too": (
        {"layer": "q, k = linear(x, d), linear(x, d)\nx = q + k"},
        ["q", "k"],
    ),
    "a pipe is a call of its last stage": (
        {"layer": "h = x -> linear(d) -> relu -> linear(d)\nx = h"},
        ["linear", "h"],
    ),
    "a call inside an expression is not alone": (
        {"layer": "h = 2 * linear(x, d)\nx = h"},
        ["linear"],
    ),
    "a state is no local": (
        {"layer": "x = linear(x, d)\nx = linear(x, d)"},
        ["linear", "linear_2"],
    ),
    "values per pair": (
        {"layer": "g[i, j in N] = linear(x[i] * x[j], d)\nx = sum[j](g[i, j])"},
        ["g"],
    ),
    "a local of a function may be called like a state": (
        {"layer": "x = f(x)", "where": "f(x): |\n  x = linear(x, d)\n  x"},
        ["f.x"],
    ),
    "a name used again is numbered": (
        {"layer": "h = linear(x, d)\nh = linear(h, d)\nx = h"},
        ["h", "h_2"],
    ),
    "calls of definitions": (
        {"layer": "x = mlp(x) + mlp(x)", "where": MLP},
        ["mlp.linear", "mlp.batch_norm", "mlp.linear_2", "mlp_2.linear", "mlp_2.batch_norm", "mlp_2.linear_2"],
    ),
    "definitions in definitions": (
        {
            "layer": "x = pre(x, attend)",
            "where": "pre(x, f, norm = layer_norm): x + f(norm(x))\n"
            "attend(x): |\n  q, k = linear(x, d), linear(x, d)\n  linear(q * k, d)",
        },
        ["pre.layer_norm", "pre.attend.q", "pre.attend.k", "pre.attend.linear"],
    ),
    "lambdas have no name": (
        {"layer": "x = pre(x, h => linear(mlp(h), d))", "where": MLP + "\npre(x, f): x + f(x)"},
        ["pre.mlp.linear", "pre.mlp.batch_norm", "pre.mlp.linear_2", "pre.linear"],
    ),
    "definitions without arguments": (
        {"layer": "x = x * eps + f(x)", "where": "eps: scalar(0)\nf(h): h * eps * w\nw: vector(d, 1)"},
        ["eps", "w"],
    ),
    "definitions without arguments that are more than a call": (
        {"layer": "x = x * eps", "where": "eps: |\n  a = scalar(0)\n  sigmoid(a + scalar(1))"},
        ["eps.a", "eps.scalar"],
    ),
    "parameters in a definition that is an expression": (
        {"layer": "x = x * eps", "where": "eps: 1 + sigmoid(scalar(0))"},
        ["eps.scalar"],
    ),
    "a definition that is a lambda": (
        {"layer": "x = f(x) + f(x)", "where": "f: h => linear(h, d)"},
        ["f.linear", "f_2.linear"],
    ),
    "another name of a primitive": (
        {"layer": "x = norm(norm(x))", "where": "norm: batch_norm"},
        ["norm", "norm_2"],
    ),
    "another name of a definition": (
        {"layer": "x = ffn_(x) + mlp(x)", "where": MLP + "\nffn_: mlp"},
        ["ffn_.linear", "ffn_.batch_norm", "ffn_.linear_2", "mlp.linear", "mlp.batch_norm", "mlp.linear_2"],
    ),
    "defaults belong to the function": (
        {"layer": "x = f(x) + f(x, scalar(2))", "where": "f(h, w = scalar(1)): h * w"},
        ["f.w", "scalar"],
    ),
    "arguments that are calls": (
        {"layer": "x = linear(x = linear(x, d), axes = d)"},
        ["linear", "linear_2"],
    ),
    "encode": ({"input": "t = x\nx = encode(t, d)", "layer": "x = x + encode(t, d)"}, ["encode"]),
    "indices make no weights of their own": (
        {"layer": "x = sum[j in N](linear(x, d)[j] + linear(x[j], d))"},
        ["linear", "linear_2"],
    ),
    "the set that is looked for does not make weights twice": (
        {"layer": "a = softmax[j in N](linear(x)[j])\nx = sum[j](batch_norm(linear(a, d))[i, j])"},
        ["linear", "linear_2", "batch_norm"],
    ),
    "branches that are not taken make no weights": (
        {"layer": "x = linear(x, d) if d < 4 else mlp(x)", "where": MLP},
        ["mlp.linear", "mlp.batch_norm", "mlp.linear_2"],
    ),
}


@pytest.mark.parametrize("title", NAMES)
def test_names(title: str) -> None:
    parts, expected = NAMES[title]
    found = names(**parts)
    assert sorted(found) == sorted(expected)


def test_every_repeat_has_its_own() -> None:
    made = parameters(
        program(
            stack="2 * (layer -> other) -> layer", layer="x = mlp(x)", where=MLP + "\nother: x = x * w\nw: scalar(0)"
        )
    )
    modules = {name.rsplit(".", 2)[0] for name in made if ".mlp." in name}
    assert modules == {"layers.0.mlp", "layers.2.mlp", "layers.4.mlp"}
    assert [name for name in made if name.endswith(".w")] == ["layers.1.w", "layers.3.w"]


def test_input_and_output_count_as_instances() -> None:
    made = parameters(program(input="x = encode(x, d) * eps", output="linear(x, out) * eps", where="eps: scalar(0)"))
    assert set(made) == {"input.encode.weight", "input.eps", "output.linear.weight", "output.linear.bias", "output.eps"}


def test_each_makes_weights_of_its_own() -> None:
    made = parameters(program(stack="3 * layer", output="sum(each(layers(x), h => linear(h, out)))"))
    assert [name for name in made if name.endswith("weight")] == [
        "input.encode.weight",
        "output.linear.weight",
        "output.linear_2.weight",
        "output.linear_3.weight",
        "output.linear_4.weight",
    ]


LINES = (
    "h = linear(x, d)",
    "x = x + mlp(h)",
    "q, k = linear(x, d), linear(x, d)",
    "x = x + linear(q * k, d) * eps",
    "x = x + mlp(batch_norm(x))",
)


@pytest.mark.parametrize("kept", range(1, len(LINES)))
def test_adding_lines_at_the_end_renames_nothing(kept: int) -> None:
    where = MLP + "\neps: scalar(0)"
    before = names(layer="\n".join((*LINES[:kept], "x = x + 1")), where=where)
    after = names(layer="\n".join(LINES), where=where)
    assert set(before) <= set(after)


@pytest.mark.parametrize("at", range(len(LINES)))
def test_adding_a_named_line_anywhere_renames_nothing(at: int) -> None:
    where = MLP + "\neps: scalar(0)"
    before = names(layer="\n".join(LINES), where=where)
    after = names(layer="\n".join((*LINES[:at], "new = linear(x, d)\nx = x + new", *LINES[at:])), where=where)
    assert set(after) == {*before, "new"}


COUNTS = {
    ("gin", ()): 100_884,
    ("gin", ("model.sizes.d=124", "model.stack=16 * layer")): 508_574,
    ("gin_between_off", ()): 100_884 - 4 * 2 * 110,
    ("gin_inner_off", ()): 100_884 - 4 * 2 * 110,
    ("gin_norms_off", ()): 100_884 - 4 * 4 * 110,
    ("gin_norms_on", ()): 100_884,
}


@pytest.mark.parametrize(("name", "overrides"), COUNTS, ids=lambda one: one if isinstance(one, str) else "-".join(one))
def test_published_counts(name: str, overrides: tuple[str, ...]) -> None:
    built = build(load_spec(name, overrides))
    assert count(built.program) == COUNTS[name, overrides]
    assert sum(weight.numel() for weight in built.module.parameters()) == COUNTS[name, overrides]


def test_parameters_of_gin() -> None:
    made = parameters(compiled_file("gin", "model.stack=1 * layer"))
    layer = {name: shape for name, shape in made.items() if name.startswith("layers.")}
    assert layer == {
        "layers.0.eps": (),
        "layers.0.mlp.linear.weight": (110, 110),
        "layers.0.mlp.linear.bias": (110,),
        "layers.0.mlp.inner.weight": (110,),
        "layers.0.mlp.inner.bias": (110,),
        "layers.0.mlp.linear_2.weight": (110, 110),
        "layers.0.mlp.linear_2.bias": (110,),
        "layers.0.between.weight": (110,),
        "layers.0.between.bias": (110,),
    }
    assert set(made) - set(layer) == {
        "input.encode.weight",
        *(f"output.{one}.{part}" for one in ("linear", "linear_2") for part in ("weight", "bias")),
    }


def compiled_file(name: str, *overrides: str):
    from archspec.pipeline import compile_spec

    return compile_spec(load_spec(name, overrides)).program


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_weights_of_the_program_are_those_of_the_module(path: Path) -> None:
    built = build(load_spec(path))
    listed = {
        f"{where}.{name}": weight
        for where, section in built.program.sections()
        for node in section.nodes
        for name, weight in weights_of(node)
    }
    made = built.module.state_dict()
    assert {name: tuple(tensor.shape) for name, tensor in made.items()} == {
        name: weight.shape for name, weight in listed.items()
    }
    trainable = {name for name, _ in built.module.named_parameters()}
    assert trainable == {name for name, weight in listed.items() if weight.trainable} == set(parameters(built.program))
    assert count(built.program) == sum(weight.numel() for weight in built.module.parameters())


def test_parts_that_share_a_section_do_not_share_weights() -> None:
    built = build(load_spec("gin"))
    first, second = built.module.layers[0], built.module.layers[1]
    assert first.mlp.linear.weight is not second.mlp.linear.weight
    assert not first.mlp.linear.weight.equal(second.mlp.linear.weight)
