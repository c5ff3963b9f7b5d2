"""`archspec evaluate`: the scores of a run's weights, beside those it recorded."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from archspec.commands.options import trust_option
from archspec.facts import tasks
from archspec.train.waiting import wait_politely

if TYPE_CHECKING:  # torch is imported when the command runs, not for its help
    from archspec.train.folder import Record, RunFolder
    from archspec.train.metrics import Scores

PATH = click.Path(path_type=Path)
SPLITS = click.Choice(["train", "val", "test"])
CHECKPOINTS = click.Choice(["best", "last"])


@click.command("evaluate")
@click.argument("run", type=PATH)
@click.option("--split", type=SPLITS, default="test", show_default=True, help="The graphs to score.")
@click.option("--checkpoint", type=CHECKPOINTS, default="best", show_default=True, help="The weights to score.")
@click.option("--device", metavar="D", help="cpu, cuda, cuda:1, … or auto; default that of the run.")
@click.option("--data-dir", type=PATH, metavar="DIR", help="Folder for data; default that of the run.")
@trust_option
def command(run: Path, split: str, checkpoint: str, device: str | None, data_dir: Path | None, trust: bool) -> None:
    """Score the weights of RUN on a split.

    The module is built from the run's own spec. On the device and with the threads of the run the scores of val and
    test are those it recorded, bit for bit; train is scored with the weights as they are, not while they change.
    """
    wait_politely()
    from archspec.commands.opening import reopen
    from archspec.train.display import choose, counted
    from archspec.train.engine import Evaluator
    from archspec.train.run import load_weights

    old, task, machine = reopen(run, split, device, data_dir, choose(), trust)
    evaluator = Evaluator(task, machine.device)
    about = load_weights(evaluator, old, checkpoint)
    scores = evaluator.scores(task.data.splits[split], lambda: None)
    graphs = counted(len(task.data.splits[split]), "graph")
    click.echo(f"{checkpoint} weights, {moment(about)}, {split}: {graphs}")
    width = max(6, *map(len, scores))
    click.echo("\n".join(f"  {name:<{width}} {number(name, value)}" for name, value in scores.items()))
    if note := comparison(scores, old, about, split):
        click.echo(note)


def moment(about: dict[str, str]) -> str:
    """When in the run the weights were those."""
    step = about.get("step", "0")
    return f"epoch {about['epoch']}" if step == "0" else f"epoch {int(about['epoch']) + 1} after step {step}"


def number(name: str, value: float | None) -> str:
    """A score: a share in percent, another figure as it is."""
    if value is None:
        return "-"
    return f"{100 * value:.3f} %" if tasks.score(name).share else f"{value:.6f}"


def comparison(scores: Scores, old: RunFolder, about: dict[str, str], split: str) -> str:
    """Whether the scores are those in `metrics.jsonl`; nothing where it has none to compare with."""
    found = recorded(old, about, split)
    if not found:
        return ""
    if found == scores:
        return "the same as recorded, bit for bit"
    worst = max(abs((scores[name] or 0) - (value or 0)) for name, value in found.items())
    listed = ", ".join(f"{name} {number(name, value)}" for name, value in found.items())
    return f"recorded: {listed}; the largest difference is {worst:.1e}"


def recorded(old: RunFolder, about: dict[str, str], split: str) -> Record | None:
    """The scores that were recorded for these weights. Those of train were taken while the weights changed."""
    if split == "train" or about.get("step", "0") != "0":
        return None
    result = old.result() or {}
    entries = [*old.records(), *(entry for key in ("best", "last") if (entry := result.get(key)))]
    return next((entry[split] for entry in entries if str(entry["epoch"]) == about["epoch"] and entry.get(split)), None)
