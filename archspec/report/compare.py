"""What one run changes of another: protocol, scores, architecture."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from archspec.compare.consequences import Checked
from archspec.compare.difference import differences
from archspec.compare.markup import html_lines
from archspec.facts import known
from archspec.report.evidence import Evidence
from archspec.runs.compare import Delta, deltas, protocol_differences


@dataclass(frozen=True)
class Comparison:
    """Two runs."""

    old: str
    new: str
    protocol: Sequence[str]
    """In what their protocols differ, a line each."""
    deltas: Sequence[Delta]
    difference: Markup | None
    """What the specs differ in; None where one cannot be read."""


def comparisons(first: Evidence, others: Sequence[Evidence]) -> Iterator[Comparison]:
    """Every other run against the first."""
    for other in others:
        protocol = protocol_differences(first.result, other.result)
        yield Comparison(first.name, other.name, protocol, deltas(first.row, other.row), difference(first, other))


def difference(one: Evidence, other: Evidence) -> Markup | None:
    """The difference of two specs as elements."""
    old, new = checked(one), checked(other)
    if old is None or new is None:
        return None
    return other.attempt(lambda: elements(html_lines(differences(old, new), (one.name, other.name))), None)


def elements(lines: Iterable[str]) -> Markup:
    """The elements of a difference, their headings below the page's own."""
    return Markup("\n".join(lines).replace("<h2>", "<h4>").replace("</h2>", "</h4>"))


def checked(one: Evidence) -> Checked | None:
    """A spec with its program."""
    if one.spec is None or one.compiled is None:
        return None
    data = one.spec.settings.data
    return Checked(one.spec, one.compiled.program, one.compiled.plan, known(data, None) if data else None)
