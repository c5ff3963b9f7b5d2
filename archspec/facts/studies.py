"""The graphs of the receptive field study: what each can be set to, and how large it gets. Nothing is built here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Study:
    """A family of graphs, one for each value of its only option, a whole number."""

    option: str
    default: int
    smallest: int
    nodes: Callable[[int], int]
    """How many nodes the graph of a value has."""


STUDIES: Mapping[str, Study] = {
    "palindrome": Study("nodes", 4, 2, lambda nodes: nodes),
    "pyramid": Study("base", 10, 1, lambda base: base * (base + 1) // 2),
}
"""The studies by the name of their graph; what builds it is `archspec.data.plain`."""
