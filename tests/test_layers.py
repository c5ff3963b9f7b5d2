"""The layers of the package: a module imports only from rows above its own and from its own folder."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "archspec"

ROWS = (
    *("source", "diagnostics", "syntax", "library", "notation", "ir", "facts", "check", "passes", "cost", "compare"),
    *("structure", "runtime", "emit", "reference", "data", "train", "pipeline", "equal", "interface", "editor"),
    *("track", "runs", "statistics", "export", "report", "sweep", "bisect", "commands"),
)
"""The rows of the layout in `docs/architecture.md`, from the top."""

TORCH = {"statistics", "reference", "runtime", "structure", "data", "equal", "train", "report", "export"}
"""Rows that may import torch and the like when they are imported; `statistics` does for numpy and statsmodels."""

HEAVY = {"torch", "torch_geometric", "lightning_fabric", "safetensors", "numpy", "scipy", "statsmodels", "pandas"}

EXCEPTIONS = {
    "emit.build": "the end of emit: source → module",
    "commands.opening": "what the commands on runs share, imported by them when they run",
}
"""Modules outside of those rows that import torch at once; nothing textual imports them."""


def imports(tree: ast.AST, deferred: bool = True) -> Iterator[tuple[str, int]]:
    """The names a module imports, with lines; those in functions and for type checkers only if asked for."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or ""), node.lineno
        elif isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif deferred or not (isinstance(node, ast.FunctionDef) or for_type_checkers(node)):
            yield from imports(node, deferred)


def for_type_checkers(node: ast.AST) -> bool:
    """Whether a statement is `if TYPE_CHECKING:`."""
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def faults(name: str, text: str) -> list[str]:
    """What a module with a dotted name below the package imports against the rules."""
    tree = ast.parse(text)
    row = name.split(".")[0]
    found = []
    for module, line in imports(tree):
        if module.startswith("."):
            found.append(f"{name}:{line} imports relatively")
        target = module.split(".")[1] if module.startswith("archspec.") else ""
        if target in ROWS and target != row and ROWS.index(target) > ROWS.index(row):
            found.append(f"{name}:{line} imports {target}, which stands below {row}")
    for module, line in imports(tree, deferred=False):
        if module.split(".")[0] in HEAVY and row not in TORCH and name not in EXCEPTIONS:
            found.append(f"{name}:{line} imports {module} at once")
    return found


def modules() -> Iterator[tuple[str, str]]:
    """The dotted name below the package and the text of every module in a row."""
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        if parts[0] in ROWS:
            yield ".".join(part for part in parts if part != "__init__"), path.read_text()


def test_layers() -> None:
    assert [fault for name, text in modules() for fault in faults(name, text)] == []


def test_every_module_is_in_a_row() -> None:
    outside = {path.relative_to(PACKAGE).parts[0].removesuffix(".py") for path in PACKAGE.rglob("*.py")} - set(ROWS)
    assert outside == {"__init__", "__main__"}
    assert set(EXCEPTIONS) <= {name for name, _ in modules()}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("syntax.parser", "from archspec.check import types"),
        ("syntax.parser", "def f():\n    from archspec.train.loop import run"),
        ("syntax.parser", "from . import tree"),
        ("syntax.parser", "from ..source import Span"),
        ("passes.fold", "import torch"),
        ("check.build", "import numpy as np"),
        ("pipeline", "try:\n    import torch\nexcept ImportError:\n    pass"),
        ("source", "from archspec.diagnostics import Problems"),
        ("train.loop", "import archspec.commands.main"),
    ],
)
def test_the_guard_can_fail(name: str, text: str) -> None:
    assert len(faults(name, text)) == 1


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("train.loop", "import torch\nfrom archspec.syntax import tree\nfrom archspec.train import metrics"),
        ("pipeline", "def build():\n    import torch"),
        ("commands.train", "if TYPE_CHECKING:\n    import torch"),
    ],
)
def test_the_guard_lets_pass_what_is_right(name: str, text: str) -> None:
    assert faults(name, text) == []


def test_files_and_functions_stay_short() -> None:
    long = []
    lengths = []
    for name, text in modules():
        nodes = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)]
        sizes = {node.name: (node.end_lineno or 0) - node.lineno + 1 for node in nodes}
        lengths += sizes.values()
        long += [f"{name}.{function}: {size} lines" for function, size in sizes.items() if size > 80]
        long += [f"{name}: {text.count(chr(10))} lines"] if text.count("\n") > 400 else []
    assert long == []
    assert sorted(lengths)[len(lengths) // 2] <= 10
