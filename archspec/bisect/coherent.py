"""Which changes can be made without which others: a definition that refers to a new argument needs the one that has it.

What needs what is found by checking specs, without training any.
"""

from collections.abc import Callable, Iterator
from functools import cache, cached_property
from itertools import combinations

from archspec.bisect.minimise import Subset

Compiles = Callable[[Subset], bool]
"""Whether a spec with these changes compiles."""


class Coherent:
    """The sets of changes that make a spec that compiles. None at all and all together do."""

    def __init__(self, number: int, compiles: Compiles):
        self.whole: Subset = frozenset(range(number))
        self.compiles = cache(compiles)

    @cached_property
    def needs(self) -> dict[int, Subset]:
        """Every change with the others that it cannot be made without, as few as one search finds."""
        return {one: self.least(one) - {one} for one in sorted(self.whole)}

    def least(self, one: int) -> Subset:
        """The change, and from all others those that cannot be taken away, neither alone nor two at a time.

        Two that need each other go together; three that do only in a circle stay, so the answer of the search may be
        larger than it had to be, but is not wrong.
        """
        if self.compiles(frozenset({one})):
            return frozenset({one})
        kept = self.whole
        while (fewer := next((rest for rest in self.smaller(kept, one) if self.compiles(rest)), None)) is not None:
            kept = fewer
        return kept

    @staticmethod
    def smaller(kept: Subset, one: int) -> Iterator[Subset]:
        """A set without one or two of its changes, but never without a certain one."""
        others = sorted(kept - {one})
        yield from (kept - {other} for other in others)
        yield from (kept - {*two} for two in combinations(others, 2))

    def within(self, some: Subset) -> Subset | None:
        """These changes without those that need one that is not there; None where that does not compile either."""
        if self.compiles(some):
            return some
        kept = some
        while loose := {one for one in kept if not self.needs[one] <= kept}:
            kept = kept - loose
        return kept if self.compiles(kept) else None
