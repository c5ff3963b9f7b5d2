"""Schedules of `torch.optim.lr_scheduler` by name, their options checked against their signatures."""

import inspect
from collections.abc import Iterator
from typing import Any, Literal

from torch.optim import Optimizer, lr_scheduler
from torch.optim.lr_scheduler import LRScheduler

from archspec.diagnostics import Diagnostic, SpecError
from archspec.syntax.schema import TorchSettings
from archspec.train.faults import refusal
from archspec.train.optimizer import Place, is_number, tupled, wrong

BY_STEP = ("OneCycleLR", "CyclicLR")
"""Those that torch means to go on after every step."""

RESERVED = ("optimizer", "last_epoch", "scale_fn", "epochs", "steps_per_epoch")
"""Arguments that are no options here: the run gives them, or a spec cannot write them."""


def every(settings: TorchSettings) -> Literal["epoch", "step"]:
    """When a schedule goes on."""
    return settings.every or ("step" if settings.name in BY_STEP else "epoch")


def find(settings: TorchSettings) -> type[LRScheduler]:
    """The class of a schedule."""
    found: type[LRScheduler] = getattr(lr_scheduler, settings.name)
    return found


def check(settings: TorchSettings, place: Place) -> None:
    """E0622 for an option that it does not have or needs, E0623 for a value of another kind."""
    if problems := [*faults(find(settings), settings, place)]:
        raise SpecError(problems)


def faults(chosen: type[LRScheduler], settings: TorchSettings, place: Place) -> Iterator[Diagnostic]:
    """What can be said against the options."""
    parameters, at = inspect.signature(chosen).parameters, ("train", "schedule")
    known = {key: value.default for key, value in parameters.items() if key not in RESERVED}
    given = settings.model_extra or {}
    yield from wrong(chosen, given, known, place, at, ("E0622", "E0623"))
    for key in (key for key, default in known.items() if default is inspect.Parameter.empty):
        if key not in given:
            message = f"`{chosen.__name__}` needs the option `{key}`"
            yield Diagnostic("E0622", message, place(*at), help=f"write `{key}: …`")
        elif not (is_number(given[key]) or (isinstance(given[key], list) and all(map(is_number, given[key])))):
            message = f"`{key}` of `{chosen.__name__}` is a number or a list of them, found `{given[key]}`"
            yield Diagnostic("E0623", message, place(*at, key), help="torch's page says which")
    if settings.every == "step" and settings.name == "ReduceLROnPlateau":
        yield Diagnostic(
            "E0623", "`ReduceLROnPlateau` goes on after every epoch", place(*at, "every"), help="remove it"
        )


def make(optimizer: Optimizer, settings: TorchSettings, length: int, place: Place) -> LRScheduler:
    """The schedule on an optimiser; `length` is how often it will go on. E0623 for values that torch refuses."""
    options: dict[str, Any] = tupled(settings.model_extra or {})
    if settings.name == "OneCycleLR":
        options = {"total_steps": length} | options
    try:
        return find(settings)(optimizer, **options)
    except (TypeError, ValueError, KeyError, ZeroDivisionError) as problem:
        reason = str(problem).rstrip(".")
        message = f"the schedule `{settings.name}` refuses its options: {reason[:1].lower()}{reason[1:]}"
        raise refusal("E0623", message, place("train", "schedule"), "give values it takes") from problem
