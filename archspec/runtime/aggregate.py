"""Values on nodes and on pairs (i, j): reading one from the other, and reductions over j.

Values are [rows, *axes] with a row for every node or every pair of a set. A reduction over an empty row is 0.
"""

from typing import Any

import torch
from torch import Tensor

from archspec.runtime.batch import Batch
from archspec.runtime.pairs import Pairs
from archspec.runtime.sparse import GatherSource, GatherTarget, SegmentSum, flat, full, has_csr, incidence


def gather_source(pairs: Pairs, x: Tensor) -> Tensor:
    """x[j] on every pair (i, j): [nodes, *axes] to [pairs, *axes]."""
    return GatherSource.apply(x, pairs)


def gather_target(pairs: Pairs, x: Tensor) -> Tensor:
    """x[i] on every pair (i, j): [nodes, *axes] to [pairs, *axes]."""
    return GatherTarget.apply(x, pairs)


def restrict(inner: Pairs, outer: Pairs, v: Tensor) -> Tensor:
    """A value on a larger set read on a smaller one: [pairs of outer, *axes] to [pairs of inner, *axes].

    Parallel edges in `inner` read the same pair each; parallel edges of both, in N and N + i, one another in order.
    Every pair of `inner` must be in `outer`.
    """
    return v if inner is outer else v.index_select(0, outer.find(inner))


def transpose(pairs: Pairs, v: Tensor) -> Tensor:
    """v[j, i] on every pair (i, j) of a symmetric set that holds no pair twice: [pairs, *axes] to the same."""
    return Transpose.apply(v, pairs)


def fill(outer: Pairs, inner: Pairs, v: Tensor, absent: float | Tensor) -> Tensor:
    """A value on a smaller set read on a larger one: [pairs of inner, *axes] to [pairs of outer, *axes].

    Pairs that `inner` repeats are added; those it lacks have the value `absent`, which broadcasts to the axes.
    """
    if inner is outer:
        return v
    place = outer.find(inner)
    cells = v.new_zeros(len(outer), *v.shape[1:]).index_add(0, place, v)
    if isinstance(absent, float | int) and absent == 0:
        return cells
    lacking = torch.ones(len(outer), dtype=torch.bool, device=v.device).index_fill_(0, place, value=False)
    return torch.where(lacking.view(-1, *[1] * (v.dim() - 1)), absent, cells)


def segment_sum(pairs: Pairs, v: Tensor) -> Tensor:
    """Σ_j v[i, j]: [pairs, *axes] to [nodes, *axes]."""
    return SegmentSum.apply(v, pairs)


def segment_mean(pairs: Pairs, v: Tensor) -> Tensor:
    """The mean of v[i, j] over j: [pairs, *axes] to [nodes, *axes]."""
    total = segment_sum(pairs, v)
    return total / pairs.count.clamp(min=1).to(total.dtype).view(-1, *[1] * (v.dim() - 1))


def segment_max(pairs: Pairs, v: Tensor) -> Tensor:
    """The largest v[i, j] over j: [pairs, *axes] to [nodes, *axes]; equal ones share the gradient, as in torch.amax."""
    return SegmentMax.apply(v, pairs)


def segment_min(pairs: Pairs, v: Tensor) -> Tensor:
    """The smallest v[i, j] over j: [pairs, *axes] to [nodes, *axes]; equal ones share the gradient as in torch.amin."""
    return -segment_max(pairs, -v)


ROUNDING = 64
"""Members that differ by so many rounding steps, of the largest of them, count as equal."""


def segment_std(pairs: Pairs, v: Tensor) -> Tensor:
    """The standard deviation of v[i, j] over j, √ mean (v - mean v)²: [pairs, *axes] to [nodes, *axes].

    0, with no gradient, where the members are equal up to rounding: there the root has no derivative, and dividing by
    what rounding left would make one of noise.
    """
    v = full(v)
    apart = v - gather_target(pairs, segment_mean(pairs, v))
    variance = segment_mean(pairs, apart.square())
    rounding = ROUNDING * torch.finfo(v.dtype).eps * row_max(pairs, v.detach().abs())
    equal = variance <= rounding.square()
    return variance.masked_fill(equal, 1.0).sqrt().masked_fill(equal, 0.0)


def segment_logsumexp(pairs: Pairs, v: Tensor) -> Tensor:
    """log Σ_j exp(v[i, j]): [pairs, *axes] to [nodes, *axes]; 0 over none, −∞ where a whole row is −∞, never NaN."""
    return SegmentLogSumExp.apply(v, pairs)


def segment_softmax(pairs: Pairs, v: Tensor) -> Tensor:
    """exp(v[i, j]) / Σ_j' exp(v[i, j']): [pairs, *axes] to [pairs, *axes]; 0 where a whole row is −∞, never NaN."""
    return SegmentSoftmax.apply(v, pairs)


def pool_sum(batch: Batch, x: Tensor) -> Tensor:
    """The sum over every graph's nodes: [nodes, *axes] to [graphs, *axes]."""
    return segment_sum(batch.members, x)


def pool_mean(batch: Batch, x: Tensor) -> Tensor:
    """The mean over every graph's nodes: [nodes, *axes] to [graphs, *axes]."""
    return segment_mean(batch.members, x)


def pool_max(batch: Batch, x: Tensor) -> Tensor:
    """The maximum over every graph's nodes: [nodes, *axes] to [graphs, *axes]."""
    return segment_max(batch.members, x)


def row_max(pairs: Pairs, v: Tensor) -> Tensor:
    """The largest entry of every row, 0 in empty rows, no gradient: [pairs, *axes] to [rows, *axes]."""
    values = flat(v)
    if has_csr(values) and values.device.type == "cpu":
        out = torch.sparse.mm(incidence(pairs, values.dtype), values, "amax")
        return out.view(pairs.rows, *v.shape[1:])
    index = pairs.target.unsqueeze(1).expand_as(values)
    out = values.new_zeros(pairs.rows, values.shape[1])
    return out.scatter_reduce_(0, index, values, "amax", include_self=False).view(pairs.rows, *v.shape[1:])


class Transpose(torch.autograd.Function):
    """out[i, j] = v[j, i]."""

    @staticmethod
    def forward(ctx: Any, v: Tensor, pairs: Pairs) -> Tensor:
        """[pairs, *axes] to the same."""
        ctx.pairs = pairs
        return v.index_select(0, pairs.reverse[1])

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        """Turned back."""
        return Transpose.apply(grad, ctx.pairs), None


class SegmentMax(torch.autograd.Function):
    """out[i] = max_j v[i, j]."""

    @staticmethod
    def forward(ctx: Any, v: Tensor, pairs: Pairs) -> Tensor:
        """[pairs, *axes] to [rows, *axes]."""
        out = row_max(pairs, v)
        ctx.pairs = pairs
        ctx.save_for_backward(v, out)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        """The pairs that reach the maximum share the gradient evenly."""
        v, out = ctx.saved_tensors
        reached = (v == out.index_select(0, ctx.pairs.target)).to(grad.dtype)
        share = grad / segment_sum(ctx.pairs, reached).clamp(min=1)
        return reached * gather_target(ctx.pairs, share), None


class SegmentLogSumExp(torch.autograd.Function):
    """out[i] = log Σ_j exp(v[i, j])."""

    @staticmethod
    def forward(ctx: Any, v: Tensor, pairs: Pairs) -> Tensor:
        """[pairs, *axes] to [rows, *axes]."""
        v = full(v)
        peak = row_max(pairs, v)
        peak.masked_fill_(peak.isinf(), 0.0)
        out = segment_sum(pairs, torch.exp_(v - peak.index_select(0, pairs.target))).log_().add_(peak)
        ctx.pairs = pairs
        ctx.save_for_backward(v)
        return out.masked_fill_((pairs.count == 0).view(-1, *[1] * (v.dim() - 1)), 0.0)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        """The share of every pair."""
        (v,) = ctx.saved_tensors
        return segment_softmax(ctx.pairs, v) * gather_target(ctx.pairs, grad), None


class SegmentSoftmax(torch.autograd.Function):
    """out[i, j] = exp(v[i, j]) / Σ_j' exp(v[i, j'])."""

    @staticmethod
    def forward(ctx: Any, v: Tensor, pairs: Pairs) -> Tensor:
        """[pairs, *axes] to [pairs, *axes]."""
        v = full(v)
        peak = row_max(pairs, v)
        peak.masked_fill_(peak == -torch.inf, 0.0)
        weight = torch.exp_(v - peak.index_select(0, pairs.target))
        total = segment_sum(pairs, weight)
        # A row with an entry sums to at least 1, its largest; where all are −∞ any divisor gives 0.
        out = weight.mul_(total.clamp_(min=1.0).reciprocal_().index_select(0, pairs.target))
        ctx.pairs = pairs
        ctx.save_for_backward(out)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        """p (g − Σ_j p g)."""
        (out,) = ctx.saved_tensors
        weighted = grad * out
        mean = gather_target(ctx.pairs, segment_sum(ctx.pairs, weighted))
        return weighted - out * mean, None
