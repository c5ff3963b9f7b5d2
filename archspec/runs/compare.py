"""Two runs beside each other: their scores, and whether these may be compared at all."""

from collections.abc import Sequence
from dataclasses import dataclass

from archspec.facts import tasks
from archspec.runs.row import Row
from archspec.runs.table import figure
from archspec.train.folder import Record

FIGURES = ("val", "test", "last.val", "last.test", "parameters", "seconds_per_epoch", "epochs")
"""What is compared, in this order; `val` and `test` are the main score at the best validation epoch."""

TITLES = {"val": "validation", "test": "test", "last.val": "validation, last epoch", "last.test": "test, last epoch",
          "seconds_per_epoch": "seconds an epoch"}  # fmt: skip


@dataclass(frozen=True)
class Delta:
    """One figure of two runs."""

    title: str
    metric: str
    old: float | None
    new: float | None

    @property
    def change(self) -> float | None:
        """How much more the second one has."""
        return None if self.old is None or self.new is None else self.new - self.old

    @property
    def texts(self) -> tuple[str, str, str]:
        """Both figures and the change, as they are shown."""
        change = "–" if self.change is None else figure(self.metric, self.change)
        both = ("–" if value is None else figure(self.metric, value) for value in (self.old, self.new))
        return *both, f"+{change}" if self.change and self.change > 0 else change  # type: ignore[return-value]

    @property
    def better(self) -> bool | None:
        """Whether that is better; None where it is the same, or no score."""
        if not self.change or self.metric not in tasks.SCORES:
            return None
        return (self.change > 0) == tasks.score(self.metric).larger_is_better


def deltas(old: Row, new: Row) -> list[Delta]:
    """Every figure that one of two runs has; scores only where both have the same metric."""
    metric = str(old.fields.get("metric", ""))
    same = metric == new.fields.get("metric")
    rows = []
    for name in FIGURES:
        scored = name not in ("parameters", "seconds_per_epoch", "epochs")
        if scored and not same:
            continue
        key = f"{name}.{metric}" if name.startswith("last.") else name
        values = [value if isinstance(value := row.fields.get(key), int | float) else None for row in (old, new)]
        if values != [None, None]:
            title = f"{metric}, {TITLES[name]}" if scored else TITLES.get(name, name)
            rows.append(Delta(title, metric if scored else name, *values))
    return rows


def protocol_differences(old: Record | None, new: Record | None) -> Sequence[str]:
    """In what the protocols of two results differ, a line each; nothing where one run has no result yet."""
    from archspec.train.protocol import differences  # numpy comes with it

    return [str(one) for one in differences(old, new)] if old and new else []
