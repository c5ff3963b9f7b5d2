"""The width at which an architecture has as many parameters as a budget allows."""

import re
from dataclasses import dataclass, replace

from archspec.check.checker import check
from archspec.check.suggest import nearest
from archspec.cost.parameters import count
from archspec.diagnostics import Diagnostic, SpecError
from archspec.facts import known
from archspec.source import Span
from archspec.syntax import tree
from archspec.syntax.load import load_library
from archspec.syntax.spec import Spec

LARGEST = 2**16
"""A size at most."""

STEPS = 64
"""Values that are tried one after the other to find those that compile: the number of heads divides a width."""


@dataclass(frozen=True)
class Solution:
    """The largest value of a size within the budget, and what the next one would take."""

    size: str
    value: int
    parameters: int
    step: int
    """How far values that compile are apart."""
    above: int
    """Parameters at the next value."""


def solve(spec: Spec, size: str, budget: int) -> Solution:
    """The largest whole number for a size with which a spec has no more parameters than the budget.

    Only values that compile are taken: they are assumed to be evenly apart, from the value that the spec has. Raises
    SpecError E0047 where the spec names no such size, where the parameters do not grow with it, or where even its least
    value takes too many, and what the spec itself is refused for.
    """
    at = spec.place("model", "sizes", size)
    start = value_of(spec, size)
    base = parameters(spec, size, start)
    step = distance(spec, size, start)
    if parameters(spec, size, start + step) <= base:
        raise refusal(f"the parameters do not grow with the size {size}", at, "solve for another size")
    values = range(start % step or step, LARGEST, step)
    place = last_within(spec, size, values, budget)
    taken, above = (counted(spec, size, value) for value in (values[place], values[place + 1]))
    if not 0 < taken <= budget:
        value, least = (values[place], taken) if taken else (values[place + 1], above)
        message = f"{size} = {value} already takes {least:,} parameters, more than the budget of {budget:,}"
        raise refusal(message, at, "make another size smaller, or the budget larger")
    return Solution(size, values[place], taken, step, above)


def value_of(spec: Spec, size: str) -> int:
    """The number that a spec gives a size."""
    if size not in spec.sizes:
        cure = nearest(size, spec.sizes) or f"its sizes are {', '.join(spec.sizes) or 'none'}"
        raise refusal(f"the spec has no size {size}", spec.place("model", "sizes"), cure)
    written = spec.sizes[size]
    if not isinstance(written, tree.Literal) or type(written.value) is not int:
        cure = "solve for a size that is a number"
        raise refusal(f"the size {size} is computed from others", spec.place("model", "sizes", size), cure)
    return written.value


def with_size(spec: Spec, size: str, value: int) -> Spec:
    """The spec with another number for a size."""
    return replace(spec, sizes={**spec.sizes, size: tree.Literal(spec.sizes[size].span, value)})


def parameters(spec: Spec, size: str, value: int) -> int:
    """Parameters with a value for a size. Raises SpecError where it does not compile."""
    facts = known(spec.settings.data, spec.place("data", "name"))
    return count(check(with_size(spec, size, value), facts, load_library()))


def counted(spec: Spec, size: str, value: int) -> int:
    """The same; 0 where it does not compile, as where a width leaves nothing for one of its parts."""
    try:
        return parameters(spec, size, value)
    except SpecError:
        return 0


def distance(spec: Spec, size: str, start: int) -> int:
    """How far it is from a value to the next that compiles; a step so large that none does is refused."""
    for step in range(1, STEPS + 1):
        if counted(spec, size, start + step):
            return step
    at = spec.place("model", "sizes", size)
    raise refusal(f"no value of {size} from {start + 1} to {start + STEPS} compiles", at, "solve for another size")


def last_within(spec: Spec, size: str, values: range, budget: int) -> int:
    """The place of the last value within the budget, or of the first; those too small to compile count as within."""
    low, high = 0, 1
    while high < len(values) - 1 and counted(spec, size, values[high]) <= budget:
        low, high = high, min(2 * high, len(values) - 1)
    while high - low > 1:
        middle = (low + high) // 2
        inside = counted(spec, size, values[middle]) <= budget
        low, high = (middle, high) if inside else (low, middle)
    return low


def refusal(message: str, at: Span | None, cure: str) -> SpecError:
    """E0047."""
    return SpecError([Diagnostic("E0047", message, at, help=cure)])


UNITS = {"": 1, "k": 1_000, "m": 1_000_000}


def budget_of(text: str) -> int:
    """`100k`, `1.5M`, `100_000` as a number. Raises SpecError E0044 for anything else."""
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)([km]?)", text.strip().lower().replace("_", "").replace(",", ""))
    number = int(float(found[1]) * UNITS[found[2]]) if found else 0
    if number < 1:
        message = f"`--budget {text}` is no number of parameters"
        raise SpecError([Diagnostic("E0044", message, help="such as `100k`, `1.5M` or `100000`")])
    return number
