"""A histogram of whole numbers, as text and as a picture."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from xml.sax.saxutils import escape

ROWS = 15
"""Bars at most."""

WIDE = 8
"""Where the largest value is so many times the mean, the bars double in width from one to the next."""

EIGHTHS = " ▏▎▍▌▋▊▉"


@dataclass(frozen=True)
class Bar:
    """The values first … last and how many there are."""

    first: int
    last: int
    count: int

    @property
    def name(self) -> str:
        """`3` or `4 – 7`."""
        return f"{self.first:,}" if self.first == self.last else f"{self.first:,} – {self.last:,}"


def bars(counts: Sequence[int]) -> list[Bar]:
    """How often 0, 1, 2, … occur, as bars from the first that does to the last."""
    there = [value for value, count in enumerate(counts) if count]
    if not there:
        return []
    total = sum(counts)
    mean = sum(value * count for value, count in enumerate(counts)) / total
    doubling = there[-1] > max(WIDE * mean, ROWS)
    edges = list(doubled(there[-1]) if doubling else equal(there[0], there[-1]))
    return [
        Bar(first, min(last, there[-1] + 1) - 1, sum(counts[first:last]))
        for first, last in pairwise(edges)
        if last > there[0]
    ]


def doubled(last: int) -> Iterator[int]:
    """0, 1, 2, 4, 8, … up to one above the last value."""
    yield 0
    edge = 1
    while edge <= last:
        yield edge
        edge *= 2
    yield edge


def equal(first: int, last: int) -> range:
    """Edges of bars of one round width that hold first … last."""
    least = (last - first + ROWS) // ROWS
    width = next(one * 10**power for power in range(20) for one in (1, 2, 5) if one * 10**power >= least)
    start = first // width * width
    return range(start, last + width + 1, width)


def text(found: Sequence[Bar], width: int = 40) -> list[str]:
    """A line for every bar, the longest of this width."""
    total, most = sum(bar.count for bar in found), max((bar.count for bar in found), default=0)
    names = max((len(bar.name) for bar in found), default=0)
    return [
        f"{bar.name:>{names}}  {line(width * bar.count / most):<{width}} {100 * bar.count / total:5.1f} %"
        for bar in found
    ]


def line(length: float) -> str:
    """A bar of this length in eighths of a character; what is there is seen."""
    eighths = max(1, round(8 * length)) if length else 0
    return ("█" * (eighths // 8) + EIGHTHS[eighths % 8]).rstrip()


BAR, GAP, LEFT, LONGEST, TOP = 18, 4, 110, 420, 34
"""Pixels."""


def svg(found: Sequence[Bar], title: str) -> str:
    """The bars as a picture that needs nothing else."""
    total, most = sum(bar.count for bar in found), max((bar.count for bar in found), default=0)
    height = TOP + len(found) * (BAR + GAP) + GAP
    parts = [f'<text x="{LEFT}" y="20" font-weight="bold">{escape(title)}</text>']
    for number, bar in enumerate(found):
        y, length = TOP + number * (BAR + GAP), LONGEST * bar.count / most
        share = f"{100 * bar.count / total:.1f} %"
        parts += [
            f'<text x="{LEFT - 8}" y="{y + 13}" text-anchor="end">{bar.name}</text>',
            f'<rect x="{LEFT}" y="{y}" width="{length:.1f}" height="{BAR}" fill="#4878a8"/>',
            f'<text x="{LEFT + length + 6:.1f}" y="{y + 13}">{share}</text>',
        ]
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + LONGEST + 70}" height="{height}"'
    return "\n".join([f'{head} font-family="sans-serif" font-size="12">', *parts, "</svg>", ""])
