"""Random walks and shortest ways, about the way from j to i: matrices over all pairs (i, j) of nodes of a graph."""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from archspec.structure.dense import Chunk, Edges


def adjacency(edges: Edges, dtype: torch.dtype) -> Tensor:
    """1 where an edge leads from j to i ≠ j, else 0: [pairs of V]."""
    return edges.on_pairs([part.adjacency for part in edges.chunks]).to(dtype)


def distances(edges: Edges, dtype: torch.dtype, limit: float = torch.inf) -> Tensor:
    """Edges of the shortest way from j to i, inf where there is none of at most `limit`: [pairs of V]."""
    return edges.on_pairs([of_chunk(part, limit) for part in edges.chunks]).to(dtype)


def of_chunk(part: Chunk, limit: float) -> Tensor:
    """The distances of some graphs, [graphs, size, size], a product of matrices for every step."""
    reached = newest = part.itself
    found = torch.where(reached, 0.0, torch.inf)
    step, taken = part.adjacency.float(), 0
    while taken < limit:
        newest = (newest.float() @ step > 0) & ~reached  # counts of ways; positive terms cannot round to zero
        if not bool(newest.any()):
            break
        taken += 1
        found.masked_fill_(newest, float(taken))
        reached = reached | newest
    return found


def hops(edges: Edges, listed: Sequence[int], dtype: torch.dtype) -> Tensor:
    """1 where the distance is that number, else 0: [pairs of V, numbers]."""
    numbers = torch.tensor(listed, dtype=dtype, device=edges.ptr.device)
    return (distances(edges, dtype, max(listed)).unsqueeze(1) == numbers).to(dtype)


def powers(part: Chunk, dtype: torch.dtype) -> Iterator[Tensor]:
    """The powers 0, 1, 2, … of D⁻¹A; a row without edges is zero from the first power on."""
    steps = part.adjacency.to(dtype)
    steps = steps / steps.sum(2, keepdim=True).clamp(min=1)
    power = part.itself.to(dtype)
    while True:
        yield power
        power = power @ steps


def listed_powers(edges: Edges, listed: Sequence[int], dtype: torch.dtype) -> Iterator[tuple[int, list[Tensor]]]:
    """Where a power stands in the list, and that power for every chunk."""
    running = [powers(part, dtype) for part in edges.chunks]
    for k in range(max(listed) + 1):
        found = [next(one) for one in running]
        if k in listed:
            yield listed.index(k), found


def walk(edges: Edges, listed: Sequence[int], dtype: torch.dtype) -> Tensor:
    """The listed powers of D⁻¹A, where a walk goes from i along its in-edges: [pairs of V, powers]."""
    out = torch.empty(len(edges.cells[1]), len(listed), dtype=dtype, device=edges.ptr.device)
    for column, found in listed_powers(edges, listed, dtype):
        out[:, column] = edges.on_pairs(found)
    return out


def returns(edges: Edges, listed: Sequence[int], dtype: torch.dtype) -> Tensor:
    """The diagonals of the listed powers, the chance to be back at i after so many steps: [nodes, powers]."""
    out = torch.empty(edges.nodes, len(listed), dtype=dtype, device=edges.ptr.device)
    for column, found in listed_powers(edges, listed, dtype):
        out[:, column] = edges.on_nodes([power.diagonal(dim1=1, dim2=2) for power in found])
    return out
