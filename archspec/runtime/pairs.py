"""Pairs (i, j) of index sets over a whole batch, and sets made from others by leaving pairs out or putting i in."""

from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor

from archspec.structure.memory import need


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
    part: tuple["Pairs", Tensor] | None = field(default=None, repr=False)
    """Where these are some pairs of another set, itself no part of one: that set, and which of its pairs, in order."""

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
            inner.cache[self] = self._find(inner) if inner.part is None else self._find_part(*inner.part)
        return inner.cache[self]  # type: ignore[return-value]  # [pairs of inner], int64

    def _find_part(self, whole: "Pairs", place: Tensor) -> Tensor:
        """Which of our pairs some pairs of a set are; exact where they come from the set that ours come from."""
        if whole is self:
            return place
        if self.part is not None and self.part[0] is whole:
            return torch.searchsorted(self.part[1], place)
        return self.find(whole)[place]

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
        self.symmetric, self.columns, self.cache, self.part = True, None, {}, None

    def __len__(self) -> int:
        return self.pair_count

    @cached_property
    def target(self) -> Tensor:
        """i of every pair; sorted."""
        check_pairs(len(self), self.ptr.device)
        return super().target

    def _find(self, inner: Pairs) -> Tensor:
        return self.position(inner.target, inner.index)

    def position(self, i: Tensor, j: Tensor) -> Tensor:
        """Which pair (i, j) is; both must lie in one graph."""
        return self.ptr[i] + j - self.first[i]

    @cached_property
    def source(self) -> Tensor:  # type: ignore[override]
        """j of every pair."""
        check_pairs(len(self), self.ptr.device)
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


def check_pairs(count: int, device: torch.device) -> None:
    """MemoryError where a number for each of all pairs is more than there is memory for; GPUs answer for themselves."""
    if device.type == "cpu":
        need(8 * count, f"{count:,} pairs of nodes")


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


def chance(pairs: Pairs, p: float, training: bool) -> Tensor | None:
    """In training for every pair whether it stays, which it does with probability 1 - p; else None, for all stay."""
    return torch.rand(len(pairs), device=pairs.ptr.device) >= p if training else None


def subset(pairs: Pairs, kept: Tensor | None, symmetric: bool = False) -> Pairs:
    """The pairs of a set for which `kept` [pairs], bool, holds, in their order; the set itself where that is None."""
    if kept is None:
        return pairs
    place = kept.nonzero().squeeze(1)
    ptr = offsets(kept.long())[pairs.ptr]
    whole, among = pairs.part or (pairs, None)
    part = whole, place if among is None else among[place]
    return Pairs(ptr, pairs.source[place], symmetric, pairs.columns, part=part)


def without_self(pairs: Pairs) -> Pairs:
    """S - i: the set without the pairs (i, i)."""
    return subset(pairs, pairs.target != pairs.index, pairs.symmetric)


def with_self(neighbours: Pairs) -> Pairs:
    """S + i: every self loop out, then i once, at the end of its row; other parallel edges stay as many as they are."""
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
