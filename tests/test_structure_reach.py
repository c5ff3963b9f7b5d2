"""reach(k) against a breadth-first search over lists."""

import pytest
import torch

from archspec.structure import reach
from archspec.structure.reach import reach_pairs, runs

Edges = list[tuple[int, int]]
ZOO: dict[str, tuple[list[int], Edges]] = {  # sizes of graphs; edges (target, source)
    "directed path": ([5], [(i + 1, i) for i in range(4)]),
    "directed cycle": ([4], [(i, (i + 1) % 4) for i in range(4)]),
    "loops and repeated edges": ([3], [(0, 0), (0, 1), (0, 1), (2, 2), (1, 2)]),
    "isolated nodes": ([4], [(1, 2)]),
    "one node": ([1], []),
    "one node with a loop": ([1], [(0, 0)]),
    "no edges": ([3], []),
    "no nodes": ([0], []),
    "no graphs": ([], []),
    "several": ([3, 0, 1, 4], [(0, 1), (1, 2), (2, 0), (4, 7), (7, 5), (5, 5), (6, 4)]),
}


def by_search(nodes: int, edges: Edges, k: int) -> list[list[int]]:
    rows = []
    for node in range(nodes):
        reached = {node}
        for _ in range(k):
            reached |= {j for i, j in edges if i in reached}
        rows.append(sorted(reached))
    return rows


def packed(sizes: list[int], edges: Edges) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    edges = sorted(edges, key=lambda edge: edge[0])
    node_ptr = torch.tensor([0, *sizes]).cumsum(0)
    degree = [sum(i == node for i, _ in edges) for node in range(sum(sizes))]
    return node_ptr, torch.tensor([0, *degree]).cumsum(0), torch.tensor([j for _, j in edges], dtype=torch.int32)


def rows(ptr: torch.Tensor, source: torch.Tensor) -> list[list[int]]:
    assert ptr.dtype == source.dtype == torch.int64
    return [source[ptr[node] : ptr[node + 1]].tolist() for node in range(len(ptr) - 1)]


@pytest.mark.parametrize("cells", [reach.CELLS, 10, 0], ids=["dense", "mixed", "along edges"])
@pytest.mark.parametrize("k", [0, 1, 2, 3, 50])
@pytest.mark.parametrize("name", ZOO)
def test_reach_is_what_a_search_finds(name, k, cells, monkeypatch):
    monkeypatch.setattr(reach, "CELLS", cells)
    sizes, edges = ZOO[name]
    assert rows(*reach_pairs(*packed(sizes, edges), k)) == by_search(sum(sizes), edges, k)


@pytest.mark.parametrize("cells", [reach.CELLS, 300, 0])
def test_random_graphs(cells, monkeypatch):
    monkeypatch.setattr(reach, "CELLS", cells)
    generator = torch.Generator().manual_seed(1)
    sizes, edges, first = [7, 20, 3, 12], [], 0
    for size in sizes:
        edges += (torch.randint(size, (2 * size, 2), generator=generator) + first).tolist()
        first += size
    for k in (1, 2, 3):
        assert rows(*reach_pairs(*packed(sizes, edges), k)) == by_search(first, edges, k)


def test_direction_matters():
    sizes, edges = ZOO["directed path"]
    turned = [(j, i) for i, j in edges]
    assert rows(*reach_pairs(*packed(sizes, turned), 2)) != by_search(5, edges, 2)


def test_a_large_graph_is_worked_on_alone(monkeypatch):
    monkeypatch.setattr(reach, "CELLS", 50)
    assert runs([3, 3, 9, 2, 2]) == [(0, 2), (2, 3), (3, 5)]
    assert runs([]) == []


def test_negative_k_is_refused():
    with pytest.raises(ValueError, match="k ≥ 0"):
        reach_pairs(*packed([1], []), -1)
