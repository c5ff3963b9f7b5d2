"""A second module with the weights of the first, whose text shows values of the equations as it computes them."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from archspec.emit.build import build_module
from archspec.runtime.batch import Batch
from archspec.runtime.pairs import Pairs
from archspec.train.generators import untouched

See = Callable[[str, Tensor, Pairs | None], None]
"""Takes the name of a value, the value, and for a softmax the pairs that it is taken over."""


class Twin:
    """A module that computes what another does, looked at; the other one's buffers and all generators stay as they are.

    Parameters are those of the other module itself. Buffers, such as running means, are copied before every call.
    """

    def __init__(self, module: nn.Module, source: str, name: str):
        self.original = module
        with untouched():
            self.module = build_module(source, name)
        self.see: See = ignore
        for path, part in self.module.named_modules():
            part._parameters = module.get_submodule(path)._parameters
            part.see = self.shown(path)

    def shown(self, path: str) -> Callable[..., Tensor]:
        """What the text of a section calls: shows a value and gives it back."""

        def see(name: str, value: Tensor, over: Pairs | None = None) -> Tensor:
            self.see(f"{path}.{name}", value, over)
            return value

        return see

    def __call__(self, batch: Batch, see: See) -> Tensor:
        """The predictions for a batch, in the mode of the module; dropout draws what the next call of it would draw."""
        self.copy_buffers()
        self.module.train(self.original.training)
        self.see = see
        try:
            with untouched():
                result: Tensor = self.module(batch)
        finally:
            self.see = ignore
        return result

    def copy_buffers(self) -> None:
        """The buffers as they are now."""
        for path, part in self.module.named_modules():
            buffers = self.original.get_submodule(path)._buffers
            part._buffers = {name: None if one is None else one.clone() for name, one in buffers.items()}


def ignore(_name: str, _value: Tensor, _over: Pairs | None) -> None:
    """Looks at nothing."""


def first_graphs(batch: Batch, most: int) -> Batch:
    """The first graphs of a batch with no more nodes than that in all, at least one; without labels, targets' kept."""
    graphs = max(1, int(torch.searchsorted(batch.node_ptr, most, right=True)) - 1)
    if graphs >= batch.graphs:
        return batch
    nodes = int(batch.node_ptr[graphs])
    edges = int(batch.N.ptr[nodes])
    neighbours = Pairs(batch.N.ptr[: nodes + 1], batch.N.source[:edges], batch.N.symmetric)
    e = None if batch.e is None else batch.e[:edges]
    pos = None if batch.pos is None else batch.pos[:nodes]
    pair = None if batch.pair is None else batch.pair[batch.pair[:, 0] < nodes]
    return Batch(batch.x[:nodes], batch.node_ptr[: graphs + 1], neighbours, e=e, pos=pos, pair=pair)
