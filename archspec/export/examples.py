"""Graphs on which what is exported is compared with the spec's module, as the plain tensors of PyG's data."""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from archspec.equal.batch import joined
from archspec.equal.odd import graphs_for
from archspec.export.alone import Graphs, double
from archspec.facts import Facts
from archspec.reference import Graph
from archspec.runtime.averages import averages_of


def plain(graphs: Sequence[Graph]) -> Graphs:
    """Graphs one after the other; `batch` is left out of one alone."""
    first = [0]
    for graph in graphs:
        first.append(first[-1] + graph.nodes)
    edges = [(j + start, i + start) for graph, start in zip(graphs, first, strict=False) for i, j in graph.edges]
    asked = [(j + start, i + start) for graph, start in zip(graphs, first, strict=False) for i, j in graph.targets]
    number = torch.repeat_interleave(torch.arange(len(graphs)), torch.tensor(first).diff())
    return Graphs(
        torch.cat([graph.x for graph in graphs]),
        columns(edges),
        joined([graph.e for graph in graphs]),
        joined([graph.pos for graph in graphs]),
        number if len(graphs) > 1 else None,
        columns(asked) if any(graph.targets for graph in graphs) else None,
    )


def columns(pairs: Sequence[tuple[int, int]]) -> Tensor:
    """[2, pairs]"""
    return torch.tensor(pairs, dtype=torch.int64).view(-1, 2).T.contiguous()


def examples(module: nn.Module, facts: Facts) -> list[Graphs]:
    """Two graphs alone and all together, of those on which the module is finite: odd ones such as the set may hold."""
    sound = [graph for graph in graphs_for(facts) if finite(module, graph)]
    largest = sorted(sound, key=lambda graph: (graph.nodes, len(graph.edges)))
    return [plain([graph]) for graph in (*largest[:1], *largest[-1:])] + [plain(sound)]


def finite(module: nn.Module, graph: Graph) -> bool:
    """Whether a module has finite values on a graph, in evaluation."""
    with torch.no_grad():
        return bool(double(module).eval()(plain([graph])).isfinite().all())


def unknown_averages(module: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """Averages over a training set that is yet to be seen, by name, with values to compare with."""
    parts = averages_of(module)
    for name, part in module.named_modules():
        if any(part is one for one in parts) and bool(part.get_buffer("mean").isnan().any()):
            yield f"{name}.mean", torch.ones_like(part.get_buffer("mean"))
