"""The graphs of the receptive field study: what each can be set to, and how large it then is. Nothing is built here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from archspec.facts.table import Facts
from archspec.syntax.schema import Scalar


@dataclass(frozen=True)
class Study:
    """A family of graphs, one for each value of its only option, a whole number."""

    option: str
    default: int
    smallest: int
    nodes: Callable[[int], int]
    """How many nodes the graph of a value has."""
    edges: Callable[[int], int]
    """How many directed edges it has."""
    labels: Callable[[int], int]
    """How many classes its nodes have, at least two."""


STUDIES: Mapping[str, Study] = {
    "palindrome": Study(
        "nodes", 4, 2, lambda nodes: nodes, lambda nodes: 2 * (nodes - 1), lambda nodes: max(2, (nodes + 1) // 2)
    ),
    "pyramid": Study(
        "base", 10, 1, lambda base: base * (base + 1) // 2, lambda base: 3 * base * (base - 1), lambda base: 3
    ),
}
"""The studies by the name of their graph; what builds it is `archspec.data.plain`."""


def sized(name: str, facts: Facts, options: Mapping[str, Scalar]) -> Facts:
    """The facts of a data set; of the graphs of the study those that its option gives them."""
    study = STUDIES.get(name.removesuffix("_pairs"))
    value = options.get(study.option) if study else None
    if study is None or type(value) is not int or value < study.smallest:  # else the data set is not made either
        return facts
    nodes, edges = study.nodes(value), study.edges(value)
    out = facts.out if facts.level == "pair" else study.labels(value)
    return replace(facts, out=out, nodes=float(nodes), edges=float(edges), max_nodes=nodes, density=edges / nodes**2)
