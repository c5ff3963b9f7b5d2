"""Sums over j of x[j] and of w[i, j] x[j], without a row per pair, in three forms that give the same.

`csr` is a sparse product, the form for most sets; `dense` a padded batched product with a matrix per graph, for V and
for dense sets; `gather` reads every pair's x[j] and sums, the plain form. `benchmarks/kernels.py` measures where each
pays.
"""

import torch
from torch import Tensor

from archspec.runtime.aggregate import gather_source, segment_sum
from archspec.runtime.batch import AllPairs, Batch, Pairs
from archspec.runtime.sparse import NeighbourSum, PairProduct, WeightedSum, flat


def neighbour_sum_csr(pairs: Pairs, x: Tensor) -> Tensor:
    """Σ_j x[j]: [nodes, *axes] to [nodes, *axes]."""
    return NeighbourSum.apply(x, pairs)


def neighbour_sum_gather(pairs: Pairs, x: Tensor) -> Tensor:
    """Σ_j x[j]: [nodes, *axes] to [nodes, *axes]."""
    return segment_sum(pairs, gather_source(pairs, x))


def neighbour_sum_dense(batch: Batch, pairs: Pairs, x: Tensor) -> Tensor:
    """Σ_j x[j] with a matrix of multiplicities per graph, made once a batch: [nodes, *axes] to [nodes, *axes]."""
    out = multiplicity(batch, pairs, x.dtype) @ pad(batch, flat(x))  # [graphs, width, features]
    return unpad(batch, out).view(x.shape)


def weighted_sum_csr(pairs: Pairs, w: Tensor, x: Tensor) -> Tensor:
    """Σ_j w[i, j] x[j]: w [pairs] and x [nodes, *axes], or w [pairs, heads] and x [nodes, heads, *axes]; as x."""
    return WeightedSum.apply(flat(w), per_head(w, x), pairs).view(x.shape)


def weighted_sum_gather(pairs: Pairs, w: Tensor, x: Tensor) -> Tensor:
    """Σ_j w[i, j] x[j]: w [pairs] and x [nodes, *axes], or w [pairs, heads] and x [nodes, heads, *axes]; as x."""
    terms = flat(w).unsqueeze(2) * gather_source(pairs, per_head(w, x))  # [pairs, heads, c]
    return segment_sum(pairs, terms).view(x.shape)


def weighted_sum_dense(batch: Batch, pairs: Pairs, w: Tensor, x: Tensor) -> Tensor:
    """Σ_j w[i, j] x[j]: w [pairs] and x [nodes, *axes], or w [pairs, heads] and x [nodes, heads, *axes]; as x."""
    matrix = pair_matrix(batch, pairs, flat(w))  # [graphs, heads, width, width]
    values = pad(batch, per_head(w, x)).transpose(1, 2)  # [graphs, heads, width, c]
    return unpad(batch, (matrix @ values).transpose(1, 2)).reshape(x.shape)


def pair_product(pairs: Pairs, q: Tensor, k: Tensor) -> Tensor:
    """q[i] · k[j] over the last axis: [nodes, heads, c] to [pairs, heads], [nodes, c] to [pairs]."""
    if q.dim() == 2:
        return pair_product(pairs, q.unsqueeze(1), k.unsqueeze(1)).squeeze(1)
    return PairProduct.apply(q, k, pairs)


def per_head(w: Tensor, x: Tensor) -> Tensor:
    """x as [nodes, heads, c] with the heads of w [pairs, heads], one where w is [pairs]."""
    if w.dim() == 1:
        return flat(x).unsqueeze(1)
    return x.flatten(2) if x.dim() > 2 else x.unsqueeze(2)


def pad(batch: Batch, x: Tensor) -> Tensor:
    """Every graph filled up with rows of zeros: [nodes, *axes] to [graphs, width, *axes]."""
    layout = batch.padding
    cells = x.new_zeros(layout.mask.numel(), *x.shape[1:]).index_copy(0, layout.index, x)
    return cells.view(*layout.mask.shape, *x.shape[1:])


def unpad(batch: Batch, cells: Tensor) -> Tensor:
    """The rows of nodes: [graphs, width, *axes] to [nodes, *axes]; what stands elsewhere is not read."""
    return cells.flatten(0, 1).index_select(0, batch.padding.index)


def pair_cells(batch: Batch, pairs: Pairs) -> Tensor:
    """The cell (graph, position of i, position of j) of every pair in the padded layout, flattened; made once."""
    if ("cells", batch.padding.width) not in pairs.cache:
        layout = batch.padding
        column = layout.index[pairs.index] - layout.width * batch.graph[pairs.target]
        pairs.cache["cells", layout.width] = layout.index[pairs.target] * layout.width + column
    return pairs.cache["cells", batch.padding.width]  # type: ignore[return-value]  # [pairs], int64


def pair_matrix(batch: Batch, pairs: Pairs, w: Tensor) -> Tensor:
    """A matrix per graph and head with the values of the pairs, parallel edges summed, 0 elsewhere.

    [pairs, heads] to [graphs, heads, width, width].
    """
    width = batch.padding.width
    cells = w.new_zeros(batch.graphs * width * width, w.shape[1])
    index = pair_cells(batch, pairs)
    # Pairs of V do not repeat, and copying is cheaper than adding.
    cells = cells.index_copy(0, index, w) if isinstance(pairs, AllPairs) else cells.index_add(0, index, w)
    return cells.view(batch.graphs, width, width, w.shape[1]).permute(0, 3, 1, 2)


def multiplicity(batch: Batch, pairs: Pairs, dtype: torch.dtype) -> Tensor:
    """How often each pair is in the set: [graphs, width, width], 0 in the padding; made once a batch."""
    if ("multiplicity", dtype) not in pairs.cache:
        ones = torch.ones(len(pairs), 1, dtype=dtype, device=pairs.ptr.device)
        pairs.cache["multiplicity", dtype] = pair_matrix(batch, pairs, ones).squeeze(1)
    return pairs.cache["multiplicity", dtype]  # type: ignore[return-value]
