"""The reference itself: every operation on tiny graphs, with values worked out by hand or by dense linear algebra."""

from math import erf, exp, inf, log, sqrt, tanh

import pytest
import torch
from torch import Tensor

from archspec.ir.nodes import Node, Section
from archspec.ir.ops import OPERATIONS
from archspec.ir.types import ALL, NEIGHBOURS, NEIGHBOURS_AND_SELF, NODE, IndexSet, Type
from archspec.reference import Graph
from archspec.reference.evaluate import evaluate_section
from archspec.reference.graph import pairs, within_reach
from archspec.reference.table import TABLE
from tests.graphs import SHAPES, graph
from tests.nodes import SPAN, doubles, leaf, make, node_input, number, parameter, source, target, value

# Edges 0→1 twice, 1→1, 2→0; node 3 alone.
ODD = Graph(doubles(1.0, 10.0, 100.0, 1000.0), 4, ((1, 0), (1, 1), (0, 2), (1, 0)))

EXPANDER = [(0, 1), (0, 3), (1, 0), (1, 2), (2, 1), (2, 3), (3, 0), (3, 2)]
"""The cycle 0 1 2 3, which SplitMix64 gives for four nodes."""


def test_every_operation_has_a_row():
    assert set(TABLE) == set(OPERATIONS)


@pytest.mark.parametrize(
    ("over", "expected"),
    [
        (NEIGHBOURS, [(1, 0), (1, 1), (0, 2), (1, 0)]),
        (NEIGHBOURS_AND_SELF, [(0, 2), (0, 0), (1, 0), (1, 0), (1, 1), (2, 2), (3, 3)]),
        (IndexSet("reach", 0), [(0, 0), (1, 1), (2, 2), (3, 3)]),
        (IndexSet("reach", 1), [(0, 0), (0, 2), (1, 0), (1, 1), (2, 2), (3, 3)]),
        (IndexSet("reach", 2), [(0, 0), (0, 2), (1, 0), (1, 1), (1, 2), (2, 2), (3, 3)]),
        (ALL, [(i, j) for i in range(4) for j in range(4)]),
        (IndexSet("- i", base=NEIGHBOURS), [(1, 0), (0, 2), (1, 0)]),
        (IndexSet("- i", base=IndexSet("reach", 1)), [(0, 2), (1, 0)]),
        (IndexSet("- i", base=ALL), [(i, j) for i in range(4) for j in range(4) if i != j]),
        (IndexSet("expander", 2), EXPANDER),
        (
            IndexSet("+ i", base=IndexSet("expander", 2)),
            [*EXPANDER[:2], (0, 0), *EXPANDER[2:4], (1, 1), *EXPANDER[4:6], (2, 2), *EXPANDER[6:], (3, 3)],
        ),
    ],
    ids=str,
)
def test_index_sets(over, expected):
    assert pairs(ODD, over) == expected


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("k", range(4))
def test_reach_by_powers_of_the_adjacency_matrix(shape, k):
    nodes, edges = SHAPES[shape]
    steps = torch.eye(nodes)
    for i, j in edges:
        steps[i, j] = 1
    ways = torch.linalg.matrix_power(steps, k)
    drawn = graph(SHAPES[shape])
    assert {(i, j) for i in range(nodes) for j in within_reach(drawn, i, k)} == set(map(tuple, ways.nonzero().tolist()))


@pytest.mark.parametrize(
    ("op", "over", "expected"),
    [
        ("sum", NEIGHBOURS, [100, 12, 0, 0]),
        ("mean", NEIGHBOURS, [100, 4, 0, 0]),
        ("max", NEIGHBOURS, [100, 10, 0, 0]),
        ("min", NEIGHBOURS, [100, 1, 0, 0]),
        ("sum", NEIGHBOURS_AND_SELF, [101, 12, 100, 1000]),
        ("mean", NEIGHBOURS_AND_SELF, [50.5, 4, 100, 1000]),
        ("sum", IndexSet("reach", 1), [101, 11, 100, 1000]),
        ("sum", IndexSet("reach", 2), [101, 111, 100, 1000]),
        ("min", IndexSet("reach", 2), [1, 1, 100, 1000]),
        ("sum", ALL, [1111] * 4),
        ("std", NEIGHBOURS, [0, sqrt(18), 0, 0]),
        ("std", IndexSet("reach", 1), [49.5, 4.5, 0, 0]),
        ("logsumexp", NEIGHBOURS, [100, 10 + log(1 + 2 * exp(-9)), 0, 0]),
        ("max", ALL, [1000] * 4),
    ],
)
def test_reductions(op, over, expected):
    result = value(make(op, source(node_input(), over)), ODD)
    torch.testing.assert_close(result, doubles(*expected))


def test_a_negative_maximum_and_the_empty_one():
    edge = Graph(doubles(-3.0, -5.0), 2, ((1, 0),))
    assert value(make("max", source(node_input())), edge).tolist() == [0, -3]


@pytest.mark.parametrize("op", ["max", "min"])
def test_ties_share_the_gradient(op):
    x = doubles(2.0, 2.0, 2.0).requires_grad_()
    value(make(op, source(node_input())), Graph(x, 3, ((2, 0), (2, 1), (2, 1), (2, 2)))).sum().backward()
    torch.testing.assert_close(x.grad, doubles(0.25, 0.5, 0.25))


def test_gathers_and_pairs():
    x = node_input()
    assert value(source(x), ODD).tolist() == [1, 10, 100, 1]
    assert value(target(x), ODD).tolist() == [10, 10, 1, 10]
    assert value(make("sub", target(x), source(x)), ODD).tolist() == [9, 0, -99, 9]
    assert value(make("spread", number(3.0), over=NEIGHBOURS), ODD).tolist() == [3, 3, 3, 3]
    assert value(make("sum", make("spread", number(1.0), over=NEIGHBOURS)), ODD).tolist() == [1, 3, 0, 0]


@pytest.mark.parametrize("large", [NEIGHBOURS_AND_SELF, IndexSet("reach", 1), IndexSet("reach", 3), ALL], ids=str)
def test_restriction_is_what_the_smaller_set_reads(large):
    x = node_input()
    products = make("mul", target(x, large), source(x, large))
    expected = make("mul", target(x), source(x))
    for name in SHAPES:
        drawn = graph(SHAPES[name])
        torch.testing.assert_close(value(make("restrict", products, over=NEIGHBOURS), drawn), value(expected, drawn))


def test_softmax_by_hand():
    shares = make("softmax", source(node_input()))
    small = Graph(doubles(0.0, log(2.0), 5.0), 3, ((1, 0), (2, 2), (1, 1), (1, 1)))
    torch.testing.assert_close(value(shares, small), doubles(0.2, 1.0, 0.4, 0.4))
    assert value(shares, graph(SHAPES["no edges"])).shape == (0,)
    huge = Graph(doubles(1000.0, 1000.0, 0.0), 3, ((2, 0), (2, 1), (2, 2)))
    torch.testing.assert_close(value(shares, huge), doubles(0.5, 0.5, 0.0))
    masked = Graph(doubles(-inf, 3.0, -inf), 3, ((0, 0), (0, 1), (1, 0), (1, 2)))
    assert value(shares, masked).tolist() == [0, 1, 0, 0]


POINTS = (-3.7, -1.2, -0.3, 0.4, 1.9, 6.5)
BY_HAND = {
    "relu": lambda x: max(x, 0),
    "sigmoid": lambda x: 1 / (1 + exp(-x)),
    "tanh": tanh,
    "exp": exp,
    "square": lambda x: x * x,
    "abs": abs,
    "erf": erf,
    "gelu": lambda x: x * 0.5 * (1 + erf(x / sqrt(2))),
    "silu": lambda x: x / (1 + exp(-x)),
    "mish": lambda x: x * tanh(log(1 + exp(x))),
    "elu": lambda x: x if x > 0 else exp(x) - 1,
    "leaky_relu": lambda x: x if x > 0 else 0.01 * x,
    "softplus": lambda x: log(1 + exp(x)),
    "softsign": lambda x: x / (1 + abs(x)),
    "hardtanh": lambda x: min(max(x, -1), 1),
    "relu6": lambda x: min(max(x, 0), 6),
    "hardsigmoid": lambda x: min(max(x + 3, 0), 6) / 6,
}


@pytest.mark.parametrize("op", BY_HAND)
def test_functions_by_hand(op):
    line = Graph(doubles(*POINTS), len(POINTS))
    torch.testing.assert_close(value(make(op, node_input()), line), doubles(*map(BY_HAND[op], POINTS)))


FUNCTIONS = [name for name, row in OPERATIONS.items() if row.elementwise and row.torch]


@pytest.mark.parametrize("op", FUNCTIONS)
def test_functions_as_torch_spells_them(op):
    """The plain arithmetic here and the torch expression in the table of operations: values and gradients."""
    row = OPERATIONS[op]
    count = sum(f"{{{at}}}" in row.torch for at in range(3))
    points = [point for point in POINTS if point > 0 or op not in ("log", "log1p", "sqrt", "rsqrt", "pow")]
    inputs = [doubles(*points).roll(at).requires_grad_() for at in range(count)]
    truths = {"where": 1, "and": 2, "or": 2, "not": 1}.get(op, 0)
    torchs = [one > 1 if at < truths else one for at, one in enumerate(inputs)]
    ours = [one.double() for one in torchs]
    options = {formal.name: formal.default for formal in row.arguments or () if formal.kind == "number"}
    nodes = [leaf("state", Type(NODE), name=str(at), layer=None) for at in range(count)]
    call = Node(op, tuple(nodes), Type(NODE), SPAN)
    states = {str(at): [tensor] for at, tensor in enumerate(ours)}
    line = Graph(torch.zeros(len(points)), len(points))
    (result,) = evaluate_section(Section("test", (("", call),)), {}, [line], False, [states])[""]
    names = {"torch": torch, "F": torch.nn.functional}
    spelled = {f"x{at}": tensor for at, tensor in enumerate(torchs)}
    expected = eval(row.torch.format(*spelled, **options), names, spelled)
    torch.testing.assert_close(result, expected.double())
    if expected.requires_grad:
        weight = torch.arange(1.0, 1.0 + len(points), dtype=torch.float64)
        for mine, other in zip(gradients(result, weight, inputs), gradients(expected, weight, inputs), strict=True):
            torch.testing.assert_close(mine, other)


def gradients(result: Tensor, weight: Tensor, inputs: list[Tensor]) -> list[Tensor]:
    if not result.requires_grad:
        return [torch.zeros_like(weight) for _ in inputs]
    found = torch.autograd.grad((result * weight).sum(), inputs, allow_unused=True)
    return [torch.zeros_like(weight) if grad is None else grad for grad in found]


def test_options_reach_the_function():
    line = Graph(doubles(-2.0, 2.0), 2)
    assert value(make("leaky_relu", node_input(), negative_slope=0.5), line).tolist() == [-1, 2]
    assert value(make("hardtanh", node_input(), min_val=-1.5, max_val=0.5), line).tolist() == [-1.5, 0.5]


def test_equal_values_share_the_gradient_of_maximum():
    a, b = doubles(1.0), doubles(1.0)
    a.requires_grad_(), b.requires_grad_()
    value(make("maximum", parameter("a"), parameter("b")), ODD, {"a": a[0], "b": b[0]})[:1].sum().backward()
    assert (a.grad.item(), b.grad.item()) == (0.5, 0.5)
