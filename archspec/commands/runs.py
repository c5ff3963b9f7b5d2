"""What `train`, `evaluate` and `predict` share: putting a task together, and opening the folder of an earlier run."""

from pathlib import Path

from archspec.data.load import check_loadable, load
from archspec.diagnostics import Diagnostic, SpecError
from archspec.facts import known
from archspec.pipeline import build
from archspec.syntax.load import load_spec
from archspec.syntax.spec import Spec
from archspec.train import device as devices
from archspec.train import folder
from archspec.train.display import Display
from archspec.train.folder import RunFolder
from archspec.train.run import Machine, prepare, seed
from archspec.train.task import Task, check_settings


def assemble(spec: Spec, directory: Path | None, display: Display) -> Task:
    """The task of a spec: the module first, so that the spec's problems come before data is generated."""
    settings = spec.settings
    if settings.data is None:
        raise SpecError(
            [Diagnostic("E0609", "the spec names no data", path=spec.source.path, help="add `data: {name: …}`")]
        )
    check_settings(settings.train, spec.place)
    at = spec.place("data", "name")
    facts = known(settings.data, at)
    check_loadable(settings.data, at)
    seed(settings.train.seed)
    built = build(spec, facts)
    try:
        data = load(settings.data, directory, display.say, display.load)
    finally:
        display.stop()
    return Task(
        spec.name, built.module, data, settings.data.batch_size, settings.train, spec.text, built.code, spec.place
    )


def open_machine(spec: Spec, device: str, threads: int | None = None) -> Machine:
    """The device a user names, with the spec's threads or those of an earlier run."""
    return prepare(devices.choose(device), spec.settings.train.threads or threads)


def reopen(path: Path, device: str | None, directory: Path | None, display: Display) -> tuple[RunFolder, Task, Machine]:
    """A run's folder, its task from its own spec, and a machine like the one it ran on."""
    old = folder.find(path)
    spec = load_spec(old.spec)
    machine = open_machine(spec, device or recorded(old, "device") or "auto", old.told().get("threads"))
    return old, assemble(spec, directory or data_folder(old), display), machine


def recorded(old: RunFolder, option: str) -> str | None:
    """An option that the run was started with."""
    value = old.told().get("options", {}).get(option)
    return None if value is None else str(value)


def data_folder(old: RunFolder) -> Path | None:
    """The folder for data the run was started with, if one was named."""
    name = recorded(old, "data_dir")
    return None if name is None else Path(name)
