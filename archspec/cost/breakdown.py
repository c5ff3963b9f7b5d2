"""The costs of a model by definition or by operation, as numbers and as formulas."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from math import prod
from typing import Any

from archspec.cost.extent import Extent, Sizes
from archspec.cost.figures import Figures, Run
from archspec.cost.symbols import Symbols
from archspec.ir.nodes import Node, Program, full_name
from archspec.ir.ops import weights_of

Key = Callable[[Node], str]
"""What an operation is counted under: its definition, or its own name."""


@dataclass(frozen=True)
class Part:
    """Work that is done alike in several section instances, or a weight's node that each of them has for itself."""

    runs: tuple[Run, ...]
    weights: tuple[Node, ...]
    instances: frozenset[int]
    """0 is the input; the block instances follow."""

    def figures(self, sizes: Sizes) -> Figures:
        """Of one instance."""
        weights = sum(prod(one.shape) for node in self.weights for one in trained(sizes.sized(node)))
        return sum((run.figures(sizes) for run in self.runs), Figures(weights))


def trained(node: Node) -> Iterator[Any]:
    """The weights of a node that train."""
    return (weight for _, weight in weights_of(node) if weight.trainable)


def parts(program: Program, ran: Sequence[Run], key: Key) -> dict[str, list[Part]]:
    """What is run and what is learnt, by key, in the order of the model."""
    found: dict[str, list[Part]] = {}
    for name, instances in by_key(ran, key).items():
        alike: dict[tuple[Any, ...], set[int]] = {}
        for instance, runs in instances.items():
            alike.setdefault(signature(runs), set()).add(instance)
        several = [Part(tuple(instances[min(at)]), (), frozenset(at)) for at in alike.values()]
        found.setdefault(name, []).extend(several)
    for name, part in of_weights(program, key):
        found.setdefault(name, []).append(part)
    return found


def by_key(ran: Iterable[Run], key: Key) -> dict[str, dict[int, list[Run]]]:
    """Operations by key and by section instance."""
    found: dict[str, dict[int, list[Run]]] = {}
    for run in ran:
        found.setdefault(key(run.node), {}).setdefault(run.instance, []).append(run)
    return found


def signature(runs: Sequence[Run]) -> tuple[Any, ...]:
    """What is the same for instances that cost the same."""
    return tuple(
        (id(one.node), one.keeps_result, one.keeps_extra, one.reached, one.at.gradients, one.at.trains) for one in runs
    )


def of_weights(program: Program, key: Key) -> Iterator[tuple[str, Part]]:
    """Every weight once, those of the same node in several layers together."""
    nodes: dict[int, Node] = {}
    instances: dict[int, set[int]] = {}
    seen: set[str] = set()
    for instance, (path, section) in enumerate(program.sections()):
        for node in section.nodes:
            names = {full_name(path, name) for name, one in weights_of(node) if one.trainable}
            if names - seen:
                nodes[id(node)] = node
                instances.setdefault(id(node), set()).add(instance)
            seen |= names
    for identity, node in nodes.items():
        yield key(node), Part((), (node,), frozenset(instances[identity]))


def numbers(several: Iterable[Part], extent: Extent) -> Figures:
    """What parts cost together."""
    found = Figures()
    for part in several:
        once = part.figures(extent)
        found += Figures(*(len(part.instances) * value for value in values(once)))
    return found


def values(figures: Figures) -> list[Any]:
    """The figures in order."""
    return [getattr(figures, one.name) for one in fields(figures)]


def formulas(several: Iterable[Part], symbols: Symbols, layers: int) -> Figures:
    """The same as formulas: what every one of several layers does alike is multiplied with their number's symbol."""
    found: list[dict[Any, list[int]]] = [{} for _ in fields(Figures)]
    for part in several:
        for place, value in zip(found, values(part.figures(symbols)), strict=True):
            place.setdefault(value, []).extend(part.instances)
    return Figures(*(sum(value * times(at, symbols, layers) for value, at in place.items()) for place in found))


def times(instances: Sequence[int], symbols: Symbols, layers: int) -> Any:
    """How often something is done: the symbol for once in every layer, and a number for the rest."""
    left = list(instances)
    every, whole = list(range(1, layers + 1)), 0
    while layers > 1 and all(at in left for at in every):
        whole += 1
        for at in every:
            left.remove(at)
    return whole * symbols.layers + len(left)


def by_name(found: Mapping[str, Sequence[Part]], extent: Extent) -> dict[str, Figures]:
    """The figures of every key."""
    return {name: numbers(several, extent) for name, several in found.items()}
