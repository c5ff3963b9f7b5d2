"""Run folders written by hand, for what reads them and trains nothing."""

import json
import random
from pathlib import Path

from archspec.facts import with_defaults
from archspec.pipeline import facts_of
from archspec.syntax.load import load_spec
from archspec.train.folder import Record, RunFolder


def record(epoch: int, rng: random.Random) -> Record:
    """The metrics of an epoch, with awkward numbers."""
    scores = {split: {"loss": rng.random(), "acc": rng.random(), "acc_0": None} for split in ("train", "val", "test")}
    norm = {"mean": rng.random() * 1e-12, "max": rng.random() * 1e9}
    return {"epoch": epoch, "lr": 0.1 / 3, "steps": 7, "gradient_norm": norm, **scores, "seconds": 1 / 3}


def result(records: list[Record], **fields: object) -> Record:
    """What `done.json` says of them."""
    best = max(records, key=lambda one: one["val"]["acc"])
    entries = {name: {key: one[key] for key in ("epoch", "train", "val", "test")}
               for name, one in (("best", best), ("last", records[-1]))}  # fmt: skip
    about = {"name": "gin", "reason": "epochs", "stopped": "all epochs are done", "epochs": len(records)}
    times = {"seconds": 3.0, "seconds_per_epoch": 1.0, "parameters": 100_884, "spec_sha256": "0" * 64}
    return {**about, **times, **entries, "score": "acc", "floor": None, "ceiling": None, **fields}


def run_folder(
    path: Path, *overrides: str, spec: str = "gin", epochs: int = 3, started: str = "", **done: object
) -> RunFolder:
    """A run of a spec that comes with archspec; finished, unless `reason` is None."""
    folder, rng = RunFolder(path), random.Random(str(path.name))
    folder.checkpoints.mkdir(parents=True)
    read = load_spec(spec, overrides)
    folder.spec.write_text(with_defaults(read, facts_of(read)).text, encoding="utf-8")
    folder.code.write_text("# the module's source\n", encoding="utf-8")
    about = {"python": "3.11", "command": ["archspec", "train"], "started": started or "2026-01-01T00:00:00+00:00"}
    folder.environment.write_text(json.dumps({**about, "parameters": 100_884}), encoding="utf-8")
    folder.weights("best").write_bytes(b"weights")
    records = [record(epoch, rng) for epoch in range(1, epochs + 1)]
    for one in records:
        folder.append(one)
    if done.get("reason", "epochs"):
        folder.done.write_text(json.dumps(result(records, **done)), encoding="utf-8")
    return folder


def finish(folder: RunFolder, *more: Record) -> None:
    """Add epochs to a run and end it."""
    for one in more:
        folder.append(one)
    folder.done.write_text(json.dumps(result(folder.records())), encoding="utf-8")
