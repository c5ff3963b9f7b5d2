"""The functions of the runtime once more, in plain operations of torch that can be traced with sizes left open.

They give what those of `archspec.runtime` give, some slower, with a row per pair and matrices of all nodes by all
nodes. The pairs of a set come in any order; those of N as the edges were given.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from archspec.runtime.aggregate import ROUNDING
from archspec.runtime.averages import Average
from archspec.runtime.foreign import call_pyg, call_python, pyg, python
from archspec.runtime.norms import GraphNorm, batch_norm, layer_norm, rms_norm
from archspec.runtime.parameters import matching
from archspec.structure.expander import expander_pairs


class Pairs:
    """Pairs (i, j) of an index set: `target` and `index` hold i and j of every pair, [pairs], int64."""

    def __init__(self, target: Tensor, index: Tensor, rows: int, columns: int):
        self.target, self.index, self.rows, self.columns = target, index, rows, columns
        self.part: tuple[Pairs, Tensor] | None = None
        """Where these are some pairs of another set: that set, and which of its pairs each is."""
        self.holds: tuple[Pairs, Tensor] | None = None
        """A set all pairs of which are in this one, and which of these each is."""

    @property
    def size(self) -> int:
        """How many there are; not their `len`, which Python would make a number of."""
        return self.target.shape[0]

    @property
    def count(self) -> Tensor:
        """How many pairs every i has, [rows], int64."""
        return self.target.new_zeros(self.rows).index_add(0, self.target, torch.ones_like(self.target))

    @property
    def place(self) -> Tensor:
        """Which pair (i, j) is, [rows, columns], int64; 0 where it is none."""
        numbers = torch.arange(self.size, device=self.target.device)
        return self.target.new_zeros(self.rows, self.columns).index_put((self.target, self.index), numbers)

    def find(self, inner: "Pairs") -> Tensor:
        """Which of our pairs each pair of a smaller set is, [pairs of inner]."""
        if inner.part is not None:
            whole, place = inner.part
            return place if whole is self else self.find(whole)[place]
        if self.holds is not None and self.holds[0] is inner:
            return self.holds[1]
        return self.place[inner.target, inner.index]


class Batch:
    """Graphs one after the other, as emitted code sees them; `first` [graphs] is the first node of each."""

    def __init__(self, x: Tensor, edge_index: Tensor, e: Tensor | None, pos: Tensor | None, asked: Tensor | None,
                 first: Tensor):  # fmt: skip
        self.x, self.e, self.pos, self.asked, self.first = x, e, pos, asked, first
        self.nodes, self.graphs = x.shape[0], first.shape[0]
        self.numbers = torch.arange(self.nodes, device=x.device)
        begun = first.new_zeros(self.nodes + 1).index_add(0, first, torch.ones_like(first)).cumsum(0)
        self.graph = begun[: self.nodes] - 1  # [nodes]; not by comparing, where torch would rule out one graph alone
        self.N = Pairs(edge_index[1], edge_index[0], self.nodes, self.nodes)
        self.members = Pairs(self.graph, self.numbers, self.graphs, self.nodes)
        self.cache: dict[object, object] = {}
        self.sets: dict[tuple[str, int], Pairs] = {("N", 0): self.N, ("members", 0): self.members}

    def pairs(self, name: str, k: int = 0) -> Pairs:
        """The pairs of an index set, made once."""
        if (name, k) not in self.sets:
            self.sets[name, k] = self.made(name, k)
        return self.sets[name, k]

    def made(self, name: str, k: int) -> Pairs:
        """As the runtime's batch makes them."""
        if name[-4:] in (" + i", " - i"):
            return (with_self if name[-3] == "+" else without_self)(self.pairs(name[:-4], k))
        if name == "targets":
            if self.asked is None:
                raise ValueError("the model asks for `targets`, and there is no `edge_label_index`")
            return Pairs(self.asked[1], self.asked[0], self.nodes, self.nodes)
        if name == "expander":
            ptr, source = expander_pairs(self.ptr, k)
            return Pairs(torch.repeat_interleave(self.numbers, ptr.diff()), source, self.nodes, self.nodes)
        inside = self.graph.unsqueeze(1) == self.graph if name == "V" else reached(self, k)[-1] >= 0
        target, index = inside.nonzero().unbind(1)
        return Pairs(target, index, self.nodes, self.nodes)

    @property
    def ptr(self) -> Tensor:
        """Where every graph begins, and where the last ends."""
        return F.pad(self.first, (0, 1), value=self.nodes)

    @property
    def adjacency(self) -> Tensor:
        """Where an edge leads from j to i ≠ j, [nodes, nodes], bool."""
        at = (self.N.target, self.N.index)
        ones = torch.ones_like(self.N.target, dtype=torch.float32)
        edges = torch.zeros(self.nodes, self.nodes, device=self.x.device).index_put(at, ones)
        return (edges > 0) & (self.numbers.unsqueeze(1) != self.numbers)


def reached(batch: Batch, limit: int) -> list[Tensor]:
    """Distances of at most 0, 1, …, `limit`, -1 where there is none: [nodes, nodes] each."""
    steps = batch.adjacency.float()
    found = [(batch.numbers.unsqueeze(1) == batch.numbers).long() - 1]
    for taken in range(1, limit + 1):
        newest = ((found[-1] == taken - 1).float() @ steps > 0) & (found[-1] < 0)
        found.append(torch.where(newest, taken, found[-1]))
    return found


def as_batch(graphs: object, x: int = 1, e: int = 1) -> Batch:
    """A Batch from the attributes of PyG's data and `first`."""
    return Batch(
        features(graphs.x, x),  # type: ignore[attr-defined]
        graphs.edge_index,  # type: ignore[attr-defined]
        None if graphs.edge_attr is None else features(graphs.edge_attr, e),  # type: ignore[attr-defined]
        None if graphs.pos is None else features(graphs.pos, 1),  # type: ignore[attr-defined]
        graphs.edge_label_index,  # type: ignore[attr-defined]
        graphs.first,  # type: ignore[attr-defined]
    )


def features(value: Tensor, columns: int) -> Tensor:
    """Numbers as [rows, features], one category as [rows], so many as [rows, columns]."""
    if value.is_floating_point():
        return value.unsqueeze(1) if value.dim() == 1 else value
    return value.reshape(-1).long() if columns == 1 else value.long()


def with_self(pairs: Pairs) -> Pairs:
    """The set with i once."""
    alone = without_self(pairs)
    nodes = torch.arange(pairs.rows, device=pairs.target.device)
    target, index = torch.cat([alone.target, nodes]), torch.cat([alone.index, nodes])
    made = Pairs(target, index, pairs.rows, pairs.columns)
    kept = pairs.target != pairs.index
    made.holds = pairs, torch.where(kept, kept.long().cumsum(0) - 1, alone.size + pairs.target)
    return made


def without_self(pairs: Pairs) -> Pairs:
    """The set without i."""
    return subset(pairs, pairs.target != pairs.index)


def subset(pairs: Pairs, kept: Tensor | None) -> Pairs:
    """The pairs for which `kept` holds."""
    if kept is None:
        return pairs
    place = kept.nonzero().squeeze(1)
    made = Pairs(pairs.target[place], pairs.index[place], pairs.rows, pairs.columns)
    whole, among = pairs.part or (pairs, None)
    made.part = whole, place if among is None else among[place]
    return made


def chance(pairs: Pairs, p: float, training: bool) -> Tensor | None:
    """None: all stay, for this is no training."""
    return None


def gather_source(pairs: Pairs, x: Tensor) -> Tensor:
    """x[j]."""
    return x[pairs.index]


def gather_target(pairs: Pairs, x: Tensor) -> Tensor:
    """x[i]."""
    return x[pairs.target]


def restrict(inner: Pairs, outer: Pairs, v: Tensor) -> Tensor:
    """A value on a larger set read on a smaller one."""
    return v if inner is outer else v[outer.find(inner)]


def transpose(pairs: Pairs, v: Tensor) -> Tensor:
    """v[j, i]."""
    return v[pairs.place[pairs.index, pairs.target]]


def fill(outer: Pairs, inner: Pairs, v: Tensor, absent: float | Tensor) -> Tensor:
    """A value on a smaller set read on a larger one."""
    if inner is outer:
        return v
    place = outer.find(inner)
    cells = v.new_zeros(outer.size, *v.shape[1:]).index_add(0, place, v)
    lacking = v.new_ones(outer.size).index_put((place,), v.new_zeros(())) > 0
    return torch.where(over(lacking, v), absent, cells)


def over(rows: Tensor, v: Tensor) -> Tensor:
    """[rows] so that it broadcasts with v [rows, *axes]."""
    return rows.reshape(-1, *[1] * (v.dim() - 1))


def segment_sum(pairs: Pairs, v: Tensor) -> Tensor:
    """Σ_j v[i, j]."""
    return v.new_zeros(pairs.rows, *v.shape[1:]).index_add(0, pairs.target, v)


def segment_mean(pairs: Pairs, v: Tensor) -> Tensor:
    """The mean over j, 0 of none."""
    return segment_sum(pairs, v) / over(pairs.count.clamp(min=1).to(v.dtype), v)


def largest(pairs: Pairs, v: Tensor) -> Tensor:
    """The largest v[i, j] over j, -∞ of none."""
    index = over(pairs.target, v).expand(v.shape)
    return v.new_full((pairs.rows, *v.shape[1:]), -torch.inf).scatter_reduce(0, index, v, "amax")


def segment_max(pairs: Pairs, v: Tensor) -> Tensor:
    """The largest v[i, j] over j, 0 of none."""
    return torch.where(over(pairs.count > 0, v), largest(pairs, v), 0.0)


def segment_min(pairs: Pairs, v: Tensor) -> Tensor:
    """The smallest v[i, j] over j, 0 of none."""
    return -segment_max(pairs, -v)


def segment_std(pairs: Pairs, v: Tensor) -> Tensor:
    """The standard deviation over j, 0 where members are equal up to rounding."""
    variance = segment_mean(pairs, (v - gather_target(pairs, segment_mean(pairs, v))).square())
    rounding = ROUNDING * torch.finfo(v.dtype).eps * segment_max(pairs, v.abs())
    return torch.where(variance <= rounding.square(), 0.0, variance.sqrt())


def segment_logsumexp(pairs: Pairs, v: Tensor) -> Tensor:
    """log Σ_j exp(v[i, j]), 0 of none."""
    peak = largest(pairs, v)
    peak = torch.where(peak.isinf(), 0.0, peak)
    total = segment_sum(pairs, torch.exp(v - gather_target(pairs, peak))).log() + peak
    return torch.where(over(pairs.count > 0, v), total, 0.0)


def segment_softmax(pairs: Pairs, v: Tensor) -> Tensor:
    """exp(v[i, j]) / Σ_j' exp(v[i, j']), 0 where a whole row is -∞."""
    peak = largest(pairs, v)
    peak = torch.where(peak.isinf(), 0.0, peak)
    weight = torch.exp(v - gather_target(pairs, peak))
    return weight / gather_target(pairs, segment_sum(pairs, weight).clamp(min=1.0))


def neighbour_sum(pairs: Pairs, x: Tensor) -> Tensor:
    """Σ_j x[j]."""
    return segment_sum(pairs, gather_source(pairs, x))


def weighted_sum(pairs: Pairs, w: Tensor, x: Tensor) -> Tensor:
    """Σ_j w[i, j] x[j], w with or without heads."""
    return segment_sum(pairs, w.reshape(*w.shape, *[1] * (x.dim() - w.dim())) * gather_source(pairs, x))


def pair_product(pairs: Pairs, q: Tensor, k: Tensor) -> Tensor:
    """q[i] · k[j] over the last axis."""
    return (gather_target(pairs, q) * gather_source(pairs, k)).sum(-1)


def attention(batch: Batch, pairs: Pairs, q: Tensor, k: Tensor, v: Tensor, scale: float, bias: Tensor | None = None
              ) -> Tensor:  # fmt: skip
    """Σ_j softmax_j(scale * q[i] · k[j] + bias[i, j]) v[j]."""
    logits = pair_product(pairs, scale * q, k)
    return weighted_sum(pairs, segment_softmax(pairs, logits if bias is None else logits + bias), v)


def neighbour_sum_dense(batch: Batch, pairs: Pairs, x: Tensor) -> Tensor:
    """Σ_j x[j]."""
    return neighbour_sum(pairs, x)


def weighted_sum_dense(batch: Batch, pairs: Pairs, w: Tensor, x: Tensor) -> Tensor:
    """Σ_j w[i, j] x[j]."""
    return weighted_sum(pairs, w, x)


neighbour_sum_csr = neighbour_sum_gather = neighbour_sum
weighted_sum_csr = weighted_sum_gather = weighted_sum
attention_dense = attention_gather = attention_sdpa = attention


def matrices(pairs: Pairs, v: Tensor) -> Tensor:
    """A value on pairs as a matrix for each of its features, [features, nodes, nodes], 0 where there is no pair."""
    cells = v.new_zeros(pairs.rows, pairs.columns, *v.shape[1:]).index_put((pairs.target, pairs.index), v)
    return cells.reshape(pairs.rows, pairs.columns, -1).permute(2, 0, 1)


def pair_matmul_dense(batch: Batch, pairs: Pairs, r: Tensor, s: Tensor) -> Tensor:
    """Σ_k r[i, k] s[k, j]."""
    r, s = torch.broadcast_tensors(r, s)
    product = (matrices(pairs, r) @ matrices(pairs, s)).permute(1, 2, 0)
    return product[pairs.target, pairs.index].reshape(r.shape)


def pair_matmul_gather(pairs: Pairs, r: Tensor, s: Tensor) -> Tensor:
    """Σ_k r[i, k] s[k, j]."""
    return pair_matmul_dense(None, pairs, r, s)  # type: ignore[arg-type]


def triples(outer: Pairs, inner: Pairs) -> Pairs:
    """The triples (i, j, k) as pairs of the places of (i, j) and (i, k)."""
    target, index = (outer.target.unsqueeze(1) == inner.target).nonzero().unbind(1)
    made = Pairs(target, index, outer.size, inner.size)
    made.part = outer, inner.index[index]  # k of every triple
    return made


def gather_cross(every: Pairs, everything: Pairs, v: Tensor) -> Tensor:
    """v[k, j] on every triple."""
    assert every.part is not None
    outer, k = every.part
    return v[everything.place[k, outer.index[every.target]]]


def graph_norm(batch: Batch, x: Tensor, module: GraphNorm) -> Tensor:
    """As the runtime's, over the nodes of a graph."""
    rows, members = x.reshape(x.shape[0], -1), batch.members
    shifted = rows - module.mean_scale * gather_target(members, segment_mean(members, rows))
    scale = torch.rsqrt(segment_mean(members, shifted.square()) + module.eps)
    return (shifted * gather_target(members, scale) * module.weight + module.bias).reshape(x.shape)


def on(batch: Batch, pairs: Pairs | None, matrix: Tensor) -> Tensor:
    """[nodes, nodes, …] read on all pairs, or on a smaller set."""
    chosen = pairs or batch.pairs("V")
    return matrix[chosen.target, chosen.index]


def pair_adjacency(batch: Batch, dtype: torch.dtype, pairs: Pairs | None = None) -> Tensor:
    """1 where an edge leads from j to i ≠ j."""
    return on(batch, pairs, batch.adjacency).to(dtype)


def pair_hops(batch: Batch, numbers: tuple[int, ...], dtype: torch.dtype, pairs: Pairs | None = None) -> Tensor:
    """The distance one-hot over these numbers."""
    distances = on(batch, pairs, reached(batch, max(numbers))[-1])
    return (distances.unsqueeze(-1) == torch.tensor(numbers, device=distances.device)).to(dtype)


def pair_distance(batch: Batch, dtype: torch.dtype, pairs: Pairs | None = None) -> Tensor:
    """Edges of the shortest way from j to i: as many steps as it takes, which no program with a fixed length can do."""
    steps, found = batch.adjacency.float(), reached(batch, 0)[0]
    while bool((newest := ((found == found.max()).float() @ steps > 0) & (found < 0)).any()):
        found = torch.where(newest, found.max() + 1, found)
    distances = on(batch, pairs, found)
    return torch.where(distances < 0, torch.inf, distances.to(dtype))


def powers(batch: Batch, numbers: tuple[int, ...], dtype: torch.dtype) -> list[Tensor]:
    """The listed powers of D⁻¹A, [nodes, nodes] each."""
    edges = batch.adjacency.to(dtype)
    steps = edges / edges.sum(1, keepdim=True).clamp(min=1)
    found = [(batch.numbers.unsqueeze(1) == batch.numbers).to(dtype)]
    for _ in range(max(numbers)):
        found.append(found[-1] @ steps)
    return [found[number] for number in numbers]


def pair_walk(batch: Batch, numbers: tuple[int, ...], dtype: torch.dtype, pairs: Pairs | None = None) -> Tensor:
    """The listed powers of D⁻¹A: [pairs, powers]."""
    return torch.stack([on(batch, pairs, one) for one in powers(batch, numbers, dtype)], -1)


def node_rwse(batch: Batch, numbers: tuple[int, ...], dtype: torch.dtype) -> Tensor:
    """The diagonals of the listed powers: [nodes, powers]."""
    return torch.stack([one[batch.numbers, batch.numbers] for one in powers(batch, numbers, dtype)], -1)


def node_laplacian_pe(batch: Batch, count: int, training: bool, dtype: torch.dtype) -> Tensor:
    """Laplacian eigenvectors, whose basis is chosen entry by entry: by the runtime's own code."""
    from archspec.structure.dense import Edges
    from archspec.structure.spectrum import eigenvectors

    order = torch.argsort(batch.N.target, stable=True)
    ptr = F.pad(batch.N.count.cumsum(0), (1, 0))
    return eigenvectors(Edges(batch.ptr, ptr, batch.N.index[order]), count).to(dtype)


__all__ = ["Average", "GraphNorm", "batch_norm", "call_pyg", "call_python", "layer_norm", "matching", "nn", "pyg",
           "python", "rms_norm"]  # fmt: skip
