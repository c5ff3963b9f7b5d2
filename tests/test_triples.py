"""Pairs read the other way round, and a third index: compiled code agrees with the reference, in every form."""

import pytest

from archspec.equal.compare import compare
from tests.compiling import Case, of_layer

READINGS = {
    "the other way round": ("b[i, j in V] = x[j] - 2 * relu(x[i])", "x = x + mean[j in V](b[j, i] * b[i, j])"),
    "both added": (
        "b[i, j in V] = tanh(x[j] * linear(x)[i])",
        "s[i, j in V] = b[i, j] + b[j, i]",
        "x = x + mean[j](s[i, j] * x[j])",
    ),
    "on a smaller set": ("b[i, j in V] = tanh(x[j] - x[i] * x[j])", "x = x + mean[j in N](b[j, i] * x[j])"),
    "under softmax": (
        "b[i, j in V] = linear(x, heads)[i] * linear(x, heads)[j] + linear(x, heads)[j]",
        "a = softmax[j in N + i](b[j, i])",
        "x = x + linear(sum[j](a[i, j] * linear(x, heads, c)[j]), d)",
    ),
    "the set is told by a value read the other way round": (
        "b[i, j in V] = tanh(x[j] - x[i] * x[j])",
        "x = x + mean[j](b[j, i])",
    ),
    "with itself": (
        "b[i, j in reach(2)] = tanh(x[j] - x[i] * x[j])",
        "s[i, j in N + i] = x[j] * linear(x)[i]",
        "h = b[i, i] * s[i, i]",
        "x = tanh(x + h + mean[j in N](b[j, j] - b[i, i] * b[i, j]))",
    ),
    "the trace": ("b[i, j in V] = x[i] * x[j]", "x = tanh(x + sum[i in V](b[i, i]))"),
    "on sets made from others": (
        "b[i, j in V - i] = tanh(x[j] - x[i] * x[j])",
        "e[i, j in expander(2)] = tanh(x[j] + x[i] * x[j])",
        "x = tanh(x + mean[j](b[j, i] * x[j]) + mean[j](e[j, i] * b[i, j]) + max[j in N - i](b[j, i]))",
    ),
    "truth values": ("b[i, j in V] = 1 if linear(x)[j] > 0 else 0", "x = x + mean[j in V](x[j] if b[j, i] > 0 else 0)"),
}

PAIRS = (
    "u, w = linear(x, heads), linear(x, heads)",
    "r[i, j in V] = tanh(u[i] - w[j] * u[i])",
    "s[i, j in V] = tanh(w[i] + w[j] * u[i])",
)
END = "x = tanh(x + linear(mean[j](m[i, j] * linear(x, heads)[j]), d))"


def of_pairs(*lines: str) -> tuple[str, ...]:
    """Lines that use r and s, on all pairs with axes (heads), and make m."""
    return (*PAIRS, *lines, END)


MATRICES = {
    "r s": ("m[i, j in V] = sum[k in V](r[i, k] * s[k, j])",),
    "r s'": ("m[i, j in V] = mean[k in V](s[j, k] * r[i, k])",),
    "r' s": ("m[i, j in V] = sum[k in V](r[k, i] * s[k, j]) / 3",),
    "r r": ("m[i, j in V] = mean[k in V](r[i, k] * r[k, j])",),
    "on a smaller set": ("m[i, j in N] = mean[k in V](r[i, k] * s[k, j])",),
    "functions of them": ("m[i, j in V] = sum[k in V](relu(r)[i, k] * sigmoid(s[k, j])) / 3",),
    "scaled": ("m[i, j in V] = tanh(sum[k in V](0.3 * r[i, k] * s[k, j] * u[i]))",),
    "of narrower values": (
        "t[i, j in V] = linear(x)[j] * linear(x)[i]",
        "m[i, j in V] = mean[k in V](t[i, k] * s[k, j])",
    ),
    "twice": (
        "p[i, j in V] = mean[k in V](r[i, k] * s[k, j])",
        "m[i, j in V] = mean[l in V](p[i, l] * r[l, j] + 0 * u[i])",
    ),
}
"""What is a product of matrices."""

TRIPLES = {
    "neighbours of i": ("m[i, j in V] = sum[k in N](r[i, k] * s[k, j])",),
    "on edges alone": ("m[i, j in N] = sum[k in N](r[i, k] * s[j, k])",),
    "within reach": ("m[i, j in reach(1)] = mean[k in reach(2)](tanh(r[k, j] + s[i, k]))",),
    "largest and smallest": ("m[i, j in V] = max[k in V](r[i, k] + s[k, j]) - min[k in N + i](r[k, i] * s[k, j])",),
    "std and logsumexp": ("m[i, j in V] = std[k in V](r[i, k] * s[k, j]) + logsumexp[k in N](r[i, k] + s[k, j])",),
    "softmax over k": ("m[i, j in V] = sum[k in V](softmax[k](r[i, k] * s[k, j]) * s[k, j])",),
    "softmax over neighbours": ("m[i, j in N] = sum[k in N](softmax[k in N](r[i, k] + s[k, j]) * w[k])",),
    "nodes and pairs": ("m[i, j in V] = mean[k in V](tanh(u[i] + w[j] * u[k] - r[i, j] * s[k, k] + r[j, i]))",),
    "a linear map of all three": (
        "t = vector(heads, 1)",
        "m[i, j in V] = mean[k in V](linear(concat(r[i, k], s[k, j], u[j], t), heads) * linear(w[k] + r[i, j], heads))",
    ),
    "pipes": ("m[i, j in V] = mean[k in N](concat(r[i, k], s[k, j], u[i]) -> linear(heads) -> tanh -> (h => h * 2))",),
    "pipes under all k, of j and k": ("m[i, j in V] = u[i] * mean[k in V](r[j, k] -> linear(heads) -> tanh)",),
    "no k": ("m[i, j in V] = sum[k in N](r[i, j])",),
    "no j": ("m[i, j in V] = w[j] * sum[k in N](r[i, k] * u[k])",),
    "no i": ("m[i, j in V] = w[i] * mean[k in V](r[j, k] * u[k])",),
    "neither": ("m[i, j in N] = w[j] * max[k in N](u[k])",),
    "a graph's value": ("g = mean[i in V](u[i])", "m[i, j in V] = mean[k in V](relu(g + r[i, k] - s[k, j]))"),
    "a condition": ("m[i, j in V] = mean[k in V](r[i, k] if s[k, j] > u[i] else w[j])",),
    "known at compile time": ("m[i, j in V] = mean[k in V](r[i, j] if c > 9 else 1) * u[i]",),
    "several sums": ("m[i, j in V] = sum[k in V](r[i, k] * s[k, j]) / (1 + sum[k in V](exp(r[i, k] - s[k, j])))",),
    "a sum in a sum in a sum": ("m[i, j in V] = mean[k in V](r[i, k] * s[k, j] * mean[l in V](r[k, l] + u[l]))",),
    "sets made from others": (
        "t[i, j in V - i] = w[j] * u[i]",
        "m[i, j in V] = mean[k in V - i](t[i, k] * s[k, j]) + fill(t, 1)[j, i] * max[k in N - i](fill(t, 0)[k, j])",
    ),
    "of values on smaller sets": (
        "t[i, j in reach(2)] = w[j] * u[i]",
        "m[i, j in N] = mean[k in reach(1)](t[i, k] * t[i, j] * s[k, j])",
    ),
}
"""What is not."""

NESTED = {
    "sums of sums": ("x = tanh(x + sum[j in N](sum[k in N](x[k])))",),
    "of pairs of neighbours": ("x = tanh(x + sum[j in N](mean[k in N](relu(x[j] - x[k] * x[i]))))",),
    "of all": ("x = tanh(x + max[j in N](x[j] * min[k in V](x[k] - x[j])))",),
    "read out": ("x = tanh(x + mean[i in V](sum[j in N](x[j] * mean[k in N](x[j] - x[k]))))",),
    "edges between neighbours": (
        "b[i, j in V] = tanh(x[i] - x[j] * x[i])",
        "x = tanh(x + sum[j in N](sum[k in N](b[j, k] * b[k, i])))",
    ),
    "four, two at a time": ("x = tanh(x + mean[j in N](mean[k in V](x[j] * x[k] * mean[l in V](x[k] - x[l]))))",),
}


def agrees(case: Case, training: bool = True, batch: str = "everything") -> None:
    found = compare(case.built.module, case.built.program, case.graphs(batch), case.weights, training)
    assert found.ok(), f"{found}\n{case.built.code}"


@pytest.mark.parametrize("name", READINGS)
def test_readings(name: str) -> None:
    agrees(of_layer(*READINGS[name]))


@pytest.mark.parametrize("backend", ["dense", "gather"])
@pytest.mark.parametrize("name", MATRICES)
def test_products_of_matrices(name: str, backend: str) -> None:
    case = of_layer(*of_pairs(*MATRICES[name]), backend=backend)
    assert f"pair_matmul_{backend}(" in case.built.code
    agrees(case)
    agrees(case, training=False, batch="all undirected")


@pytest.mark.parametrize("name", TRIPLES)
def test_triples(name: str) -> None:
    agrees(of_layer(*of_pairs(*TRIPLES[name])))


@pytest.mark.parametrize("name", NESTED)
def test_reductions_inside_reductions(name: str) -> None:
    agrees(of_layer(*NESTED[name]))


@pytest.mark.parametrize("name", ["no j", "no i", "neither"])
def test_what_reads_two_indices_needs_no_triples(name: str) -> None:
    case = of_layer(*of_pairs(*TRIPLES[name]))
    assert "triples(" not in case.built.code
