"""The folder of a bisection: one folder for each spec that is tried, with its runs as `archspec train` makes them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from archspec.bisect.minimise import Subset
from archspec.bisect.pair import Pair
from archspec.bisect.verdict import Score
from archspec.compare.consequences import Checked
from archspec.compare.forms import NOWHERE
from archspec.diagnostics import Diagnostic, SpecError
from archspec.sweep.axes import Alternative
from archspec.sweep.cells import Cell
from archspec.sweep.drive import Job
from archspec.sweep.folder import is_fixed
from archspec.sweep.plan import Planned
from archspec.syntax.load import parse_spec
from archspec.syntax.spec import Spec
from archspec.train import folder
from archspec.train.files import write, write_json
from archspec.train.folder import Record, RunFolder, parsed
from archspec.train.group import Group, is_group, with_seeds
from archspec.train.lock import Lock
from archspec.train.resumption import finished, leaves

FILE = "bisect.json"
"""What a folder of a bisection holds besides the specs that were tried; also `report.txt`."""

ENDS = {"good": "GOOD", "bad": "BAD"}
"""What the ends are called, by their folders."""


@dataclass(frozen=True, eq=False)
class Trial:
    """A spec that is tried: GOOD, BAD, or GOOD with some changes."""

    folder: str
    changes: Subset
    checked: Checked

    @property
    def spec(self) -> Spec:
        """The spec."""
        return self.checked.spec


def numbers(some: Subset) -> str:
    """Changes by their numbers, from 1: `1-3,5`."""
    runs: list[list[int]] = []
    for one in sorted(some):
        if runs and runs[-1][-1] == one:
            runs[-1].append(one + 1)
        else:
            runs.append([one + 1])
    return ",".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


class BisectFolder:
    """What was tried, on the disk."""

    def __init__(self, path: Path):
        self.path = path
        self.file = path / FILE
        self.report = path / "report.txt"
        self.lock = Lock(path)

    def ends(self, pair: Pair) -> tuple[Trial, Trial]:
        """GOOD and BAD."""
        return Trial("good", frozenset(), pair.good), Trial("bad", pair.whole, pair.bad)

    def trial(self, pair: Pair, some: Subset) -> Trial:
        """GOOD with some changes."""
        name = f"with-{numbers(some)}"
        return Trial(name, some, pair.made(some, str(Group(self.path / name).spec)))

    def group(self, one: Trial) -> Group:
        """Its runs."""
        return Group(self.path / one.folder)

    def run(self, one: Trial, seed: int) -> RunFolder:
        """The one with a seed."""
        return self.group(one).run(seed)

    def is_open(self, one: Trial, seed: int) -> bool:
        """Whether there is something left to do for a run."""
        return finished(self.run(one, seed), one.spec.settings.train.epochs) is None

    def score(self, one: Trial, seed: int, score: tuple[str, str]) -> Score:
        """What a finished run comes to at the epoch that its result is of; None where it diverged."""
        result = self.run(one, seed).result()
        if result is None or result["reason"] == "diverged":
            return None
        split, name = score
        found = ((result["last" if result.get("select") == "last" else "best"] or {}).get(split) or {}).get(name)
        return None if found is None else float(found)

    def check(self, pair: Pair) -> None:
        """E0610 for a folder of something else, E0865 for one of other specs."""
        if not self.file.is_file():
            folder.check_free(self.path)
        elif problems := [*self.differing(pair)]:
            raise SpecError(problems)

    def differing(self, pair: Pair) -> Iterator[Diagnostic]:
        """E0865 for the first setting in which a spec is not the one that this folder is about."""
        kept = parsed(self.file.read_bytes(), self.file)
        for key, one in (("good", pair.good), ("bad", pair.bad)):
            old, new = (parse_spec(text, str(self.file)) for text in (str(kept[key]), one.spec.text))
            before, now = (dict(leaves(spec.settings.model_dump())) for spec in (old, new))
            for path in before | now:
                if before.get(path) != now.get(path) and (is_fixed(path) or path == ("train", "epochs")):
                    message = f"`{'.'.join(path)}` of {key.upper()} is not that of the runs in this folder"
                    cure = "take it back, or name another folder with `--run-dir`"
                    notes = (f"there it is `{before.get(path)}`",)
                    yield Diagnostic("E0865", message, path=str(self.path), notes=notes, help=cure)
                    return

    def begin(self, pair: Pair) -> None:
        """Put down what is searched."""
        changes = {str(at): edit.name for at, edit in enumerate(pair.edits, 1)}
        told = {"good": pair.good.spec.text, "bad": pair.bad.spec.text, "names": list(pair.names), "changes": changes}
        if not self.file.is_file():
            write_json(self.file, told)

    def begin_trial(self, one: Trial, seeds: Sequence[int], options: Record) -> None:
        """The folder of a trial; seeds that it has already stay."""
        group = self.group(one)
        group.path.mkdir(exist_ok=True)
        if is_group(group.path):
            group.write(with_seeds(one.spec, every := list(dict.fromkeys([*group.seeds, *seeds]))), every)
        else:
            group.begin(with_seeds(one.spec, [*seeds]), options)

    def job(self, one: Trial, seed: int, pair: Pair) -> Job:
        """A run as a sweep's executors train it."""
        name = ENDS.get(one.folder) or f"with {pair.named(one.changes)}"
        cell = Cell((Alternative(name, (), NOWHERE),), NOWHERE)
        assert one.checked.facts is not None  # the data set is known by now
        planned = Planned(cell, one.spec, one.checked.facts, 0, None, None)
        return Job(planned, seed, self.group(one))

    def keep(self, job: Job) -> None:
        """Put down what the runs of a trial have come to."""
        job.group.write(with_seeds(job.planned.spec, job.group.seeds), job.group.seeds)

    def conclude(self, found: Record, text: str) -> None:
        """Put down what the search has come to."""
        write_json(self.file, parsed(self.file.read_bytes(), self.file) | {"found": found})
        write(self.report, f"{text}\n")
