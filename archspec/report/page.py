"""The page: one HTML file with everything in it, made from the template beside this."""

from collections.abc import Sequence
from pathlib import Path

from archspec.report import curves
from archspec.report.compare import Comparison, comparisons
from archspec.report.evidence import Evidence, read
from archspec.report.template import rendered
from archspec.report.view import overview, view

HERE = Path(__file__).parent


def page(paths: Sequence[Path]) -> str:
    """The page on the runs of some folders."""
    runs = [read(path) for path in paths]
    several = len(runs) > 1
    return rendered(
        HERE / "page.html",
        title=title(runs),
        overview=overview(runs),
        together=curves.together(runs) if several else [],
        comparisons=compared(runs) if several else [],
        views=[view(one, number) for number, one in enumerate(runs, 1)],
    )


def compared(runs: Sequence[Evidence]) -> list[Comparison]:
    """What every other run changes of the first."""
    return list(comparisons(runs[0], runs[1:]))


def title(runs: Sequence[Evidence]) -> str:
    """What the page is called."""
    names = [Path(one.name).name for one in runs]
    return (
        names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more" if len(names) > 3 else ", ".join(names)
    )
