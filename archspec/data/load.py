"""From the `data:` section of a spec to splits in memory."""

from dataclasses import dataclass
from pathlib import Path

from archspec.data import generated, own, pyg
from archspec.data.cache import Progress, Report, folder
from archspec.data.divide import check_fold, divide
from archspec.data.place import Place, nowhere
from archspec.data.split import Split
from archspec.facts import Facts, known, sources
from archspec.facts.own import is_own
from archspec.syntax.schema import DataSettings


@dataclass(frozen=True)
class DataSet:
    """A data set in memory (mapped from its file), and what is known of it."""

    name: str
    train: Split
    val: Split
    test: Split
    facts: Facts

    @property
    def splits(self) -> dict[str, Split]:
        """The three splits by name."""
        return {"train": self.train, "val": self.val, "test": self.test}


def ignore(*_: object) -> None:
    """Take a report or progress and do nothing."""


def load(
    settings: DataSettings,
    directory: Path | None = None,
    report: Report = ignore,
    progress: Progress = ignore,
    place: Place = nowhere,
    trust: bool = False,
) -> DataSet:
    """The data set of a spec, generated or read into the cache folder if it is not there.

    With `limit`, every split holds its first so many graphs, the very graphs of the whole set; of a generated set only
    those are generated if the whole set is not cached. `report` takes lines for the user, `progress` graphs done of all
    while generating or reading. Files of the user's own that could run a program are loaded only with `trust`. Raises
    SpecError, placed by `place`: E0401 unknown data set, E0402 cache folder not writable, E0403 unknown option, E0404
    seed too large, E0407 an option's value, E0409 to E0412 what `archspec.data.pyg` says, E0414 no such fold, E0415 to
    E0427 what `archspec.data.own` says.
    """
    facts = known(settings, place("data", "name"), directory)
    source = sources.source(settings)
    if facts is not None:
        check_fold(settings, facts, place)
    if is_own(settings.name):
        packed, facts = own.fetch(settings, folder(directory), report, progress, place, trust)
    elif source is None:
        packed = generated.fetch(settings, folder(directory), report, progress, place)
    else:
        packed, facts = pyg.fetch(settings, source, folder(directory), report, progress, place)
    assert facts is not None  # generated sets are in the table
    check_fold(settings, facts, place)
    parts = divide(packed, facts, settings)
    return DataSet(settings.name, parts["train"], parts["val"], parts["test"], facts)
