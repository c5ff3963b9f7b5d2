"""Σ_j softmax_j(scale * q[i] · k[j] + bias[i, j]) v[j] in three forms that give the same (Vaswani et al. 2017).

q, k are [nodes, heads, c] and v [nodes, heads, c2], or all three without heads; the bias is [pairs, heads] or [pairs].
A node without pairs gets 0.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from archspec.runtime.aggregate import gather_target, segment_softmax
from archspec.runtime.batch import Batch
from archspec.runtime.blocks import BlockAttention, arrange, blocks_of, multiplicity, restore, spread_pairs
from archspec.runtime.pairs import AllPairs, Pairs
from archspec.runtime.products import pair_product, weighted_sum_csr
from archspec.runtime.sparse import flat


def attention_gather(
    batch: Batch, pairs: Pairs, q: Tensor, k: Tensor, v: Tensor, scale: float, bias: Tensor | None = None
) -> Tensor:
    """Attention pair by pair: the general form, and the one for sparse sets; shaped as v."""
    logits = pair_product(pairs, scale * q, k)
    weight = segment_softmax(pairs, logits if bias is None else logits + bias)
    return weighted_sum_csr(pairs, weight, v)


def attention_sdpa(
    batch: Batch, pairs: Pairs, q: Tensor, k: Tensor, v: Tensor, scale: float, bias: Tensor | None = None
) -> Tensor:
    """Attention over V; shaped as v. On a CPU it is the dense form, elsewhere one call of torch's on padded graphs."""
    if q.device.type == "cpu":
        return attention_dense(batch, pairs, q, k, v, scale, bias)
    return padded_attention(batch, pairs, q, k, v, scale, bias)


def padded_attention(
    batch: Batch, pairs: Pairs, q: Tensor, k: Tensor, v: Tensor, scale: float, bias: Tensor | None = None
) -> Tensor:
    """Attention over V on graphs padded to the largest, padding masked: few calls, for accelerators; shaped as v."""
    q, k, values = (pad(batch, with_heads(value)).transpose(1, 2) for value in (q, k, v))  # [graphs, heads, width, c]
    mask = padding_mask(batch, q.dtype)
    if bias is not None:
        mask = mask + pad_pairs(batch, pairs, flat(bias))
    out = F.scaled_dot_product_attention(q, k, values, attn_mask=mask, scale=scale)
    return unpad(batch, out.transpose(1, 2)).reshape(v.shape)


def attention_dense(
    batch: Batch, pairs: Pairs, q: Tensor, k: Tensor, v: Tensor, scale: float, bias: Tensor | None = None
) -> Tensor:
    """Attention by dense products graph by graph, other sets than V as a mask, parallel edges counted; shaped as v.

    The second derivative is not implemented: torch says so when it is asked for. A bias on repeated pairs takes the
    general form.
    """
    mask = None if isinstance(pairs, AllPairs) else log_multiplicity(batch, pairs, q.dtype)
    if bias is not None:
        if mask is not None and repeats(batch, pairs):
            return attention_gather(batch, pairs, q, k, v, scale, bias)
        bias = spread_pairs(batch, pairs, flat(bias))  # [all pairs, heads]
    heads = 1 if q.dim() == 2 else q.shape[1]
    lines = (arrange(batch, with_heads(value)) for value in (scale * q, k, v))
    out = restore(batch, BlockAttention.apply(*lines, heads, bias, mask, blocks_of(batch)), heads).view(v.shape)
    if mask is None:
        return out
    alone = (pairs.count == 0).view(-1, *[1] * (v.dim() - 1))
    return out.masked_fill(alone, 0.0)


def with_heads(x: Tensor) -> Tensor:
    """[nodes, c] as [nodes, 1, c]."""
    return x.unsqueeze(1) if x.dim() == 2 else x


def log_multiplicity(batch: Batch, pairs: Pairs, dtype: torch.dtype) -> Tensor:
    """The logarithm of `multiplicity`, [all pairs, 1], and 0 all over the rows of nodes without pairs; made once."""
    if ("log multiplicity", dtype) not in pairs.cache:
        alone = gather_target(batch.pairs("V"), pairs.count == 0).unsqueeze(1)
        rows = spread_pairs(batch, batch.pairs("V"), alone)
        pairs.cache["log multiplicity", dtype] = multiplicity(batch, pairs, dtype).log().masked_fill_(rows, 0.0)
    return pairs.cache["log multiplicity", dtype]  # type: ignore[return-value]


def repeats(batch: Batch, pairs: Pairs) -> bool:
    """Whether some pair occurs more than once; found once."""
    if "repeats" not in pairs.cache:
        pairs.cache["repeats"] = bool((multiplicity(batch, pairs, torch.float32) > 1).any())
    return pairs.cache["repeats"]  # type: ignore[return-value]


def pad(batch: Batch, x: Tensor) -> Tensor:
    """Every graph filled up with rows of zeros: [nodes, *axes] to [graphs, width, *axes]."""
    layout = batch.padding
    cells = x.new_zeros(layout.mask.numel(), *x.shape[1:]).index_copy(0, layout.index, x)
    return cells.view(*layout.mask.shape, *x.shape[1:])


def unpad(batch: Batch, padded: Tensor) -> Tensor:
    """The rows of nodes: [graphs, width, *axes] to [nodes, *axes]; what stands elsewhere is not read."""
    return padded.flatten(0, 1).index_select(0, batch.padding.index)


def pad_pairs(batch: Batch, pairs: Pairs, w: Tensor) -> Tensor:
    """Values of V as a matrix for every graph and head: [pairs, heads] to [graphs, heads, width, width]."""
    layout = batch.padding
    column = layout.index[pairs.index] - layout.width * batch.graph[pairs.target]
    index = layout.index[pairs.target] * layout.width + column
    cells = w.new_zeros(batch.graphs * layout.width**2, w.shape[1]).index_copy(0, index, w)
    return cells.view(batch.graphs, layout.width, layout.width, w.shape[1]).permute(0, 3, 1, 2)


def padding_mask(batch: Batch, dtype: torch.dtype) -> Tensor:
    """−∞ on columns of padding, else 0; no column of an empty graph, whose rows nobody reads, is masked."""
    mask = batch.padding.mask
    hidden = mask.logical_not() & mask.any(1, keepdim=True)
    return torch.zeros(mask.shape, dtype=dtype, device=mask.device).masked_fill_(hidden, -torch.inf)[:, None, None]
