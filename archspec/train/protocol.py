"""What a score is the score of: data, splits, metric and its averaging, choice of the epoch, loss. Hashed into results.

How long and with which optimiser a model is trained is no part of it: that is what results may be compared for.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from archspec.data.generated import RECIPES
from archspec.data.load import DataSet
from archspec.facts import own, sources
from archspec.syntax.protocols import leaves, published
from archspec.syntax.schema import DataSettings
from archspec.syntax.spec import Spec

Protocol = Mapping[str, Any]
"""What `done.json` says under `protocol`."""

OPEN = ("train.optimizer.", "train.schedule.", "train.loss_options.")
"""Sections in which a spec may add what the published protocol does not name."""

DIGITS = 12
"""Of the hash, in hexadecimal."""


@dataclass(frozen=True)
class Departure:
    """One thing in which two protocols differ, or a spec from the published one it names."""

    field: str
    one: Any
    other: Any

    def __str__(self) -> str:
        return f"{self.field} {shown(self.one)} and not {shown(self.other)}"


def shown(value: object) -> str:
    """A value in a message."""
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def describe(spec: Spec, data: DataSet) -> Protocol:
    """The protocol of a spec whose loss and monitor are filled in, the published one it names, and how it departs."""
    fields = fields_of(spec, data)
    named = spec.settings.protocol
    return {
        "hash": digest(fields),
        "fields": fields,
        "published": named and named.name,
        "departures": {one.field: [one.one, one.other] for one in departures(spec)},
    }


def fields_of(spec: Spec, data: DataSet) -> dict[str, Any]:
    """All that makes a score another score."""
    settings, train = spec.settings.data, spec.settings.train
    assert settings is not None  # it is complete
    monitor = train.monitor or data.facts.score
    by_batch = train.averaging == "batch"
    return {
        "data": settings.name,
        "recipe": recipe(settings),
        "options": dict(settings.options),
        "data_seed": settings.seed,
        "fold": settings.fold or 0,
        "limit": settings.limit,
        "graphs": {name: len(split) for name, split in data.splits.items()},
        "task": data.facts.task,
        "metric": data.facts.score if monitor == "loss" else monitor,
        "averaging": f"means over batches of {train.eval_batch_size}" if by_batch else "whole split",
        "selection": f"best validation {monitor}" if train.select == "best" else "last epoch",
        "loss": train.loss or data.facts.loss,
        "loss_options": dict(train.loss_options),
    }


def recipe(data: DataSettings) -> str:
    """What the graphs follow from, apart from the settings."""
    if own.is_own(data.name):
        return str(own.key(data))
    if source := sources.source(data):
        return sources.key(source)
    return f"{data.name}, version {RECIPES[data.name].version}"


def digest(fields: Mapping[str, Any]) -> str:
    """A short hash, the same for the same fields in any order."""
    return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()[:DIGITS]


def departures(spec: Spec) -> list[Departure]:
    """What a spec sets otherwise than the published protocol that it names."""
    named, data = spec.settings.protocol, spec.settings.data
    if named is None or data is None:
        return []
    given, wanted = dict(leaves(spec.settings.model_dump())), published(named.name, data.name)
    if given["train.seeds"] is None and given["train.seed"] in cast(list[int], wanted["train.seeds"]):
        given["train.seeds"] = wanted["train.seeds"]  # one of several runs
    given.setdefault("train.loss_options", {})
    added = [
        key for key, value in given.items() if key.startswith(OPEN) and key not in wanted and value not in (None, {})
    ]
    return [
        Departure(key, given.get(key), wanted.get(key))
        for key in (*wanted, *added)
        if given.get(key) != wanted.get(key)
    ]


def differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[Departure]:
    """In what the protocols of two results (in `done.json`) differ; none where their scores may be compared."""
    first, second = (dict(flat((result.get("protocol") or {}).get("fields"))) for result in (one, other))
    return [
        Departure(key, first.get(key), second.get(key)) for key in first | second if first.get(key) != second.get(key)
    ]


def flat(fields: Mapping[str, Any] | None) -> Iterator[tuple[str, Any]]:
    """The fields by their paths; of a result of before there were protocols only that there is none."""
    return iter([("protocol", "not recorded")]) if not fields else leaves(dict(fields))


def told(protocol: Protocol) -> list[str]:
    """What the first lines of a run say of it."""
    if not protocol.get("published"):
        return []
    apart = "; ".join(str(Departure(key, *pair)) for key, pair in protocol["departures"].items())
    return [f"protocol {protocol['published']}" + (f", but {apart}" if apart else " as published")]
