"""The passes in order. Each takes a well-formed program and gives one that computes the same."""

from collections.abc import Callable

from archspec.ir.nodes import Program
from archspec.ir.verify import verify
from archspec.passes.factor import factor
from archspec.passes.fold import fold
from archspec.passes.fuse import fuse, fuse_apart
from archspec.passes.group import group
from archspec.passes.hoist import hoist
from archspec.passes.narrow import narrow
from archspec.passes.share import share
from archspec.passes.split import split

Observer = Callable[[str, Program], None]

Pass = Callable[[Program], Program]

PASSES: tuple[Pass, ...] = (
    fold,  # numbers are computed, x * 1 is x
    share,  # equal subexpressions are one
    narrow,  # b[i,j] of linear(hops(0..4)) is linear of hops(0..4)[i,j]
    hoist,  # linear(x[j]) is linear(x)[j]
    split,  # linear(x[i] + x[j]) is linear(x)[i] + linear(x)[j]
    factor,  # sum(w[i] * x[j]) is w * sum(x[j])
    share,  # what the two made equal
    group,  # sum(w[i,j] * x[j] / s[i,j]) is sum((w / s)[i,j] * x[j])
    fuse,  # sums over pairs are sparse products and attention
)


APART: tuple[Pass, ...] = (*PASSES[:-1], fuse_apart)
"""The same, but the weights of attention remain a value that can be looked at."""


def nobody(name: str, program: Program) -> None:
    """Watches no pass."""


def optimise(program: Program, observe: Observer = nobody, passes: tuple[Pass, ...] = PASSES) -> Program:
    """Run every pass in order; the program stays well formed after each, and `observe` sees it."""
    verify(program)
    for rewrite in passes:
        program = rewrite(program)
        verify(program)
        observe(rewrite.__name__, program)
    return program
