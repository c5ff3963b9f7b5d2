"""A planned sweep as text: its cells, what they cost, and how long it all may take."""

from collections.abc import Sequence

from archspec.sweep.file import Sweep
from archspec.sweep.plan import Planned


def forecast(sweep: Sweep, cells: Sequence[Planned], seeds: Sequence[int], jobs: int) -> str:
    """What `--dry-run` shows."""
    solved = next((one.width[0] for one in cells if one.width), None)
    head = (*(axis.name for axis in sweep.axes), *((solved,) if solved else ()), "parameters", "a run", "")
    rows = [head, *(row(one) for one in cells)]
    once = [one for one in cells if one.twin is None]
    number, total = len(once), sum(one.seconds or 0 for one in once) * len(seeds)
    what = counted(len(cells), "cell")
    if sweep.search:  # the cells are the ends of its ranges
        number, total = sweep.search.trials, total / len(once) * sweep.search.trials
        what = counted(number, "trial")
    runs = number * len(seeds)
    each = " and ".join([", ".join(map(str, seeds[:-1])), str(seeds[-1])] if len(seeds) > 1 else [str(seeds[0])])
    lines = [
        f"{what}, {counted(len(seeds), 'seed')} ({each}): {counted(runs, 'run')}",
        f"forecast: {lasting(total / jobs)}" + (f" with {jobs} at a time" if jobs > 1 else ""),
    ]
    return "\n".join([*aligned(rows), "", *lines])


def row(one: Planned) -> tuple[str, ...]:
    """A cell."""
    width = (str(one.width[1]),) if one.width else ()
    time = "-" if one.seconds is None else lasting(one.seconds)
    twin = f"= {one.twin.name}" if one.twin else ""
    return (*one.cell.labels, *width, f"{one.parameters:,}", time, twin)


def lasting(seconds: float) -> str:
    """`0.4 s`, `40 s`, `12 min`, `3.5 h`."""
    if seconds < 90:
        return f"{seconds:.0f} s" if seconds >= 9.5 else f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def counted(number: int, noun: str) -> str:
    """`1 cell`, `2 cells`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Rows as lines, the columns flush."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["   ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in rows]
