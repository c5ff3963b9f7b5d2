"""A batch of graphs as emitted code sees it: packed node and edge arrays, and index sets made from them on demand."""

import operator
import weakref
from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor

from archspec.runtime.pairs import AllPairs, Pairs, offsets, sorting, with_self, without_self
from archspec.structure.expander import expander_pairs
from archspec.structure.reach import reach_pairs


@dataclass(frozen=True, eq=False)
class Padding:
    """Nodes laid out as [graphs, width]: every graph padded to the largest."""

    index: Tensor  # [nodes], int64, the cell of every node in the layout, flattened
    mask: Tensor  # [graphs, width], bool, cells that hold a node
    width: int


@dataclass(eq=False)
class Batch:
    """Graphs packed one after the other.

    `x` holds a category [nodes] or several [nodes, columns] (int64), or numbers [nodes, features]; edges are sorted by
    target, within a target as in the data, and `e`, which is like `x`, follows that order; `N.ptr` and `N.source` are
    the in-neighbours of every node; `pos` is [nodes, dimensions]. Labels `y` are classes [rows] (int64) or numbers
    [rows, …] of nodes, edges, graphs or of the pairs (i, j) in `pair`, which are sorted by i; only those in `mask`
    count, if there is one.
    """

    x: Tensor
    node_ptr: Tensor  # [graphs + 1], int64
    N: Pairs
    y: Tensor | None = None
    e: Tensor | None = None
    pos: Tensor | None = None
    cache: dict[object, object] = field(default_factory=dict, repr=False)
    mask: Tensor | None = None  # [rows], bool
    pair: Tensor | None = None  # [pairs, 2], int32

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
        """The pairs of an index set, made once: "N", "V", "reach" and "expander" (with k), "targets", "members" (of
        graphs).

        With " + i" or " - i" behind it a name stands for the set with i once or without i. Another is a KeyError.
        ValueError for targets of a batch that lists none.
        """
        if name in ("N", "members"):
            return self.N if name == "N" else self.members
        if (name, k) not in self.cache:
            self.cache[name, k] = self._make_pairs(name, k)
        return self.cache[name, k]  # type: ignore[return-value]

    def _make_pairs(self, name: str, k: int) -> Pairs:
        if name[-4:] in BESIDE:
            return BESIDE[name[-4:]](self.pairs(name[:-4], k))
        if name not in MAKE:
            raise KeyError(f"no index set is called {name!r}")
        return MAKE[name](self, k)

    def to(self, device: torch.device | str) -> "Batch":
        """The same batch on another device; index sets are made anew there, cached tensors move along."""
        if self.x.device == torch.device(device):
            return self
        N = Pairs(self.N.ptr.to(device), self.N.source.to(device), self.N.symmetric)
        cache: dict[object, object] = {
            key: value.to(device) for key, value in self.cache.items() if isinstance(value, Tensor)
        }
        own = (self.y, self.e, self.pos, self.mask, self.pair)
        y, e, pos, mask, pair = (None if value is None else value.to(device) for value in own)
        return Batch(self.x.to(device), self.node_ptr.to(device), N, y, e, pos, cache, mask, pair)


def all_pairs(batch: Batch, k: int) -> Pairs:
    """V: all ordered pairs of nodes of one graph."""
    return AllPairs(batch.node_ptr, batch.graph, sum(size * size for size in batch.sizes))


def reach(batch: Batch, k: int) -> Pairs:
    """The pairs (i, j) such that j is at most k steps before i."""
    if k == 0:
        nodes = torch.arange(batch.nodes + 1, device=batch.node_ptr.device)
        return Pairs(nodes, nodes[:-1], symmetric=True)
    return Pairs(*reach_pairs(batch.node_ptr, batch.N.ptr, batch.N.source, k), batch.N.symmetric)


def expander(batch: Batch, k: int) -> Pairs:
    """The pairs of k / 2 random cycles through all nodes of a graph."""
    return Pairs(*expander_pairs(batch.node_ptr, k), symmetric=True)


def targets(batch: Batch, k: int) -> Pairs:
    """The pairs that a prediction is wanted for."""
    return listed(batch.pair, batch.nodes)


def listed(pair: Tensor | None, nodes: int) -> Pairs:
    """Listed pairs (i, j), [pairs, 2], as a set; ValueError where there are none, or not sorted by i as labels are."""
    if pair is None:
        raise ValueError(
            "the model asks for `targets`, and the batch lists no pairs (`edge_label_index` in PyG's data)"
        )
    i, j = pair.unbind(1)
    if bool((i.diff() < 0).any()):
        raise ValueError("the pairs (i, j) of a batch must be sorted by i")
    return Pairs(offsets(torch.bincount(i, minlength=nodes)), j.contiguous())


MAKE = {"V": all_pairs, "reach": reach, "expander": expander, "targets": targets}
"""What makes the pairs of an index set, by its name."""

BESIDE = {" + i": with_self, " - i": without_self}
"""What is made of a set whose name ends so."""


@dataclass(frozen=True)
class Converted:
    """The batch made from an object, and the tensors it was made from with their versions then.

    Holding the tensors keeps other ones from getting their ids.
    """

    origin: weakref.ref[object]
    tensors: list[Tensor]
    versions: list[int]
    columns: tuple[int, int]
    """Of categories in x and e."""
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


PARTS = ("x", "edge_index", "edge_attr", "pos", "y", "edge_label_index", "ptr", "batch")
"""What is read of PyG's objects."""


def as_batch(graphs: object, x: int = 1, e: int = 1) -> Batch:
    """A Batch from itself or from PyG's Data or Batch: x, edge_index, where present edge_attr, pos, batch or ptr, y.

    The targets are the columns (j, i) of edge_label_index, if there is one. What a model says of edges or targets comes
    sorted by i, those of one i as they were. Anything with these attributes will do. Categories have so many columns in
    `x` and `e`. The result is kept as long as the object and its tensors stay as they are and none of them needs a
    gradient. TypeError: no such attributes, or features that are neither numbers nor so many categories; ValueError:
    shapes or indices that do not fit.
    """
    if isinstance(graphs, Batch):
        return graphs
    parts = [getattr(graphs, name, None) for name in PARTS]
    tensors = [part for part in parts if isinstance(part, Tensor)]
    known = _CONVERTED.get(id(graphs))
    if known is not None and known.columns == (x, e) and known.serves(graphs, tensors):
        return known.batch
    batch = _convert(graphs, parts, x, e)
    if hasattr(graphs, "__weakref__") and not any(tensor.requires_grad for tensor in tensors):
        key = id(graphs)
        origin = weakref.ref(graphs, lambda _: _CONVERTED.pop(key, None))
        _CONVERTED[key] = Converted(origin, tensors, versions(tensors), (x, e), batch)
    return batch


def _convert(graphs: object, parts: list[object], of_x: int, of_e: int) -> Batch:
    x, edge_index, e, pos, y, asked, _, _ = parts
    if not isinstance(x, Tensor) or not isinstance(edge_index, Tensor):
        missing = "x" if not isinstance(x, Tensor) else "edge_index"
        raise TypeError(f"a batch needs the tensors x and edge_index, and {type(graphs).__name__} has no {missing}")
    x = _features(x, "x", of_x)
    node_ptr = _node_ptr(parts, len(x), x.device)
    _check_edges(edge_index, node_ptr, len(x), "edge_index")
    source, target = edge_index
    order = sorting(target, len(x))
    neighbours = Pairs(offsets(torch.bincount(target, minlength=len(x))), source[order].int())
    if isinstance(e, Tensor):
        if len(e) != len(source):
            raise ValueError(f"edge_attr has {len(e)} rows and edge_index {len(source)} edges")
        e = _features(e, "edge_attr", of_e)[order]
    if isinstance(pos, Tensor):
        if len(pos) != len(x) or not pos.is_floating_point():
            raise ValueError(f"pos must hold a row of numbers for each of the {len(x)} nodes")
        pos = _features(pos, "pos")
    y, e, pos = (part if isinstance(part, Tensor) else None for part in (y, e, pos))
    return Batch(x, node_ptr, neighbours, y, e, pos, pair=_targets(asked, node_ptr, len(x)))


def _targets(asked: object, node_ptr: Tensor, nodes: int) -> Tensor | None:
    """Pairs (i, j) sorted by i from the columns (j, i), [pairs, 2]."""
    if not isinstance(asked, Tensor):
        return None
    _check_edges(asked, node_ptr, nodes, "edge_label_index")
    return asked.flip(0).T[sorting(asked[1], nodes)].int()


def _features(value: Tensor, name: str, columns: int = 1) -> Tensor:
    """Numbers as [rows, features], one category as [rows], so many as [rows, columns]."""
    if value.is_floating_point():
        return value.unsqueeze(1) if value.dim() == 1 else value
    if columns == 1 and (value.dim() == 1 or value.shape[1:].numel() == 1):
        return value.reshape(len(value)).long()
    if columns > 1 and value.dim() == 2 and value.shape[1] == columns:
        return value.long()
    what, shape = "one category" if columns == 1 else f"{columns} categories", list(value.shape)
    raise TypeError(f"{name} must hold numbers (a float type) or {what} a row, and is {value.dtype} of shape {shape}")


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


def _check_edges(edge_index: Tensor, node_ptr: Tensor, nodes: int, name: str) -> None:
    """Two rows of node numbers, every edge within one graph; indices out of range would read foreign memory."""
    if edge_index.dim() != 2 or len(edge_index) != 2 or edge_index.dtype != torch.int64:
        raise ValueError(
            f"{name} must be int64 of shape [2, edges], and is {edge_index.dtype} of shape {list(edge_index.shape)}"
        )
    if edge_index.numel() == 0:
        return
    if int(edge_index.min()) < 0 or int(edge_index.max()) >= nodes:
        raise ValueError(f"{name} names nodes outside 0 to {nodes - 1}")
    source, target = torch.bucketize(edge_index.contiguous(), node_ptr[1:], right=True)
    if not torch.equal(source, target):
        raise ValueError(f"{name} joins nodes of different graphs")
