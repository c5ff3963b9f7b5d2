"""The health of a module while it trains: what an engine tells at every step, and what becomes of it.

Watching changes nothing: gradients are only read, values are looked at in a twin (`twin.py`), and no random number is
drawn from the generators of the run.
"""

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from archspec.ir.nodes import Node
from archspec.runtime.batch import Batch
from archspec.syntax.schema import WatchSettings
from archspec.train.faults import refusal
from archspec.train.health import looks
from archspec.train.health.definitions import by_definition
from archspec.train.health.equations import Equations
from archspec.train.health.flips import Recalls
from archspec.train.health.gradients import Gradients
from archspec.train.health.looks import Looks, Seen, norms
from archspec.train.health.monitor import Monitor
from archspec.train.health.record import DefinitionHealth, EpochHealth, Event, ParameterHealth, Place, Places
from archspec.train.health.twin import Twin, first_graphs
from archspec.train.health.values import RELUS, SPECIAL
from archspec.train.metrics import Scores
from archspec.train.optimizer import Place as Spot

MOST_NODES = 1024
"""Nodes at most whose values are looked at: the first graphs of the batch, at least one."""


class Kept(Protocol):
    """What goes on from a checkpoint."""

    def state(self) -> dict[str, Any]:
        """Plain values and tensors."""

    def restore(self, kept: dict[str, Any]) -> None:
        """Go on from them."""


class Watch:
    """What is recorded of a module's health."""

    def __init__(self, module: nn.Module, settings: WatchSettings, equations: Equations | None, at: Spot):
        self.module, self.settings, self.equations = module, settings, equations
        named = dict(module.named_parameters())
        self.names, self.parameters = list(named), list(named.values())
        self.number = {id(one): k for k, one in enumerate(self.parameters)}
        self.chosen = {name for name in named if matches(settings.parameters, name)}
        check(settings.parameters, list(named), "parameter", at, "parameters")
        check(settings.values or [], list(self.known), "value", at, "values")
        self.gradients, self.looks, self.monitor, self.recalls = Gradients(self.names), Looks(), Monitor(), Recalls()
        self.events: list[Event] = []
        """What was found since they were last taken."""

    @cached_property
    def known(self) -> dict[str, Place]:
        """All values that could be looked at."""
        return self.equations.text(lambda node, name: True)[1] if self.equations and self.settings.values else {}

    @cached_property
    def shown(self) -> tuple[Twin | None, dict[str, Place]]:
        """The twin that shows the chosen values, and where each stands; made at the first look."""
        if self.equations is None or self.settings.values == []:
            return None, {}
        text, places = self.equations.text(self.wanted)
        return Twin(self.module, text, "watched"), places

    def wanted(self, node: Node, name: str) -> bool:
        """Whether a value is looked at."""
        if self.settings.values is not None:
            return matches(self.settings.values, name)
        return bool(node.name) or node.op in SPECIAL or node.op in RELUS

    @property
    def places(self) -> Places:
        """Where everything that is recorded stands."""
        return {
            "parameters": {name: place for name in self.names if name in self.chosen and (place := self.place(name))},
            "values": self.shown[1] if self.settings.every else {},
        }

    def place(self, name: str) -> Place | None:
        """Where a parameter stands; of a part of the model, where its first one does."""
        if self.equations is None:
            return None
        first = next((one for one in self.names if one.startswith(f"{name}.")), name)
        return self.equations.parameter(first)

    @property
    def draws(self) -> bool:
        """Whether the module draws random numbers: a batch is computed again only with the generators as they were."""
        return self.equations is None or self.equations.draws

    def definitions(self, parameters: Mapping[str, ParameterHealth]) -> dict[str, DefinitionHealth]:
        """The parameters of every definition together."""
        places = {name: place for name in parameters if (place := self.place(name))}
        return by_definition(parameters, places, self.equations.blocks if self.equations else {})

    def due(self, number: int) -> bool:
        """Whether a step, the run's `number`-th from 0, is looked at."""
        return self.settings.every is not None and number % self.settings.every == 0

    def step(self, trained: Sequence[nn.Parameter], sizes: Sequence[float], epoch: int, step: int) -> None:
        """Take the norms of a step's gradients, before clipping; epoch and step are counted from 1."""
        which = [self.number[id(one)] for one in trained]
        found = self.gradients.add(which, sizes)
        if found:
            self.judge([found], epoch, step)

    def look(self, batch: Batch, trained: Sequence[nn.Parameter], sizes: Sequence[float]) -> "Look":
        """Look at values and weights before a step of the optimiser; `finish` is called after it."""
        twin, places = self.shown
        seen = Seen(places)
        if twin is not None:
            with torch.no_grad():
                twin(first_graphs(batch, MOST_NODES), seen.see)
        gradients = dict(zip((self.names[self.number[id(one)]] for one in trained), sizes, strict=True))
        return Look(list(trained), [one.detach().clone() for one in trained], gradients, seen)

    def finish(self, look: "Look", epoch: int, step: int) -> None:
        """Count a look once the optimiser has made its step."""
        with torch.no_grad():
            moved = norms(torch._foreach_sub([one.detach() for one in look.trained], look.before))
            weights = norms(look.before).tolist()
        numbers = look.seen.numbers()
        self.looks.count += 1
        self.looks.add_values(look.seen, numbers)
        parts: dict[str, tuple[float, float]] = {}
        for (name, gradient), weight, change, one in zip(
            look.gradients.items(), weights, moved.tolist(), look.before, strict=True
        ):
            self.looks.add_parameter(name, weight, gradient, change)
            if one.dim() > 1:
                before = parts.get(looks.part_of(name), (0.0, 0.0))
                parts[looks.part_of(name)] = (before[0] + weight**2, before[1] + gradient**2)
        roots = {part: (weight**0.5, gradient**0.5) for part, (weight, gradient) in parts.items()}
        self.judge([*looks.of_values(numbers, look.seen.places), *looks.of_parts(roots)], epoch, step)

    def judge(self, measures: Iterable[looks.Measure], epoch: int, step: int) -> None:
        """Hold measures against the signs."""
        for event in self.monitor.judge(measures, epoch, step):
            event["place"] = event["place"] or self.place(event["name"])
            self.events.append(event)

    def take(self) -> list[Event]:
        """The events since the last time."""
        found, self.events = self.events, []
        return found

    def next_epoch(self, validation: Scores, epoch: int, step: int) -> EpochHealth:
        """What an epoch's record says; the next one begins."""
        self.judge(self.recalls.add(validation, epoch), epoch, step)
        found = self.gradients.next_epoch()
        parameters = {name: {**row, **self.looks.parameter(name)} for name, row in found.items() if name in self.chosen}
        record: EpochHealth = {
            "looks": self.looks.count,
            "parameters": parameters,  # type: ignore[typeddict-item]
            "definitions": self.definitions(parameters),  # type: ignore[arg-type]
            "values": self.looks.described(),
        }
        self.looks = Looks()
        return record

    @property
    def kept(self) -> dict[str, Kept]:
        """What a checkpoint holds, by name."""
        return {"gradients": self.gradients, "looks": self.looks, "monitor": self.monitor, "recalls": self.recalls}

    def state(self) -> dict[str, Any]:
        """Everything kept, as plain values and tensors."""
        return {name: one.state() for name, one in self.kept.items()}

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Go on from there."""
        for name, one in self.kept.items():
            one.restore(kept[name])


class Look:
    """A look that waits for the optimiser's step."""

    def __init__(
        self, trained: list[nn.Parameter], before: list[Tensor], gradients: dict[str, float], seen: Seen
    ) -> None:
        self.trained, self.before, self.gradients, self.seen = trained, before, gradients, seen


def matches(patterns: Sequence[str], name: str) -> bool:
    """Whether one of the patterns stands for a name."""
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def check(patterns: Sequence[str], names: Sequence[str], noun: str, at: Spot, key: str) -> None:
    """E0621 for a pattern that stands for nothing; `*` may."""
    for pattern in patterns:
        if pattern != "*" and not any(fnmatchcase(name, pattern) for name in names):
            close = get_close_matches(pattern, names, 3, cutoff=0.4) or names[:3]
            listed = ", ".join(f"`{name}`" for name in close)
            cure = f"such as {listed}" if listed else "leave it out"
            message = f"`{pattern}` is the name of no {noun} of this model"
            raise refusal("E0621", message, at("train", "watch", key), cure)
