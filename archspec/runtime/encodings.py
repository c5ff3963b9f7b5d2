"""Structural encodings of a batch as emitted code asks for them: computed at the first call, kept with the batch."""

from collections.abc import Callable

import torch
from torch import Tensor

from archspec.runtime.batch import Batch, Pairs
from archspec.structure import spectrum, walks
from archspec.structure.dense import Edges


def kept(batch: Batch, key: tuple[object, ...], make: Callable[[Edges], Tensor]) -> Tensor:
    """What is made from the edges of a batch, made once."""
    if key not in batch.cache:
        edges = batch.cache.setdefault("edges", Edges(batch.node_ptr, batch.N.ptr, batch.N.source))
        batch.cache[key] = make(edges)  # type: ignore[arg-type]
    return batch.cache[key]  # type: ignore[return-value]


def on_pairs(batch: Batch, key: tuple[object, ...], make: Callable[[Edges], Tensor], pairs: Pairs | None) -> Tensor:
    """What is made on all pairs, or its rows for a smaller set, kept with that."""
    if pairs is None:
        return kept(batch, key, make)
    own = ("encoding", *key)  # the set keeps matrices of its own under names such as `adjacency`
    if own not in pairs.cache:
        pairs.cache[own] = kept(batch, key, make)[batch.pairs("V").find(pairs)]
    return pairs.cache[own]  # type: ignore[return-value]


def pair_adjacency(batch: Batch, dtype: torch.dtype, pairs: Pairs | None = None) -> Tensor:
    """1 where an edge leads from j to i ≠ j, else 0: [pairs of V, or of a smaller set]."""
    return on_pairs(batch, ("adjacency", dtype), lambda edges: walks.adjacency(edges, dtype), pairs)


def pair_distance(batch: Batch, dtype: torch.dtype, pairs: Pairs | None = None) -> Tensor:
    """Edges of the shortest way from j to i, inf where there is none: [pairs]."""
    return on_pairs(batch, ("distance", dtype), lambda edges: walks.distances(edges, dtype), pairs)


def pair_hops(batch: Batch, numbers: tuple[int, ...], dtype: torch.dtype, pairs: Pairs | None = None) -> Tensor:
    """The distance one-hot over these numbers: [pairs, numbers]."""
    return on_pairs(batch, ("hops", numbers, dtype), lambda edges: walks.hops(edges, numbers, dtype), pairs)


def pair_walk(batch: Batch, powers: tuple[int, ...], dtype: torch.dtype, pairs: Pairs | None = None) -> Tensor:
    """These powers of D⁻¹A: [pairs, powers]."""
    return on_pairs(batch, ("walk", powers, dtype), lambda edges: walks.walk(edges, powers, dtype), pairs)


def node_rwse(batch: Batch, powers: tuple[int, ...], dtype: torch.dtype) -> Tensor:
    """The diagonals of these powers of D⁻¹A: [nodes, powers]."""
    return kept(batch, ("rwse", powers, dtype), lambda edges: walks.returns(edges, powers, dtype))


def node_laplacian_pe(batch: Batch, count: int, training: bool, dtype: torch.dtype) -> Tensor:
    """Laplacian eigenvectors, each with a random sign per graph in training: [nodes, count]."""
    vectors = kept(batch, ("laplacian_pe", count, dtype), lambda edges: spectrum.eigenvectors(edges, count).to(dtype))
    if not training:
        return vectors
    signs = torch.randint(2, (batch.graphs, count), device=vectors.device) * 2 - 1  # [graphs, count]
    return vectors * signs[batch.graph]
