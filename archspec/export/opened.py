"""What is exported: the module of a spec as it begins, or of a run with its weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from archspec.diagnostics import Diagnostic, SpecError
from archspec.facts import Facts, known
from archspec.pipeline import Built, build
from archspec.syntax.load import load_spec
from archspec.syntax.spec import Spec
from archspec.train import folder
from archspec.train.faults import fault

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Opened:
    """A built spec, what is known of its data, and where its weights come from, in words."""

    spec: Spec
    built: Built
    facts: Facts
    weights: str

    @property
    def module(self) -> nn.Module:
        """The module, with its weights."""
        return self.built.module


def opened(name: str, overrides: Sequence[str], checkpoint: str) -> Opened:
    """A spec by its name or file, its weights drawn with `train.seed`; or a run's folder, with its weights.

    Raises SpecError: what loading and building raise, E0609 without a data set, E0615 and E0616 for weights.
    """
    import torch

    run = folder.find(Path(name)) if Path(name).is_dir() else None
    if run and overrides:
        raise SpecError([Diagnostic("E0044", "a run has its own settings", help="leave `--set` out")])
    spec = load_spec(run.spec if run else name, overrides)
    facts = known_of(spec, recorded_folder(run))
    torch.manual_seed(spec.settings.train.seed)
    built = build(spec, facts)
    if run is None:
        return Opened(spec, built, facts, f"drawn with seed {spec.settings.train.seed}")
    about = read_weights(built.module, run, checkpoint)
    return Opened(spec, built, facts, f"{checkpoint} of {run.path.name}, epoch {about.get('epoch', '?')}")


def recorded_folder(run: folder.RunFolder | None) -> Path | None:
    """The folder for data that a run was started with."""
    value = run.told().get("options", {}).get("data_dir") if run else None
    return Path(str(value)) if value else None


def known_of(spec: Spec, directory: Path | None) -> Facts:
    """What is known of the spec's data. E0609 where it names none, E0653 where nothing is known of it yet."""
    data, path = spec.settings.data, spec.source.path
    if data is None:
        raise SpecError([Diagnostic("E0609", "the spec names no data", path=path, help="add `data: {name: …}`")])
    facts = known(data, spec.place("data", "name"), directory)
    if facts is None:
        cure = f"`archspec data {data.name}` reads it once"
        raise SpecError([Diagnostic("E0653", f"nothing is known of the data `{data.name}` yet", path=path, help=cure)])
    return facts


def read_weights(module: nn.Module, run: folder.RunFolder, which: str) -> dict[str, str]:
    """Put the weights of a run into a module; what their file says of itself."""
    from archspec.train import weights

    path = folder.checkpoint(run, run.weights(which))
    found, about = weights.load(path)
    own = module.state_dict()
    wrong = sorted(set(own) ^ set(found)) or [name for name in own if own[name].shape != found[name].shape]
    if wrong:
        message = f"the weights do not fit the run's own spec: `{wrong[0]}` differs"
        raise fault("E0616", message, path, "use the archspec that the run was made with")
    module.load_state_dict(found)
    return about
