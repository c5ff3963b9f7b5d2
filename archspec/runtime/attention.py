"""Σ_j softmax_j(scale * q[i] · k[j] + bias[i, j]) v[j] in three forms that give the same (Vaswani et al. 2017).

q, k are [nodes, heads, c] and v [nodes, heads, c2], or all three without heads; the bias is [pairs, heads] or [pairs].
A node without pairs gets 0. Padding is masked, and what it holds is zeros, so that 0 weight times it stays 0.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from archspec.runtime.aggregate import segment_softmax
from archspec.runtime.batch import AllPairs, Batch, Pairs
from archspec.runtime.products import multiplicity, pad, pair_matrix, pair_product, unpad, weighted_sum_csr
from archspec.runtime.sparse import flat


def attention_gather(
    batch: Batch, pairs: Pairs, q: Tensor, k: Tensor, v: Tensor, scale: float, bias: Tensor | None = None
) -> Tensor:
    """Attention pair by pair: the general form, and the one for sparse sets; shaped as v."""
    logits = scale * pair_product(pairs, q, k)
    weight = segment_softmax(pairs, logits if bias is None else logits + bias)
    return weighted_sum_csr(pairs, weight, v)


def attention_sdpa(
    batch: Batch, pairs: Pairs, q: Tensor, k: Tensor, v: Tensor, scale: float, bias: Tensor | None = None
) -> Tensor:
    """Attention over V by torch's scaled_dot_product_attention on padded graphs; shaped as v."""
    if q.dim() == 2:
        q, k, v = (value.unsqueeze(1) for value in (q, k, v))
        return attention_sdpa(batch, pairs, q, k, v, scale, None if bias is None else flat(bias)).squeeze(1)
    q, k, v = (pad(batch, value).transpose(1, 2) for value in (q, k, v))  # [graphs, heads, width, c]
    mask = padding_mask(batch, q.dtype)
    if bias is not None:
        mask = mask + pair_matrix(batch, pairs, bias)
    out = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, scale=scale)
    return unpad(batch, out.transpose(1, 2))


def attention_dense(
    batch: Batch, pairs: Pairs, q: Tensor, k: Tensor, v: Tensor, scale: float, bias: Tensor | None = None
) -> Tensor:
    """Attention by padded batched products and a masked softmax, over any set; shaped as v."""
    if bias is not None and not isinstance(pairs, AllPairs) and repeats(batch, pairs):
        return attention_gather(batch, pairs, q, k, v, scale, bias)
    if q.dim() == 2:
        q, k, v = (value.unsqueeze(1) for value in (q, k, v))
        return attention_dense(batch, pairs, q, k, v, scale, None if bias is None else flat(bias)).squeeze(1)
    q, k, v = (pad(batch, value).transpose(1, 2) for value in (q, k, v))  # [graphs, heads, width, c]
    logits = scale * (q @ k.transpose(2, 3))  # [graphs, heads, width, width]
    count = multiplicity(batch, pairs, q.dtype).unsqueeze(1)  # [graphs, 1, width, width]
    if bias is not None:
        logits = logits + pair_matrix(batch, pairs, bias)
    weight = masked_softmax(logits, count)
    return unpad(batch, (weight @ v).transpose(1, 2))


def repeats(batch: Batch, pairs: Pairs) -> bool:
    """Whether some pair occurs more than once; found once."""
    if "repeats" not in pairs.cache:
        pairs.cache["repeats"] = bool((multiplicity(batch, pairs, torch.float32) > 1).any())
    return pairs.cache["repeats"]  # type: ignore[return-value]


def padding_mask(batch: Batch, dtype: torch.dtype) -> Tensor:
    """−∞ on columns of padding, else 0; no column of an empty graph, whose rows nobody reads, is masked."""
    mask = batch.padding.mask
    hidden = mask.logical_not() & mask.any(1, keepdim=True)
    return torch.zeros(mask.shape, dtype=dtype, device=mask.device).masked_fill_(hidden, -torch.inf)[:, None, None]


def masked_softmax(logits: Tensor, count: Tensor) -> Tensor:
    """count * exp(logits) over the last axis, divided by its sum; 0 where all counts are 0."""
    logits = logits.masked_fill(count == 0, -torch.inf)
    peak = logits.detach().amax(3, keepdim=True)
    weight = torch.exp(logits - peak.masked_fill_(peak == -torch.inf, 0.0)) * count
    # A row with an entry sums to at least 1, its largest; elsewhere any divisor gives 0.
    return weight / weight.sum(3, keepdim=True).clamp(min=1.0)
