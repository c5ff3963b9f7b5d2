"""Which equation first gave a number that is not finite: a batch computed once more, every value looked at."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from archspec.ir.ops import STRUCTURE
from archspec.runtime.batch import Batch
from archspec.runtime.pairs import Pairs
from archspec.train.generators import set_random_state, untouched
from archspec.train.health.equations import Equations
from archspec.train.health.failure import Failure
from archspec.train.health.record import Place
from archspec.train.health.twin import Twin

Loss = Callable[[Tensor, Batch], Tensor]
"""From the predictions for a batch to what is differentiated."""

INFINITE = frozenset(row.name for row in STRUCTURE)
"""Operations that may well give an infinity: the distance of what no way leads to."""


@dataclass(frozen=True)
class Value:
    """One value as it came out."""

    name: str
    place: Place
    entries: int
    mean: float
    std: float
    largest: float
    """Of the absolute entries that are finite, as are mean and deviation."""
    nan: int
    infinite: int


@dataclass
class Trace:
    """The values in the order in which they were computed, and where it went wrong."""

    values: list[Value] = field(default_factory=list)
    first: str = ""
    """The value, parameter or data that was first not finite; "" where all are."""
    backward: bool = False
    """Whether it is only the gradient that is not finite there."""
    size: float = 0.0
    """The largest entry of all gradients of parameters, where they are finite and nothing else is at fault."""
    place: Place | None = None

    @property
    def said(self) -> str:
        """What was found, in one line."""
        if self.size:
            return (
                "every value and every gradient is finite, but the norm of all of them is beyond the range of numbers: "
                f"that of `{self.first}` has entries up to {self.size:.2g}"
            )
        if not self.first:
            return "every value is finite: it does not go wrong when it is computed once more"
        if self.backward:
            return (
                f"every value is finite; going back from the loss, the gradient is first not finite at `{self.first}`"
            )
        found = next((one for one in self.values if one.name == self.first), None)
        how = (
            f": {found.nan or found.infinite} of {found.entries} are {'NaN' if found.nan else 'infinite'}"
            if found
            else ""
        )
        return f"the first that is not finite is `{self.first}`{how}"


def trace(module: nn.Module, equations: Equations, failure: Failure, loss: Loss) -> Trace:
    """Compute a batch once more, forward and back, with the random numbers of then; the module stays as it is."""
    text, places = equations.text(lambda node, name: True)
    twin = Twin(module, text, "traced")
    found = Trace()
    gradients: dict[str, bool] = {}

    def see(name: str, value: Tensor, _over: Pairs | None) -> None:
        found.values.append(described(name, places[name], value.detach()))
        if value.requires_grad:
            value.register_hook(lambda gradient: gradients.update({name: finite(gradient)}))

    before = module.training
    module.train(failure.training)
    try:
        with untouched():
            if failure.random is not None:
                set_random_state(failure.random)
            total = loss(twin(failure.batch, see), failure.batch)
        sizes = gradient_sizes(module, total) if total.requires_grad else {}
    finally:
        module.train(before)
    operands = equations.operands()
    found.first = next(spoilt_at_first(module, failure.batch), "") or origin(found.values, operands)
    if not found.first:
        go_back(found, gradients, operands, sizes)
    found.place = places.get(found.first) or equations.parameter(found.first)
    return found


def gradient_sizes(module: nn.Module, total: Tensor) -> dict[str, float]:
    """The largest entry of the gradient of every parameter, by name; NaN and infinity count as infinite."""
    trained = {name: one for name, one in module.named_parameters() if one.requires_grad}
    gradients = torch.autograd.grad(total, list(trained.values()), allow_unused=True)
    pairs = zip(trained, gradients, strict=True)
    return {name: float(one.abs().nan_to_num(torch.inf, torch.inf).max()) for name, one in pairs if one is not None}


def go_back(
    found: Trace, gradients: Mapping[str, bool], operands: Mapping[str, tuple[str, ...]], sizes: Mapping[str, float]
) -> None:
    """Where every value is finite: the first gradient that is not, going back, else the parameter with the largest."""
    worst = max(sizes, key=sizes.__getitem__, default="")
    if name := origin_of_gradient(gradients, operands):
        found.first, found.backward = name, True
    elif worst and not sizes[worst] < torch.inf:
        found.first, found.backward = worst, True
    elif worst and sizes[worst] > VAST:
        found.first, found.size = worst, sizes[worst]


VAST = 1e15
"""Entries whose squares, added up, may be more than 32 bits hold."""


def finite(value: Tensor) -> bool:
    """Whether all entries are."""
    return bool(torch.isfinite(value).all())


def described(name: str, place: Place, value: Tensor) -> Value:
    """The figures of a value."""
    nan, infinite = value.isnan(), value.isinf()
    known = value[~(nan | infinite)].double()
    std, mean = torch.std_mean(known, correction=0) if len(known) else (torch.tensor(0.0),) * 2
    largest = float(known.abs().max()) if len(known) else 0.0
    return Value(name, place, value.numel(), float(mean), float(std), largest, int(nan.sum()), int(infinite.sum()))


def spoilt_at_first(module: nn.Module, batch: Batch) -> Iterator[str]:
    """Data with an entry that is not finite, and parameters that are NaN before anything is computed."""
    for name in ("x", "e", "pos", "y"):
        value = getattr(batch, name)
        known = name != "y"  # unknown labels are NaN
        if known and value is not None and value.is_floating_point() and not finite(value):
            yield f"{name} of the batch"
    for name, parameter in module.named_parameters():
        if parameter.isnan().any():
            yield name


def origin(values: list[Value], operands: Mapping[str, tuple[str, ...]]) -> str:
    """The first NaN that comes from none, or infinity that comes from what is finite."""
    state: dict[str, Value] = {}
    for one in values:
        read = [state[name] for name in operands.get(one.name, ()) if name in state]
        nan = one.nan and not any(other.nan for other in read)
        infinite = one.infinite and not any(other.nan or other.infinite for other in read)
        if nan or (infinite and one.place.get("kind") not in INFINITE):
            return one.name
        state[one.name] = one
    return ""


def origin_of_gradient(gradients: Mapping[str, bool], operands: Mapping[str, tuple[str, ...]]) -> str:
    """The value whose own gradient is finite and that of something it is computed from is not; else the first spoilt.

    `gradients`: whether that of each value is finite, in the order in which they came.
    """
    for name, sound in gradients.items():
        if not sound:
            users = [user for user, read in operands.items() if name in read and gradients.get(user)]
            return users[0] if users else name
    return ""
