"""Weights that an optimiser treats otherwise: `train.optimizer.groups`, and no decay on norms and scalars.

The options of a weight are those of the optimiser; over them, without decay if the weight is of a norm or a single
number; over that, what the entries of `groups` say whose patterns stand for its name, later ones over earlier ones.
"""

from collections.abc import Mapping
from typing import Any

from archspec.ir.nodes import Program, full_name
from archspec.ir.ops import WITH_STATISTICS, weights_of
from archspec.ir.settings import matches
from archspec.syntax.schema import OptimizerSettings

DECAY = "weight_decay"

DECAYING: Mapping[str, float] = {"adamw": 0.01, "muon": 0.1}
"""The optimisers of torch that decay weights unless told otherwise; a test compares the rows with torch."""


def decay(settings: OptimizerSettings) -> float:
    """The decay of weights that no pattern stands for."""
    given = (settings.model_extra or {}).get(DECAY, DECAYING.get(settings.name.lower(), 0.0))
    return given if isinstance(given, int | float) else 0.0


def own_options(settings: OptimizerSettings, name: str, exempt: bool) -> dict[str, Any]:
    """The options of a weight that are not those of the optimiser; `exempt` is one of a norm, or a single number."""
    own: dict[str, Any] = {DECAY: 0.0} if exempt and decay(settings) else {}
    for pattern, entry in settings.groups.items():
        if matches(pattern, name):
            own |= given(entry)
    return own


def given(entry: Any) -> dict[str, Any]:
    """What an entry of `groups` says."""
    rate = {} if entry.lr is None else {"lr": entry.lr}
    return rate | dict(entry.model_extra or {})


def exempt(program: Program) -> set[str]:
    """The weights without decay: those of norms, and single numbers such as the ε of GIN."""
    return {
        full_name(path, name)
        for path, section in program.sections()
        for node in section.nodes
        for name, weight in weights_of(node)
        if weight.trainable and (node.op in WITH_STATISTICS or weight.shape == ())
    }


def say(options: Mapping[str, Any]) -> str:
    """Options in words."""
    return ", ".join("no weight decay" if one == (DECAY, 0) else f"{one[0]} {shown(one[1])}" for one in options.items())


def shown(value: object) -> str:
    """A value as a spec has it."""
    if isinstance(value, bool | str):
        return str(value).lower() if isinstance(value, bool) else value
    return f"{value:g}" if isinstance(value, int | float) else str(value)


def by_name(program: Program, settings: OptimizerSettings, names: Mapping[str, object]) -> dict[str, dict[str, Any]]:
    """The options of every weight that has some of its own."""
    undecayed = exempt(program)
    found = {name: own_options(settings, name, name in undecayed) for name in names}
    return {name: own for name, own in found.items() if own}
