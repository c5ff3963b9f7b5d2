"""What follows from an architecture in numbers, side by side: one row of ROWS for each."""

from collections.abc import Callable
from dataclasses import dataclass
from math import isinf

from archspec.compare.receptive import receptive_field
from archspec.cost.parameters import count, uncounted
from archspec.diagnostics import SpecError
from archspec.facts import Facts
from archspec.ir.nodes import Program

Number = float | None


@dataclass(frozen=True)
class Row:
    """A quantity: what it is called, how it is counted (None where it is not known), and how a number is written."""

    name: str
    of: Callable[[Program, Facts | None], Number]
    text: Callable[[Number], str]


@dataclass(frozen=True)
class Consequence:
    """A quantity of two architectures, as text, and how much more the second has."""

    name: str
    old: str
    new: str
    more: str
    numbers: tuple[Number, Number]


def parameters(program: Program, facts: Facts | None) -> Number:
    """Trainable numbers; None where a size comes from data that is not there, or a module holds some of its own."""
    try:
        return None if uncounted(program) else count(program)
    except SpecError:
        return None


def whole(number: Number) -> str:
    """`100,884`."""
    return "not known" if number is None else f"{number:,.0f}"


def in_steps(number: Number) -> str:
    """`4 steps`, or the whole graph."""
    if number is None:
        return "not known"
    if isinf(number):
        return "whole graph" if number > 0 else "no features"
    return f"{number:.0f} step{'s' * (number != 1)}"


ROWS = (
    Row("parameters", parameters, whole),
    Row("receptive field", lambda program, facts: receptive_field(program), in_steps),
)
"""What is told of two architectures."""


def consequences(
    programs: tuple[Program, Program], facts: tuple[Facts | None, Facts | None]
) -> tuple[Consequence, ...]:
    """Every row for two programs."""
    return tuple(consequence(row, programs, facts) for row in ROWS)


def consequence(row: Row, programs: tuple[Program, Program], facts: tuple[Facts | None, Facts | None]) -> Consequence:
    """One row for two programs."""
    old, new = (row.of(program, known) for program, known in zip(programs, facts, strict=True))
    apart = None if None in (old, new) or isinf(old or 0) or isinf(new or 0) else (new or 0) - (old or 0)
    more = f"{apart:+,.0f}" if apart else ""
    return Consequence(row.name, row.text(old), row.text(new), more, (old, new))
