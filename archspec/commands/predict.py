"""`archspec predict`: what a run's weights say about every node, edge, pair or graph of a split, as a file."""

from pathlib import Path

import click

from archspec.commands.evaluate import CHECKPOINTS, PATH, SPLITS
from archspec.commands.options import trust_option
from archspec.train.waiting import wait_politely


@click.command("predict")
@click.argument("run", type=PATH)
@click.option("-o", "--output", required=True, type=PATH, metavar="FILE", help="A new file: .csv, .npz or .pt.")
@click.option("--split", type=SPLITS, default="test", show_default=True, help="The graphs to predict.")
@click.option("--checkpoint", type=CHECKPOINTS, default="best", show_default=True, help="The weights to use.")
@click.option("--force", is_flag=True, help="Replace FILE if it exists.")
@click.option("--device", metavar="D", help="cpu, cuda, cuda:1, … or auto; default that of the run.")
@click.option("--data-dir", type=PATH, metavar="DIR", help="Folder for data; default that of the run.")
@trust_option
def command(
    run: Path,
    output: Path,
    split: str,
    checkpoint: str,
    force: bool,
    device: str | None,
    data_dir: Path | None,
    trust: bool,
) -> None:
    """Write the predictions of RUN for every node, edge, pair or graph of a split into FILE.

    Columns: graph (its number in the split), node (its number in the graph) or i and j (an edge leads from j to i),
    label and prediction; for classes and answers of yes and no also a logit and a probability for each.
    """
    wait_politely()
    from archspec.commands.opening import reopen
    from archspec.train import folder, predictions
    from archspec.train.display import choose, counted
    from archspec.train.engine import Evaluator
    from archspec.train.run import load_weights

    predictions.check(output, force)
    old = folder.find(run)
    folder.checkpoint(old, old.weights(checkpoint))
    old, task, machine = reopen(run, split, device, data_dir, choose(), trust)
    evaluator = Evaluator(task, machine.device)
    load_weights(evaluator, old, checkpoint)
    graphs = task.data.splits[split]
    rows = predictions.write(evaluator, graphs, output, lambda _graphs: None)
    level = task.data.facts.level
    what = "" if level == "graph" else f"{counted(rows, level)} of "
    click.echo(f"{what}{counted(len(graphs), 'graph')} → {output}")
