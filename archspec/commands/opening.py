"""What `train`, `evaluate` and `predict` share: putting a task together, and opening the folder of an earlier run."""

from pathlib import Path

from archspec.data.batching import batch_size
from archspec.data.load import DataSet, load
from archspec.diagnostics import Diagnostic, SpecError
from archspec.facts import known, with_defaults
from archspec.pipeline import build
from archspec.syntax.load import load_library, load_spec
from archspec.syntax.schema import DataSettings
from archspec.syntax.spec import Spec
from archspec.train import device as devices
from archspec.train import folder, protocol
from archspec.train.display import Display
from archspec.train.folder import RunFolder
from archspec.train.health.equations import Equations
from archspec.train.pairs import check_memory
from archspec.train.processes import ALONE, Processes
from archspec.train.run import Machine, prepare, seed
from archspec.train.structure import demands, prepared
from archspec.train.task import Task, check_settings


def completed(spec: Spec, directory: Path | None, display: Display, trust: bool = False) -> Spec:
    """A spec to train, what it leaves to its data set filled in; the set is read if nothing is known of it yet."""
    data, at = spec.settings.data, spec.place("data", "name")
    if data is None:
        cure = "add `data: {name: …}`"
        raise SpecError([Diagnostic("E0609", "the spec names no data", path=spec.source.path, help=cure)])
    facts = known(data, at, directory) or open_data(spec, data, directory, display, trust).facts
    return with_defaults(spec, facts)


def open_data(spec: Spec, data: DataSettings, directory: Path | None, display: Display, trust: bool = False) -> DataSet:
    """The data set of a spec; files that could run a program are read only with `trust`."""
    try:
        return load(data, directory, display.say, display.load, spec.place, trust)
    finally:
        display.stop()


def assemble(spec: Spec, directory: Path | None, display: Display, trust: bool = False) -> Task:
    """The task of a completed spec: the module first, so that the spec's problems come before data is generated."""
    settings = spec.settings
    assert settings.data is not None  # it is complete
    check_settings(settings.train, spec.place)
    seed(settings.train.seed)
    built = build(spec, known(settings.data, spec.place("data", "name"), directory))
    data = open_data(spec, settings.data, directory, display, trust)
    size, needs, train = batch_size(settings.data.batch_size), demands(built.optimised), settings.train
    check_memory(spec, built.optimised, data)
    text, code, buckets = spec.text, built.code, settings.data.buckets or 1
    about = protocol.describe(spec, data)
    equations = Equations(built.program, (*spec.definitions.values(), *load_library().values()), data.facts)
    at, plan = spec.place, built.plan
    return Task(spec.name, built.module, data, size, train, text, code, at, needs, buckets, about, equations, plan)


def open_machine(spec: Spec, device: str, threads: int | None = None, processes: Processes = ALONE) -> Machine:
    """The device a user names, with the spec's threads or those of an earlier run."""
    return prepare(devices.choose(device, processes.local), spec.settings.train.threads or threads, processes)


def reopen(
    path: Path, split: str | None, device: str | None, directory: Path | None, display: Display, trust: bool = False
) -> tuple[RunFolder, Task, Machine]:
    """A run's folder, its task from its own spec, a split prepared if one is named, and a machine like that of then."""
    old = folder.find(path)
    directory = directory or data_folder(old)
    spec = completed(load_spec(old.spec), directory, display, trust)
    machine = open_machine(spec, device or recorded(old, "device") or "auto", old.told().get("threads"))
    task = assemble(spec, directory, display, trust)
    return old, prepared(task, directory, display, (split,) if split else ()), machine


def recorded(old: RunFolder, option: str) -> str | None:
    """An option that the run was started with."""
    value = old.told().get("options", {}).get(option)
    return None if value is None else str(value)


def data_folder(old: RunFolder) -> Path | None:
    """The folder for data the run was started with, if one was named."""
    name = recorded(old, "data_dir")
    return None if name is None else Path(name)
