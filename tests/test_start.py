"""Textual commands answer without torch: each runs in a process of its own, which then says what it has imported.

How long they take is measured by `benchmarks/start.py`.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from archspec.commands.main import COMMANDS

ROOT = Path(__file__).resolve().parent.parent

HEAVY = ("torch", "torch_geometric", "lightning_fabric", "numpy", "scipy", "sympy", "networkx", "pandas", "matplotlib")
"""Packages that no textual command needs."""

PROBE = """
import json, sys
from archspec.commands.main import run
try:
    run(sys.argv[1:])
except SystemExit as end:
    code = end.code
roots = sorted({name.partition(".")[0] for name in sys.modules})
print("\\n" + json.dumps({"code": code, "roots": roots}))
"""

TEXTUAL = (
    "",
    "--help",
    "--version",
    *(f"{name} --help" for name in COMMANDS),
    *(
        f"show gin --as {stage}"
        for stage in ("spec", "tree", "ir", "plan", "code", "params", "math", "latex", "diagram")
    ),
    "show content_attention --as plan --backend attention=dense",
    "show gin --as ir --after hoist",
    "diff gin gin_sigmoid_eps",
    "diff gin gps --level expanded --format html",
    "diff gin gin_last --level ir",
    "check --static gin position_gating",
    f"fmt --check {ROOT / 'specs'}",
    "new mine --from gin",
    "runs",
    "schema",
    "new mine --from gin_inner_off",
)

MISTAKES = (
    "shw gin",
    "show gim",
    "show gin --as pln",
    "show gin --set model.sizes.d=abc*",
    "check --static no/such/file.yaml",
    "train no/such/file.yaml",
    "train gin --set train.epochs=-1",
    "sweep no/such/file.yaml",
    "table no/such/folder",
    "data pattern --set limit=no",
    "data patern",
    "data pattern --plot degrees.png",
    "receptive pyramyd",
    "receptive pyramid --set base=x",
)


def imported(arguments: str, folder: Path) -> tuple[object, set[str]]:
    """The exit code of a command, and the packages its process has imported."""
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *arguments.split()],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.stdout, done.stderr
    said = json.loads(done.stdout.rstrip().split("\n")[-1])
    return said["code"], set(said["roots"])


def environment() -> dict[str, str]:
    """Archspec of this checkout, whatever is installed, and nothing else that a session may have set."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "SYSTEMROOT", "TMPDIR")}
    return kept | {"PYTHONPATH": str(ROOT)}


@pytest.mark.parametrize("arguments", TEXTUAL)
def test_textual_commands_import_no_torch(arguments: str, tmp_path: Path) -> None:
    code, roots = imported(arguments, tmp_path)
    assert code == 0
    assert roots.isdisjoint(HEAVY)


@pytest.mark.parametrize("arguments", MISTAKES)
def test_mistakes_are_told_without_torch(arguments: str, tmp_path: Path) -> None:
    code, roots = imported(arguments, tmp_path)
    assert code == 1
    assert roots.isdisjoint(HEAVY)


def test_the_receptive_field_study_needs_numpy_alone(tmp_path: Path) -> None:
    code, roots = imported("receptive pyramid --set base=3", tmp_path)
    assert code == 0
    assert roots & set(HEAVY) == {"numpy"}


def test_describing_data_needs_numpy_alone(tmp_path: Path) -> None:
    code, roots = imported(f"data pattern --set limit=3 --data-dir {tmp_path}", tmp_path)
    assert code == 0
    assert roots & set(HEAVY) == {"numpy"}


def test_formulas_of_costs_need_sympy_alone(tmp_path: Path) -> None:
    code, roots = imported("cost gin", tmp_path)
    assert code == 0
    assert roots & set(HEAVY) == {"sympy"}


def test_this_guard_can_fail(tmp_path: Path) -> None:
    """`check` without `--static` builds the module, so it has to import torch."""
    code, roots = imported("check gin", tmp_path)
    assert code == 0
    assert {"torch", "archspec"} <= roots


def test_training_on_built_in_data_needs_no_pyg(tmp_path: Path) -> None:
    code, roots = imported(
        f"train gin --set data.limit=2 --set train.epochs=2 --data-dir {tmp_path} --dry-run", tmp_path
    )
    assert code == 0
    assert "torch" in roots
    assert roots.isdisjoint({"torch_geometric", "comet_ml", "trackio", "tensorboard", "matplotlib"})
