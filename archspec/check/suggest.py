"""What a mistyped name may have meant."""

from collections.abc import Iterable
from difflib import get_close_matches


def closest(name: str, known: Iterable[str]) -> str:
    """The known name that a mistyped one may stand for, or ""."""
    names = sorted(set(known))
    lowered = {one.lower(): one for one in names}
    found = get_close_matches(name, names, n=1, cutoff=0.6) or get_close_matches(name.lower(), lowered, n=1, cutoff=0.6)
    return lowered.get(found[0], found[0]) if found else ""


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint with the nearest known name, or ""."""
    found = closest(name, known)
    return f"write `{found}`" if found else ""
