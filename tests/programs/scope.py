"""What a random expression may name: sizes and sets, and the values there are so far."""

from dataclasses import dataclass, field

SIZES = {"d": 4, "heads": 2, "c": 2, "d2": 4}
Axes = tuple[str, ...]
AXES: tuple[Axes, ...] = ((), ("d",), ("heads",), ("c",), ("heads", "c"))
SETS = ("N", "N + i", "V", "near", "reach(0)", "reach(1)", "reach(2)", "N - i", "V - i", "expander(2)", "ball", "tail")
DEFINED = {"near": "reach(2)", "ball": "V if distance[i, j] <= 2", "tail": "N if not degree[j] > 2"}
"""Sets that every spec defines in `where`."""
REFLEXIVE = ("N + i", "V", "near", "reach(0)", "reach(1)", "reach(2)")
ORDER = {"N": 0, "reach(0)": 0, "N + i": 1, "reach(1)": 2, "near": 3, "reach(2)": 3, "V": 9}
"""A set holds every pair of those with smaller numbers, and of itself."""


@dataclass
class Scope:
    """Names that may be used: (name, axes) per node and per graph, (name, axes, set) per pair, and their lines."""

    nodes: list[tuple[str, Axes]]
    graphs: list[tuple[str, Axes]] = field(default_factory=list)
    pairs: list[tuple[str, Axes, str]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    sets: dict[str, str] = field(default_factory=lambda: {"ball": "V", "tail": "N"})
    """Named sets with a condition, and the sets they are made from."""
    known: str = "c > 1"
    """A condition that is settled before training."""

    def fresh(self, stem: str) -> str:
        """A name for the next line."""
        return f"{stem}{len(self.lines) + 1}"

    def within(self, small: str, large: str) -> bool:
        """Whether every pair of a set is surely one of another's."""
        if small == large or large in self.sets:
            return small == large
        if small in self.sets:
            return self.within(self.sets[small], large)
        if large.endswith(" + i"):
            return self.within(small, large.removesuffix(" + i")) or plain(small, large)
        if small.endswith(" - i") and small not in ORDER:
            return self.within(small.removesuffix(" - i"), large) or plain(small, large)
        return plain(small, large)


def plain(small: str, large: str) -> bool:
    """The same for sets without conditions."""
    if small == large or "expander" in large or large not in (*ORDER, "V - i"):
        return small == large
    if large == "V - i":
        return small in ("N - i", "expander(2)")
    if "expander" in small:
        return large == "V"
    small = small.removesuffix(" - i")
    return small in ORDER and (small == large or ORDER[small] < ORDER[large])
