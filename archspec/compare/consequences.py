"""What follows from an architecture in numbers, side by side: one row of ROWS for each."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from math import isinf

from archspec.compare.receptive import receptive_field
from archspec.cost.bill import graphs_of
from archspec.cost.extent import Extent, of_facts
from archspec.cost.figures import total
from archspec.cost.memory import memory
from archspec.cost.parameters import count, uncounted
from archspec.diagnostics import SpecError
from archspec.facts import Facts
from archspec.ir.nodes import Program
from archspec.passes.schedule import BATCH, Plan
from archspec.syntax.spec import Spec

Number = float | None
"""None where it is not known: a size comes from data that is not there, or a module holds weights of its own."""


@dataclass(frozen=True)
class Checked:
    """A spec with its typed program, its plan, and what is known of its data."""

    spec: Spec
    program: Program
    plan: Plan
    facts: Facts | None

    @cached_property
    def extent(self) -> Extent:
        """A training batch of its data set, on average."""
        data = self.spec.settings.data
        return of_facts(self.facts, graphs_of(data.batch_size if data else BATCH, self.facts))


@dataclass(frozen=True)
class Row:
    """A quantity: its name, how it is counted, how a number is written, and how much more one is than another."""

    name: str
    of: Callable[[Checked], Number]
    text: Callable[[float], str]
    more: Callable[[float, float], str]


@dataclass(frozen=True)
class Consequence:
    """A quantity of two architectures, as text, and how much more the second has."""

    name: str
    old: str
    new: str
    more: str
    numbers: tuple[Number, Number]


def known(counted: Callable[[Checked], float]) -> Callable[[Checked], Number]:
    """What can be counted only where all sizes are known and all weights are archspec's."""

    def of(one: Checked) -> Number:
        try:
            return None if uncounted(one.program) else counted(one)
        except SpecError:
            return None

    return of


def flops(one: Checked) -> float:
    """Floating-point operations of a training step, forward and backward."""
    figures = total(one.plan, one.extent)
    count(one.program)  # refuses sizes that are not known
    return figures.flops + figures.backward


UNITS = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def short(number: float) -> str:
    """`1.84 G`, three digits."""
    unit, letter = next(((unit, letter) for unit, letter in UNITS if number >= unit), (1, ""))
    return f"{number / unit:.3g} {letter}".rstrip()


def in_steps(number: float) -> str:
    """`4 steps`, or the whole graph."""
    if isinf(number):
        return "whole graph" if number > 0 else "no features"
    return f"{number:.0f} step{'s' * (number != 1)}"


def difference(old: float, new: float) -> str:
    """`-880`."""
    return "" if old == new or isinf(old) or isinf(new) else f"{new - old:+,.0f}"


def share(old: float, new: float) -> str:
    """`+12 %`, or `× 30`."""
    if not old or abs(new / old - 1) < LEAST:
        return ""
    return f"× {new / old:.3g}" if new / old >= MANY else f"{new / old - 1:+.0%}".replace("%", " %")


LEAST = 0.005
"""Share from which on it is told."""

MANY = 10
"""How many times as much is told as such."""

ROWS = (
    Row("parameters", known(lambda one: count(one.program)), lambda number: f"{number:,.0f}", difference),
    Row("receptive field", lambda one: receptive_field(one.program), in_steps, difference),
    Row("FLOPs of a step", known(flops), short, share),
    Row(
        "memory of a step",
        known(lambda one: memory(one.plan, one.extent).total),
        lambda number: f"{short(number)}B",
        share,
    ),
)
"""What is told of two architectures; a step trains on a batch, each on that of its own data."""


def consequences(old: Checked, new: Checked) -> tuple[Consequence, ...]:
    """Every row for two specs."""
    return tuple(consequence(row, row.of(old), row.of(new)) for row in ROWS)


def consequence(row: Row, old: Number, new: Number) -> Consequence:
    """One row for two numbers."""
    before, after = ("not known" if number is None else row.text(number) for number in (old, new))
    more = "" if old is None or new is None else row.more(old, new)
    return Consequence(row.name, before, after, more, (old, new))
