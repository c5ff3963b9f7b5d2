"""The three timed architectures as somebody writes them with PyTorch Geometric, and where their weights come from.

`from_ours` takes tensors by archspec's names (weights or gradients) to the same tensors by the names here.
"""

import math
from collections.abc import Callable, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch_geometric.nn import GINConv, SimpleConv
from torch_geometric.utils import to_dense_batch

Named = Mapping[str, Tensor]


def renamed(ours: Named, prefixes: Mapping[str, str]) -> dict[str, Tensor]:
    """The tensors whose names begin with one of these, under the other prefix."""
    return {
        theirs + name.removeprefix(our): value
        for our, theirs in prefixes.items()
        for name, value in ours.items()
        if name == our or name.startswith(our + ".")
    }


class GIN(nn.Module):
    """specs/gin.yaml with GINConv."""

    def __init__(self, letters: int, out: int, d: int = 110, depth: int = 4):
        super().__init__()
        self.encode = nn.Embedding(letters, d)
        self.convs = nn.ModuleList(GINConv(self.mlp(d), train_eps=True) for _ in range(depth))
        self.norms = nn.ModuleList(nn.BatchNorm1d(d) for _ in range(depth))
        self.heads = nn.ModuleList(nn.Linear(d, out) for _ in range(depth + 1))

    @staticmethod
    def mlp(d: int) -> nn.Module:
        return nn.Sequential(nn.Linear(d, d), nn.BatchNorm1d(d), nn.ReLU(), nn.Linear(d, d))

    def forward(self, x: Tensor, adjacency: Tensor, graph: Tensor) -> Tensor:
        x = self.encode(x)
        out = self.heads[0](x)
        for conv, norm, head in zip(self.convs, self.norms, self.heads[1:], strict=True):
            x = x + F.relu(norm(conv(x, adjacency)))
            out = out + head(x)
        return out

    def from_ours(self, ours: Named) -> dict[str, Tensor]:
        names = {"input.encode": "encode", "output.linear": "heads.0"}
        for k in range(len(self.convs)):
            layer = f"layers.{k}"
            names |= {f"{layer}.eps": f"convs.{k}.eps", f"{layer}.between": f"norms.{k}"}
            names |= {f"{layer}.mlp.linear": f"convs.{k}.nn.0", f"{layer}.mlp.inner": f"convs.{k}.nn.1"}
            names |= {f"{layer}.mlp.linear_2": f"convs.{k}.nn.3", f"output.linear_{k + 2}": f"heads.{k + 1}"}
        # GINConv's eps is a vector of one.
        return {name: one.view(1) if name.endswith("eps") else one for name, one in renamed(ours, names).items()}


class NormFirst(nn.Module):
    """x + mix(norm(x)), x + mlp(norm(x)), and a linear read-out: the frame of the other two.

    They name their `mixer` and, in `mixer_names`, where its weights come from.
    """

    mixer: Callable[[int], nn.Module]
    mixer_names: Callable[[str, str], dict[str, str]]

    def __init__(self, letters: int, out: int, d: int = 64, depth: int = 4):
        super().__init__()
        self.encode = nn.Embedding(letters, d)
        self.mixers = nn.ModuleList(self.mixer(d) for _ in range(depth))
        self.before_mixer, self.before_mlp = (nn.ModuleList(nn.LayerNorm(d) for _ in range(depth)) for _ in range(2))
        self.mlps = nn.ModuleList(self.mlp(d) for _ in range(depth))
        self.head = nn.Linear(d, out)

    @staticmethod
    def mlp(d: int) -> nn.Module:
        return nn.Sequential(nn.Linear(d, 4 * d), nn.BatchNorm1d(4 * d), nn.ReLU(), nn.Linear(4 * d, d))

    def forward(self, x: Tensor, adjacency: Tensor, graph: Tensor) -> Tensor:
        x = self.encode(x)
        parts = zip(self.before_mixer, self.mixers, self.before_mlp, self.mlps, strict=True)
        for before_mixer, mixer, before_mlp, mlp in parts:
            x = x + mixer(before_mixer(x), adjacency, graph)
            x = x + mlp(before_mlp(x))
        return self.head(x)

    def from_ours(self, ours: Named) -> dict[str, Tensor]:
        names = {"input.encode": "encode", "output.linear": "head"}
        for k in range(len(self.mixers)):
            first, second = f"layers.{k}.pre_norm", f"layers.{k}.pre_norm_2"
            names |= {f"{first}.layer_norm": f"before_mixer.{k}", f"{second}.layer_norm": f"before_mlp.{k}"}
            names |= {f"{second}.mlp.linear": f"mlps.{k}.0", f"{second}.mlp.batch_norm": f"mlps.{k}.1"}
            names |= {f"{second}.mlp.linear_2": f"mlps.{k}.3"} | self.mixer_names(first, f"mixers.{k}")
        return renamed(ours, names)


class Gate(nn.Module):
    """σ(w0) v_i + σ(w1) Σ_j v_j per head, then a linear map."""

    def __init__(self, d: int, heads: int = 8):
        super().__init__()
        self.heads = heads
        self.w0, self.w1 = nn.Parameter(torch.zeros(heads)), nn.Parameter(torch.zeros(heads))
        self.v, self.out = nn.Linear(d, d), nn.Linear(d, d)
        self.sum = SimpleConv(aggr="sum")

    def forward(self, x: Tensor, adjacency: Tensor, graph: Tensor) -> Tensor:
        v = self.v(x)
        near = self.sum(v, adjacency).view(len(x), self.heads, -1)
        gated = self.w0.sigmoid().unsqueeze(1) * v.view_as(near) + self.w1.sigmoid().unsqueeze(1) * near
        return self.out(gated.flatten(1))


class PositionGating(NormFirst):
    """specs/position_gating.yaml with a message passing sum."""

    mixer = Gate

    @staticmethod
    def mixer_names(ours: str, theirs: str) -> dict[str, str]:
        names = {f"{ours}.gate.{name}": f"{theirs}.{name}" for name in ("w0", "w1", "v")}
        return names | {f"{ours}.gate.linear": f"{theirs}.out"}


class DenseAttention(nn.Module):
    """Attention on a padded batch, by torch's scaled_dot_product_attention."""

    def __init__(self, d: int, heads: int = 8):
        super().__init__()
        self.heads = heads
        self.q, self.k, self.v, self.out = (nn.Linear(d, d) for _ in range(4))

    def forward(self, x: Tensor, adjacency: Tensor, graph: Tensor) -> Tensor:
        dense, mask = to_dense_batch(x, graph)
        q, k, v = (
            part(dense).unflatten(2, (self.heads, -1)).transpose(1, 2) for part in (self.q, self.k, self.v)
        )  # [graphs, heads, width, c]
        scale = 1 / math.sqrt(q.shape[3])
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=mask[:, None, None], scale=scale)
        return self.out(mixed.transpose(1, 2).flatten(2)[mask])


class MultiheadAttention(nn.Module):
    """Attention on a padded batch, by torch's module, as GPSConv has it."""

    def __init__(self, d: int, heads: int = 8):
        super().__init__()
        self.attend = nn.MultiheadAttention(d, heads, batch_first=True)

    def forward(self, x: Tensor, adjacency: Tensor, graph: Tensor) -> Tensor:
        dense, mask = to_dense_batch(x, graph)
        mixed, _ = self.attend(dense, dense, dense, key_padding_mask=~mask, need_weights=False)
        return mixed[mask]


class ContentAttention(NormFirst):
    """specs/content_attention.yaml on to_dense_batch."""

    mixer = DenseAttention

    @staticmethod
    def mixer_names(ours: str, theirs: str) -> dict[str, str]:
        names = {f"{ours}.attend.{name}": f"{theirs}.{name}" for name in ("q", "k", "v")}
        return names | {f"{ours}.attend.linear": f"{theirs}.out"}


class GPSAttention(ContentAttention):
    """The same with torch's MultiheadAttention, which keeps q, k and v in one matrix."""

    mixer = MultiheadAttention

    def from_ours(self, ours: Named) -> dict[str, Tensor]:
        named = super().from_ours(ours)
        for k in range(len(self.mixers)):
            old, new = f"mixers.{k}", f"mixers.{k}.attend"
            for part in ("weight", "bias"):
                named[f"{new}.in_proj_{part}"] = torch.cat([named.pop(f"{old}.{name}.{part}") for name in "qkv"])
                named[f"{new}.out_proj.{part}"] = named.pop(f"{old}.out.{part}")
        return named
