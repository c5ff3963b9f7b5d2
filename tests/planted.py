"""Folders of sweeps with planted scores, as `archspec sweep` would have left them; nothing is trained."""

import json
from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import Any

from archspec.sweep.table.blocks import table_of
from archspec.sweep.table.formats import FORMATS
from archspec.sweep.table.results import read

FIELDS = {"data": "pattern", "recipe": "pattern, version 1", "limit": None, "metric": "acc"}

Scores = Mapping[str, Mapping[int, float | str | None]]
"""By cell (its labels, commas between them) and seed: the score, `diverged`, `damaged`, or None: not finished."""


def plant(
    path: Path,
    scores: Scores,
    axes: str = "norm",
    baseline: str | None = None,
    score: str = "acc",
    same_as: Mapping[str, str] | None = None,
    **more: Any,
) -> Path:
    """A sweep's folder. `more` may have `fields` of the protocol and `torch` by cell, and a `floor`."""
    seeds = list(dict.fromkeys(seed for found in scores.values() for seed in found))
    cells = {
        cell: {"axes": dict(zip(axes.split(","), cell.split(","), strict=True)), "parameters": 1000 + at,
               "same_as": (same_as or {}).get(cell), "sizes": {}}
        for at, cell in enumerate(scores)
    }  # fmt: skip
    named = {"cell": baseline, "why": "named in the sweep"} if baseline else None
    path.mkdir(parents=True, exist_ok=True)
    told = {"name": "planted", "seeds": seeds, "rank_by": ["val", score], "baseline": named, "cells": cells}
    (path / "sweep.json").write_text(json.dumps(told))
    for cell, found in scores.items():
        for seed, value in found.items():
            if not (same_as or {}).get(cell):
                run(path / cell / f"seed-{seed}", value, cell, score, more)
    return path


def run(path: Path, value: float | str | None, cell: str, score: str, more: Mapping[str, Any]) -> None:
    """One run's folder."""
    path.mkdir(parents=True)
    (path / "environment.json").write_text(json.dumps({"torch": (more.get("torch") or {}).get(cell, "2.13.0")}))
    if value == "damaged":
        (path / "done.json").write_text('{"reason": ')
        return
    if value is None:
        return
    scored = None if value == "diverged" else {"epoch": 2, "test": {score: value}, "val": {score: value}}
    fields = FIELDS | (more.get("fields") or {}).get(cell, {})
    floor = more.get("floor")
    result = {
        "reason": "diverged" if value == "diverged" else "epochs", "seconds": 60.0, "seconds_per_epoch": 30.0,
        "best": scored, "last": scored, "select": "best", "score": score, "protocol": {"fields": fields},
        "floor": floor and {"rule": "always class 0", "test": {score: floor}, "val": {score: floor}},
    }  # fmt: skip
    (path / "done.json").write_text(json.dumps(result))
    records = [{"epoch": epoch, "val": {score: value}} for epoch in (1, 2)]
    health = {"looks": 1, "parameters": {"a.weight": {"ratio": 0.02}, "b.weight": {"ratio": 3.5}}, "values": {}}
    lines = [json.dumps(record | {"health": health}) for record in records]
    (path / "metrics.jsonl").write_text("\n".join([*lines, '{"epoch": 3, "health": {"lo']))  # a crash cut it short


A = {41: 0.850, 95: 0.846, 12: 0.863}
BETTER = {41: 0.8603, 95: 0.8562, 12: 0.8728}
NOISY = {41: 0.855, 95: 0.847, 12: 0.859}


def shown(path: Path, form: str = "text", split: str | None = None) -> str:
    return FORMATS[form](table_of(read(path), split))


def page(path: Path) -> str:
    from archspec.sweep.table.page import page as made

    return made(table_of(read(path)))


def grid(by: str = "abc", seeds: int = 4) -> dict[str, dict[int, float]]:
    """2×2×2 with a planted effect of the first axis and an interaction of the first two, and a little noise."""
    found = {}
    for at, labels in enumerate(product(("off", "on"), repeat=3)):
        one, two, _ = (label == "on" for label in labels)
        noise = [0.0003 * ((7 * at + 3 * seed * seed) % 11 - 5) for seed in range(seeds)]
        found[",".join(labels)] = {
            seed: 0.7 + 0.02 * seed + 0.01 * one + 0.02 * one * two + noise[seed] for seed in range(seeds)
        }
    return found
