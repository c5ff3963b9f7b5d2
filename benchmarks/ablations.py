"""Keeps what the runs of sweeps came to: a row for every run, from which the tables of docs/ablations.md are made.

    python benchmarks/ablations.py runs/gating_norms runs/gin_norms …    writes benchmarks/results/ablations/NAME.csv

Figures are those of the runs' `done.json`, `metrics.jsonl` and `health.jsonl`, with all their digits.
"""

import csv
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results" / "ablations"
SPLITS = ("val", "test")


def rows(folder: Path) -> Iterator[dict[str, Any]]:
    """A row for every finished run of a sweep, cell by cell."""
    sweep = json.loads((folder / "sweep.json").read_text(encoding="utf-8"))
    for cell, told in sweep["cells"].items():
        for seed in sweep["seeds"]:
            run = folder / (told["same_as"] or cell) / f"seed-{seed}"
            if (run / "done.json").is_file():
                sizes = {f"size {name}": value for name, value in told["sizes"].items()}
                yield {**told["axes"], **sizes, "seed": seed, **result(run)}


def result(run: Path) -> dict[str, Any]:
    """What a run came to, at the epoch that was best on the validation split and at the last one."""
    done = json.loads((run / "done.json").read_text(encoding="utf-8"))
    epochs = [json.loads(line) for line in (run / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    deviations = [*largest_deviations(epochs)]
    name, floor = done["score"], done["floor"] or {}
    return {
        "score": name,
        "epoch": done["best"]["epoch"],
        **{split: done["best"][split][name] for split in SPLITS},
        **{f"{split} last": done["last"][split][name] for split in SPLITS},
        **{f"{split} floor": floor.get(split, {}).get(name) for split in SPLITS},
        "floor rule": floor.get("rule", ""),
        "reason": done["reason"],
        "epochs": done["epochs"],
        "parameters": done["parameters"],
        "seconds": round(done["seconds"], 2),
        "gradient first": epochs[0]["gradient_norm"]["max"],
        "gradient last": epochs[-1]["gradient_norm"]["max"],
        "deviation first": deviations[0],
        "deviation last": deviations[-1],
        "val by epoch": " ".join(f"{one['val'][name]:.4f}" for one in epochs),
        "signs": " ".join(signs(run)),
        "torch": json.loads((run / "environment.json").read_text(encoding="utf-8"))["torch"],
    }


def signs(run: Path) -> list[str]:
    """The signs of trouble that the monitor told."""
    file = run / "health.jsonl"
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    return sorted({json.loads(line)["sign"] for line in lines})


def largest_deviations(epochs: list[dict[str, Any]]) -> Iterator[float]:
    """The largest deviation of any value inside the model, of every epoch in which the monitor looked at values."""
    for one in epochs:
        if values := one["health"]["values"]:
            yield max(value["std"] for value in values.values())


def main(folders: list[Path]) -> None:
    """Write a file for each folder."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    for folder in folders:
        found = [*rows(folder)]
        with (RESULTS / f"{folder.name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, found[0], lineterminator="\n")
            writer.writeheader()
            writer.writerows(found)
        print(f"{folder.name}: {len(found)} runs")


if __name__ == "__main__":
    main([*map(Path, sys.argv[1:])])
