"""Norms over the feature axes of [rows, *axes], all axes taken together as features."""

import torch
from torch import Tensor, nn

from archspec.runtime.aggregate import gather_target, segment_mean
from archspec.runtime.batch import Batch
from archspec.runtime.sparse import flat


def batch_norm(x: Tensor, module: nn.BatchNorm1d) -> Tensor:
    """(x - mean) / std * weight + bias over all rows, of each feature (Ioffe and Szegedy 2015); as x.

    One row has no deviation: in training it gives the bias and leaves the running statistics alone, as no rows do.
    """
    rows = flat(x)
    if module.training and len(rows) < 2 and type(module) is nn.BatchNorm1d:  # another one counts further rows
        return ((rows - rows) * module.weight + module.bias).view(x.shape)
    return module(rows).view(x.shape)


def layer_norm(x: Tensor, module: nn.LayerNorm) -> Tensor:
    """(x - mean) / std * weight + bias over the features of a row (Ba et al. 2016); as x."""
    return module(flat(x)).view(x.shape)


def rms_norm(x: Tensor, module: nn.RMSNorm) -> Tensor:
    """x / sqrt(mean(x²) + eps) * weight over the features of a row (Zhang and Sennrich 2019); as x."""
    return module(flat(x)).view(x.shape)


class GraphNorm(nn.Module):
    """The weights of `graph_norm`: `weight`, `bias` and the share of the mean that is taken away, all [features]."""

    def __init__(self, features: int, eps: float = 1e-5):
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(features))
        self.bias = nn.Parameter(torch.zeros(features))
        self.mean_scale = nn.Parameter(torch.ones(features))


def graph_norm(batch: Batch, x: Tensor, module: GraphNorm) -> Tensor:
    """(x - mean_scale * mean) / std * weight + bias over the nodes of a graph (Cai et al. 2021); as x [nodes, *axes].

    std is that of the shifted values, sqrt(mean((x - mean_scale * mean)²) + eps).
    """
    rows, members = flat(x), batch.members
    shifted = rows - module.mean_scale * gather_target(members, segment_mean(members, rows))
    scale = torch.rsqrt(segment_mean(members, shifted.square()) + module.eps)
    return (shifted * gather_target(members, scale) * module.weight + module.bias).view(x.shape)
