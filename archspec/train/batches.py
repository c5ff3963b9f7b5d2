"""What a run says about its batches where they are not simply so many graphs."""

from collections.abc import Iterator

from torch.nn.modules.batchnorm import _BatchNorm

from archspec.data.batching import BatchSize
from archspec.train.display import counted
from archspec.train.engine import Engine

MIXED = (
    "note: batch norms see one size of graphs at a time in training and all of them in evaluation, which costs accuracy"
)
"""What is said of a model with batch norms and buckets."""


def lines(engine: Engine) -> Iterator[str]:
    """How many batches of nodes there are, how they are sorted, and which graphs are larger than a batch may be."""
    sampler, data = engine.sampler, engine.task.data
    if len(sampler.split) < 2:  # a batch is the whole graph
        return
    if sampler.size.unit != "graphs":
        graphs = len(sampler.split) / sampler.steps
        yield f"batches of at most {sampler.size}: {sampler.steps:,} an epoch, of {graphs:.1f} graphs on average"
    if sampler.buckets > 1:
        yield f"graphs of {sampler.buckets} batches at a time are sorted by their nodes, so that like sizes meet"
        if any(isinstance(part, _BatchNorm) for part in engine.module.modules()):
            yield MIXED
    for name, split in data.splits.items():
        size = sampler.size if name == "train" else engine.eval_size
        if alone := size.alone(split):
            yield alone_line(name, alone, size)


def alone_line(name: str, alone: int, size: BatchSize) -> str:
    """Graphs that no batch of that size can hold."""
    found, each = ("is", " and") if alone == 1 else ("are", ", each")
    return f"note: {counted(alone, 'graph')} of {name} {found} larger than {size}{each} a batch of its own"
