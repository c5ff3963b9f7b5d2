"""A layer of the library beside PyG's with the same weights: how far apart outputs and gradients are."""

from collections.abc import Callable
from dataclasses import dataclass
from inspect import signature

import torch
from torch import Tensor, nn

from archspec.equal.differences import Differences, difference
from archspec.pipeline import build
from archspec.syntax.load import parse_spec
from tests.compiling import NUMBERS, forced
from tests.graphs import Shape
from tests.parity.layers import HEADS, D, Row
from tests.test_runtime import make

SPEC = f"""
name: parity
model:
  sizes: {{d: {D}, heads: {HEADS}, c: d / heads, c2: c, dp: d}}
  input: |
    x = encode(x, d)
    e[i, j in N] = x[i] * x[j]
    p[i, j in V] = x[i] * x[j]
  stack: layer
  output: linear(x, out)
  where:
    layer: |
      {{text}}
"""
"""The layer is called alone: where its x, e and p come from does not matter."""


Named = dict[str, Tensor]


@dataclass(frozen=True)
class Pair:
    """Both layers with the same weights."""

    row: Row
    ours: nn.Module
    theirs: nn.Module

    def train(self, mode: bool) -> "Pair":
        """Both in training, or both in evaluation."""
        self.ours.train(mode)
        self.theirs.train(mode)
        return self


def pair(row: Row, backend: str = "") -> Pair:
    """The layer compiled from the row's text, with random weights, and PyG's with the same."""
    spec = parse_spec(SPEC.replace("{text}", row.layer))
    ours = shaken(build(spec, NUMBERS, forced(backend)).module.layers[0])
    theirs = row.theirs().double()
    weights = Counted(ours.state_dict())
    theirs.load_state_dict(row.copied(weights, theirs.state_dict()))
    assert weights.read == set(weights), "PyG's has a weight for every one of ours"
    return Pair(row, ours, theirs)


class Counted(dict[str, Tensor]):
    """Tensors that know which of them were read."""

    def __init__(self, tensors: dict[str, Tensor]) -> None:
        super().__init__(tensors)
        self.read: set[str] = set()

    def __getitem__(self, name: str) -> Tensor:
        self.read.add(name)
        return super().__getitem__(name)


def shaken(module: nn.Module) -> nn.Module:
    """The module in float64, its parameters and running statistics drawn anew."""
    for name, tensor in module.state_dict().items():
        if name.endswith(("running_var", "usual.mean")):
            tensor.uniform_(0.5, 2)
        elif tensor.is_floating_point():
            tensor.normal_()
    return module.double()


def compare(pair: Pair, shapes: list[Shape]) -> Differences:
    """Outputs, and gradients of x, of the features of pairs and of every weight, on one batch of graphs."""
    batch = make(shapes)
    x = torch.randn(batch.nodes, D, dtype=torch.float64)
    pairs = batch.pairs(pair.row.over)
    e = torch.randn(len(pairs.index), D, dtype=torch.float64)
    edges = torch.stack([pairs.index.long(), pairs.target.long()])
    wanted = ["x" if name == "x" else "e or p" for name in list(signature(pair.ours.forward).parameters)[1:]]
    ours = results(pair.ours, lambda x, e: pair.ours(batch, *({"x": x, "e or p": e}[name] for name in wanted)), x, e)
    theirs = results(pair.theirs, lambda x, e: pair.row.run(pair.theirs, x, e, edges, batch.graph), x, e)
    return apart(pair, ours, theirs)


def apart(pair: Pair, ours: Named, theirs: Named) -> Differences:
    """The differences of results, ours under PyG's names."""
    names = {name for name, _ in pair.theirs.named_parameters()}
    known = {name: one for name, one in ours.items() if name in (*OUTPUTS, *INPUTS)}
    renamed = known | pair.row.copied(ours, names)
    assert set(renamed) == set(theirs), "every weight and result of PyG's has one of ours"
    kinds = {name: "output" if name in OUTPUTS else "gradient" for name in renamed}
    return Differences(tuple(difference(kinds[name], name, one, theirs[name]) for name, one in renamed.items()))


OUTPUTS, INPUTS = ("x after the layer", "e or p after the layer"), ("of x", "of e or p")


def results(module: nn.Module, run: Callable[..., Tensor | tuple[Tensor, ...]], *inputs: Tensor) -> Named:
    """Outputs, and gradients of the inputs and of the parameters, for fixed cotangents."""
    module.zero_grad()
    leaves = [one.clone().requires_grad_() for one in inputs]
    made = run(*leaves)
    outputs = dict(zip(OUTPUTS, made if isinstance(made, tuple) else (made,), strict=False))
    torch.manual_seed(0)
    torch.autograd.backward(tuple(outputs.values()), tuple(torch.randn_like(one) for one in outputs.values()))
    grads = dict(zip(INPUTS, leaves, strict=True)) | dict(module.named_parameters())
    return {name: one.detach() for name, one in outputs.items()} | {
        name: torch.zeros_like(one) if one.grad is None else one.grad.clone() for name, one in grads.items()
    }
