"""Sums over j of x[j] and of w[i, j] x[j], without a row per pair, in three forms that give the same.

`csr` is a sparse product, the form for most sets; `dense` a product with a matrix per graph, for V and for dense sets;
`gather` reads every pair's x[j] and sums, the plain form. `benchmarks/kernels.py` measures where each pays.
"""

from torch import Tensor

from archspec.runtime.aggregate import gather_source, segment_sum
from archspec.runtime.batch import Batch
from archspec.runtime.blocks import BlockSum, arrange, blocks_of, multiplicity, restore, spread_pairs
from archspec.runtime.pairs import Pairs
from archspec.runtime.sparse import NeighbourSum, PairProduct, WeightedSum, flat


def neighbour_sum_csr(pairs: Pairs, x: Tensor) -> Tensor:
    """Σ_j x[j]: [nodes, *axes] to [nodes, *axes]."""
    return NeighbourSum.apply(x, pairs)


def neighbour_sum_gather(pairs: Pairs, x: Tensor) -> Tensor:
    """Σ_j x[j]: [nodes, *axes] to [nodes, *axes]."""
    return segment_sum(pairs, gather_source(pairs, x))


def neighbour_sum_dense(batch: Batch, pairs: Pairs, x: Tensor) -> Tensor:
    """Σ_j x[j] with a matrix of multiplicities per graph, made once a batch: [nodes, *axes] to [nodes, *axes]."""
    count = multiplicity(batch, pairs, x.dtype)  # [all pairs, 1]
    return dense_sum(batch, count, flat(x).unsqueeze(1)).view(x.shape)


def weighted_sum_csr(pairs: Pairs, w: Tensor, x: Tensor) -> Tensor:
    """Σ_j w[i, j] x[j]: w [pairs] and x [nodes, *axes], or w [pairs, heads] and x [nodes, heads, *axes]; as x."""
    return WeightedSum.apply(flat(w), per_head(w, x), pairs).view(x.shape)


def weighted_sum_gather(pairs: Pairs, w: Tensor, x: Tensor) -> Tensor:
    """Σ_j w[i, j] x[j]: w [pairs] and x [nodes, *axes], or w [pairs, heads] and x [nodes, heads, *axes]; as x."""
    terms = flat(w).unsqueeze(2) * gather_source(pairs, per_head(w, x))  # [pairs, heads, c]
    return segment_sum(pairs, terms).view(x.shape)


def weighted_sum_dense(batch: Batch, pairs: Pairs, w: Tensor, x: Tensor) -> Tensor:
    """Σ_j w[i, j] x[j]: w [pairs] and x [nodes, *axes], or w [pairs, heads] and x [nodes, heads, *axes]; as x."""
    weights = spread_pairs(batch, pairs, flat(w))  # [all pairs, heads]
    return dense_sum(batch, weights, per_head(w, x)).view(x.shape)


def dense_sum(batch: Batch, weights: Tensor, x: Tensor) -> Tensor:
    """Σ_j w[i, j] x[j] over all pairs: weights [all pairs, heads] in blocks, x [nodes, heads, c]; as x."""
    return restore(batch, BlockSum.apply(weights, arrange(batch, x), blocks_of(batch)), x.shape[1])


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
