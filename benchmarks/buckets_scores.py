"""What `data.buckets` does to scores: short trainings on PATTERN with and without, by batch norms and by layer norms.

    python benchmarks/buckets_scores.py [-o benchmarks/results/buckets_scores.md]

Every row is the same spec, data and seeds; only the buckets differ. Trainings are short and on a tenth of the data, so
that the scores say which setting is better, not how good the architecture is.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import date
from importlib.metadata import version
from pathlib import Path

from start import processor

LAYER_NORMS = """\
extends: gin_sigmoid_eps
name: gin_layer_norm
model:
  where:
    layer: |
      h = (1 + sigmoid(eps)) * x + sigmoid(eps2) * relu(sum[j in N](x[j]))
      x = x + relu(layer_norm(mlp(h)))
    mlp(h): h -> linear(d) -> layer_norm -> relu -> linear(d)
"""
SETTINGS = ("data.limit=1000", "train.epochs=8", "train.threads=1")
SEEDS = (0, 1)
BUCKETS = ("null", "8")


def score(spec: str, buckets: str, seed: int, folder: Path) -> dict:
    """The result of a training."""
    run = folder / f"{Path(spec).stem}-{buckets}-{seed}"
    given = [f"--set={one}" for one in (*SETTINGS, f"data.buckets={buckets}", f"train.seed={seed}")]
    command = [sys.executable, "-m", "archspec", "train", spec, "--run-dir", str(run), *given]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return json.loads((run / "done.json").read_text())


def rows(folder: Path) -> Iterator[str]:
    """A line for every kind of norm and number of buckets."""
    layers = folder / "layer_norms.yaml"
    layers.write_text(LAYER_NORMS)
    for norms, spec in (("batch norms", "gin_sigmoid_eps"), ("layer norms", str(layers))):
        for buckets in BUCKETS:
            found = [score(spec, buckets, seed, folder) for seed in SEEDS]
            best, last = (", ".join(f"{100 * one[at]['test']['acc']:.2f}" for one in found) for at in ("best", "last"))
            yield f"| {norms} | {buckets} | {best} | {last} |"
            print(norms, buckets, best, last, file=sys.stderr)


def report() -> str:
    """The page of results."""
    with tempfile.TemporaryDirectory() as folder:
        lines = [
            "# What buckets do to scores",
            "",
            f"`python benchmarks/buckets_scores.py`, {date.today()}: {processor()}, torch {version('torch')}.",
            "`gin_sigmoid_eps`, as it is and with layer norms in place of its batch norms, on 1,000 training graphs of",
            "PATTERN in batches of 32, 8 epochs; acc on the test split in percent, one figure a seed (0 and 1).",
            "",
            "| norms | `data.buckets` | best validation | last epoch |",
            "|---|---|---|---|",
            *rows(Path(folder)),
        ]
    return "\n".join([*lines, ""])


def main() -> None:
    """Train, and write or print the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path)
    arguments = parser.parse_args()
    text = report()
    if arguments.output:
        arguments.output.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
