"""Layers that PyG has no class for, after their papers, on lists of pairs (source j, target i) with PyG's scatter."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch_geometric.nn import MessagePassing
from torch_geometric.utils import scatter, softmax


class GatedGCN(MessagePassing):
    """Dwivedi et al., JMLR 2023: gates from both ends and the edge that add up to about 1, before norm and residual."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.A, self.B, self.C, self.E, self.F = (nn.Linear(width, width) for _ in range(5))

    def forward(self, x: Tensor, edge_index: Tensor, e: Tensor) -> tuple[Tensor, Tensor]:
        gates = self.edge_updater(edge_index, x=x, e=e)
        weight = gates.sigmoid()
        total = self.propagate(edge_index, value=torch.ones_like(x), gate=weight)
        return self.A(x) + self.propagate(edge_index, value=self.B(x), gate=weight) / (total + 1e-6), gates

    def edge_update(self, x_i: Tensor, x_j: Tensor, e: Tensor) -> Tensor:
        return self.C(x_i) + self.E(x_j) + self.F(e)

    def message(self, value_j: Tensor, gate: Tensor) -> Tensor:
        return gate * value_j


class Egt(nn.Module):
    """Hussain et al., KDD 2022: softmax(clip(Q Kᵀ / √c) + E) ⊙ σ(G), scaled by ln(1 + Σ σ(G)), and its logits."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.bias, self.gate, self.pairs = nn.Linear(width, heads), nn.Linear(width, heads), nn.Linear(heads, width)

    def forward(self, x: Tensor, edge_index: Tensor, p: Tensor) -> tuple[Tensor, Tensor]:
        j, i = edge_index
        q, k, v = self.qkv(x).unflatten(1, (3, self.heads, -1)).unbind(1)
        logits = ((q[i] * k[j]).sum(2) / q.shape[2] ** 0.5).clamp(-5, 5) + self.bias(p)
        gates = self.gate(p).sigmoid()
        weights = softmax(logits, i, num_nodes=len(x)) * gates
        mixed = scatter(weights[:, :, None] * v[j], i, 0, len(x), "sum")
        open_pairs = scatter(gates, i, 0, len(x), "sum")
        return self.out((torch.log(1 + open_pairs)[:, :, None] * mixed).flatten(1)), self.pairs(logits)


class Grit(nn.Module):
    """Ma et al., ICML 2023: ê = σ(ρ((Q + K) ⊙ E_w) + E_b), α = softmax(A ê), Σ α (V + E_v ê), ρ the signed root."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.Q, self.K, self.V = nn.Linear(width, width), nn.Linear(width, width, False), nn.Linear(width, width, False)
        self.Ew, self.Eb = nn.Linear(width, width), nn.Linear(width, width)
        self.A = nn.Parameter(torch.empty(heads, width // heads))
        self.Ev = nn.Parameter(torch.empty(heads, width // heads, width // heads))

    def forward(self, x: Tensor, edge_index: Tensor, p: Tensor) -> tuple[Tensor, Tensor]:
        j, i = edge_index
        q, k, v, w, b = (
            layer(h).unflatten(1, (self.heads, -1))
            for layer, h in ((self.Q, x), (self.K, x), (self.V, x), (self.Ew, p), (self.Eb, p))
        )
        product = (q[i] + k[j]) * w
        pairs = F.relu(product.sign() * product.abs().sqrt() + b)
        weights = softmax(torch.einsum("phc,hc->ph", pairs, self.A).clamp(-5, 5), i, num_nodes=len(x))
        values = v[j] + torch.einsum("hdc,phc->phd", self.Ev, pairs)
        return scatter(weights[:, :, None] * values, i, 0, len(x), "sum").flatten(1), pairs.flatten(1)


class CkgConv(nn.Module):
    """Ma et al., ICML 2024: the mean over all nodes of ψ(p) ⊙ W x, plus a bias."""

    def __init__(self, width: int, norm: type[nn.Module]) -> None:
        super().__init__()
        self.value, self.bias = nn.Linear(width, width), nn.Parameter(torch.empty(width))
        self.first, self.last = nn.Linear(width, width), nn.Linear(width, width)
        self.norms = nn.ModuleList([norm(width), norm(width)])
        self.hidden = nn.ModuleList([nn.Linear(width, width), nn.Linear(width, width)])

    def forward(self, x: Tensor, edge_index: Tensor, p: Tensor) -> Tensor:
        j, i = edge_index
        h = self.first(p)
        for norm, layer in zip(self.norms, self.hidden, strict=True):
            h = h + layer(norm(h).relu())
        return scatter(self.last(h) * self.value(x)[j], i, 0, len(x), "mean") + self.bias


class BiasedAttention(nn.Module):
    """Ying et al., NeurIPS 2021: torch's attention with a bias per pair and head, graph by graph."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.attention, self.bias = nn.MultiheadAttention(width, heads), nn.Linear(width, heads)

    def forward(self, x: Tensor, p: Tensor, graph: Tensor) -> Tensor:
        parts = [x[graph == one] for one in graph.unique()]
        biases = self.bias(p).split([len(part) ** 2 for part in parts])
        return torch.cat([self.of_graph(*one) for one in zip(parts, biases, strict=True)])

    def of_graph(self, x: Tensor, bias: Tensor) -> Tensor:
        mask = bias.unflatten(0, (len(x), len(x))).permute(2, 0, 1)
        return self.attention(x, x, x, attn_mask=mask, need_weights=False)[0]


class Exphormer(nn.Module):
    """Shirzad et al., ICML 2023: attention over edges of two kinds at once, each with a vector on the keys."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.Q, self.K, self.V = (nn.Linear(width, width, bias=False) for _ in range(3))
        self.kinds, self.out = nn.Parameter(torch.empty(2, heads, width // heads)), nn.Linear(width, width)

    def forward(self, x: Tensor, edge_index: Tensor, far: Tensor) -> Tensor:
        j, i = torch.cat([edge_index, far], 1)
        kind = torch.tensor([0] * edge_index.shape[1] + [1] * far.shape[1], dtype=torch.long)
        q, k, v = (layer(x).unflatten(1, (self.heads, -1)) for layer in (self.Q, self.K, self.V))
        weights = ((q[i] * k[j] * self.kinds[kind]).sum(2) / q.shape[2] ** 0.5).clamp(-5, 5).exp()
        mixed = scatter(weights[:, :, None] * v[j], i, 0, len(x), "sum")
        return self.out((mixed / (scatter(weights, i, 0, len(x), "sum") + 1e-6)[:, :, None]).flatten(1))
