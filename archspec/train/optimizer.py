"""Any optimiser of `torch.optim` by name, its options and those of groups of weights checked against its signature."""

import difflib
import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from archspec.diagnostics import Diagnostic, SpecError
from archspec.ir.groups import own_options, say
from archspec.source import Span
from archspec.syntax.schema import OptimizerSettings
from archspec.train.faults import refusal

Place = Callable[..., Span | None]
"""Where a key stands in the spec: `Spec.place`."""

UNSUITED = {
    "lbfgs": "it evaluates the loss several times a step",
    "sparseadam": "it takes sparse gradients only",
}
"""Optimisers that a step of one forward and one backward cannot serve."""

RESERVED = ("self", "params", "differentiable", "capturable", "maximize")
"""Arguments that are no options here: the loop descends, outside of graphs, on gradients it does not differentiate."""

FUSED = ("Adam", "AdamW")
"""Where one kernel for all parameters is worth asking for: 0.73 → 0.19 ms a step for Adam on a small model."""


NORM = re.compile(r"Norm(?![a-z])")
"""What the name of a class of norms has in it, torch's, PyG's or the user's: `BatchNorm1d`, `LayerNorm`, …"""

SHOWN = 4
"""Names that a line lists."""


def nowhere(*_path: str) -> None:
    """The place of a key of settings that come from no file."""


def names() -> dict[str, type[Optimizer]]:
    """The optimisers by name in lower case."""
    classes = [value for value in vars(torch.optim).values() if inspect.isclass(value)]
    made = [one for one in classes if issubclass(one, Optimizer) and one is not Optimizer]
    return {one.__name__.lower(): one for one in made}


@dataclass(frozen=True)
class Group:
    """Weights with the same options."""

    options: Mapping[str, Any]
    """Those that are not the optimiser's own."""
    parameters: Mapping[str, nn.Parameter]
    """By name."""


def make(module: nn.Module, settings: OptimizerSettings, place: Place = nowhere) -> Optimizer:
    """The optimiser of a spec over the parameters that are not frozen; SpecError names what is wrong and where."""
    chosen = find(settings.name, place)
    options = check(chosen, settings, place)
    if chosen.__name__ in FUSED and not {"fused", "foreach"} & set(options):
        options["fused"] = True
    grouped = groups(module, settings)
    if not grouped:
        raise refusal("E0608", "there is nothing to train: every parameter is frozen", None, "thaw one in `parameters`")
    parts = [{"params": list(one.parameters.values()), **one.options} for one in grouped]
    try:
        return chosen(parts, lr=settings.lr, **options)  # type: ignore[call-arg]
    except (TypeError, ValueError, RuntimeError) as problem:
        raise refused(settings, options, str(problem), place) from problem


def groups(module: nn.Module, settings: OptimizerSettings) -> list[Group]:
    """The parameters that train by what is said of them; those of which nothing is said come first."""
    undecayed = exempt(module)
    found: dict[str, tuple[dict[str, Any], dict[str, nn.Parameter]]] = {"{}": ({}, {})}
    for name, parameter in module.named_parameters():
        if parameter.requires_grad:
            own = own_options(settings, name, name in undecayed)
            found.setdefault(str(sorted(own.items())), (tupled(own), {}))[1][name] = parameter
    return [Group(*one) for one in found.values() if one[1]]


def exempt(module: nn.Module) -> set[str]:
    """The parameters without decay: those of norms, told by the names of their classes, and single numbers."""
    norms = [path for path, one in module.named_modules() if NORM.search(type(one).__name__)]
    return {
        name for name, parameter in module.named_parameters() if parameter.ndim == 0 or name.rpartition(".")[0] in norms
    }


def told(module: nn.Module, settings: OptimizerSettings) -> list[str]:
    """Which weights are treated otherwise, a line for each way."""
    return [
        f"{say(one.options)} for {len(one.parameters)} weights: {listed(list(one.parameters))}"
        for one in groups(module, settings)
        if one.options
    ]


def listed(names: list[str]) -> str:
    """The first few names, those that differ in a number only as one with a `*`."""
    alike: dict[str, list[str]] = {}
    for name in names:
        alike.setdefault(".".join("*" if part.isdigit() else part for part in name.split(".")), []).append(name)
    short = [pattern if len(same) > 1 else same[0] for pattern, same in alike.items()]
    return ", ".join(short[:SHOWN]) + (f" and {len(short) - SHOWN} more" if len(short) > SHOWN else "")


def find(name: str, place: Place) -> type[Optimizer]:
    """The class of a name in any case."""
    known = {key: value for key, value in names().items() if key not in UNSUITED}
    if found := known.get(name.lower()):
        return found
    at = place("train", "optimizer", "name")
    if why := UNSUITED.get(name.lower()):
        raise refusal("E0604", f"the optimiser `{name}` cannot be used: {why}", at, "write `adam` or `adamw`")
    raise refusal("E0601", f"unknown optimiser `{name}`", at, nearest(name.lower(), known))


def check(chosen: type, settings: OptimizerSettings, place: Place) -> dict[str, Any]:
    """The further options of an optimiser, each one a keyword of its signature and of the kind of its default."""
    signature = inspect.signature(chosen).parameters
    known = {key: value.default for key, value in signature.items() if key not in RESERVED}
    at = ("train", "optimizer")
    problems = [*wrong(chosen, settings.model_extra or {}, known, place, at)]
    for pattern, entry in settings.groups.items():
        problems += wrong(chosen, entry.model_extra or {}, known, place, (*at, "groups", pattern))
    if problems:
        raise SpecError(problems)
    return tupled(settings.model_extra or {})


def wrong(
    chosen: type,
    given: Mapping[str, Any],
    known: Mapping[str, Any],
    place: Place,
    path: tuple[str, ...],
    codes: tuple[str, str] = ("E0602", "E0603"),
) -> Iterator[Diagnostic]:
    """What can be said against options, by the defaults of those that are known: unknown names, other kinds."""
    name = chosen.__name__
    for key, value in given.items():
        at = place(*path, key)
        if key not in known:
            yield Diagnostic(codes[0], f"`{name}` has no option `{key}`", at, help=nearest(key, known))
        elif (wanted := kind(known[key])) and not wanted[1](value):
            message = f"`{key}` of `{name}` is {wanted[0]}, found `{value}`"
            yield Diagnostic(codes[1], message, at, help=f"its default is `{known[key]}`")


def tupled(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options as torch takes them: lists as tuples."""
    return {key: tuple(value) if isinstance(value, list) else value for key, value in options.items()}


def kind(default: object) -> tuple[str, Callable[[object], bool]] | None:
    """What an option of this default takes, in words and as a test; None where the default does not tell."""
    if isinstance(default, bool):
        return "true or false", lambda value: isinstance(value, bool)
    if isinstance(default, int | float):
        return "a number", is_number
    if isinstance(default, tuple):
        return f"a list of {len(default)} numbers", lambda value: is_numbers(value, len(default))
    return None


def is_number(value: object) -> bool:
    """Whether it is a number; truth values are not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_numbers(value: object, length: int) -> bool:
    """Whether it is a list of so many numbers."""
    return isinstance(value, list) and len(value) == length and all(map(is_number, value))


def refused(settings: OptimizerSettings, options: Mapping[str, Any], reason: str, place: Place) -> SpecError:
    """What torch says about a value, at the option whose name occurs in it."""
    reason = (reason[:1].lower() + reason[1:]).rstrip(".")
    words = reason.replace(" ", "_").lower()
    key = next((key for key in ("lr", *options) if stem(key) in words), None)
    at = place("train", "optimizer", key) if key else place("train", "optimizer")
    message = f"the optimiser `{settings.name}` refuses its options: {reason}"
    return refusal("E0603", message, at, "give a value it takes")


def stem(key: str) -> str:
    """An option's name as torch's messages write it: `betas` appears as `beta parameter`."""
    return "learning_rate" if key == "lr" else key.removesuffix("s")


def nearest(name: str, known: Iterable[str]) -> str:
    """A statement of the nearest name, or of all of them."""
    known = list(known)
    close = difflib.get_close_matches(name, known, n=1)
    return f"write `{close[0]}`" if close else "known: " + ", ".join(f"`{one}`" for one in sorted(known))
