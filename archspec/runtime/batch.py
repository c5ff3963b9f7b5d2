"""A batch of graphs as emitted code sees it: packed node and edge arrays, and index sets made from them on demand."""

import operator
import weakref
from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor

from archspec.structure.reach import reach_pairs


@dataclass(eq=False)
class Pairs:
    """The pairs (i, j) of an index set over a whole batch, sorted by i: row `i` is source[ptr[i]:ptr[i+1]]."""

    ptr: Tensor  # [nodes + 1], int64
    source: Tensor  # [pairs], int32 or int64, j of every pair, in the numbering of the batch
    symmetric: bool = False
    """Whether (j, i) is in the set as often as (i, j)."""
    columns: int | None = None
    """How many j there are; None where there are as many as rows."""
    cache: dict[object, object] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return len(self.source)

    @property
    def rows(self) -> int:
        """How many i there are."""
        return len(self.ptr) - 1

    @property
    def width(self) -> int:
        """How many j there are."""
        return self.rows if self.columns is None else self.columns

    @cached_property
    def count(self) -> Tensor:
        """How many pairs each i has, its degree."""
        return self.ptr.diff()  # [rows], int64

    @cached_property
    def target(self) -> Tensor:
        """i of every pair; sorted."""
        rows = torch.arange(self.rows, device=self.ptr.device)
        return torch.repeat_interleave(rows, self.count, output_size=len(self))  # [pairs], int64

    @cached_property
    def index(self) -> Tensor:
        """j of every pair, as torch's indexing wants it."""
        return self.source.long()  # [pairs], int64

    @cached_property
    def reverse(self) -> tuple["Pairs", Tensor]:
        """The pairs (j, i) as a set sorted by j, and which of our pairs each of them is."""
        order = sorting(self.source, self.width)  # [pairs], int64
        ptr = self.ptr if self.symmetric else offsets(torch.bincount(self.index, minlength=self.width))
        return Pairs(ptr, self.target[order].to(self.source.dtype), self.symmetric, self.rows), order

    @property
    def transpose(self) -> "Pairs":
        """The pairs (j, i) where the order within a row does not matter: a symmetric set is its own transpose."""
        return self if self.symmetric else self.reverse[0]

    def find(self, inner: "Pairs") -> Tensor:
        """Which of our pairs each pair of a subset is; made once, kept with the subset.

        Pairs that the subset repeats are our repetitions in order, as far as we repeat them, then the last of ours.
        """
        if self not in inner.cache:
            inner.cache[self] = self._find(inner)
        return inner.cache[self]  # type: ignore[return-value]  # [pairs of inner], int64

    def _find(self, inner: "Pairs") -> Tensor:
        wanted, held = (pairs.target * self.width + pairs.index for pairs in (inner, self))
        if bool((held.diff() > 0).all()):
            return torch.searchsorted(held, wanted)
        held, order = torch.sort(held, stable=True)
        last = torch.searchsorted(held, wanted, right=True) - 1
        return order[torch.minimum(torch.searchsorted(held, wanted) + repetition(wanted), last)]


class AllPairs(Pairs):
    """V: all ordered pairs (i, j) of nodes of one graph, i included; j runs through the graph in order.

    Padded and blockwise kernels need `ptr` alone, so the pairs themselves are written out when somebody asks for them.
    """

    def __init__(self, node_ptr: Tensor, graph: Tensor, pairs: int):
        self.first = node_ptr[graph]  # [nodes], the first node of every node's graph
        self.pair_count = pairs
        self.ptr = offsets(node_ptr.diff()[graph])
        self.symmetric, self.columns, self.cache = True, None, {}

    def __len__(self) -> int:
        return self.pair_count

    def _find(self, inner: Pairs) -> Tensor:
        return self.position(inner.target, inner.index)

    def position(self, i: Tensor, j: Tensor) -> Tensor:
        """Which pair (i, j) is; both must lie in one graph."""
        return self.ptr[i] + j - self.first[i]

    @cached_property
    def source(self) -> Tensor:  # type: ignore[override]
        """j of every pair."""
        start = self.ptr[:-1] - self.first  # [nodes]
        return torch.arange(len(self), device=self.ptr.device) - start[self.target]  # [pairs], int64

    @property
    def reverse(self) -> tuple[Pairs, Tensor]:
        """Itself, and where (j, i) stands for every (i, j); not cached, lest the set hold itself."""
        return self, self.turned

    @cached_property
    def turned(self) -> Tensor:
        """Where (j, i) stands for every (i, j)."""
        return self.position(self.index, self.target)  # [pairs], int64


@dataclass(frozen=True, eq=False)
class Padding:
    """Nodes laid out as [graphs, width]: every graph padded to the largest."""

    index: Tensor  # [nodes], int64, the cell of every node in the layout, flattened
    mask: Tensor  # [graphs, width], bool, cells that hold a node
    width: int


@dataclass(eq=False)
class Batch:
    """Graphs packed one after the other.

    `x` holds categories [nodes] (int64) or numbers [nodes, features]; edges are sorted by target, within a target as in
    the data, and `e`, which is like `x`, follows that order; `N.ptr` and `N.source` are the in-neighbours of every
    node; `pos` is [nodes, dimensions].
    """

    x: Tensor
    node_ptr: Tensor  # [graphs + 1], int64
    N: Pairs
    y: Tensor | None = None
    e: Tensor | None = None
    pos: Tensor | None = None
    cache: dict[object, object] = field(default_factory=dict, repr=False)

    @property
    def nodes(self) -> int:
        """How many nodes all graphs have together."""
        return len(self.x)

    @property
    def graphs(self) -> int:
        """How many graphs there are."""
        return len(self.node_ptr) - 1

    @cached_property
    def sizes(self) -> list[int]:
        """How many nodes every graph has, on the host."""
        return self.node_ptr.diff().tolist()

    @cached_property
    def graph(self) -> Tensor:
        """The graph of every node; sorted."""
        graphs = torch.arange(self.graphs, device=self.node_ptr.device)
        return torch.repeat_interleave(graphs, self.node_ptr.diff(), output_size=self.nodes)  # [nodes], int64

    @cached_property
    def members(self) -> Pairs:
        """The nodes of every graph as pairs (graph, node): segment functions over it are read-outs."""
        nodes = torch.arange(self.nodes, device=self.node_ptr.device)
        return Pairs(self.node_ptr, nodes, columns=self.nodes)

    @cached_property
    def padding(self) -> Padding:
        """The layout of the nodes as [graphs, width]."""
        width = max(self.sizes, default=0)
        cells = torch.arange(width, device=self.node_ptr.device)
        mask = cells < self.node_ptr.diff().unsqueeze(1)
        start = torch.arange(self.graphs, device=self.node_ptr.device) * width - self.node_ptr[:-1]
        return Padding(torch.arange(self.nodes, device=self.node_ptr.device) + start[self.graph], mask, width)

    def pairs(self, name: str, k: int = 0) -> Pairs:
        """The pairs of an index set, made once: "N", "N + i", "V", "reach" (with k), "members" (of graphs).

        Another name is a KeyError.
        """
        if name in ("N", "members"):
            return self.N if name == "N" else self.members
        if (name, k) not in self.cache:
            self.cache[name, k] = self._make_pairs(name, k)
        return self.cache[name, k]  # type: ignore[return-value]

    def _make_pairs(self, name: str, k: int) -> Pairs:
        if name == "N + i":
            return with_self(self.N)
        if name == "V":
            return AllPairs(self.node_ptr, self.graph, sum(size * size for size in self.sizes))
        if (name, k) == ("reach", 0):
            nodes = torch.arange(self.nodes + 1, device=self.node_ptr.device)
            return Pairs(nodes, nodes[:-1], symmetric=True)
        if name == "reach":
            return Pairs(*reach_pairs(self.node_ptr, self.N.ptr, self.N.source, k), self.N.symmetric)
        raise KeyError(f"no index set is called {name!r}")

    def to(self, device: torch.device | str) -> "Batch":
        """The same batch on another device; index sets are made anew there, cached tensors move along."""
        if self.x.device == torch.device(device):
            return self
        N = Pairs(self.N.ptr.to(device), self.N.source.to(device), self.N.symmetric)
        cache: dict[object, object] = {
            key: value.to(device) for key, value in self.cache.items() if isinstance(value, Tensor)
        }
        y, e, pos = (None if value is None else value.to(device) for value in (self.y, self.e, self.pos))
        return Batch(self.x.to(device), self.node_ptr.to(device), N, y, e, pos, cache)


def offsets(counts: Tensor) -> Tensor:
    """Where rows of these lengths begin, and where the last ends."""
    ptr = counts.new_zeros(len(counts) + 1)
    torch.cumsum(counts, 0, out=ptr[1:])
    return ptr  # [rows + 1]


def sorting(index: Tensor, largest: int) -> Tensor:
    """The order that sorts indices below `largest`, equal ones as they come; half as long in int32."""
    if bool((index.diff() >= 0).all()):
        return torch.arange(len(index), device=index.device)
    return torch.argsort(index.int() if largest < 2**31 else index, stable=True)  # [indices], int64


def repetition(ids: Tensor) -> Tensor:
    """How many equal ids stand before each."""
    ordered, order = torch.sort(ids, stable=True)
    place = torch.arange(len(ids), device=ids.device)
    return torch.empty_like(place).index_copy_(0, order, place - torch.searchsorted(ordered, ordered))


def with_self(neighbours: Pairs) -> Pairs:
    """N + i: every self loop out, then i once, at the end of its row; other parallel edges stay as many as they are."""
    kept = neighbours.target != neighbours.index  # [pairs of N]
    nodes = torch.arange(neighbours.rows, device=kept.device)
    # A kept edge has moved down by the loops before it and up by one node for every row before its own.
    place = kept.cumsum(0) - 1 + neighbours.target
    ptr = offsets(neighbours.count) + offsets(nodes.new_ones(len(nodes)))
    ptr -= offsets((~kept).long())[neighbours.ptr]
    source = neighbours.source.new_empty(int(kept.sum()) + len(nodes))
    source[place[kept]] = neighbours.source[kept]
    source[ptr[1:] - 1] = nodes.to(source.dtype)
    result = Pairs(ptr, source, neighbours.symmetric)
    neighbours.cache[result] = torch.where(
        kept, place, ptr[1:][neighbours.target] - 1
    )  # what result.find would look for
    return result


@dataclass(frozen=True)
class Converted:
    """The batch made from an object, and the tensors it was made from with their versions then.

    Holding the tensors keeps other ones from getting their ids.
    """

    origin: weakref.ref[object]
    tensors: list[Tensor]
    versions: list[int]
    batch: Batch

    def serves(self, graphs: object, tensors: list[Tensor]) -> bool:
        """Whether it is that object, and the tensors are the same and unchanged."""
        same = len(tensors) == len(self.tensors) and all(map(operator.is_, tensors, self.tensors))
        return self.origin() is graphs and same and versions(tensors) == self.versions


def versions(tensors: list[Tensor]) -> list[int]:
    """How often each tensor was written to in place."""
    return [tensor._version for tensor in tensors]


_CONVERTED: dict[int, Converted] = {}
"""By the object's id, for PyG's objects have no hash; an entry goes when its object does."""


def as_batch(graphs: object) -> Batch:
    """A Batch from itself or from PyG's Data or Batch: x, edge_index, where present edge_attr, pos, batch or ptr, y.

    Anything with these attributes will do. The result is kept as long as the object and its tensors stay as they are
    and none of them needs a gradient. TypeError: no such attributes, or features that are neither numbers nor one
    category; ValueError: shapes or indices that do not fit.
    """
    if isinstance(graphs, Batch):
        return graphs
    parts = [getattr(graphs, name, None) for name in ("x", "edge_index", "edge_attr", "pos", "y", "ptr", "batch")]
    tensors = [part for part in parts if isinstance(part, Tensor)]
    known = _CONVERTED.get(id(graphs))
    if known is not None and known.serves(graphs, tensors):
        return known.batch
    batch = _convert(graphs, parts)
    if hasattr(graphs, "__weakref__") and not any(tensor.requires_grad for tensor in tensors):
        key = id(graphs)
        origin = weakref.ref(graphs, lambda _: _CONVERTED.pop(key, None))
        _CONVERTED[key] = Converted(origin, tensors, versions(tensors), batch)
    return batch


def _convert(graphs: object, parts: list[object]) -> Batch:
    x, edge_index, e, pos, y, _, _ = parts
    if not isinstance(x, Tensor) or not isinstance(edge_index, Tensor):
        missing = "x" if not isinstance(x, Tensor) else "edge_index"
        raise TypeError(f"a batch needs the tensors x and edge_index, and {type(graphs).__name__} has no {missing}")
    x = _features(x, "x")
    node_ptr = _node_ptr(parts, len(x), x.device)
    _check_edges(edge_index, node_ptr, len(x))
    source, target = edge_index
    order = sorting(target, len(x))
    neighbours = Pairs(offsets(torch.bincount(target, minlength=len(x))), source[order].int())
    if isinstance(e, Tensor):
        if len(e) != len(source):
            raise ValueError(f"edge_attr has {len(e)} rows and edge_index {len(source)} edges")
        e = _features(e, "edge_attr")[order]
    if isinstance(pos, Tensor):
        if len(pos) != len(x) or not pos.is_floating_point():
            raise ValueError(f"pos must hold a row of numbers for each of the {len(x)} nodes")
        pos = _features(pos, "pos")
    y, e, pos = (part if isinstance(part, Tensor) else None for part in (y, e, pos))
    return Batch(x, node_ptr, neighbours, y, e, pos)


def _features(value: Tensor, name: str) -> Tensor:
    """Numbers as [rows, features], one category as [rows]."""
    if value.is_floating_point():
        return value.unsqueeze(1) if value.dim() == 1 else value
    if value.dim() == 1 or value.shape[1:].numel() == 1:
        return value.reshape(len(value)).long()
    shape = list(value.shape)
    raise TypeError(
        f"{name} must hold numbers (a float type) or one category a row, and is {value.dtype} of shape {shape}"
    )


def _node_ptr(parts: list[object], nodes: int, device: torch.device) -> Tensor:
    """Where every graph begins, from `ptr` or `batch`, or one graph."""
    ptr, batch = parts[-2:]
    if isinstance(ptr, Tensor):
        node_ptr = ptr.long()
    elif isinstance(batch, Tensor):
        if len(batch) != nodes or bool((batch.diff() < 0).any()):
            raise ValueError("batch must give the graph of every node, in ascending order")
        node_ptr = offsets(torch.bincount(batch))
    else:
        node_ptr = torch.tensor([0, nodes], device=device)
    if len(node_ptr) == 0 or int(node_ptr[0]) != 0 or int(node_ptr[-1]) != nodes or bool((node_ptr.diff() < 0).any()):
        raise ValueError(f"ptr must ascend from 0 to the number of nodes, {nodes}")
    return node_ptr


def _check_edges(edge_index: Tensor, node_ptr: Tensor, nodes: int) -> None:
    """Two rows of node numbers, every edge within one graph; indices out of range would read foreign memory."""
    if edge_index.dim() != 2 or len(edge_index) != 2 or edge_index.dtype != torch.int64:
        raise ValueError(
            f"edge_index must be int64 of shape [2, edges], and is {edge_index.dtype} of shape {list(edge_index.shape)}"
        )
    if edge_index.numel() == 0:
        return
    if int(edge_index.min()) < 0 or int(edge_index.max()) >= nodes:
        raise ValueError(f"edge_index names nodes outside 0 to {nodes - 1}")
    source, target = torch.bucketize(edge_index.contiguous(), node_ptr[1:], right=True)
    if not torch.equal(source, target):
        raise ValueError("edge_index joins nodes of different graphs")
