"""Weights of the edge-bias transformer, biases and norms left aside, as the notebook counts them:
8e²·l for the MLP of the pairs, L(4d² + 8d²) for attention and MLP of the layers, and eH a layer for its bias.
"""

from math import prod

import pytest

from archspec.cost.parameters import parameters
from archspec.pipeline import compile_spec
from archspec.syntax.load import load_spec


def matrices(name: str, *sizes: str) -> dict[str, int]:
    """Entries of every weight matrix of a spec."""
    shapes = parameters(compile_spec(load_spec(name, [f"model.{size}" for size in sizes])).program)
    return {weight: prod(shape) for weight, shape in shapes.items() if len(shape) == 2}


def having(counts: dict[str, int], *parts: str) -> int:
    """Entries of the weights whose names hold one of these."""
    return sum(count for name, count in counts.items() if any(part in name for part in parts))


@pytest.mark.parametrize(("d", "heads", "e", "layers"), [(64, 8, 16, 4), (32, 2, 5, 1), (12, 3, 8, 6)])
@pytest.mark.parametrize("name", ["edge_bias_transformer", "edge_bias_transformer_every_layer"])
def test_edge_bias_transformer(name: str, d: int, heads: int, e: int, layers: int) -> None:
    found = matrices(name, f"sizes.d={d}", f"sizes.heads={heads}", f"sizes.dp={e}", f"stack={layers} * layer")
    times = layers if name.endswith("every_layer") else 1
    assert having(found, "pair_mlp") == 8 * e**2 * times
    assert having(found, "attend.b.") == layers * e * heads
    assert having(found, *(f"attend.{part}." for part in ("q", "k", "v", "linear"))) == layers * 4 * d**2
    assert having(found, "pre_norm_2.mlp") == layers * 8 * d**2
    ends = {"input.encode.weight": 3 * d, "input.linear.weight": 5 * e, "output.linear.weight": 2 * d}
    whole = 8 * e**2 * times + layers * (e * heads + 4 * d**2 + 8 * d**2)
    assert sum(found.values()) == whole + sum(ends.values())
    assert {weight: found[weight] for weight in ends} == ends
