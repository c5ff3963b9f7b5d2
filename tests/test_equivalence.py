"""The notebook's equivalence: position gating and position attention, mocked and frozen, equal GIN."""

import pytest

from archspec.diagnostics import SpecError
from archspec.equal.specs import equality
from archspec.syntax.load import load_spec

SMALL = ("model.sizes.d=6", "model.stack=2 * layer")


def equal(one: str, other: str, *changes: str) -> str:
    """What is found when two specs are compared; the changes are made to the first alone."""
    heads = ("model.sizes.heads=2",)
    return equality(load_spec(one, [*SMALL, *heads, *changes]), load_spec(other, SMALL))


def of_gates(name: str, value: object) -> str:
    """An initial value of a weight of all gates."""
    return f"parameters.layers.*.gate.{name}.init={value}"


def test_mocked_gates_are_gin():
    assert equal("gin_as_gating", "gin").startswith("outputs and gradients of 23 weights equal those of gin")


def test_gates_of_any_ratio_are_gin_with_an_eps():
    """σ(w0) = s (1 + ε) and σ(w1) = s, and the output map divides by s; here s = 1/2 and ε = 1."""
    double = [[2 * (row == column) for column in range(6)] for row in range(6)]
    weights = (of_gates("w1", 0), f"parameters.layers.*.gate.linear.weight={{init: {double}}}")
    one = load_spec("gin_as_gating", [*SMALL, "model.sizes.heads=2", *weights])
    fixed = "parameters={layers.*.eps: {init: 1}}"
    assert "23 weights" in equality(one, load_spec("gin", [*SMALL, fixed]))
    with pytest.raises(SpecError, match="E0315"):
        equality(one, load_spec("gin", SMALL))


@pytest.mark.parametrize("change", [of_gates("w0", 2), of_gates("w1", 2), of_gates("*", 0.1), of_gates("*.bias", 0.1)])
def test_other_gates_are_not(change):
    with pytest.raises(SpecError, match="E0315"):
        equal("gin_as_gating", "gin", change)


def test_what_is_mocked_is_frozen_and_the_rest_trains():
    from archspec.pipeline import build

    built = build(load_spec("gin_as_gating", [*SMALL, "model.sizes.heads=2"]))
    frozen = {name for name, weight in built.module.named_parameters() if not weight.requires_grad}
    assert frozen == {name for name, _ in built.module.named_parameters() if ".gate." in name}
