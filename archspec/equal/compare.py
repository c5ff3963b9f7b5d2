"""A compiled module against the reference: the same weights, the same graphs, outputs and gradients in float64."""

import copy
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from archspec.equal.batch import by_target, packed
from archspec.equal.differences import Differences, difference
from archspec.ir.nodes import Node, Program, Section
from archspec.ir.settings import Drawn, frozen, initial
from archspec.ir.trainable import trainable
from archspec.passes.rewrite import with_roots
from archspec.reference import Graph, outcome
from archspec.reference.graph import pairs


@dataclass(frozen=True)
class Result:
    """A prediction for all graphs and the penalty, and gradients of a random linear function of both, by name; 0 for
    what has no part."""

    prediction: Tensor
    gradients: Mapping[str, Tensor]
    penalty: Tensor


def compare(
    module: nn.Module, program: Program, graphs: Sequence[Graph], weights: Mapping[str, Tensor], training: bool = False
) -> Differences:
    """Outputs, and gradients by every weight and by numeric raw data, of a module and of the program it was made from.

    `weights` go by their names in `state_dict`. The module itself stays as it is. Dropout is off on both sides, in
    training too.
    """
    if problems := (*weight_problems(module, weights), *settings_problems(module, program)):
        return Differences(weights=problems)
    ours = of_module(module, graphs, weights, training)
    return differences(ours, of_reference(program, graphs, weights, training))


def differences(ours: Result, reference: Result) -> Differences:
    """The prediction, and every gradient of the reference with ours of that name."""
    common = reference.gradients.keys() & ours.gradients.keys()  # the reference knows no buffers from parameters
    pairs = [(name, ours.gradients[name], reference.gradients[name]) for name in reference.gradients if name in common]
    prediction = difference("output", "prediction", ours.prediction, reference.prediction)
    penalty = difference("output", "penalty", ours.penalty, reference.penalty)
    outputs = (prediction, penalty) if bool(reference.penalty != 0) or bool(ours.penalty != 0) else (prediction,)
    return Differences((*outputs, *(difference("gradient", *pair) for pair in pairs)))


def weight_problems(module: nn.Module, weights: Mapping[str, Tensor]) -> tuple[str, ...]:
    """Weights that are missing in the module, that only it has, or whose shapes differ."""
    own = {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}
    wanted = {name: tuple(tensor.shape) for name, tensor in weights.items()}
    return (
        *(f"the module has no {name}" for name in wanted if name not in own),
        *(f"only the module has {name}" for name in own if name not in wanted),
        *(
            f"{name} is {own[name]}, not {wanted[name]}"
            for name in wanted
            if own.get(name, wanted[name]) != wanted[name]
        ),
    )


def settings_problems(module: nn.Module, program: Program) -> tuple[str, ...]:
    """Weights that train though the spec freezes them or the other way round, and initial values that it says."""
    own, still = dict(module.named_parameters()), frozen(program.settings)
    missing = [f"{name} is no parameter of the module" for name in trainable(program) if name not in own]
    wrong = [
        f"{name} should {'not ' * (name in still)}train" for name in own if own[name].requires_grad == (name in still)
    ]
    for name, init in initial(program.settings).items():
        if not isinstance(init, Drawn) and not torch.equal(
            own[name], torch.tensor(init).to(own[name]).expand_as(own[name])
        ):
            wrong.append(f"{name} does not begin at the values of the spec")
    return (*missing, *wrong)


def prepared(module: nn.Module, weights: Mapping[str, Tensor], training: bool) -> nn.Module:
    """A copy in float64 with these weights; norms in training or evaluation, dropout always off."""
    module = copy.deepcopy(module).double().eval()
    module.load_state_dict(dict(weights))
    for part in own_parts(module):
        if isinstance(part, nn.BatchNorm1d):
            part.train(training)
    return module


def own_parts(module: nn.Module) -> Iterator[nn.Module]:
    """The module and what it is made of, but for modules that archspec did not write."""
    if not getattr(module, "made_elsewhere", False):
        yield module
        for part in module.children():
            yield from own_parts(part)


def of_module(
    module: nn.Module, graphs: Sequence[Graph], weights: Mapping[str, Tensor], training: bool = False
) -> Result:
    """What a module gives with these weights."""
    module = prepared(module, weights, training)
    graphs = [differentiable(graph) for graph in graphs]
    wanted = {name: tensor for name, tensor in module.named_parameters() if tensor.requires_grad}
    with double_precision():
        batch = packed(graphs)
        with_penalty = getattr(module, "with_penalty", None)
        prediction, penalty = with_penalty(batch) if with_penalty else (module(batch), torch.zeros(()))
    return differentiated(prediction, penalty, wanted, graphs)


@contextmanager
def double_precision() -> Iterator[None]:
    """Numbers that come from no tensor, such as a sum over j of 1, are in float64 too."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def of_reference(
    program: Program, graphs: Sequence[Graph], weights: Mapping[str, Tensor], training: bool = False
) -> Result:
    """What the reference gives with these weights."""
    leaves = {name: fresh(tensor) for name, tensor in weights.items()}
    graphs = [differentiable(graph) for graph in graphs]
    predictions, penalty = outcome(without_dropout(program), leaves, graphs, training)
    still = frozen(program.settings)
    wanted = {name: leaf for name, leaf in leaves.items() if leaf.requires_grad and not is_statistic(name)}
    wanted = {name: leaf for name, leaf in wanted.items() if name not in still}
    return differentiated(torch.cat(as_packed(program, predictions, graphs)), penalty, wanted, graphs)


def as_packed(program: Program, predictions: list[Tensor], graphs: Sequence[Graph]) -> list[Tensor]:
    """The predictions for pairs in the order in which a batch has them."""
    over = program.output.results[0][1].type.domain.over
    if over is None:
        return predictions
    return [one[by_target(pairs(graph, over))] for one, graph in zip(predictions, graphs, strict=True)]


def is_statistic(name: str) -> bool:
    """Whether a weight is counted, not learnt."""
    return name.rpartition(".")[2] in ("running_mean", "running_var", "num_batches_tracked", "mean")


def differentiated(
    prediction: Tensor, penalty: Tensor, weights: Mapping[str, Tensor], graphs: Sequence[Graph]
) -> Result:
    """Prediction and penalty with their gradients by the weights, and by raw data where it is numbers."""
    noise = torch.randn(prediction.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    numeric = {
        f"of {name} in graph {at}": tensor
        for at, graph in enumerate(graphs)
        for name, tensor in raw_data(graph).items()
        if tensor.requires_grad
    }
    wanted = {**weights, **numeric}
    total = (prediction * noise).sum() + 3 * penalty
    if not total.requires_grad:
        return Result(prediction, {name: torch.zeros_like(tensor) for name, tensor in wanted.items()}, penalty)
    found = torch.autograd.grad(total, list(wanted.values()), allow_unused=True)
    filled = [torch.zeros_like(one) if grad is None else grad for one, grad in zip(wanted.values(), found, strict=True)]
    return Result(prediction.detach(), dict(zip(wanted, filled, strict=True)), penalty.detach())


def raw_data(graph: Graph) -> dict[str, Tensor]:
    """The features a graph has, by name."""
    found = {"x": graph.x, "e": graph.e, "pos": graph.pos}
    return {name: tensor for name, tensor in found.items() if tensor is not None}


def differentiable(graph: Graph) -> Graph:
    """The graph with features of its own that require gradients where they can."""
    return replace(graph, **{name: fresh(tensor) for name, tensor in raw_data(graph).items()})  # type: ignore[arg-type]


def fresh(tensor: Tensor) -> Tensor:
    """A copy that requires a gradient where it can."""
    copied = tensor.detach().clone()
    return copied.double().requires_grad_() if copied.is_floating_point() else copied


def without_dropout(program: Program) -> Program:
    """The program with p = 0 in every dropout and `drop`; sections that were one stay one."""
    sections = {id(section): dropout_off(section) for _, section in program.sections()}
    return replace(
        program,
        input=sections[id(program.input)],
        layers=tuple(sections[id(section)] for section in program.layers),
        output=sections[id(program.output)],
        penalty=sections[id(program.penalty)] if program.penalty else None,
    )


def dropout_off(section: Section) -> Section:
    """The section with p = 0 in every dropout and `drop`."""
    new: dict[int, Node] = {}
    for node in section.nodes:
        off = node.op in ("dropout", "chance")
        attributes = tuple((key, 0.0 if off and key == "p" else value) for key, value in node.attributes)
        new[id(node)] = replace(node, operands=tuple(new[id(one)] for one in node.operands), attributes=attributes)
    return with_roots(section, new)
