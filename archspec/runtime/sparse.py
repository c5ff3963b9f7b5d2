"""Products with the sparse matrices of index sets: the kernels under sums over j, with gradients written by hand.

A set of pairs is a matrix with a row for every i and an entry for every pair in column j (`adjacency`), or with an
entry in a column of the pair's own (`incidence`). torch's autograd through `csr @ x` would build the transposed matrix
in every backward; here it is a set of pairs itself, made once (`Pairs.reverse`), and a symmetric set needs none. All
derivatives are such products again, so they can be differentiated in turn.
"""

import warnings
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor

from archspec.runtime.pairs import Pairs

with warnings.catch_warnings():
    # torch warns once a process that its CSR tensors are in beta; have it over with.
    warnings.simplefilter("ignore")
    torch.sparse_csr_tensor(torch.tensor([0, 0]), torch.tensor([], dtype=torch.int64), torch.tensor([]), size=(1, 1))


def flat(x: Tensor) -> Tensor:
    """All feature axes as one: [rows, *axes] to [rows, features]; a scalar has one feature."""
    return x.flatten(1) if x.dim() > 1 else x.unsqueeze(1)


def full(x: Tensor) -> Tensor:
    """x, in float32 where autocast has made bfloat16 of it: a sum of such numbers soon loses what it adds."""
    return x.float() if x.dtype == torch.bfloat16 else x


def as_written(x: Tensor) -> AbstractContextManager[object]:
    """Where products of tensors like x have the types of their factors, autocast or not, as `out=` wants it."""
    kind = x.device.type
    return torch.autocast(kind, enabled=False) if torch.is_autocast_enabled(kind) else nullcontext()


def has_csr(x: Tensor) -> bool:
    """Whether torch multiplies CSR matrices of x's type on x's device."""
    if x.dtype not in (torch.float32, torch.float64):
        return False
    return x.device.type == "cuda" or (x.device.type == "cpu" and torch.backends.mkl.is_available())


def csr(ptr: Tensor, column: Tensor, values: Tensor, columns: int) -> Tensor:
    """The CSR matrix of these parts, not copied, not checked."""
    size = (len(ptr) - 1, columns)
    return torch.sparse_csr_tensor(ptr, column, values, size=size, check_invariants=False)


def multiply(matrix: Tensor, x: Tensor, out: Tensor | None = None) -> Tensor:
    """matrix @ x for a CSR matrix [rows, columns] and x [columns, features], into `out` where it is given.

    A third faster than `@`, which fills its result with zeros and copies it; with beta = 0 what is there is not read.
    """
    out = x.new_empty(matrix.shape[0], x.shape[1]) if out is None else out
    return torch.addmm(out, matrix, x, beta=0.0, out=out)


def narrowed(index: Tensor, largest: int) -> Tensor:
    """The indices as int32 where they fit: 10 % faster, and what MKL takes."""
    return index.to(torch.int32) if largest < 2**31 else index


def structure(pairs: Pairs) -> tuple[Tensor, Tensor]:
    """ptr and j of every pair as a CSR matrix wants them; made once."""
    if "structure" not in pairs.cache:
        largest = max(len(pairs), pairs.width, pairs.rows)
        pairs.cache["structure"] = narrowed(pairs.ptr, largest), narrowed(pairs.source, largest)
    return pairs.cache["structure"]  # type: ignore[return-value]


def adjacency(pairs: Pairs, dtype: torch.dtype) -> Tensor:
    """The matrix with a 1 in row i, column j for every pair; made once."""
    if ("adjacency", dtype) not in pairs.cache:
        ptr, source = structure(pairs)
        pairs.cache["adjacency", dtype] = csr(ptr, source, ptr.new_ones(len(pairs), dtype=dtype), pairs.width)
    return pairs.cache["adjacency", dtype]  # type: ignore[return-value]


def incidence(pairs: Pairs, dtype: torch.dtype) -> Tensor:
    """The matrix with a 1 in row i, column p for every pair p of i; made once."""
    if ("incidence", dtype) not in pairs.cache:
        ptr = narrowed(pairs.ptr, len(pairs))
        own = torch.arange(len(pairs), dtype=ptr.dtype, device=ptr.device)
        pairs.cache["incidence", dtype] = csr(ptr, own, ptr.new_ones(len(pairs), dtype=dtype), len(pairs))
    return pairs.cache["incidence", dtype]  # type: ignore[return-value]


def reverse_incidence(pairs: Pairs, dtype: torch.dtype) -> Tensor:
    """The matrix with a 1 in row j, column p for every pair p = (i, j); made once."""
    if ("reverse incidence", dtype) not in pairs.cache:
        turned, order = pairs.reverse
        ptr, own = narrowed(turned.ptr, len(pairs)), narrowed(order, len(pairs))
        pairs.cache["reverse incidence", dtype] = csr(ptr, own, ptr.new_ones(len(pairs), dtype=dtype), len(pairs))
    return pairs.cache["reverse incidence", dtype]  # type: ignore[return-value]


def summed(rows: Tensor, index: Tensor, count: int) -> Tensor:
    """Row r of the result is the sum of the rows whose index is r: the form for types and devices without CSR."""
    return rows.new_zeros(count, *rows.shape[1:]).index_add(0, index, rows)


class NeighbourSum(torch.autograd.Function):
    """out[i] = Σ_j x[j] over the pairs (i, j)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, pairs: Pairs) -> Tensor:
        """[columns, *axes] to [rows, *axes]."""
        ctx.pairs, x = pairs, full(x)
        if not has_csr(x):
            return summed(x.index_select(0, pairs.index), pairs.target, pairs.rows)
        return multiply(adjacency(pairs, x.dtype), flat(x)).view(pairs.rows, *x.shape[1:])

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        """The same over the transposed pairs."""
        return NeighbourSum.apply(grad, ctx.pairs.transpose), None


class SegmentSum(torch.autograd.Function):
    """out[i] = Σ_j v[i, j]."""

    @staticmethod
    def forward(ctx: Any, v: Tensor, pairs: Pairs) -> Tensor:
        """[pairs, *axes] to [rows, *axes]."""
        ctx.pairs, v = pairs, full(v)
        if not has_csr(v):
            return summed(v, pairs.target, pairs.rows)
        return multiply(incidence(pairs, v.dtype), flat(v)).view(pairs.rows, *v.shape[1:])

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        """Every pair gets its row's gradient."""
        return GatherTarget.apply(grad, ctx.pairs), None


class GatherTarget(torch.autograd.Function):
    """out[i, j] = x[i]."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, pairs: Pairs) -> Tensor:
        """[rows, *axes] to [pairs, *axes]."""
        ctx.pairs = pairs
        return x.index_select(0, pairs.target)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        """The sum over every row's pairs."""
        return SegmentSum.apply(grad, ctx.pairs), None


class GatherSource(torch.autograd.Function):
    """out[i, j] = x[j]."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, pairs: Pairs) -> Tensor:
        """[columns, *axes] to [pairs, *axes]."""
        ctx.pairs = pairs
        return x.index_select(0, pairs.index)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        """The sum over the pairs that read j."""
        return ScatterSource.apply(grad, ctx.pairs), None


class ScatterSource(torch.autograd.Function):
    """out[j] = Σ_i v[i, j]."""

    @staticmethod
    def forward(ctx: Any, v: Tensor, pairs: Pairs) -> Tensor:
        """[pairs, *axes] to [columns, *axes]."""
        ctx.pairs, v = pairs, full(v)
        if not has_csr(v):
            return summed(v, pairs.index, pairs.width)
        return multiply(reverse_incidence(pairs, v.dtype), flat(v)).view(pairs.width, *v.shape[1:])

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        """Every pair gets its j's gradient."""
        return GatherSource.apply(grad, ctx.pairs), None


class WeightedSum(torch.autograd.Function):
    """out[i, h] = Σ_j w[i, j, h] x[j, h], a product for every head h."""

    @staticmethod
    def forward(ctx: Any, w: Tensor, x: Tensor, pairs: Pairs) -> Tensor:
        """w [pairs, heads], x [columns, heads, c] to [rows, heads, c]."""
        ctx.pairs, w, x = pairs, full(w), full(x)
        ctx.save_for_backward(w, x)
        if not has_csr(x):
            return summed(w.unsqueeze(2) * x.index_select(0, pairs.index), pairs.target, pairs.rows)
        out = x.new_empty(pairs.rows, *x.shape[1:])
        for head in range(w.shape[1]):
            matrix = csr(*structure(pairs), w[:, head].contiguous(), pairs.width)
            multiply(matrix, x[:, head], out[:, head])
        return out

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        """To w the inner products of gradients and x, to x the sum over the transposed pairs."""
        w, x = ctx.saved_tensors
        grad_w = PairProduct.apply(grad, x, ctx.pairs) if ctx.needs_input_grad[0] else None
        if not ctx.needs_input_grad[1]:
            return grad_w, None, None
        turned, order = ctx.pairs.reverse
        return grad_w, WeightedSum.apply(w.index_select(0, order), grad, turned), None


class PairProduct(torch.autograd.Function):
    """out[i, j, h] = a[i, h] · b[j, h]."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor, pairs: Pairs) -> Tensor:
        """a [rows, heads, c], b [columns, heads, c] to [pairs, heads]."""
        ctx.pairs, a, b = pairs, full(a), full(b)
        ctx.save_for_backward(a, b)
        if not has_csr(a) or len(pairs) > pairs.rows * pairs.width:  # torch refuses so many repeated pairs
            return (a.index_select(0, pairs.target) * b.index_select(0, pairs.index)).sum(2)
        out = a.new_empty(len(pairs), a.shape[1])
        pattern = adjacency(pairs, a.dtype)
        for head in range(a.shape[1]):
            out[:, head] = torch.sparse.sampled_addmm(pattern, a[:, head], b[:, head].t(), beta=0.0).values()
        return out

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        """To a the sum of b weighted by the gradients, to b that of a over the transposed pairs."""
        a, b = ctx.saved_tensors
        grad_a = WeightedSum.apply(grad, b, ctx.pairs) if ctx.needs_input_grad[0] else None
        if not ctx.needs_input_grad[1]:
            return grad_a, None, None
        turned, order = ctx.pairs.reverse
        return grad_a, WeightedSum.apply(grad.index_select(0, order), a, turned), None
