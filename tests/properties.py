"""What every architecture must be like, whatever it computes: one row a property, each a function of a compiled spec.

`expander` and `laplacian_pe` depend on how nodes are numbered, by design, and are left out where nodes are renumbered.
"""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from unittest.mock import patch

import torch
from torch import Tensor, nn

from archspec.equal.batch import packed
from archspec.equal.compare import double_precision, prepared
from archspec.reference import Graph
from archspec.runtime import attention
from archspec.runtime.batch import Batch
from tests.compiling import Case
from tests.graphs import permuted

Pair = tuple[Tensor, Tensor]
"""Two tensors that have to be the same."""

NUMBERED = ("expander", "laplacian_pe")


def predicted(module: nn.Module, graphs: Sequence[Graph]) -> Tensor:
    """The prediction for a batch."""
    with double_precision(), torch.no_grad():
        return module(packed(graphs))


def alone(case: Case, graphs: Sequence[Graph]) -> Iterator[Pair]:
    """In evaluation a graph gets what it gets without its batch mates."""
    module = prepared(case.built.module, case.weights, training=False)
    for graph, together in zip(graphs, predicted(module, graphs).split(case.rows([*graphs])), strict=True):
        yield predicted(module, [graph]), together


def renumbered(case: Case, graphs: Sequence[Graph], training: bool = True) -> Iterator[Pair]:
    """Nodes in another order get the same, in that order."""
    if any(name in case.built.code for name in NUMBERED):
        return
    orders = [torch.randperm(graph.nodes, generator=torch.Generator().manual_seed(graph.nodes)) for graph in graphs]
    others = [permuted(graph, order.tolist()) for graph, order in zip(graphs, orders, strict=True)]
    rows = case.rows([*graphs])
    one, other = (predicted(prepared(case.built.module, case.weights, training), batch) for batch in (graphs, others))
    for graph, before, after, order in zip(graphs, one.split(rows), other.split(rows), orders, strict=True):
        yield after, before[case.places(graph, order.tolist())]


def unpadded(case: Case, graphs: Sequence[Graph]) -> Iterator[Pair]:
    """Attention in its padded form, the one for accelerators, reads nothing of what stands in the padding."""
    if "attention_sdpa" in case.built.code:
        module = prepared(case.built.module, case.weights, training=False)
        apart = torch.cat([predicted(module, [graph]) for graph in graphs])
        with padded(module):
            yield predicted(module, graphs), apart


def single(case: Case, graphs: Sequence[Graph]) -> Iterator[Pair]:
    """In float32, with torch's defaults as they are, the prediction is of that type, and finite with its gradients."""
    module = prepared(case.built.module, case.weights, training=True).float()
    found = module(packed([in_single(graph) for graph in graphs]))
    yield torch.tensor(float(found.dtype == torch.float32)), torch.tensor(1.0)
    if found.requires_grad:
        found.square().sum().backward()
    grads = [weight.grad for weight in module.parameters() if weight.grad is not None]
    for one in (found, *grads):
        yield one.detach().isfinite().double(), torch.ones_like(one, dtype=torch.float64)


def in_single(graph: Graph) -> Graph:
    """The graph with numbers in float32."""
    parts = {name: getattr(graph, name) for name in ("x", "e", "pos")}
    floats = {name: part.float() for name, part in parts.items() if part is not None and part.is_floating_point()}
    return replace(graph, **floats)


@contextmanager
def padded(module: nn.Module, junk: float = 1e6) -> Iterator[None]:
    """Within it, attention over V is torch's on padded graphs, with large numbers in the padding."""
    zeros = attention.pad

    def poisoned(batch: Batch, x: Tensor) -> Tensor:
        real = batch.padding.mask.view(*batch.padding.mask.shape, *[1] * (x.dim() - 1))
        return torch.where(real, zeros(batch, x), junk)

    emitted = sys.modules[type(module).__module__]
    with (
        patch.object(emitted, "attention_sdpa", attention.padded_attention),
        patch.object(attention, "pad", poisoned),
    ):
        yield


PROPERTIES: Mapping[str, Callable[[Case, Sequence[Graph]], Iterator[Pair]]] = {
    "batch mates": alone,
    "numbering": renumbered,
    "padding": unpadded,
    "single precision": single,
}
