"""Weights of another run as the ones to begin with: by name between different specs, and what came of each.

Every weight and buffer whose name and shape both have is copied. What the run has none of keeps its own first values.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from torch import nn

from archspec.check.suggest import nearest
from archspec.diagnostics import Diagnostic, SpecError
from archspec.train import folder, weights
from archspec.train.faults import fault
from archspec.train.optimizer import listed


@dataclass(frozen=True)
class Transfer:
    """What became of the weights of a file."""

    path: str
    sha256: str
    epoch: str
    """When in the other run they were those."""
    matched: tuple[str, ...]
    new: tuple[str, ...]
    """Those of the module that the file lacks."""
    left: tuple[str, ...]
    """Those of the file that the module lacks."""
    shapes: Mapping[str, tuple[tuple[int, ...], tuple[int, ...]]]
    """Those of both that have other shapes: that of the file and that of the module. They are not copied."""
    renames: tuple[str, ...]

    def lines(self) -> list[str]:
        """What is told at the start of a run."""
        found = [f"weights from {self.path}, epoch {self.epoch}: {len(self.matched)} matched"]
        found += [f"  new: {listed(list(self.new))}"] if self.new else []
        found += [f"  left: {listed(list(self.left))}"] if self.left else []
        alike: dict[tuple[tuple[int, ...], tuple[int, ...]], list[str]] = {}
        for name, pair in self.shapes.items():
            alike.setdefault(pair, []).append(name)
        return [
            *found,
            *(f"  {old} there and {new} here, so new: {listed(names)}" for (old, new), names in alike.items()),
        ]

    def record(self) -> dict[str, Any]:
        """What `environment.json` keeps."""
        return asdict(self)


def transfer(module: nn.Module, source: Path, renames: Iterable[str] = (), sha256: str | None = None) -> Transfer:
    """Copy the weights of a run, its best ones, or of a `.safetensors` file into a module.

    A rename is `OLD=NEW`, in which `*` stands for the same on both sides; it counts for names that begin with it, too.
    With `sha256` the file has to be that very one. Raises SpecError: E0611 to E0613 and E0615 for the run, E0644 where
    no weight fits, E0645 for a rename, E0646 for another file than the one with this hash.
    """
    path = file_of(source)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if sha256 is not None and digest != sha256:
        cure = "put the old file back, or start a new run"
        raise fault("E0646", "the weights that the run began with have changed since", path, cure)
    found, about = weights.load(path)
    given = {renamed(name, [rename(one, found) for one in renames]): tensor for name, tensor in found.items()}
    own = module.state_dict()
    both = [name for name in own if name in given]
    matched = [name for name in both if own[name].shape == given[name].shape]
    if not any(name in dict(module.named_parameters()) for name in matched):
        cure = f"it has {listed(list(given))}; this model has {listed(list(own))}: write `--rename OLD=NEW`"
        raise fault("E0644", "no weight of this model is in the file by its name and shape", path, cure)
    module.load_state_dict({name: given[name] for name in matched}, strict=False)
    return Transfer(
        path=str(path),
        sha256=digest,
        epoch=about.get("epoch", "unknown"),
        matched=tuple(matched),
        new=tuple(name for name in own if name not in given),
        left=tuple(sorted(name for name in given if name not in own)),  # the file has no order
        shapes={name: (tuple(given[name].shape), tuple(own[name].shape)) for name in both if name not in matched},
        renames=tuple(renames),
    )


def file_of(source: Path) -> Path:
    """The file of weights: the best ones of a run, the last ones where there is no best epoch yet, or a file itself."""
    if source.suffix == ".safetensors":
        if not source.is_file():
            raise fault(
                "E0611", "there is no such file of weights", source, "name a run, or a file in its `checkpoints`"
            )
        return source
    run = folder.find(source)
    best = run.weights("best")
    return best if best.exists() else folder.checkpoint(run, run.weights("last"))


Rename = tuple[re.Pattern[str], str]


def rename(text: str, names: Iterable[str]) -> Rename:
    """`layers.*.mlp=layers.*.ffn` as a pattern and what to put there; E0645 where it is not that, or names nothing."""
    old, equals, new = (part.strip() for part in text.partition("="))
    if not old or not new or not equals or new.count("*") > old.count("*"):
        message, cure = (
            f"`--rename {text}` cannot be read",
            "write `--rename layers.*.mlp=layers.*.ffn`, `*` on both sides",
        )
        raise SpecError([Diagnostic("E0645", message, help=cure)])
    pattern = re.compile("([^.]+)".join(map(re.escape, old.split("*"))) + r"(?=\.|$)")
    known = list(names)
    if not any(pattern.match(name) for name in known):
        cure = nearest(old, known) or f"it has {listed(known)}"
        raise SpecError([Diagnostic("E0645", f"`{old}` is the name of no weight in the file", help=cure)])
    return pattern, new


def renamed(name: str, renames: Iterable[Rename]) -> str:
    """The name that a weight gets: the first rename that fits counts."""
    for pattern, new in renames:
        if found := pattern.match(name):
            parts = new.split("*")
            between = [part for pair in zip(parts, [*found.groups(), ""], strict=False) for part in pair]
            return "".join(between[: 2 * len(parts) - 1]) + name[found.end() :]
    return name
