"""Conditions on rows, `test > 85 and data.name = pattern`: read here, never run as code."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from archspec.check.suggest import nearest
from archspec.diagnostics import Diagnostic, SpecError
from archspec.runs.row import Row
from archspec.track.about import Plain

CONDITION = re.compile(r"\s*(?P<field>[\w.()*]+)\s*(?P<sign><=|>=|!=|<|>|==?|~)\s*(?P<value>\S(?:.*\S)?)\s*")

SIGNS: dict[str, Callable[[Any, Any], bool]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "=": lambda a, b: a == b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
}
"""Comparisons: of numbers where both sides are numbers, else of texts, so that dates compare as they should."""


@dataclass(frozen=True)
class Condition:
    """`field sign value`."""

    field: str
    sign: str
    value: Plain

    def __call__(self, row: Row) -> bool:
        """Whether it holds of a row; not where the row lacks the field."""
        if self.field not in row.fields:
            return False
        found = row.fields[self.field]
        if self.sign == "~":
            return fnmatchcase(str(found), str(self.value))
        if isinstance(found, bool) or not (isinstance(found, int | float) and isinstance(self.value, int | float)):
            return SIGNS[self.sign](str(found).lower(), str(self.value).lower())
        return SIGNS[self.sign](found, self.value)


def read(text: str) -> list[Condition]:
    """Conditions joined by `and`. E0671 for what is none."""
    return [condition(part) for part in re.split(r"\band\b", text)]


def condition(text: str) -> Condition:
    """One condition."""
    found = CONDITION.fullmatch(text)
    if found is None:
        help = "such as `test > 85`, `state = finished` or `name ~ gin*`, joined by `and`"
        raise SpecError([Diagnostic("E0671", f"`{text.strip()}` is no condition", help=help)])
    value = found["value"].strip("\"'") or found["value"]
    return Condition(found["field"], found["sign"], number(value))


def number(text: str) -> Plain:
    """A number where a text is one."""
    try:
        return float(text)
    except ValueError:
        return text


def check_fields(fields: Iterable[str], rows: Iterable[Row]) -> None:
    """E0670 for a field that no run has."""
    known = {name for row in rows for name in row.fields} | set(COLUMNS)
    for field in fields:
        if known and field not in known:
            help = (
                nearest(field, known) or f"the columns are {', '.join(COLUMNS)}; settings and scores go by their path"
            )
            raise SpecError([Diagnostic("E0670", f"no run has a field `{field}`", help=help)])


COLUMNS = ("run", "state", "epochs", "metric", "val", "test", "parameters", "seed", "started")
"""The columns of the table."""
