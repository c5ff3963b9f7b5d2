"""From nodes to pairs, and from pairs back to nodes; likewise from graphs to their nodes and back."""

from collections.abc import Callable

import torch
from torch import Tensor

from archspec.ir.types import ALL
from archspec.reference.call import Call, Row, Value
from archspec.reference.graph import Pair, numbered, pairs, rows_by_target


def gather(column: int) -> Row:
    """x[i] (column 0) or x[j] (column 1) for every pair (i, j); the graph's x for every node."""

    def row(call: Call) -> Value:
        indices = [[pair[column] for pair in pairs(graph, call.over())] for graph in call.graphs]
        return [x[index] for x, index in zip(call.operands[0], indices, strict=True)]

    return row


def cross(call: Call) -> Value:
    """b[k, j] for every triple: k from its second pair, j from its first."""
    result = []
    for b, graph in zip(call.operands[0], call.graphs, strict=True):
        over = call.over()
        assert over.pairs is not None
        assert over.third is not None
        first, second, held = pairs(graph, over.pairs), pairs(graph, over.third), pairs(graph, call.over(0))
        result.append(b[[held.index((second[at][1], first[row][1])) for row, at in pairs(graph, over)]])
    return result


def transpose(call: Call) -> Value:
    """The row of (j, i) for every pair (i, j)."""
    held = [pairs(graph, call.over()) for graph in call.graphs]
    return [b[[own.index((j, i)) for i, j in own]] for b, own in zip(call.operands[0], held, strict=True)]


def restrict(call: Call) -> Value:
    """The rows of those pairs that are in the smaller set."""
    indices = [places(numbered(graph, call.over()), numbered(graph, call.over(0))) for graph in call.graphs]
    return [x[index] for x, index in zip(call.operands[0], indices, strict=True)]


def places(wanted: list[tuple[Pair, int]], held: list[tuple[Pair, int]]) -> list[int]:
    """Where each wanted pair is held; of parallel edges the same one, or the last where fewer are held."""
    rows = {one: row for row, one in enumerate(held)}
    last = {pair: row for row, (pair, _) in enumerate(held)}
    return [rows.get((pair, number), last[pair]) for pair, number in wanted]


def fill(call: Call) -> Value:
    """For every pair of V the sum of its rows, or the absent value where it has none."""
    result = []
    for (x, absent), graph in zip(call.aligned(call.node.type.axes), call.graphs, strict=True):
        held = pairs(graph, call.over(0))
        rows = {pair: [row for row, one in enumerate(held) if one == pair] for pair in pairs(graph, ALL)}
        filled = [x[found].sum(0) if found else absent[0].expand(x.shape[1:]) for found in rows.values()]
        result.append(torch.stack(filled) if filled else x)
    return result


def chance(call: Call) -> Value:
    """True for every pair; what chance decides has no reference."""
    if call.training and call.node["p"]:
        raise ValueError("`drop` in training has no reference value: evaluate with p = 0, or with training off")
    return [torch.ones(len(pairs(graph, call.over())), dtype=torch.float64) for graph in call.graphs]


def spread(call: Call) -> Value:
    """The one row there is, for every pair."""
    return [x[[0] * len(pairs(graph, call.over()))] for x, graph in zip(call.operands[0], call.graphs, strict=True)]


def reduction(reduce: Callable[[Tensor], Tensor]) -> Row:
    """A row that reduces the pairs of each i; 0 where there are none."""

    def row(call: Call) -> Value:
        result = []
        for x, graph in zip(call.operands[0], call.graphs, strict=True):
            nothing = x.new_zeros(x.shape[1:])
            groups = rows_by_target(graph, call.over(0))
            rows = [reduce(x[rows]) if rows else nothing for rows in groups]
            result.append(torch.stack(rows) if rows else x.new_zeros(0, *x.shape[1:]))
        return result

    return row


def std(rows: Tensor) -> Tensor:
    """√ mean (x - mean x)²; 0, without a gradient, where all are equal up to rounding."""
    variance = ((rows - rows.mean(0)) ** 2).mean(0)
    rounding = 64 * torch.finfo(torch.float64).eps * rows.detach().abs().amax(0)
    equal = variance <= rounding**2
    return torch.where(equal, 0.0, torch.where(equal, 1.0, variance) ** 0.5)


def logsumexp(rows: Tensor) -> Tensor:
    """log of the sum of exp; minus infinity, without a gradient, where all are."""
    highest = rows.amax(0).detach()
    highest = torch.where(highest.isinf(), 0.0, highest)
    total = torch.exp(rows - highest).sum(0)
    return torch.where(total == 0, -torch.inf, torch.log(torch.where(total == 0, 1.0, total)) + highest)


def softmax(call: Call) -> Value:
    """exp(e) over its sum, among the pairs of each node i; pairs at -inf do not count, and may be all there are."""
    result = []
    for x, graph in zip(call.operands[0], call.graphs, strict=True):
        shares = torch.zeros_like(x)
        for rows in filter(None, rows_by_target(graph, call.over())):
            highest = x[rows].amax(0).detach()
            powers = torch.exp(x[rows] - torch.where(highest == -torch.inf, 0.0, highest))
            total = powers.sum(0)
            shares = shares.index_copy(0, torch.tensor(rows), powers / torch.where(total == 0, 1.0, total))
        result.append(shares)
    return result
