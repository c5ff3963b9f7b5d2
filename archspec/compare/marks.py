"""A marked text: which parts of an equation are gone and which are new; and what happened to it, edit by edit."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

GONE, GONE_END, NEW, NEW_END = "\1", "\2", "\3", "\4"
"""Where a part that is gone or new begins and ends, in a marked text."""

EDIT = 1
"""What each edit costs besides the size of its part, so that few edits are better than many."""


@dataclass(frozen=True)
class Remark:
    """What happened to a part: `kind` is a row of `remarks.WORDS`."""

    kind: str
    what: str
    where: str = ""


@dataclass(frozen=True)
class Alike:
    """Two expressions aligned: what it costs, the marked text with how tightly it binds, what happened."""

    cost: int
    level: int
    text: str
    remarks: tuple[Remark, ...] = ()


@dataclass(frozen=True)
class Step:
    """One item of an aligned sequence: it stays (" "), goes (-) or comes (+)."""

    sign: str
    cost: int
    alike: Alike
    remarks: tuple[Remark, ...] = ()
    old: int = -1
    fresh: int = -1


def gone(text: str) -> str:
    """Marked as gone."""
    return f"{GONE}{text}{GONE_END}" if text else ""


def new(text: str) -> str:
    """Marked as new."""
    return f"{NEW}{text}{NEW_END}" if text else ""


PAINT: Mapping[str, Callable[[str], str]] = {"-": gone, "+": new, " ": str}
"""How a part is marked, by what became of it."""


def joined(steps: Sequence[Step], separator: str) -> str:
    """The items with separators between them, those of what comes or goes marked with it."""
    first = next((at for at, step in enumerate(steps) if step.sign == " "), len(steps))
    texts = []
    for at, step in enumerate(steps):
        paint = PAINT[step.sign]
        behind = any(one.sign == step.sign or one.sign == " " for one in steps[at + 1 :])
        ahead = any(one.sign == step.sign for one in steps[:at])
        if first == len(steps):
            texts.append(paint((separator if ahead else "") + step.alike.text))
        elif at < first:
            texts.append(paint(step.alike.text + (separator if behind else "")))
        else:
            texts.append((paint(separator) if at > first else "") + paint(step.alike.text))
    return "".join(texts).replace(GONE_END + GONE, "").replace(NEW_END + NEW, "")
