"""Sums over the processes that train one model together, and batch norm over the rows of all of them.

Each process has some graphs of a batch; the loss of the batch is the sum of what the processes make of theirs.
"""

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn


class ProcessLost(RuntimeError):
    """Another process has ended, or cannot be reached."""


def add_up(x: Tensor) -> Tensor:
    """x summed over the processes, in place and with the same bits everywhere; ProcessLost where one has ended."""
    try:
        dist.all_reduce(x)
    except RuntimeError as problem:
        raise ProcessLost(str(problem).partition("\n")[0]) from problem
    return x


class ProcessSum(torch.autograd.Function):
    """out = Σ over processes p of x[p], the same everywhere.

    The loss is Σ over processes q of loss[q], and each of those may depend on `out`: so the gradient to every x[p] is
    Σ_q ∂loss[q]/∂out. All processes have to come by here in the same order, forward and backward.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        """As x."""
        return add_up(x.detach().clone(memory_format=torch.contiguous_format))

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        """As x."""
        return add_up(grad.clone(memory_format=torch.contiguous_format))


class SharedBatchNorm(nn.BatchNorm1d):
    """Batch norm whose statistics in training are those of the rows of all processes, some of which may have none.

    torch's SyncBatchNorm is for GPUs only and wants rows in every process. Statistics are summed in float64.
    """

    def forward(self, x: Tensor) -> Tensor:
        """[rows, features] or [rows, features, length] as nn.BatchNorm1d; one row in all processes gives the bias."""
        if not self.training:
            return super().forward(x)
        if x.dim() == 3:
            return self(x.transpose(1, 2).flatten(0, 1)).view(len(x), x.shape[2], -1).transpose(1, 2)
        rows = x.float() if x.dtype in (torch.bfloat16, torch.float16) else x
        told = torch.cat([rows.sum(0, dtype=torch.float64), rows.new_full((1,), len(rows), dtype=torch.float64)])
        total, count = ProcessSum.apply(told).split([rows.shape[1], 1])
        some = count.detach().clamp(min=1)
        mean = total / some
        apart = rows - mean.to(rows.dtype)
        variance = ProcessSum.apply(apart.square().sum(0, dtype=torch.float64)) / some
        self.learn(mean.detach(), variance.detach(), count.detach())
        out = apart * torch.rsqrt(variance + self.eps).to(rows.dtype)
        if self.affine:
            out = out * self.weight + self.bias
        return out.to(x.dtype)

    def learn(self, mean: Tensor, variance: Tensor, count: Tensor) -> None:
        """Update the running statistics, as nn.BatchNorm1d does; fewer than two rows leave them alone."""
        if self.running_mean is None or self.running_var is None or self.num_batches_tracked is None:
            return
        known = (count > 1).double()
        self.num_batches_tracked.add_(known[0].long())
        share = known / self.num_batches_tracked.clamp(min=1) if self.momentum is None else known * self.momentum
        unbiased = variance * count / (count - 1).clamp(min=1)
        for kept, new in ((self.running_mean, mean), (self.running_var, unbiased)):
            kept.copy_(kept + share * (new - kept))


def share_norms(module: nn.Module) -> None:
    """Let every nn.BatchNorm1d within a module, itself aside, be a SharedBatchNorm with the same tensors."""
    made: dict[nn.Module, SharedBatchNorm] = {}
    for parent in list(module.modules()):
        for name, child in parent._modules.items():
            if type(child) is nn.BatchNorm1d:
                made.setdefault(child, shared(child))
                setattr(parent, name, made[child])


def shared(norm: nn.BatchNorm1d) -> SharedBatchNorm:
    """A SharedBatchNorm with the tensors of a batch norm."""
    made = SharedBatchNorm(norm.num_features, norm.eps, norm.momentum, norm.affine, norm.track_running_stats)
    made._parameters.update(norm._parameters)
    made._buffers.update(norm._buffers)
    return made.train(norm.training)
