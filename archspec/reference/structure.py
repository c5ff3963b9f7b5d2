"""What graphs alone give: shortest ways by search, random walks by summation, Laplacian eigenvectors.

Self loops and the multiplicity of edges are ignored. All pairs are those of V, by i.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from archspec.reference.call import Call, Row, Value
from archspec.reference.graph import Graph, in_neighbours, pairs

EQUAL = 1e-6
"""Eigenvalues, and squares of entries, that differ by less count as equal."""

Matrix = list[list[float]]


def per_graph(make: Callable[[Graph, Call], Tensor]) -> Row:
    """A row that looks at the graphs alone."""
    return lambda call: [make(graph, call).double() for graph in call.graphs]


def per_pair(make: Callable[[Graph, Call], Tensor]) -> Row:
    """The same for a value on the pairs of V, of which those of the operation's set are taken."""

    def row(call: Call) -> Value:
        places = [[i * graph.nodes + j for i, j in pairs(graph, call.over())] for graph in call.graphs]
        return [value[place] for value, place in zip(per_graph(make)(call), places, strict=True)]

    return row


def neighbours(graph: Graph, i: int) -> set[int]:
    """The sources of the edges into i, i itself left out."""
    return in_neighbours(graph, i) - {i}


def distance_from(graph: Graph, i: int) -> list[float]:
    """For every j the edges of the shortest way from j to i, by search along in-edges."""
    steps = [torch.inf] * graph.nodes
    steps[i], front = 0.0, [i]
    while front:
        following = []
        for node in front:
            for j in neighbours(graph, node):
                if steps[j] == torch.inf:
                    steps[j] = steps[node] + 1
                    following.append(j)
        front = following
    return steps


def distance(graph: Graph, call: Call) -> Tensor:
    """[pairs]."""
    return torch.tensor([steps for i in range(graph.nodes) for steps in distance_from(graph, i)])


def hops(graph: Graph, call: Call) -> Tensor:
    """[pairs, numbers]: 1 where the distance is the number."""
    listed = distance(graph, call).tolist()
    return torch.tensor([[float(steps == number) for number in numbers(call)] for steps in listed])


def numbers(call: Call) -> tuple[int, ...]:
    """The listed numbers."""
    return call.node["numbers"]  # type: ignore[return-value]


def adjacency(graph: Graph, call: Call) -> Tensor:
    """[pairs]: 1 where an edge leads from j to i."""
    return torch.tensor([float(j in neighbours(graph, i)) for i in range(graph.nodes) for j in range(graph.nodes)])


def walked(graph: Graph, k: int) -> Matrix:
    """From i to every j in k steps, each to one of the in-neighbours by equal chance: the k-th power of D⁻¹A."""
    nodes = range(graph.nodes)
    chances = [[float(i == j) for j in nodes] for i in nodes]
    for _ in range(k):
        further = [[0.0 for _ in nodes] for _ in nodes]
        for i in nodes:
            for node in nodes:
                for j in neighbours(graph, node):
                    further[i][j] += chances[i][node] / len(neighbours(graph, node))
        chances = further
    return chances


def walk(graph: Graph, call: Call) -> Tensor:
    """[pairs, powers]."""
    found = torch.tensor([walked(graph, k) for k in numbers(call)], dtype=torch.float64)
    return found.permute(1, 2, 0).flatten(0, 1)


def rwse(graph: Graph, call: Call) -> Tensor:
    """[nodes, powers]: the chance to be back at i."""
    powers = [walked(graph, k) for k in numbers(call)]
    return torch.tensor([[power[i][i] for power in powers] for i in range(graph.nodes)], dtype=torch.float64)


def laplacian(graph: Graph) -> Tensor:
    """I - D^(-1/2) A D^(-1/2) of the graph without directions, [nodes, nodes]."""
    near = [
        neighbours(graph, i) | {j for j in range(graph.nodes) if i in neighbours(graph, j)} for i in range(graph.nodes)
    ]
    matrix = torch.eye(graph.nodes, dtype=torch.float64)
    for i, around in enumerate(near):
        for j in around:
            matrix[i, j] = -((len(near[i]) * len(near[j])) ** -0.5)
    return matrix


def laplacian_pe(graph: Graph, call: Call) -> Tensor:
    """[nodes, count]: eigenvectors by ascending eigenvalue but the first, as evaluation has them; then zeros."""
    count = int(call.node["count"])  # type: ignore[call-overload]
    values, vectors = torch.linalg.eigh(laplacian(graph))
    found: list[Tensor] = []
    while len(found) < graph.nodes:
        alike = [at for at in range(graph.nodes) if abs(values[at] - values[len(found)]) < EQUAL]
        found += orthonormal(vectors[:, alike])
    missing = torch.zeros(graph.nodes, count, dtype=torch.float64)
    return torch.cat([torch.stack(found, 1)[:, 1:], missing], 1)[:, :count]


def orthonormal(space: Tensor) -> list[Tensor]:
    """The basis of an eigenspace: the unit vector closest to what is left of it, projected, normalised, and so on."""
    chosen: list[Tensor] = []
    while len(chosen) < space.shape[1]:
        projected = [space @ space[node] - sum(one * one[node] for one in chosen) for node in range(len(space))]
        closeness = [float(vector[node]) for node, vector in enumerate(projected)]
        node = next(at for at, close in enumerate(closeness) if close >= max(closeness) - EQUAL)
        chosen.append(projected[node] / projected[node].norm())
    return chosen


ROWS: dict[str, Row] = {
    "distance": per_pair(distance),
    "hops": per_pair(hops),
    "adjacency": per_pair(adjacency),
    "walk": per_pair(walk),
    "rwse": per_graph(rwse),
    "laplacian_pe": per_graph(laplacian_pe),
}
"""What each operation of the kind computes."""
