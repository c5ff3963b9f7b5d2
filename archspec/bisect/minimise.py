"""The smallest set of changes with which something is broken: delta debugging.

The algorithm is ddmin of Zeller and Hildebrandt, Simplifying and Isolating Failure-Inducing Input, IEEE Transactions on
Software Engineering 28(2), 2002, section 3.2: halves, then smaller parts, then all but one part, and again on what is
still broken. The set it ends with is 1-minimal: without any one of its changes it is not known to be broken. A smaller
set that is no part of it is not excluded. At most n² + 3n sets of n changes are asked for; of a single culprit about
2 log₂ n.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

Subset = frozenset[int]
"""Some of the changes, by their numbers."""

Broken = Callable[[Subset], Subset | None]
"""The changes of a set that were made, where it is broken with them; None where it works, or nobody knows."""


def minimise(whole: Subset, broken: Broken) -> Subset:
    """A 1-minimal part of a set that is broken.

    What `broken` answers may be smaller than what it was asked, where some changes cannot be made without others.
    """
    current, number = whole, 2
    while len(current) >= 2:
        pieces = parts(sorted(current), number)
        if smaller := first(broken, pieces):
            current, number = smaller, 2
        elif smaller := first(broken, (current - piece for piece in pieces) if number > 2 else ()):
            current, number = smaller, max(number - 1, 2)
        elif number < len(current):
            number = 2 * number
        else:
            return current
        number = min(number, len(current))
    return current


def first(broken: Broken, sets: Iterable[Subset]) -> Subset | None:
    """What is made of the first set that is broken."""
    return next((found for one in sets if (found := broken(one))), None)


def parts(changes: Sequence[int], number: int) -> list[Subset]:
    """The changes in so many parts of nearly one size, in order."""
    ends = [len(changes) * at // number for at in range(number + 1)]
    return [frozenset(changes[start:end]) for start, end in pairwise(ends)]


def most(number: int) -> int:
    """How many sets are asked for at most, of so many changes: those of the paper, or all that there are."""
    return min(2**number - 2, number**2 + 3 * number) if number > 1 else 0


def of_one_culprit(number: int) -> int:
    """How many sets are asked for at most where one of so many changes breaks it by itself."""
    return max((asked(number, culprit) for culprit in range(number)), default=0)


def asked(number: int, culprit: int) -> int:
    """How many different sets are asked for until a culprit is found."""
    seen: set[Subset] = set()

    def broken(one: Subset) -> Subset | None:
        seen.add(one)
        return one if culprit in one else None

    minimise(frozenset(range(number)), broken)
    return len(seen)
