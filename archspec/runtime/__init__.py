"""The few torch functions emitted code calls: batches, aggregation, attention, norms. It depends on torch alone."""

from archspec.runtime.aggregate import (
    gather_source,
    gather_target,
    pool_max,
    pool_mean,
    pool_sum,
    restrict,
    segment_logsumexp,
    segment_max,
    segment_mean,
    segment_min,
    segment_softmax,
    segment_std,
    segment_sum,
)
from archspec.runtime.attention import attention_dense, attention_gather, attention_sdpa
from archspec.runtime.batch import Batch, Pairs, as_batch
from archspec.runtime.norms import GraphNorm, batch_norm, graph_norm, layer_norm, rms_norm
from archspec.runtime.products import (
    neighbour_sum_csr,
    neighbour_sum_dense,
    neighbour_sum_gather,
    pair_product,
    weighted_sum_csr,
    weighted_sum_dense,
    weighted_sum_gather,
)

__all__ = [
    "Batch",
    "GraphNorm",
    "Pairs",
    "as_batch",
    "attention_dense",
    "attention_gather",
    "attention_sdpa",
    "batch_norm",
    "gather_source",
    "gather_target",
    "graph_norm",
    "layer_norm",
    "neighbour_sum_csr",
    "neighbour_sum_dense",
    "neighbour_sum_gather",
    "pair_product",
    "pool_max",
    "pool_mean",
    "pool_sum",
    "restrict",
    "rms_norm",
    "segment_logsumexp",
    "segment_max",
    "segment_mean",
    "segment_min",
    "segment_softmax",
    "segment_std",
    "segment_sum",
    "weighted_sum_csr",
    "weighted_sum_dense",
    "weighted_sum_gather",
]
