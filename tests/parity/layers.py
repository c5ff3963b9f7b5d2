"""The library's layers beside PyG's classes: how a spec calls one, how PyG makes the other, whose weights are whose."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import accumulate

import torch
from torch import Tensor, nn
from torch_geometric import nn as pyg

from archspec.ir.types import IndexSet
from archspec.reference.graph import Graph, pairs
from tests.parity.scattered import BiasedAttention, CkgConv, Egt, Exphormer, GatedGCN, Grit

D, HEADS = 4, 2
C = D // HEADS

Take = Callable[[Mapping[str, Tensor]], Tensor]
"""One tensor of PyG's from ours by their names; linear, so that it turns gradients into gradients too."""


def plain(layer: nn.Module, x: Tensor, e: Tensor, edges: Tensor, graph: Tensor) -> Tensor:
    """Most layers read features and edges."""
    return layer(x, edges)


@dataclass(frozen=True)
class Row:
    """A layer's text, PyG's layer, and PyG's weights from ours.

    `run` calls PyG's layer on (layer, x, e or p, their pairs, graph of every node); its results are x, or both.
    """

    call: str
    theirs: Callable[[], nn.Module]
    weights: Mapping[str, Take]
    run: Callable[..., Tensor | tuple[Tensor, Tensor]] = plain
    states: str = "x"
    """What the call gives new values of."""

    @property
    def over(self) -> str:
        """The set that the features of its pairs live on: p of all pairs, else e of edges."""
        return "V" if "p" in re.findall(r"\w+", self.call) else "N"

    @property
    def layer(self) -> str:
        """The line of a block."""
        return f"{self.states} = {self.call}"

    def copied(self, ours: Mapping[str, Tensor], names: Mapping[str, object]) -> dict[str, Tensor]:
        """Our tensors under PyG's names, those in `names`."""
        return {name: take(ours) for name, take in self.weights.items() if name in names}


def of(name: str, *shape: int) -> Take:
    """A tensor of ours, in another shape if one is given."""
    return lambda ours: ours[name].reshape(shape) if shape else ours[name]


def columns(name: str, start: int, stop: int) -> Take:
    """The columns of a linear map that read one part of what is joined."""
    return lambda ours: ours[name][:, start:stop]


def joined(*names: str) -> Take:
    """Several of ours, which PyG holds as one."""
    return lambda ours: torch.cat([ours[name] for name in names])


def transposed(name: str) -> Take:
    """A matrix that PyG multiplies from the other side."""
    return lambda ours: ours[name].t()


def linear(theirs: str, ours: str, bias: bool = True) -> dict[str, Take]:
    """Weight and bias of a linear map or a norm."""
    return {f"{theirs}.{part}": of(f"{ours}.{part}") for part in ("weight", "bias")[: 1 + bias]}


def norm(theirs: str, ours: str) -> dict[str, Take]:
    """A batch norm with its running statistics."""
    parts = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
    return {f"{theirs}.{part}": of(f"{ours}.{part}") for part in parts}


class BatchNorm(nn.BatchNorm1d):
    """torch's, which refuses a single row; that row has no deviation."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) if len(x) > 1 or not self.training else x * 0 * self.weight + self.bias


def mlp() -> nn.Module:
    """What the library calls mlp."""
    return nn.Sequential(nn.Linear(D, D), BatchNorm(D), nn.ReLU(), nn.Linear(D, D))


def mlp_weights(theirs: str, ours: str) -> dict[str, Take]:
    """Its weights."""
    return (
        linear(f"{theirs}.0", f"{ours}.linear")
        | norm(f"{theirs}.1", f"{ours}.batch_norm")
        | linear(f"{theirs}.3", f"{ours}.linear_2")
    )


def projections(layer: str, pairs: Mapping[str, str], bias: bool = True) -> dict[str, Take]:
    """Linear maps by PyG's names, ours below the layer."""
    return {key: take for name, own in pairs.items() for key, take in linear(name, f"{layer}.{own}", bias).items()}


def sage(prefix: str) -> dict[str, Take]:
    """PyG has two linear maps in place of one of both joined."""
    return {
        "lin_r.weight": columns(f"{prefix}.weight", 0, D),
        "lin_l.weight": columns(f"{prefix}.weight", D, 2 * D),
        "lin_l.bias": of(f"{prefix}.bias"),
    }


def with_start(layer: nn.Module, x: Tensor, e: Tensor, edges: Tensor, graph: Tensor) -> Tensor:
    """A layer that also takes the first state, here the same."""
    return layer(x.clone(), x, edges)  # which PyG's overwrites


def with_edges(layer: nn.Module, x: Tensor, e: Tensor, edges: Tensor, graph: Tensor) -> Tensor:
    """A layer that reads edge features."""
    return layer(x, edges, e)


QKV = {"lin_query": "q", "lin_key": "k", "lin_value": "v"}


def of_graphs(layer: nn.Module, x: Tensor, e: Tensor, edges: Tensor, graph: Tensor) -> Tensor:
    """torch's attention knows no graphs: it gets one after the other."""
    parts = [x[graph == one] for one in graph.unique()]
    return torch.cat([layer(part, part, part, need_weights=False)[0] for part in parts])


def of_batch(layer: nn.Module, x: Tensor, e: Tensor, edges: Tensor, graph: Tensor) -> Tensor:
    """A layer that also reads edge features and which graph a node belongs to."""
    return layer(x, edges, graph, edge_attr=e)


def gps_conv() -> nn.Module:
    """With norms that take a single row."""
    layer = pyg.GPSConv(D, pyg.GINEConv(mlp(), train_eps=True), heads=HEADS)
    layer.norm1, layer.norm2, layer.norm3 = BatchNorm(D), BatchNorm(D), BatchNorm(D)
    return layer


def attention(theirs: str, ours: str) -> dict[str, Take]:
    """torch has one matrix for queries, keys and values."""
    return {
        f"{theirs}in_proj_weight": joined(*(f"{ours}.{part}.weight" for part in "qkv")),
        f"{theirs}in_proj_bias": joined(*(f"{ours}.{part}.bias" for part in "qkv")),
        **linear(f"{theirs}out_proj", f"{ours}.linear"),
    }


def with_bias(layer: nn.Module, x: Tensor, p: Tensor, edges: Tensor, graph: Tensor) -> Tensor:
    """A layer that reads features of all pairs, graph by graph."""
    return layer(x, p, graph)


def with_expander(layer: nn.Module, x: Tensor, e: Tensor, edges: Tensor, graph: Tensor) -> Tensor:
    """A layer that also reads a random regular graph, as the reference draws it."""
    sizes = graph.bincount().tolist()
    starts = [0, *accumulate(sizes)]
    far = [
        (start + j, start + i)
        for start, size in zip(starts, sizes, strict=False)
        for i, j in pairs(Graph(x[:size], size), IndexSet("expander", 6))
    ]
    return layer(x, edges, torch.tensor(far, dtype=torch.long).view(-1, 2).t())


SCALERS = ["identity", "amplification", "attenuation"]

ROWS: Mapping[str, Row] = {
    "GCNConv": Row(
        "gcn(x)", lambda: pyg.GCNConv(D, D), {"lin.weight": of("gcn.linear.weight"), "bias": of("gcn.linear.bias")}
    ),
    "SAGEConv, mean": Row("sage(x)", lambda: pyg.SAGEConv(D, D), sage("sage.linear")),
    "SAGEConv, max": Row("sage(x, max_near)", lambda: pyg.SAGEConv(D, D, aggr="max"), sage("sage.linear")),
    "SAGEConv, projected max": Row(
        "sage(x, pool_near)",
        lambda: pyg.SAGEConv(D, D, aggr="max", project=True),
        sage("sage.linear") | linear("lin", "sage.pool_near.linear"),
    ),
    "GraphConv": Row(
        "sage(x, h => sum[j in N](h[j]))",
        lambda: pyg.GraphConv(D, D),
        {
            "lin_root.weight": columns("sage.linear.weight", 0, D),
            "lin_rel.weight": columns("sage.linear.weight", D, 2 * D),
            "lin_rel.bias": of("sage.linear.bias"),
        },
    ),
    "GINConv": Row(
        "gin(x)",
        lambda: pyg.GINConv(mlp(), train_eps=True),
        {"eps": of("gin.eps", 1), **mlp_weights("nn", "gin.mlp")},
    ),
    "GINEConv": Row(
        "gine(x, e)",
        lambda: pyg.GINEConv(mlp(), train_eps=True),
        {"eps": of("gine.eps", 1), **mlp_weights("nn", "gine.mlp")},
        with_edges,
    ),
    "APPNP": Row("appnp(appnp(x, x), x)", lambda: pyg.APPNP(K=2, alpha=0.1), {}),
    "GCN2Conv": Row(
        "gcnii(x, x)",
        lambda: pyg.GCN2Conv(D, alpha=0.1, theta=0.5, layer=1),
        {"weight1": transposed("gcnii.linear.weight")},
        with_start,
    ),
    "EdgeConv": Row(
        "edge_conv(x)",
        lambda: pyg.EdgeConv(nn.Sequential(nn.Linear(2 * D, D), nn.ReLU(), nn.Linear(D, D))),
        linear("nn.0", "edge_conv.edge_mlp.linear") | linear("nn.2", "edge_conv.edge_mlp.linear_2"),
    ),
    "GATConv": Row(
        "gat(x)",
        lambda: pyg.GATConv(D, C, heads=HEADS, bias=False),
        {
            "lin.weight": of("gat.v.weight"),
            "att_src": of("gat.other", 1, HEADS, C),
            "att_dst": of("gat.own", 1, HEADS, C),
        },
    ),
    "GATv2Conv": Row(
        "gatv2(x)",
        lambda: pyg.GATv2Conv(D, C, heads=HEADS, bias=False),
        projections("gatv2", {"lin_l": "l", "lin_r": "r"}, bias=False) | {"att": of("gatv2.w", 1, HEADS, C)},
    ),
    "TransformerConv": Row(
        "graph_transformer(x)",
        lambda: pyg.TransformerConv(D, C, heads=HEADS),
        projections("graph_transformer", {**QKV, "lin_skip": "plain_skip.linear"}),
    ),
    "TransformerConv, beta": Row(
        "graph_transformer(x, gated_skip)",
        lambda: pyg.TransformerConv(D, C, heads=HEADS, beta=True),
        projections("graph_transformer", {**QKV, "lin_skip": "gated_skip.r"})
        | linear("lin_beta", "graph_transformer.gated_skip.linear", bias=False),
    ),
    "ResGatedGraphConv": Row(
        "gated_sum(x)",
        lambda: pyg.ResGatedGraphConv(D, D),
        projections("gated_sum", QKV)
        | {"lin_skip.weight": of("gated_sum.linear.weight"), "bias": of("gated_sum.linear.bias")},
    ),
    "GATConv, edges": Row(
        "gat_edges(x, e)",
        lambda: pyg.GATConv(D, C, heads=HEADS, bias=False, edge_dim=D, add_self_loops=False),
        {
            "lin.weight": of("gat_edges.v.weight"),
            "lin_edge.weight": of("gat_edges.w.weight"),
            "att_src": of("gat_edges.other", 1, HEADS, C),
            "att_dst": of("gat_edges.own", 1, HEADS, C),
            "att_edge": of("gat_edges.link", 1, HEADS, C),
        },
        with_edges,
    ),
    "TransformerConv, edges": Row(
        "graph_transformer_edges(x, e)",
        lambda: pyg.TransformerConv(D, C, heads=HEADS, edge_dim=D),
        projections("graph_transformer_edges", {**QKV, "lin_skip": "plain_skip.linear"})
        | {"lin_edge.weight": of("graph_transformer_edges.w.weight")},
        with_edges,
    ),
    "MultiheadAttention of torch": Row(
        "attention(x)", lambda: nn.MultiheadAttention(D, HEADS), attention("", "attention"), of_graphs
    ),
    "GPSConv": Row(
        "gps(x, h => gine(h, e))",
        gps_conv,
        attention("attn.", "gps.attention")
        | {"conv.eps": of("gps.gine.eps", 1), **mlp_weights("conv.nn", "gps.gine.mlp")}
        | norm("norm1", "gps.batch_norm")
        | norm("norm2", "gps.batch_norm_2")
        | norm("norm3", "gps.batch_norm_3")
        | linear("mlp.0", "gps.ffn.linear")
        | linear("mlp.3", "gps.ffn.linear_2"),
        of_batch,
    ),
    "PNAConv": Row(
        "pna(x)",
        lambda: pyg.PNAConv(D, D, ["mean", "min", "max", "std"], SCALERS, deg=torch.tensor([0, 3, 2])),
        {
            "aggr_module.avg_deg_log": of("pna.usual.mean", 1),
            "aggr_module.avg_deg_lin": lambda ours: torch.ones(1),
            **linear("pre_nns.0.0", "pna.m"),
            **linear("post_nns.0.0", "pna.linear"),
            **linear("lin", "pna.linear_2"),
        },
    ),
    "GatedGCN, scattered": Row(
        "gated_gcn(x, e)",
        lambda: GatedGCN(D),
        projections("gated_gcn", {"A": "linear_4", "B": "v", "C": "linear", "E": "linear_2", "F": "linear_3"}),
        with_edges,
        states="x, e",
    ),
    "EGT, scattered": Row(
        "egt(x, p)",
        lambda: Egt(D, HEADS),
        {
            "qkv.weight": joined(*(f"egt.{part}.weight" for part in "qkv")),
            "qkv.bias": joined(*(f"egt.{part}.bias" for part in "qkv")),
            **projections("egt", {"bias": "bias", "gate": "linear", "out": "linear_2", "pairs": "linear_3"}),
        },
        with_edges,
        states="x, p",
    ),
    "GRIT, scattered": Row(
        "grit(x, p)",
        lambda: Grit(D, HEADS),
        projections("grit", {"Q": "q", "Ew": "w", "Eb": "b"})
        | projections("grit", {"K": "k", "V": "v"}, bias=False)
        | {"A": of("grit.to_logit"), "Ev": of("grit.to_value")},
        with_edges,
        states="x, p",
    ),
    "CKGConv, scattered": Row(
        "ckgconv(x, p)",
        lambda: CkgConv(D, BatchNorm),
        {
            "bias": of("ckgconv.vector"),
            **projections(
                "ckgconv",
                {"value": "v", "first": "kernel.h", "hidden.0": "kernel.linear", "hidden.1": "kernel.linear_2"},
            ),
            **projections("ckgconv", {"last": "kernel.linear_3"}),
            **norm("norms.0", "ckgconv.kernel.batch_norm"),
            **norm("norms.1", "ckgconv.kernel.batch_norm_2"),
        },
        with_edges,
    ),
    "MultiheadAttention of torch, bias": Row(
        "biased_attention(x, p)",
        lambda: BiasedAttention(D, HEADS),
        attention("attention.", "biased_attention") | linear("bias", "biased_attention.b"),
        with_bias,
    ),
    "Exphormer, scattered": Row(
        "exphormer(x)",
        lambda: Exphormer(D, HEADS),
        projections("exphormer", {"Q": "q", "K": "k", "V": "v"}, bias=False)
        | linear("out", "exphormer.linear")
        | {"kinds": lambda ours: torch.stack([ours["exphormer.edge"], ours["exphormer.far_edge"]])},
        with_expander,
    ),
}
