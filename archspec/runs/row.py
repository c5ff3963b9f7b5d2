"""One run as a row: its state, and everything that its folder says, by path; a damaged folder is a row too."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from archspec.diagnostics import Problems, SpecError
from archspec.facts import tasks
from archspec.source import SourceFile
from archspec.syntax.document import Mapping as Section
from archspec.syntax.document import read_document
from archspec.track.about import Plain, flat
from archspec.train import lock
from archspec.train.folder import Record, RunFolder

State = Literal["running", "finished", "diverged", "stopped", "damaged"]

SIGNS = ("spec.yaml", "environment.json", "metrics.jsonl", "done.json")
"""Files of which one is enough for a folder to be that of a run."""


@dataclass(frozen=True)
class Row:
    """A run. `fields` has every setting (`train.optimizer.lr`), the scores of the best validation epoch (`val.acc`,
    `test.acc`) and of the last (`last.test.acc`), and the columns of the table; shares are in percent, as shown."""

    path: Path
    state: State
    fields: Mapping[str, Plain]
    trouble: str = ""
    """What is wrong with a damaged folder."""


def find(root: Path) -> Iterator[Path]:
    """Every folder of a run at or below a folder, in order; runs have no runs within them."""
    if any((root / name).exists() for name in SIGNS):
        yield root
        return
    for one in sorted(root.iterdir()):
        if one.is_dir() and not one.is_symlink() and not one.name.startswith("."):
            yield from find(one)


def read(path: Path, name: str) -> Row:
    """The row of a run, under a name."""
    folder = RunFolder(path)
    try:
        return whole(folder, name)
    except SpecError as problem:
        trouble = problem.diagnostics[0].message
    except OSError as problem:
        trouble = f"{Path(str(problem.filename)).name}: {(problem.strerror or str(problem)).lower()}"
    except (ValueError, TypeError, KeyError, AttributeError) as problem:  # JSON or YAML of another form
        trouble = f"a file says something else than a run's: {type(problem).__name__}: {problem}"
    return Row(path, "damaged", {"run": name, "state": "damaged"}, trouble)


def whole(folder: RunFolder, name: str) -> Row:
    """The row of a folder in which everything is as it should be. Raises what is wrong with another one."""
    settings, told, records, result = spec_of(folder), folder.told(), folder.records(), folder.result()
    state = state_of(folder, result)
    best = (result or {}).get("best") or best_of(records, settings["train"].get("monitor"))
    last = (result or {}).get("last") or (records[-1] if records else None)
    metric = (result or {}).get("score") or main_score(settings["train"].get("monitor"))
    fields: dict[str, Plain] = dict(flat({key: value for key, value in settings.items() if key != "name"}, "."))
    fields |= {"run": name, "name": settings["name"], "state": state, "metric": metric, "epochs": len(records)}
    fields |= {"of": settings["train"]["epochs"], "seed": settings["train"]["seed"], "data": settings["data"]["name"]}
    fields |= {"started": str(told.get("started", ""))[:16].replace("T", " ")}
    for prefix, record in (("", best), ("last.", last)):
        fields |= scores(record, prefix)
    fields |= {short: fields[f"{short}.{metric}"] for short in ("val", "test") if f"{short}.{metric}" in fields}
    fields |= {key: (result or told)[key] for key in ("parameters", "seconds_per_epoch") if key in (result or told)}
    return Row(folder.path, state, fields)


def spec_of(folder: RunFolder) -> dict[str, Any]:
    """The settings of the spec as they stand; its equations are not read."""
    problems = Problems()
    document = read_document(SourceFile(str(folder.spec), folder.spec.read_text(encoding="utf-8")), problems)
    problems.finish()
    if not isinstance(document, Section):
        raise ValueError("spec.yaml holds no spec")
    return document.plain


def state_of(folder: RunFolder, result: Record | None) -> State:
    """Whether a run is over, and how; one without a result, or paused, runs where a process holds its lock."""
    if result is not None and result["reason"] != "paused":
        return "diverged" if result["reason"] == "diverged" else "finished"
    return "running" if lock.held(folder.path) else "stopped"


def main_score(monitor: str | None) -> str:
    """The score that a run is shown by, where its result does not say."""
    return monitor or "loss"


def best_of(records: list[Record], monitor: str | None) -> Record | None:
    """The record of the best validation score so far."""
    name = main_score(monitor)
    sign = 1 if tasks.score(name).larger_is_better else -1
    known = [record for record in records if record["val"].get(name) is not None]
    return max(known, key=lambda record: sign * record["val"][name], default=None)


def scores(record: Record | None, prefix: str) -> dict[str, Plain]:
    """The scores of an epoch by split and name, as they are shown."""
    splits = {split: (record or {}).get(split) or {} for split in ("train", "val", "test")}
    return {f"{prefix}{split}.{name}": shown(name, value)
            for split, found in splits.items() for name, value in found.items() if value is not None}  # fmt: skip


def shown(name: str, value: float) -> float:
    """A share in percent, another figure as it is."""
    return 100 * value if is_share(name) else value


def is_share(name: str) -> bool:
    """Whether a figure is a share; those that are no score are none."""
    return (name in tasks.SCORES or name.startswith("acc_")) and tasks.score(name).share
