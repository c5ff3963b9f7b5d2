"""Runs of one spec with several seeds: each an ordinary run in a folder under one, and what they come to together.

`seeds.json` says which seeds there are, the results of those that are finished, their means and standard deviations;
`seeds.yaml` is the spec of all. A run's own spec has `seed` and no `seeds`, so it is the one that a single run has.
"""

import shlex
import statistics
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from archspec.facts import tasks
from archspec.syntax.spec import Spec
from archspec.syntax.writer import write_spec
from archspec.train import folder, protocol, report
from archspec.train.display import counted
from archspec.train.files import write, write_json
from archspec.train.folder import Record, RunFolder, parsed
from archspec.train.lock import Lock

ROWS, SPLITS = ("best", "last"), ("train", "val", "test")


class Group:
    """The folder of several runs."""

    def __init__(self, path: Path):
        self.path = path
        self.file = path / folder.SEEDS
        self.spec = path / "seeds.yaml"
        self.lock = Lock(path)

    def run(self, seed: int) -> RunFolder:
        """The run with a seed."""
        return RunFolder(self.path / f"seed-{seed}")

    def told(self) -> Record:
        """What `seeds.json` says."""
        return parsed(self.file.read_bytes(), self.file)

    @property
    def seeds(self) -> list[int]:
        """The seeds, in the order they are trained in."""
        return list(self.told()["seeds"])

    def begin(self, spec: Spec, options: Record) -> None:
        """Put down what is to be trained, before anything is."""
        write(self.spec, spec.text)
        begun = {"name": spec.name, "options": options, "seeds": spec.settings.train.seeds, "finished": []}
        write_json(self.file, begun)

    def write(self, spec: Spec, seeds: Iterable[int]) -> Record:
        """Put down the seeds, the spec of all, and what is finished, with what it comes to."""
        options = self.told()["options"]
        told = {"name": spec.name, "options": options, **summary({seed: self.run(seed) for seed in seeds})}
        write(self.spec, spec.text)
        write_json(self.file, told)
        return told


def is_group(path: Path) -> bool:
    """Whether a folder is one of several runs."""
    return Group(path).file.is_file()


def create(path: Path | None, spec: Spec, options: Record) -> Group:
    """A new folder for the seeds of a spec: at the path, absent or empty, or `runs/NAME-1`, -2, …"""
    made = Group(folder.numbered(Path("runs"), spec.name) if path is None else folder.claim(path))
    made.begin(spec, options)
    return made


def with_seed(spec: Spec, seed: int) -> Spec:
    """The spec of one of the runs."""
    train = spec.settings.train.model_copy(update={"seed": seed, "seeds": None})
    settings = spec.settings.model_copy(update={"train": train})
    return replace(spec, settings=settings, text=write_spec(settings))


def with_seeds(spec: Spec, seeds: list[int]) -> Spec:
    """The spec with these seeds."""
    train = spec.settings.train.model_copy(update={"seeds": seeds})
    settings = spec.settings.model_copy(update={"train": train})
    return replace(spec, settings=settings, text=write_spec(settings))


def summary(runs: Mapping[int, RunFolder]) -> Record:
    """What `seeds.json` says apart from the name: seeds, results, and figures over those that did not diverge."""
    results = {seed: result for seed, one in runs.items() if (result := one.result()) and result["reason"] != "paused"}
    sound = {seed: result for seed, result in results.items() if result["reason"] != "diverged"}
    first: Record = next(iter(sound.values()), {})
    return {
        "seeds": list(runs),
        "finished": list(results),
        "diverged": [seed for seed in results if seed not in sound],
        "score": first.get("score"),
        "select": first.get("select"),
        "protocol": first.get("protocol"),
        **{row: {split: spread(sound.values(), row, split) for split in SPLITS} for row in ROWS},
        "runs": {str(seed): entry(runs[seed], result) for seed, result in results.items()},
    }


def spread(results: Iterable[Record], row: str, split: str) -> dict[str, Record]:
    """Mean, sample standard deviation (n - 1; None of one) and number of every score of a split."""
    scores = [(result[row] or {}).get(split) or {} for result in results]
    names = list(dict.fromkeys(name for one in scores for name in one))
    return {name: figures([one[name] for one in scores if one.get(name) is not None]) for name in names}


def figures(values: list[float]) -> Record:
    """The figures of some numbers."""
    mean = statistics.fmean(values) if values else None
    return {"mean": mean, "std": statistics.stdev(values) if len(values) > 1 else None, "n": len(values)}


def entry(run: RunFolder, result: Record) -> Record:
    """What is kept of one run."""
    kept = ("reason", "stopped", "epochs", "seconds", "best", "last")
    return {"folder": run.path.name, **{key: result.get(key) for key in kept}}


def table(group: Group, told: Record) -> str:
    """What `seeds.json` says, for people: mean ± standard deviation on the test split, and the score of each seed."""
    results = {seed: one for seed in told["finished"] if (one := group.run(seed).result())}
    sound = [one for seed, one in results.items() if seed not in told["diverged"]]
    if not sound:
        return "\n".join(closing(group, told))
    shown = report.columns(sound[0])
    head = "test, in percent" if all(tasks.score(name).share for name in shown) else "test"
    rows = [(head, *shown, "epoch")]
    rows += [
        (name, *(with_spread(key, told[row]["test"].get(key)) for key in shown), "") for name, row in NAMES.items()
    ]
    if floor := sound[0]["floor"]:
        rows.append(("floor", *(report.figure(key, floor["test"].get(key)) for key in shown), ""))
    row = "last" if told["select"] == "last" else "best"
    rows += [report.line(f"seed {seed}", one[row], shown) for seed, one in results.items()]
    return "\n".join([*report.aligned(rows), "", *closing(group, told, row)])


NAMES = {"best validation": "best", "last epoch": "last"}


def with_spread(name: str, found: Record | None) -> str:
    """`85.43 ± 0.10`; the mean alone of one run."""
    if not found:
        return "-"
    mean = report.figure(name, found["mean"]).strip()
    return mean if found["std"] is None else f"{mean} ± {report.figure(name, found['std']).strip()}"


def closing(group: Group, told: Record, row: str = "") -> list[str]:
    """What the rows are, which seeds are missing, and where it all is."""
    lines = [*comparable(group, told)]
    sound = [seed for seed in told["finished"] if seed not in told["diverged"]]
    if row:
        which = "the last epoch" if row == "last" else "the best validation epoch"
        lines.append(
            f"mean ± standard deviation (n - 1) over {counted(len(sound), 'seed')}; a seed's row is of {which}"
        )
    if told["diverged"]:
        lines.append(f"warning: diverged and left out: seed {', '.join(map(str, told['diverged']))}")
    if missing := [seed for seed in told["seeds"] if seed not in told["finished"]]:
        lines.append(f"not finished: seed {', '.join(map(str, missing))}")
        lines.append(f"go on with: archspec train --resume {shlex.quote(str(group.path))}")
    return [*lines, f"folder of the runs: {group.path}"]


def comparable(group: Group, told: Record) -> list[str]:
    """A warning where the runs have not all been scored in the same way."""
    results = [one for seed in told["finished"] if (one := group.run(seed).result())]
    for one in results[1:]:
        if found := protocol.differences(results[0], one):
            return [f"warning: the scores are not of one protocol: {found[0]}"]
    return []
