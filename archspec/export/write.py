"""Writing a spec or a run as one Python file, with its weights and answers to check it by beside it."""

import copy
import os
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

from torch import Tensor

from archspec.export.alone import Graphs, answers
from archspec.export.examples import examples, unknown_averages
from archspec.export.opened import Opened
from archspec.export.single import others, single
from archspec.train import weights
from archspec.train.files import write

ALONE = """
import runpy, sys
for name in {blocked}: sys.modules[name] = None
sys.argv = [{path!r}, "--check"]
runpy.run_path({path!r}, run_name="__main__")
"""
"""A process in which what the file must not need cannot be imported."""


class Differs(Exception):
    """An exported file computes something else than the spec's module: a bug in archspec, never in a spec."""


def write_python(found: Opened, path: Path) -> str:
    """Write the file, `NAME.safetensors` and `NAME.check.safetensors`; what its own check says. Raises Differs."""
    spec = found.spec
    write(path, single(found.built.code, spec.name, spec.settings.about or "", path.stem))
    weights.save(path.with_suffix(".safetensors"), found.module.state_dict(), {"of": spec.name, "from": found.weights})
    weights.save(path.with_suffix(".check.safetensors"), answered(found), {"of": spec.name})
    return checked(path, others(found.built.code))


def answered(found: Opened) -> dict[str, Tensor]:
    """Graphs, what the spec's module gives for them, and values for averages that are not known yet."""
    module = copy.deepcopy(found.module)
    values = dict(unknown_averages(module))
    for name, value in values.items():
        module.get_buffer(name).copy_(value)
    kept = {f"weights/{name}": value for name, value in values.items()}
    for number, graphs in enumerate(examples(module, found.facts)):
        kept |= {f"graphs/{number}/{name}": value for name, value in parts(graphs).items()}
        kept |= {f"answers/{number}/{name}": value for name, value in answers(module, graphs).items()}
    return kept


def parts(graphs: Graphs) -> dict[str, Tensor]:
    """The tensors that there are."""
    named = {one.name: getattr(graphs, one.name) for one in fields(graphs)}
    return {name: value for name, value in named.items() if value is not None}


def checked(path: Path, needed: list[str]) -> str:
    """What a file says of itself where it can import neither archspec nor anything else it does not need."""
    blocked = [name for name in ("archspec", "safetensors", "torch_geometric", "lightning_fabric", "lark", "yaml")
               if name not in needed]  # fmt: skip
    text = ALONE.format(blocked=blocked, path=str(path.resolve()))
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        raise Differs(f"{path}: {(done.stderr or done.stdout).strip()}")
    return done.stdout.strip()
