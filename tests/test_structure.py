"""What graphs alone give: the runtime's encodings against the reference's, and what they must be by themselves."""

from collections.abc import Sequence

import pytest
import torch
from hypothesis import given, settings

from archspec.equal.batch import packed
from archspec.equal.compare import compare
from archspec.ir.infinite import BECOMES, STEEP
from archspec.ir.nodes import Node
from archspec.ir.ops import OPERATIONS, REQUIRED
from archspec.ir.types import ALL, NODE, Axis, Type, pair
from archspec.reference import Graph
from archspec.runtime import encodings
from archspec.runtime.batch import Batch
from archspec.structure import dense, spectrum, walks
from archspec.structure.dense import Edges, bounds
from tests.compiling import CATEGORIES, NUMBERS, of_layer
from tests.graphs import BATCHES, SHAPES, Shape, batches, graph
from tests.nodes import SPAN, value

DOUBLE = torch.float64
ENCODINGS = {
    "adjacency": (pair(ALL), {}, lambda batch: encodings.pair_adjacency(batch, DOUBLE)),
    "distance": (pair(ALL), {}, lambda batch: encodings.pair_distance(batch, DOUBLE)),
    "hops": (pair(ALL), {"numbers": (2, 0, 3)}, lambda batch: encodings.pair_hops(batch, (2, 0, 3), DOUBLE)),
    "walk": (pair(ALL), {"numbers": (3, 0, 1)}, lambda batch: encodings.pair_walk(batch, (3, 0, 1), DOUBLE)),
    "rwse": (NODE, {"numbers": (1, 2, 5)}, lambda batch: encodings.node_rwse(batch, (1, 2, 5), DOUBLE)),
    "laplacian_pe": (NODE, {"count": 3}, lambda batch: encodings.node_laplacian_pe(batch, 3, False, DOUBLE)),
}
"""Operation, where it lives, its attributes, and the function of the runtime."""


def graphs(shapes: Sequence[Shape]) -> list[Graph]:
    return [graph(shape, letters=2) for shape in shapes]


def assert_agrees(op: str, shapes: Sequence[Shape]) -> None:
    domain, attributes, of_runtime = ENCODINGS[op]
    width = len(attributes.get("numbers", ())) or attributes.get("count")
    axes = (Axis("", width),) if width else ()
    node = Node(op, (), Type(domain, axes), SPAN, tuple(attributes.items()))
    torch.testing.assert_close(of_runtime(packed(graphs(shapes))), value(node, graphs(shapes)))


@pytest.mark.parametrize("cells", [dense.CELLS, 30, 0], ids=["together", "some together", "alone"])
@pytest.mark.parametrize("op", ENCODINGS)
def test_encodings_are_the_references(op: str, cells: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dense, "CELLS", cells)
    for names in BATCHES.values():
        assert_agrees(op, [SHAPES[name] for name in names])


@given(shapes=batches())
@settings(max_examples=60)
@pytest.mark.parametrize("op", ENCODINGS)
def test_encodings_of_random_multigraphs(op: str, shapes: list[Shape]) -> None:
    assert_agrees(op, shapes)


def drawn(*sizes: int, seed: int = 0) -> Batch:
    """Random directed graphs of these sizes."""
    generator = torch.Generator().manual_seed(seed)
    edges = [torch.randint(size, (2 * size, 2), generator=generator).tolist() for size in sizes]
    return packed(graphs([(size, tuple(map(tuple, some))) for size, some in zip(sizes, edges, strict=True)]))


def test_single_precision_is_kept() -> None:
    batch = drawn(5, 40, 7)
    for one in (
        encodings.pair_adjacency(batch, torch.float32),
        encodings.pair_distance(batch, torch.float32),
        encodings.pair_walk(batch, (1, 4), torch.float32),
        encodings.node_rwse(batch, (1, 4), torch.float32),
        encodings.node_laplacian_pe(batch, 2, True, torch.float32),
    ):
        assert one.dtype == torch.float32
    exact = encodings.pair_walk(batch, (1, 4), DOUBLE)
    torch.testing.assert_close(encodings.pair_walk(batch, (1, 4), torch.float32), exact.float())


def test_encodings_are_computed_once_and_move_with_the_batch() -> None:
    batch = drawn(4, 6)
    first = encodings.pair_hops(batch, (0, 1), torch.float32)
    assert encodings.pair_hops(batch, (0, 1), torch.float32) is first
    assert encodings.pair_hops(batch, (0, 2), torch.float32) is not first
    assert encodings.pair_hops(batch.to("meta"), (0, 1), torch.float32).device.type == "meta"


def test_walks_follow_the_edges_backwards_from_i() -> None:
    """On a directed path 0 → 1 → 2 the way into node 2 leads through 1 to 0, and none leads into 0."""
    batch = packed(graphs([(3, ((1, 0), (2, 1)))]))
    once, twice = encodings.pair_walk(batch, (1, 2), DOUBLE).T.view(2, 3, 3).tolist()
    assert once == [[0, 0, 0], [1, 0, 0], [0, 1, 0]]
    assert twice == [[0, 0, 0], [0, 0, 0], [1, 0, 0]]
    inf = torch.inf
    assert encodings.pair_distance(batch, DOUBLE).view(3, 3).tolist() == [[0, inf, inf], [1, 0, inf], [2, 1, 0]]


def test_a_batch_without_graphs_or_nodes() -> None:
    nothing = Edges(torch.zeros(1, dtype=torch.int64), torch.zeros(1, dtype=torch.int64), torch.zeros(0).int())
    empty = Edges(torch.zeros(3, dtype=torch.int64), torch.zeros(1, dtype=torch.int64), torch.zeros(0).int())
    for edges in (nothing, empty):
        assert edges.chunks == []
        assert spectrum.eigenvectors(edges, 2).shape == (0, 2)
        assert walks.walk(edges, (0, 2), DOUBLE).shape == walks.returns(edges, (0, 2), DOUBLE).shape == (0, 2)
        assert walks.distances(edges, DOUBLE).shape == walks.adjacency(edges, DOUBLE).shape == (0,)


@pytest.mark.parametrize(
    ("sizes", "runs"),
    [
        ([], []),
        ([0, 0], []),
        ([0, 3, 5, 16], [(1, 4)]),
        ([12, 17], [(0, 1), (1, 2)]),
        ([40, 50, 51, 51], [(0, 2), (2, 4)]),
        ([4000, 4000], [(0, 1), (1, 2)]),
    ],
)
def test_graphs_of_similar_size_are_worked_on_together(sizes: list[int], runs: list[tuple[int, int]]) -> None:
    assert list(bounds(sizes)) == runs


# Eigenvectors


def of(shape: Shape, count: int) -> torch.Tensor:
    return encodings.node_laplacian_pe(packed(graphs([shape])), count, False, DOUBLE)


def normalised(shape: Shape) -> torch.Tensor:
    nodes, edges = shape
    joined = torch.zeros(nodes, nodes, dtype=DOUBLE)
    for i, j in edges:
        if i != j:
            joined[i, j] = joined[j, i] = 1
    scale = torch.diag(joined.sum(1).clamp(min=1) ** -0.5)
    return torch.eye(nodes, dtype=DOUBLE) - scale @ joined @ scale


@pytest.mark.parametrize("name", SHAPES)
def test_eigenvectors_belong_to_the_smallest_eigenvalues_but_the_first(name: str) -> None:
    nodes, _ = SHAPES[name]
    matrix, vectors = normalised(SHAPES[name]), of(SHAPES[name], nodes + 1)
    values = torch.linalg.eigvalsh(matrix)[1:]
    torch.testing.assert_close(matrix @ vectors[:, : nodes - 1], vectors[:, : nodes - 1] * values)
    torch.testing.assert_close(vectors[:, : nodes - 1].T @ vectors[:, : nodes - 1], torch.eye(nodes - 1, dtype=DOUBLE))
    assert vectors[:, nodes - 1 :].eq(0).all()


def test_the_largest_entry_of_a_simple_eigenvector_is_positive() -> None:
    path = (4, ((0, 1), (1, 2), (2, 3), (1, 0)))
    found = of(path, 3)
    for vector in found.T.tolist():
        largest = max(map(abs, vector))
        assert next(entry for entry in vector if abs(entry) > largest - 1e-6) > 0


def test_equal_eigenvalues_do_not_depend_on_the_solver() -> None:
    """A star of n nodes has the eigenvalue 1 n - 2 times; every solver picks another basis of that space."""
    values, vectors = torch.linalg.eigh(normalised(SHAPES["star into its centre"]))
    turn = torch.linalg.qr(torch.randn(3, 3, dtype=DOUBLE, generator=torch.Generator().manual_seed(0)))[0]
    other = vectors.clone()
    other[:, 1:4] = vectors[:, 1:4] @ turn
    assert (other - vectors).abs().max() > 0.1
    torch.testing.assert_close(spectrum.canonical(values, other, 5), spectrum.canonical(values, vectors, 5))
    torch.testing.assert_close(spectrum.canonical(values, -vectors, 2), spectrum.canonical(values, vectors, 2))


def test_signs_are_drawn_per_graph_and_vector_in_training_alone() -> None:
    batch = drawn(*[6] * 40)
    fixed = encodings.node_laplacian_pe(batch, 3, False, DOUBLE)
    torch.manual_seed(0)
    first, second = (encodings.node_laplacian_pe(batch, 3, True, DOUBLE) for _ in range(2))
    signs = (first * fixed).view(40, 6, 3).sum(1).sign()
    assert torch.equal(first, fixed * signs.repeat_interleave(6, 0))
    assert 0.3 < (signs > 0).double().mean() < 0.7
    assert not torch.equal(first, second)
    assert encodings.node_laplacian_pe(batch, 3, False, DOUBLE) is fixed


# In specs

LAYER = (
    "t = x + linear(concat(rwse(1..5), laplacian_pe(3)), d)",
    "b, v = linear(hops(0..3), heads), linear(t, heads, c)",
    "a = softmax[j in V](b[i, j] + linear(walk((0, 2)), heads)[i, j] if distance[i, j] <= 2 else scalar(-1))",
    "y = sum[j](a[i, j] * v[j]) -> linear(d)",
    "z = sum[j in reach(2)](linear(walk(1..3))[i, j] * t[j]) + mean[j in V](adjacency[i, j] * t[j])",
    "w = max[j in N](hops(1..2)[i, j])",
    "x = tanh(y + z + linear(w, d) + sum[j in V](x[j] / (1 + distance[i, j])))",
)


@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
@pytest.mark.parametrize("facts", [CATEGORIES, NUMBERS], ids=["categories", "numbers"])
@pytest.mark.parametrize("backend", ["", "dense", "gather"])
def test_specs_that_read_structure_are_the_references(facts, training, backend) -> None:
    case = of_layer(*LAYER, facts=facts, backend=backend)
    for name in ("everything", "first and last without edges", "all undirected"):
        found = compare(case.built.module, case.built.program, case.graphs(name), case.weights, training)
        assert found.ok(), f"{name}: {found}"


# Infinite distances

HARMLESS = (
    "1 / (1 + distance[i, j])",
    "exp(-distance[i, j])",
    "exp(linear(x)[j] - 2 * distance[i, j])",
    "minimum(distance[i, j], 4) * scalar(1)",
    "(distance[i, j] if distance[i, j] <= 2 else 0) * scalar(1)",
    "sigmoid(linear(x)[j] - distance[i, j])",
    "2 ** -distance[i, j]",
    "tanh(log(1 + distance[i, j] / 2))",
    "linear(concat(rsqrt(1 + distance), sign(distance)))[i, j]",
    "1 / maximum(distance, 1)[i, j] ** 2",
)


@pytest.mark.parametrize("factor", [*HARMLESS, "softmax"])
def test_infinite_distances_do_no_harm(factor: str) -> None:
    lines = [f"x = tanh(x + sum[j in V]({factor} * x[j]))"]
    if factor == "softmax":
        lines = ["a = softmax[j in V](linear(x)[j] - distance[i, j])", "x = tanh(x + sum[j](a[i, j] * x[j]))"]
    case = of_layer(*lines)
    found = compare(case.built.module, case.built.program, case.graphs("everything"), case.weights)
    assert found.finite
    assert found.ok(), str(found)


@pytest.mark.parametrize("over", ["N", "reach(2)"])
def test_distances_are_finite_where_a_way_is(over: str) -> None:
    case = of_layer(f"x = tanh(x + sum[j in {over}](scalar(1) * distance[i, j] * linear(distance[i, j], d) * x[j]))")
    found = compare(case.built.module, case.built.program, case.graphs("everything"), case.weights)
    assert found.finite
    assert found.ok(), str(found)


@pytest.mark.parametrize("op", [op for op in BECOMES if OPERATIONS[op].torch and "{1}" not in OPERATIONS[op].torch])
def test_what_functions_make_of_infinities(op: str) -> None:
    row = OPERATIONS[op]
    numbers = [formal for formal in row.arguments or () if formal.kind == "number"]
    options = {formal.name: 3 if formal.default is REQUIRED else formal.default for formal in numbers}
    for wanted, infinity in zip(BECOMES[op], (torch.inf, -torch.inf), strict=True):
        x = torch.tensor(infinity, dtype=DOUBLE, requires_grad=True)
        y = eval(row.torch.format("x", **options), {"torch": torch, "F": torch.nn.functional, "x": x})
        assert {torch.inf: "+", -torch.inf: "-"}.get(y.item(), "!" if y.isnan() else ".") == wanted
        if y.requires_grad and wanted != "!" and op not in STEEP:
            [slope] = torch.autograd.grad(y, x)
            assert slope.isfinite()


def test_an_infinite_value_is_not_multiplied_by_zero() -> None:
    """A node that nothing leads to is infinitely far; dense sums over reach(1) must not spread that as NaN."""
    case = of_layer("m = max[j in V](distance[i, j])", "x = tanh(x / (1 + sum[j in reach(1)](m[j])))", backend="dense")
    found = compare(case.built.module, case.built.program, case.graphs("everything"), case.weights)
    assert found.finite
    assert found.ok(), str(found)
