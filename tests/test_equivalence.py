"""The notebook's architectures beside each other: position gates and position attention, mocked, are GIN; a mask is an
infinite bias; a list of two distances is a node and its neighbours.
"""

import pytest

from archspec.equal.specs import verdict
from archspec.pipeline import build
from archspec.syntax.load import load_spec
from archspec.syntax.spec import Spec
from tests.compiling import smaller


def small(name: str, *changes: str) -> Spec:
    """A spec with small sizes, changed."""
    return load_spec(name, [*smaller(load_spec(name)), *changes])


def init(pattern: str, value: object) -> str:
    """An initial value, as a change."""
    return f"parameters.{pattern}.init={value}"


MANY_IS_1 = "model.where.many=1"
GATES = "layers.*.gate"
LOGITS = "layers.*.attend"


MOCKED: dict[str, tuple[tuple[str, ...], str]] = {
    "gates": (("gin_as_gating",), "gin"),
    "attention": (("gin_as_attention",), "gin"),
    "attention that is a mean": (("gin_as_attention", MANY_IS_1), "gin_mean"),
    "other equal logits": (("gin_as_attention", init(f"{LOGITS}.b.weight", -3)), "gin"),
    "a bias of all logits": (("gin_as_attention", init(f"{LOGITS}.b.bias", 7)), "gin"),
}


@pytest.mark.parametrize("what", MOCKED)
def test_mocked_positions_are_gin(what):
    """Outputs, and gradients of all that trains: everything but the mocked weights."""
    one, other = MOCKED[what]
    found = verdict(small(*one), small(other))
    assert found.kind == "agreed"
    assert found.told.startswith("outputs and gradients of 23 weights on ")


def test_gates_of_any_ratio_are_gin_with_an_eps():
    """σ(w0) = s (1 + ε) and σ(w1) = s, and the output map divides by s; here s = 1/2 and ε = 1."""
    double = [[2 * (row == column) for column in range(8)] for row in range(8)]
    one = small("gin_as_gating", init(f"{GATES}.w1", 0), f"parameters.{GATES}.linear.weight={{init: {double}}}")
    assert verdict(one, small("gin", "parameters={layers.*.eps: {init: 1}}"))
    assert not verdict(one, small("gin"))


DIFFERENT = {
    "one gate": ("gin_as_gating", init(f"{GATES}.w0", 2)),
    "the other": ("gin_as_gating", init(f"{GATES}.w1", 2)),
    "biases": ("gin_as_gating", init(f"{GATES}.*.bias", 0.1)),
    "unequal logits": ("gin_as_attention", init(f"{LOGITS}.b.weight", [[0, 1]])),
    "a mean": ("gin_as_attention", MANY_IS_1),
    "no mask": (
        "gin_as_attention",
        "model.where.attend(x)=b, v = linear(hops(0..1), heads), linear(x, heads, c)\n"
        "a = softmax[j in V](b[i,j])\n"
        "sum[j](a[i,j] * v[j]) -> linear(d)",
    ),
}


@pytest.mark.parametrize("change", DIFFERENT)
def test_other_weights_are_not(change):
    assert not verdict(small(*DIFFERENT[change]), small("gin"))


@pytest.mark.parametrize(("name", "part"), [("gin_as_gating", ".gate."), ("gin_as_attention", ".attend.")])
def test_what_is_mocked_is_frozen_and_the_rest_trains(name, part):
    weights = dict(build(small(name)).module.named_parameters())
    assert {name for name, weight in weights.items() if not weight.requires_grad} == {
        name for name in weights if part in name
    }


@pytest.mark.parametrize("bias", ["-inf", "scalar(-inf)", "scalar(-1000)", "scalar(-100)"])
def test_a_low_bias_is_a_mask(bias):
    """exp(-100) is lost beside 1, in single precision too: such a bias has no gradient either."""
    one = small("position_attention_unreachable", f"model.where.unreachable={bias}")
    assert verdict(one, small("position_attention"))
    assert not verdict(small("position_attention_unreachable"), small("position_attention"))


def test_gates_of_two_distances_are_those_of_a_node_and_its_neighbours():
    mocked = "parameters={layers.*.gate.b.weight: {init: [[2, -1]]}, layers.*.gate.b.bias: {init: 0}}"
    one = small("position_gating_hops", "model.sizes.steps=1", mocked)
    other = "parameters={layers.*.gate.w0: {init: 2}, layers.*.gate.w1: {init: -1}}"
    assert verdict(one, small("position_gating", other))


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("position_attention", "attend=position_attention"),
        ("position_gating_hops", "gate=position_gating"),
        ("content_attention", "attend=attention"),
        ("edge_bias_transformer", "attend=biased_attention"),
        ("path_attention", "attend=path_attention"),
        ("cluster_attention", "attend=cluster_attention"),
        ("cluster_attention_gauss", "weights=gauss_weights"),
        ("cluster_attention", "weights=softmax_weights"),
    ],
)
def test_the_library_says_the_same_as_the_specs(name, change):
    assert verdict(small(name), small(name, f"model.where.{change}")).kind == "proved"
