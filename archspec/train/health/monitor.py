"""Holds what is measured against the table of signs, and makes an event of what is new."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from archspec.train.health.figures import four
from archspec.train.health.record import Event, Place
from archspec.train.health.signs import SIGNS


@dataclass(frozen=True)
class Measure:
    """A number that a sign is about, and what its message says beside it."""

    sign: str
    name: str
    value: float
    more: dict[str, object] = field(default_factory=dict)
    place: Place | None = None


@dataclass
class Monitor:
    """What has been seen so far of every sign at every name."""

    streaks: dict[str, int] = field(default_factory=dict)
    """How often in a row it was above its threshold."""
    told: list[str] = field(default_factory=list)

    def judge(self, measures: Iterable[Measure], epoch: int, step: int) -> list[Event]:
        """Events for what stands above its threshold for long enough and was not told before."""
        return [made for one in measures if (made := self.one(one, epoch, step))]

    def one(self, measure: Measure, epoch: int, step: int) -> Event | None:
        """The event of one number, if it is one."""
        sign, key = SIGNS[measure.sign], f"{measure.sign} {measure.name}"
        self.streaks[key] = self.streaks.get(key, 0) + 1 if measure.value > sign.threshold else 0
        once = f"{sign.name} in epoch {epoch}" if sign.told == "once an epoch" else key
        if self.streaks[key] < sign.times or once in self.told:
            return None
        self.told.append(once)
        said = sign.says.format(name=measure.name, value=measure.value, **measure.more)
        return {
            "epoch": epoch,
            "step": step,
            "sign": sign.name,
            "name": measure.name,
            "place": measure.place,
            "value": four(measure.value),
            "threshold": sign.threshold,
            "message": said,
            "help": sign.help,
        }

    def state(self) -> dict[str, Any]:
        """Plain values."""
        return {"streaks": dict(self.streaks), "told": list(self.told)}

    def restore(self, kept: dict[str, Any]) -> None:
        """Go on from there."""
        self.streaks, self.told = dict(kept["streaks"]), list(kept["told"])
