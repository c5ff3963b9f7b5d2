"""Values on triples (i, j, k): for every pair (i, j) of one set the pairs (i, k) of another.

Triples are themselves pairs, of the place of (i, j) and the place of (i, k), so that what serves pairs serves them:
v[i, j] is read as that of a target, v[i, k] as that of a source, and reductions over k are those of segments. Sums
over all k of products have a form without a row per triple, a product of matrices for every graph.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from archspec.runtime.aggregate import gather_source, segment_sum
from archspec.runtime.batch import Batch
from archspec.runtime.blocks import Blocks, Order, Rearrange, blocks_of, matrices, spread_pairs, write_matrices
from archspec.runtime.pairs import AllPairs, Pairs, offsets
from archspec.runtime.sparse import as_written, flat, full


class Triples(Pairs):
    """For every pair (i, j) of `outer`, a row, the places of the pairs (i, k) in `inner`."""

    def __init__(self, outer: Pairs, inner: Pairs):
        count = inner.count[outer.target]  # [pairs of outer]
        ptr = offsets(count)
        start = torch.repeat_interleave(inner.ptr[outer.target] - ptr[:-1], count)
        super().__init__(ptr, start + torch.arange(len(start), device=ptr.device), columns=len(inner))
        self.outer, self.inner = outer, inner

    def cross(self, everything: AllPairs) -> Tensor:
        """The place of (k, j) among all pairs: [triples], int64; made once."""
        if "cross" not in self.cache:
            k, j = self.inner.index[self.index], self.outer.index[self.target]
            self.cache["cross"] = everything.position(k, j)
        return self.cache["cross"]  # type: ignore[return-value]


def triples(outer: Pairs, inner: Pairs) -> Triples:
    """The triples (i, j, k) with (i, j) in one set and (i, k) in another; made once, kept with the first."""
    if ("triples", inner) not in outer.cache:
        outer.cache["triples", inner] = Triples(outer, inner)
    return outer.cache["triples", inner]  # type: ignore[return-value]


def gather_cross(triples: Triples, everything: AllPairs, v: Tensor) -> Tensor:
    """v[k, j] on every triple (i, j, k): [pairs of V, *axes] to [triples, *axes]."""
    return v.index_select(0, triples.cross(everything))


def pair_matmul_gather(pairs: AllPairs, r: Tensor, s: Tensor) -> Tensor:
    """Σ_k r[i, k] s[k, j] with a row per triple, the plain form: [pairs of V, *axes], which broadcast, to the same."""
    every = triples(pairs, pairs)
    return segment_sum(every, gather_source(every, r) * gather_cross(every, pairs, s))


def pair_matmul_dense(batch: Batch, pairs: AllPairs, r: Tensor, s: Tensor) -> Tensor:
    """Σ_k r[i, k] s[k, j] by products of matrices: [pairs of V, *axes], which broadcast, to the same.

    The second derivative is not implemented: torch says so when it is asked for.
    """
    r, s = torch.broadcast_tensors(r, s)
    left, right = (spread_pairs(batch, pairs, flat(value)) for value in (r, s))  # [all pairs, features]
    blocks = blocks_of(batch)
    out = BlockMatmul.apply(left, right, blocks)
    if blocks.moved:
        order = blocks.by_pair(pairs)
        out = Rearrange.apply(out, Order(order.back, order.forth))
    return out.view(r.shape)


class BlockMatmul(torch.autograd.Function):
    """out[i, j, h] = Σ_k r[i, k, h] s[k, j, h] over all pairs."""

    @staticmethod
    def forward(ctx: Any, r: Tensor, s: Tensor, blocks: Blocks) -> Tensor:
        """[all, heads] in blocks to the same."""
        ctx.blocks, r, s = blocks, full(r), full(s)
        ctx.save_for_backward(r, s)
        out = torch.empty_like(r)
        with as_written(r):
            for graphs, size, _, pairs in blocks.runs():
                left, right = (matrices(value[pairs], graphs, size) for value in (r, s))
                write_matrices(out[pairs], torch.bmm(left, right), graphs, size)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        """To each side the product of the gradients with the other, transposed."""
        r, s = ctx.saved_tensors
        grad = grad.contiguous()
        grad_r = torch.empty_like(r) if ctx.needs_input_grad[0] else None
        grad_s = torch.empty_like(s) if ctx.needs_input_grad[1] else None
        for graphs, size, _, pairs in ctx.blocks.runs():
            g, left, right = (matrices(value[pairs], graphs, size) for value in (grad, r, s))
            if grad_r is not None:
                write_matrices(grad_r[pairs], torch.bmm(g, right.transpose(1, 2)), graphs, size)
            if grad_s is not None:
                write_matrices(grad_s[pairs], torch.bmm(left.transpose(1, 2), g), graphs, size)
        return grad_r, grad_s, None
