"""What a batch holds in memory besides values: index sets, and what is made from them once for the kernels that ask."""

from collections.abc import Iterator, Mapping

from archspec.cost.counting import At
from archspec.cost.extent import Sizes
from archspec.cost.table import cost_of
from archspec.ir.nodes import Node
from archspec.ir.sets import ALL, NEIGHBOURS, IndexSet
from archspec.ir.types import NODE, Type
from archspec.passes.schedule import Plan

PARTS: Mapping[str, float] = {
    "target": 8,
    "index": 8,
    "adjacency": 4,
    "incidence": 8,
    "reverse": 12,
    "scatter": 8,
    "cells": 8,
    "source": 4,
    "multiplicity": 4,
}
"""Bytes a pair of what a set of pairs keeps (`archspec.runtime.pairs`, `sparse`, `blocks`)."""

NEEDS: Mapping[str, tuple[str, ...]] = {
    "gather_source": ("index", "target", "reverse", "scatter"),
    "gather_target": ("target", "incidence"),
    **dict.fromkeys(("segment", "extremum", "std", "logsumexp"), ("target", "incidence")),
    "softmax": ("target", "incidence"),
    "neighbour_sum.csr": ("adjacency",),
    "neighbour_sum.gather": ("index", "target", "reverse", "scatter", "incidence"),
    "weighted_sum.csr": ("adjacency", "target", "reverse"),
    "weighted_sum.gather": ("index", "target", "reverse", "scatter", "incidence"),
    "neighbour_sum.dense": ("target", "index", "cells"),
    "weighted_sum.dense": ("target", "index", "cells"),
    "pair_product.csr": ("adjacency", "target", "reverse"),
    "attention.gather": ("adjacency", "target", "reverse", "incidence"),
    "attention.dense": ("target", "index", "cells"),
}
"""The parts that kernels of the table of costs read, forward and backward."""

DENSE = ("neighbour_sum.dense", "weighted_sum.dense", "attention.dense")
"""Kernels on all pairs, which need no list of them for V, and a matrix of multiplicities for other sets."""


def index_bytes(plan: Plan, sizes: Sizes) -> float:
    """Bytes of all index sets of a batch, once kernels have asked for their parts."""
    return sum(PARTS[part] * pairs for part, pairs in parts_of(plan, sizes))


def parts_of(plan: Plan, sizes: Sizes) -> list[tuple[str, float]]:
    """The parts of index sets that are made for a batch, and how many pairs each is of."""
    found: dict[tuple[IndexSet, str], float] = {}
    for over, kernel in asked(plan, sizes):
        if kernel in DENSE and over == ALL:
            continue
        if kernel in DENSE:
            found[ALL, "multiplicity"] = sizes.pairs(ALL)
        if over not in (NEIGHBOURS, ALL):
            found[over, "source"] = sizes.pairs(over)
        found |= {(over, part): sizes.pairs(over) for part in NEEDS[kernel]}
    return [(part, pairs) for (_, part), pairs in found.items()]


def asked(plan: Plan, sizes: Sizes) -> Iterator[tuple[IndexSet, str]]:
    """The sets that kernels read, and which kernels."""
    for _, section in plan.program.sections():
        for node in section.nodes:
            over = node.get("over")
            kernel = cost_of(at(node, plan, sizes)).kernel
            if isinstance(over, IndexSet) and kernel in NEEDS:
                yield over, kernel


def at(node: Node, plan: Plan, sizes: Sizes) -> At:
    """A node where no gradient is asked for."""
    choice = plan.choices.get(id(node))
    return At(node, choice.form.backend if choice else "", sizes, frozenset())


def data_bytes(plan: Plan, sizes: Sizes) -> float:
    """Bytes of the batch as it is cut from a data set: features, labels, N."""
    nodes = sizes.rows(NODE)
    read = {str(node["name"]): node.type for node in plan.program.input.nodes if node.op == "data"}
    features = sum(8 * sizes.rows(one.domain) if not one.axes else 4 * entries(one, sizes) for one in read.values())
    return features + 24 * nodes + 4 * sizes.pairs(NEIGHBOURS)


def entries(type: Type, sizes: Sizes) -> float:
    """Numbers of a value."""
    return sizes.rows(type.domain) * sizes.width(type.axes)
