"""Dense products over the pairs of V without padding: graphs of one size are worked on together.

V lists the pairs of every graph in order, so a graph's pairs are a square matrix in memory already. Where many graphs
share their size they are brought together, so that one product serves them all; where most sizes differ, each graph is
a block of its own. Within a block, values of nodes stand as [graphs, heads, size, c] (`arrange`) and values of pairs as
[graphs, size, size, heads] (`spread_pairs`).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from archspec.runtime.batch import Batch
from archspec.runtime.pairs import AllPairs, Pairs, check_pairs, offsets
from archspec.runtime.sparse import as_written, full


@dataclass(frozen=True, eq=False)
class Order:
    """A rearrangement of rows: row p of the result is row forth[p], and row r went to back[r]."""

    forth: Tensor  # [rows], int64
    back: Tensor  # [rows], int64


@dataclass(frozen=True, eq=False)
class Blocks:
    """Runs of graphs of equal size."""

    shapes: list[tuple[int, int]]  # (graphs, size) of every block
    place: Tensor  # [nodes], where every node comes when graphs are in the order of blocks
    begin: Tensor  # [nodes], the place of the first node of every node's graph
    size: Tensor  # [nodes], how many nodes its graph has
    row: Tensor  # [nodes], where the pairs of every node begin in the order of blocks
    moved: bool  # whether that order is another than the batch's
    cache: dict[object, Order] = field(default_factory=dict, repr=False)

    def runs(self) -> Iterator[tuple[int, int, slice, slice]]:
        """(graphs, size, its nodes, its pairs) of every block that has nodes."""
        node = pair = 0
        for graphs, size in self.shapes:
            nodes, pairs = graphs * size, graphs * size * size
            if nodes:
                yield graphs, size, slice(node, node + nodes), slice(pair, pair + pairs)
            node, pair = node + nodes, pair + pairs

    @property
    def pair_count(self) -> int:
        """How many pairs V has."""
        return sum(graphs * size * size for graphs, size in self.shapes)

    def by_head(self, heads: int) -> Order:
        """Rows (node, head) in the order (block, graph, head, node); made once for a number of heads."""
        if heads not in self.cache:
            step = torch.arange(heads, device=self.place.device) * self.size.unsqueeze(1)
            start = (self.begin * (heads - 1) + self.place).unsqueeze(1)
            self.cache[heads] = order_from((start + step).flatten())
        return self.cache[heads]

    def by_pair(self, everything: AllPairs) -> Order:
        """Pairs of V in the order of blocks; made once."""
        if "pairs" not in self.cache:
            place = self.row - everything.ptr[:-1]
            count = torch.arange(len(everything), device=place.device)
            self.cache["pairs"] = order_from(place[everything.target] + count)
        return self.cache["pairs"]


def order_from(back: Tensor) -> Order:
    """The rearrangement that takes row r to back[r]."""
    rows = torch.arange(len(back), device=back.device)
    return Order(torch.empty_like(back).index_copy_(0, back, rows), back)


class Rearrange(torch.autograd.Function):
    """The rows of x in another order; unlike that of index_select, the gradient needs no atomic or serial addition."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, order: Order) -> Tensor:
        """[rows, *axes] to the same shape."""
        ctx.order = order
        return x.index_select(0, order.forth)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        """Back in the old order."""
        return Rearrange.apply(grad, Order(ctx.order.back, ctx.order.forth)), None


def blocks_of(batch: Batch) -> Blocks:
    """The blocks of a batch; made once. Bringing graphs together pays when there are at least two a size."""
    if "blocks" not in batch.cache:
        batch.cache["blocks"] = _make_blocks(batch)
    return batch.cache["blocks"]  # type: ignore[return-value]


def _make_blocks(batch: Batch) -> Blocks:
    sizes, different = batch.sizes, set(batch.sizes)
    check_pairs(sum(size * size for size in sizes), batch.node_ptr.device)
    moved = batch.graphs >= 2 * len(different)
    counts = batch.node_ptr.diff()
    order = order_from(torch.arange(batch.graphs, device=counts.device))
    if moved:
        graphs = torch.argsort(counts, stable=True)
        order = Order(graphs, order_from(graphs).forth)
    begin = offsets(counts[order.forth])[:-1][order.back]  # [graphs]
    pairs = offsets(counts[order.forth].square())[:-1][order.back]  # [graphs]
    graph, within = batch.graph, torch.arange(batch.nodes, device=counts.device) - batch.node_ptr[batch.graph]
    size = counts[graph]
    shapes = [(sizes.count(size), size) for size in sorted(different)] if moved else [(1, size) for size in sizes]
    return Blocks(shapes, begin[graph] + within, begin[graph], size, pairs[graph] + within * size, moved)


def arrange(batch: Batch, x: Tensor) -> Tensor:
    """Values of nodes in blocks, heads before nodes: [nodes, heads, c] to [nodes * heads, c]."""
    blocks, heads = blocks_of(batch), x.shape[1]
    lines = x.flatten(0, 1)
    return Rearrange.apply(lines, blocks.by_head(heads)) if blocks.moved or heads > 1 else lines.contiguous()


def restore(batch: Batch, lines: Tensor, heads: int) -> Tensor:
    """The reverse of `arrange`: [nodes * heads, c] to [nodes, heads, c]."""
    blocks = blocks_of(batch)
    if blocks.moved or heads > 1:
        order = blocks.by_head(heads)
        lines = Rearrange.apply(lines, Order(order.back, order.forth))
    return lines.view(batch.nodes, heads, lines.shape[1])


def spread_pairs(batch: Batch, pairs: Pairs, w: Tensor) -> Tensor:
    """Values of a set on all pairs in blocks, repeated pairs summed, 0 elsewhere: [pairs, heads] to [all, heads]."""
    blocks = blocks_of(batch)
    if isinstance(pairs, AllPairs):
        return Rearrange.apply(w, blocks.by_pair(pairs)) if blocks.moved else w.contiguous()
    return w.new_zeros(blocks.pair_count, w.shape[1]).index_add(0, cells(batch, pairs), w)


def cells(batch: Batch, pairs: Pairs) -> Tensor:
    """The place of every pair of a set among all pairs in blocks; made once."""
    if "cells" not in pairs.cache:
        blocks = blocks_of(batch)
        within = pairs.index - batch.node_ptr[batch.graph[pairs.target]]
        pairs.cache["cells"] = blocks.row[pairs.target] + within
    return pairs.cache["cells"]  # type: ignore[return-value]  # [pairs], int64


def multiplicity(batch: Batch, pairs: Pairs, dtype: torch.dtype) -> Tensor:
    """How often each of all pairs in blocks is in the set: [all, 1]; made once."""
    if ("multiplicity", dtype) not in pairs.cache:
        ones = torch.ones(len(pairs), 1, dtype=dtype, device=pairs.ptr.device)
        pairs.cache["multiplicity", dtype] = spread_pairs(batch, pairs, ones)
    return pairs.cache["multiplicity", dtype]  # type: ignore[return-value]


def matrices(w: Tensor, graphs: int, size: int) -> Tensor:
    """A block's values of pairs as matrices: [graphs * size * size, heads] to [graphs * heads, size, size]."""
    return w.view(graphs, size, size, -1).permute(0, 3, 1, 2).reshape(-1, size, size)


def write_matrices(out: Tensor, w: Tensor, graphs: int, size: int) -> None:
    """The reverse of `matrices`: w [graphs * heads, size, size] into out [graphs * size * size, heads]."""
    out.view(graphs, size, size, -1).copy_(w.view(graphs, -1, size, size).permute(0, 2, 3, 1))


class BlockSum(torch.autograd.Function):
    """out[i, h] = Σ_j w[i, j, h] x[j, h] over all pairs."""

    @staticmethod
    def forward(ctx: Any, w: Tensor, x: Tensor, blocks: Blocks) -> Tensor:
        """w [all, heads] in blocks, x [nodes * heads, c] in blocks, to the same as x."""
        ctx.blocks, heads, w, x = blocks, w.shape[1], full(w), full(x)
        ctx.save_for_backward(w, x)
        out = torch.empty_like(x)
        with as_written(x):
            for graphs, size, nodes, pairs in blocks.runs():
                values, result = (part(value, nodes, heads, size) for value in (x, out))
                torch.bmm(matrices(w[pairs], graphs, size), values, out=result)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        """To w the inner products of gradients and x, to x the product with the transposed matrices."""
        w, x = ctx.saved_tensors
        grad, heads = grad.contiguous(), w.shape[1]
        grad_w = torch.empty_like(w) if ctx.needs_input_grad[0] else None
        grad_x = torch.empty_like(x) if ctx.needs_input_grad[1] else None
        for graphs, size, nodes, pairs in ctx.blocks.runs():
            g, values = (part(value, nodes, heads, size) for value in (grad, x))
            if grad_w is not None:
                write_matrices(grad_w[pairs], torch.bmm(g, values.transpose(1, 2)), graphs, size)
            if grad_x is not None:
                turned = matrices(w[pairs], graphs, size).transpose(1, 2)
                torch.bmm(turned, g, out=part(grad_x, nodes, heads, size))
        return grad_w, grad_x, None


class BlockAttention(torch.autograd.Function):
    """out[i] = Σ_j softmax_j(q[i] · k[j] + bias[i, j] + mask[i, j]) v[j] over all pairs, for every head."""

    @staticmethod
    def forward(
        ctx: Any, q: Tensor, k: Tensor, v: Tensor, heads: int, bias: Tensor | None, mask: Tensor | None, blocks: Blocks
    ) -> Tensor:
        """q, k [nodes * heads, c], v [nodes * heads, c2], bias [all, heads], mask [all, 1] in blocks; as v."""
        ctx.blocks, ctx.heads, ctx.wants_bias = blocks, heads, bias is not None and ctx.needs_input_grad[4]
        q, k, v, bias = full(q), full(k), full(v), None if bias is None else full(bias)
        out, kept = torch.empty_like(v), [q, k, v]
        with as_written(v):
            for graphs, size, nodes, pairs in blocks.runs():
                queries, keys, values, result = (part(value, nodes, heads, size) for value in (q, k, v, out))
                if bias is None:
                    logits = torch.bmm(queries, keys.transpose(1, 2))
                else:
                    logits = torch.baddbmm(matrices(bias[pairs], graphs, size), queries, keys.transpose(1, 2))
                if mask is not None:
                    logits.view(graphs, heads, size, size).add_(mask[pairs].view(graphs, 1, size, size))
                weights = torch.softmax(logits, 2)
                if bias is not None:  # a row that the bias masks from end to end has no weights rather than NaNs
                    weights.masked_fill_(logits.amax(2, keepdim=True) == -torch.inf, 0.0)
                torch.bmm(weights, values, out=result)
                kept.append(weights)
        ctx.save_for_backward(*kept)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        """Through the products and p (g - Σ_j p g) of the softmax."""
        q, k, v, *softmax = ctx.saved_tensors
        grad, heads = grad.contiguous(), ctx.heads
        grads = [torch.empty_like(value) for value in (q, k, v)]
        grad_bias = q.new_empty(ctx.blocks.pair_count, heads) if ctx.wants_bias else None
        for (graphs, size, nodes, pairs), weights in zip(ctx.blocks.runs(), softmax, strict=True):
            g, queries, keys, values = (part(value, nodes, heads, size) for value in (grad, q, k, v))
            grad_q, grad_k, grad_v = (part(value, nodes, heads, size) for value in grads)
            torch.bmm(weights.transpose(1, 2), g, out=grad_v)
            grad_weights = torch.bmm(g, values.transpose(1, 2))
            grad_logits = torch._softmax_backward_data(grad_weights, weights, 2, weights.dtype)
            torch.bmm(grad_logits, keys, out=grad_q)
            torch.bmm(grad_logits.transpose(1, 2), queries, out=grad_k)
            if grad_bias is not None:
                write_matrices(grad_bias[pairs], grad_logits, graphs, size)
        return *grads, None, grad_bias, None, None


def part(lines: Tensor, nodes: slice, heads: int, size: int) -> Tensor:
    """The lines of a block: from [nodes * heads, c] its [graphs * heads, size, c]."""
    return lines[nodes.start * heads : nodes.stop * heads].view(-1, size, lines.shape[1])
