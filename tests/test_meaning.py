"""What the text of a layer means: its typed program, by the reference, against dense linear algebra written by hand."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from archspec.reference import Graph, evaluate
from tests.compiling import NUMBERS, of_layer
from tests.graphs import SHAPES, graph


@dataclass(frozen=True)
class Layer:
    """One layer by hand: its weights, and the graph's adjacency matrix with multiplicities, A[i, j] for j → i."""

    weights: dict[str, Tensor]
    edges: Tensor
    depth: int

    def linear(self, x: Tensor, name: str, *axes: int) -> Tensor:
        """The linear map of that name over all features of x."""
        found = F.linear(x.flatten(1), self.weights[f"{name}.weight"], self.weights.get(f"{name}.bias"))
        return found.unflatten(1, axes) if axes else found

    def __getitem__(self, name: str) -> Tensor:
        return self.weights[name]

    @property
    def with_self(self) -> Tensor:
        """N + i: i once."""
        alone = torch.eye(len(self.edges))
        return self.edges * (1 - alone) + alone

    def reach(self, k: int) -> Tensor:
        """1 where i is at most k steps away from j."""
        return (torch.linalg.matrix_power(self.edges + torch.eye(len(self.edges)), k) > 0).double()

    def softmax(self, logits: Tensor, members: Tensor) -> Tensor:
        """Shares [i, j, …] among the members j of every i, as often as they are, 0 elsewhere."""
        often = members.reshape(*members.shape, *[1] * (logits.dim() - 2))
        powers = often * logits.exp()
        return powers / powers.sum(1, keepdim=True).clamp(min=1e-300)


def own_and_sum(x: Tensor, at: Layer) -> Tensor:
    return (1 + at["eps"]) * x + at.edges @ x


def in_order(x: Tensor, at: Layer) -> Tensor:
    x = x + at.linear(x, "linear")
    return x * torch.tanh(at.linear(x, "linear_2"))


def local_attention(x: Tensor, at: Layer) -> Tensor:
    q, k, v = (at.linear(x, name, 2, 2) for name in "qkv")
    shares = at.softmax(torch.einsum("ihc,jhc->ijh", q, k) / 2**0.5, at.with_self)
    return at.linear(torch.einsum("ijh,jhc->ihc", shares, v), "linear")


def two_sets(x: Tensor, at: Layer) -> Tensor:
    b = x[:, None] * x[None, :]  # [i, j, d]
    return torch.einsum("ij,ijd->id", at.reach(1), torch.tanh(b)) + torch.einsum("ij,ijd->id", at.edges, b)


def edge_network(x: Tensor, at: Layer) -> Tensor:
    i, j = x[:, None].expand(-1, len(x), -1), x[None, :].expand(len(x), -1, -1)
    messages = torch.relu(F.linear(torch.cat([i, j - i], 2), at["linear.weight"], at["linear.bias"]))
    return torch.einsum("ij,ijd->id", at.edges, messages)


def degrees(x: Tensor, at: Layer) -> Tensor:
    degree = at.edges.sum(1, keepdim=True)
    return torch.tanh(x) * torch.log(1 + degree) + at.edges @ x / degree.clamp(min=1)


def conditions(x: Tensor, at: Layer) -> Tensor:
    kept = ((x > 0) & (at.linear(x, "linear") <= 0)) | (at.edges.sum(1, keepdim=True) > 2)
    x = torch.where(kept, x, 0.1 * x)
    return torch.where(x < 1, x, 0)


def virtual_node(x: Tensor, at: Layer) -> Tensor:
    heard = at.linear(x.mean(0, keepdim=True), "g")
    shares = torch.softmax(at.linear(x, "linear"), 0)
    return torch.tanh(x + at.edges @ torch.relu(x + heard) + (shares * x).sum(0))


def paths(x: Tensor, at: Layer) -> Tensor:
    r, s = (torch.tanh(at.linear(x, f"{a}", 2)[:, None] - at.linear(x, f"{b}", 2)[None]) for a, b in ("uw", "wu"))
    m = torch.einsum("ikh,kjh->ijh", r, s) + torch.einsum("ikh,jkh->ijh", r, s) + torch.einsum("kih,kjh->ijh", r, s)
    near = torch.einsum("ik,ijkh->ijh", at.edges, torch.relu(r[:, None] - s[None]))  # r[i, k], s[j, k]
    return torch.tanh(at.linear(torch.einsum("ijh,jh->ih", m + near, at.linear(x, "u", 2)), "linear"))


def turned(x: Tensor, at: Layer) -> Tensor:
    b = torch.tanh(x[:, None] - 2 * x[None])  # [i, j, d]
    alone = b.diagonal(dim1=0, dim2=1).t()
    return torch.einsum("ij,ijd->id", at.edges, b.transpose(0, 1) * b) + alone * x + alone.sum(0)


MEANINGS: dict[str, tuple[tuple[str, ...], Callable[[Tensor, Layer], Tensor]]] = {
    "sum over neighbours": (("eps = scalar(0)", "x = (1 + eps) * x + sum[j in N](x[j])"), own_and_sum),
    "assignments take effect in order": (
        ("x = x + linear(x, d)", "x = x * tanh(linear(x, d))"),
        in_order,
    ),
    "several at once": (
        ("a, b = tanh(x), x", "a, b = b, a", "x = a - 2 * b"),
        lambda x, at: x - 2 * torch.tanh(x),
    ),
    "a pipe binds last": (
        ("x = x + 1 -> tanh -> linear(d)",),
        lambda x, at: at.linear(torch.tanh(x + 1), "linear"),
    ),
    "minus binds more than times, power more than minus": (
        ("x = -x ** 2 * 3 - -x / 2 ** -1",),
        lambda x, at: -(x**2) * 3 + 2 * x,
    ),
    "indices make no weights": (
        ("h = linear(x, d)", "x = sum[j in N](linear(x[j], d)) + sum[j in N](linear(x, d)[j]) + h"),
        lambda x, at: at.edges @ at.linear(x, "linear") + at.edges @ at.linear(x, "linear_2") + at.linear(x, "h"),
    ),
    "attention over N + i": (
        (
            "q, k, v = linear(x, heads, c), linear(x, heads, c), linear(x, heads, c)",
            "a = softmax[j in N + i](q[i] @ k[j] / sqrt(c))",
            "x = linear(sum[j](a[i, j] * v[j]), d)",
        ),
        local_attention,
    ),
    "the smallest set among the operands": (
        (
            "b[i, j in V] = x[i] * x[j]",
            "t[i, j in reach(1)] = tanh(b[i, j])",
            "x = sum[j](t[i, j] + 0 * b[i, j]) + sum[j in N](b[i, j])",
        ),
        two_sets,
    ),
    "both ends of an edge": (("x = sum[j in N](concat(x[i], x[j] - x[i]) -> linear(d) -> relu)",), edge_network),
    "degrees": (("x = tanh(x) * log(1 + degree) + sum[j in N](x[j]) / maximum(degree, 1)",), degrees),
    "depth and static choice": (
        ("x = x / depth if d > 3 else 0", "x = x + (1 if depth == 2 else 5)"),
        lambda x, at: x / at.depth + (1 if at.depth == 2 else 5),
    ),
    "choice by entry": (
        ("x = x if linear(x) > 0 else 0.1 * x",),
        lambda x, at: torch.where(at.linear(x, "linear") > 0, x, 0.1 * x),
    ),
    "conditions by entry": (
        (
            "x = x if x > 0 and not linear(x) > 0 or degree > 2 else 0.1 * x",
            "x = x if sqrt(16) > 3 and (c == 3 or x < 1) else 0",
        ),
        conditions,
    ),
    "axes by name": (
        ("w = vector(heads, 0)", "h = linear(x, heads, c)", "g = linear(x, c)", "x = view(w * h + g, d)"),
        lambda x, at: (at["w"][:, None] * at.linear(x, "h", 2, 2) + at.linear(x, "g")[:, None]).flatten(1),
    ),
    "a product contracts the right side's last axis": (
        ("h = linear(x, heads, c)", "w = vector(heads, 0)", "x = linear(h @ w, d) + linear(w @ w, d)"),
        lambda x, at: (
            at.linear(torch.einsum("nhc,h->nc", at.linear(x, "h", 2, 2), at["w"]), "linear")
            + at.linear((at["w"] @ at["w"]).reshape(1, 1), "linear_2")
        ),
    ),
    "a virtual node": (
        (
            "g = linear(mean[i in V](x[i]), d)",
            "a = softmax[i in V](linear(x)[i])",
            "x = tanh(x + sum[j in N](relu(x[j] + g)) + sum[i in V](a[i] * x[i]))",
        ),
        virtual_node,
    ),
    "paths of two steps": (
        (
            "u, w = linear(x, heads), linear(x, heads)",
            "r[i, j in V] = tanh(u[i] - w[j])",
            "s[i, j in V] = tanh(w[i] - u[j])",
            "o[i, j in V] = sum[k in V](r[i, k] * s[k, j]) + sum[k in V](r[i, k] * s[j, k])",
            "p[i, j in V] = o[i, j] + sum[k in V](r[k, i] * s[k, j])",
            "m[i, j in V] = p[i, j] + sum[k in N](relu(r[i, k] - s[j, k]))",
            "x = tanh(linear(sum[j](m[i, j] * u[j]), d))",
        ),
        paths,
    ),
    "pairs the other way round": (
        (
            "b[i, j in V] = tanh(x[i] - 2 * x[j])",
            "x = sum[j in N](b[j, i] * b[i, j]) + b[i, i] * x + sum[i in V](b[i, i])",
        ),
        turned,
    ),
    "reach and all": (
        ("x = mean[j in V](x[j]) - sum[j in reach(2)](x[j]) + max[j in reach(0)](x[j])",),
        lambda x, at: x.mean(0, keepdim=True) - at.reach(2) @ x + x,
    ),
}


def dense(one: Graph) -> Tensor:
    """A[i, j]: how many edges go from j to i."""
    edges = torch.zeros(one.nodes, one.nodes, dtype=torch.float64)
    for i, j in one.edges:
        edges[i, j] += 1
    return edges


def assert_means(lines: tuple[str, ...], by_hand: Callable[[Tensor, Layer], Tensor]) -> None:
    """Two such layers between linear maps, on every shape of graph."""
    case = of_layer(*lines)
    for shape in SHAPES:
        one = graph(SHAPES[shape], features=NUMBERS.features)
        (ours,) = evaluate(case.built.program, case.weights, [one])
        x = F.linear(one.x, case.weights["input.encode.weight"], case.weights["input.encode.bias"])
        for depth in (1, 2):
            start = f"layers.{depth - 1}."
            below = {key.removeprefix(start): value for key, value in case.weights.items() if key.startswith(start)}
            x = by_hand(x, Layer(below, dense(one), depth))
        expected = F.linear(x, case.weights["output.linear.weight"], case.weights["output.linear.bias"])
        torch.testing.assert_close(ours, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", MEANINGS)
def test_the_text_means_what_it_says(name):
    assert_means(*MEANINGS[name])


@pytest.mark.parametrize(
    "line",
    [
        "x = (1 + eps) * x + sum[j in N + i](x[j])",
        "x = (1 + eps) * x + sum[j in N](x[i])",
        "x = (1 - eps) * x + sum[j in N](x[j])",
    ],
)
def test_another_meaning_is_seen(line):
    with pytest.raises(AssertionError, match="not close"):
        assert_means(("eps = scalar(0)", line), own_and_sum)
