"""Any optimiser of `torch.optim` by name, its options checked against its signature."""

import difflib
import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import nn

from archspec.diagnostics import Diagnostic, SpecError
from archspec.source import Span
from archspec.syntax.schema import OptimizerSettings

Place = Callable[..., Span | None]
"""Where a key stands in the spec: `Spec.place`."""

UNSUITED = {
    "lbfgs": "it evaluates the loss several times a step",
    "sparseadam": "it takes sparse gradients only",
}
"""Optimisers that a training step of one forward and one backward cannot serve."""

FUSED = ("adam", "adamw")
"""Where one kernel for all parameters is worth asking for: 0.73 → 0.19 ms a step for Adam on a small model."""


def nowhere(*_path: str) -> None:
    """The place of a key of settings that come from no file."""


def names() -> dict[str, type[torch.optim.Optimizer]]:
    """The optimisers by name in lower case."""
    found = {name.lower(): value for name, value in vars(torch.optim).items() if inspect.isclass(value)}
    return {
        name: value for name, value in found.items() if issubclass(value, torch.optim.Optimizer) and name != "optimizer"
    }


def make(
    parameters: Iterable[nn.Parameter], settings: OptimizerSettings, place: Place = nowhere
) -> torch.optim.Optimizer:
    """The optimiser of a spec over the parameters that are not frozen; SpecError names what is wrong and where."""
    chosen = find(settings.name, place)
    options = check(chosen, settings, place)
    if settings.name.lower() in FUSED and not {"fused", "foreach", "differentiable"} & set(options):
        options["fused"] = True
    trained = [one for one in parameters if one.requires_grad]
    if not trained:
        raise refusal("E0608", "there is nothing to train: every parameter is frozen", None, "thaw one in `parameters`")
    try:
        return chosen(trained, lr=settings.lr, **options)  # type: ignore[call-arg]
    except (TypeError, ValueError, RuntimeError) as problem:
        raise refused(settings, options, str(problem), place) from problem


def find(name: str, place: Place) -> type[torch.optim.Optimizer]:
    """The class of a name in any case."""
    known = {key: value for key, value in names().items() if key not in UNSUITED}
    if found := known.get(name.lower()):
        return found
    at = place("train", "optimizer", "name")
    if why := UNSUITED.get(name.lower()):
        raise refusal("E0604", f"the optimiser `{name}` cannot be used: {why}", at, "`adam` and `adamw` are usual")
    raise refusal("E0601", f"unknown optimiser `{name}`", at, nearest(name.lower(), known))


def check(chosen: type, settings: OptimizerSettings, place: Place) -> dict[str, Any]:
    """The further options of an optimiser, each one a keyword of its signature."""
    options = {
        key: tuple(value) if isinstance(value, list) else value for key, value in (settings.model_extra or {}).items()
    }
    known = [key for key in inspect.signature(chosen).parameters if key not in ("self", "params")]
    problems = [
        Diagnostic(
            "E0602",
            f"`{chosen.__name__}` has no option `{key}`",
            place("train", "optimizer", key),
            help=nearest(key, known),
        )
        for key in options
        if key not in known
    ]
    if problems:
        raise SpecError(problems)
    return options


def refused(settings: OptimizerSettings, options: Mapping[str, Any], reason: str, place: Place) -> SpecError:
    """What torch says about a value, at the option whose name occurs in it."""
    reason = (reason[:1].lower() + reason[1:]).rstrip(".")
    key = next((key for key in ("lr", *options) if stem(key) in reason.replace(" ", "_").lower()), None)
    at = place("train", "optimizer", key) if key else place("train", "optimizer")
    return refusal(
        "E0603", f"the optimiser `{settings.name}` refuses its options: {reason}", at, "give a value it takes"
    )


def stem(key: str) -> str:
    """An option's name as torch's messages write it: `betas` appears as `beta parameter`."""
    return "learning_rate" if key == "lr" else key.removesuffix("s")


def nearest(name: str, known: Iterable[str]) -> str:
    """A statement of the nearest name, or of all of them."""
    known = list(known)
    close = difflib.get_close_matches(name, known, n=1)
    return f"write `{close[0]}`" if close else "known: " + ", ".join(f"`{one}`" for one in sorted(known))


def refusal(code: str, message: str, at: Span | None, cure: str) -> SpecError:
    """One problem as an error."""
    return SpecError([Diagnostic(code, message, at, help=cure)])
