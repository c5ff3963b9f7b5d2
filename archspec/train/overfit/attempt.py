"""One attempt: a module trained on a single batch, step after step, then scored on it in evaluation mode."""

import sys
from collections.abc import Callable
from dataclasses import dataclass

import torch

from archspec.train.engine import Diverged, Engine
from archspec.train.health.explain import looked_at
from archspec.train.health.record import EpochHealth, Event
from archspec.train.health.trace import Trace
from archspec.train.overfit.measure import Labels, degrees, labels_of
from archspec.train.tally import Tally

LAST = 0.75
"""Figures of health are those of the steps after this share of all."""


@dataclass(frozen=True)
class Attempt:
    """What came of one seed."""

    seed: int
    score: float
    """In evaluation mode; that of chance where the run diverged."""
    training: float
    """In training mode, where batch norms have the statistics of the batch: that of the last step."""
    floor: float
    """What a threshold on the degree knows of the same labels."""
    labels: Labels
    rows: int
    health: EpochHealth | None
    events: tuple[Event, ...]
    broken: str = ""
    """How it diverged."""
    trace: Trace | None = None


def attempt(engine: Engine, steps: int, watch: Callable[[int], None]) -> Attempt:
    """Train on all graphs of the training split as one batch; `watch` is called after every step with its number."""
    split, seed = engine.task.data.train, engine.settings.seed
    batch = split.batch(range(len(split)))
    y = batch.y if batch.mask is None or batch.y is None else batch.y[batch.mask]
    assert y is not None  # data sets for training have targets
    labels = labels_of(engine.task.data.facts, y)
    floor = labels.threshold(degrees(engine.task.data.facts, batch))
    engine.freeze(sys.maxsize)
    try:
        for number in range(steps):
            if number == int(LAST * steps):
                engine.watch.next_epoch({}, number, 1)
            engine.module.train()
            engine.step(batch, number, Tally(engine.kind))
            watch(number + 1)
    except Diverged as problem:
        found, said = looked_at(problem, engine), problem.diagnostics[0].message
        events, chance = tuple(engine.watch.take()), labels.chance
        return Attempt(seed, chance, chance, floor, labels, len(y), None, events, said, found)
    health = engine.watch.next_epoch({}, steps, 1)
    scores = {mode: labels.score(predicted(engine, training=mode)) for mode in (False, True)}
    return Attempt(seed, scores[False], scores[True], floor, labels, len(y), health, tuple(engine.watch.take()))


def predicted(engine: Engine, *, training: bool) -> torch.Tensor:
    """The predictions for the batch as the module is now, [rows, out] on the CPU."""
    split = engine.task.data.train
    engine.module.train(training)
    with torch.no_grad():
        prediction, *_ = engine.measure(split.batch(range(len(split))))
    return prediction.cpu()
