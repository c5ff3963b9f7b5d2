"""A module of archspec as the definitions it is made of, each with its text and the names it needs."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

PACKAGE = Path(__file__).parent.parent

Place = tuple[str, str]
"""A module and a name in it."""


@dataclass(frozen=True)
class Import:
    """Where a name comes from: `name` of a module, or the module itself."""

    module: str
    name: str = ""

    @property
    def ours(self) -> bool:
        """Whether it is archspec's."""
        return self.module.split(".")[0] == "archspec"

    @property
    def submodule(self) -> str:
        """The module that `from archspec.structure import walks` names, else ""."""
        full = f"{self.module}.{self.name}"
        return full if self.ours and file_of(full).is_file() else ""


def file_of(module: str) -> Path:
    """The file of a module of archspec."""
    return PACKAGE.joinpath(*module.split(".")[1:]).with_suffix(".py")


@dataclass(frozen=True, eq=False)
class Piece:
    """A statement at the top of a module, with the string below it that describes it."""

    module: "Module"
    node: ast.stmt
    last: int
    """Its last line."""

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names it defines."""
        if isinstance(self.node, ast.FunctionDef | ast.ClassDef):
            return (self.node.name,)
        stored = (one for one in ast.walk(self.node) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store))
        return tuple(one.id for one in stored)

    @property
    def first(self) -> int:
        """Its first line, decorators included."""
        return first_line(self.node)

    @property
    def table(self) -> ast.Dict | None:
        """The rows, where it is a table by names."""
        value = self.node.value if isinstance(self.node, ast.Assign) else None
        by_name = isinstance(value, ast.Dict) and all(isinstance(one, ast.Constant) for one in value.keys)
        return value if by_name and all(isinstance(one, ast.Name) for one in value.values) else None  # type: ignore[union-attr,return-value]

    @property
    def methods(self) -> list[ast.FunctionDef]:
        """The methods that are left out unless something calls them.

        torch calls those of its own kinds of classes, and Python those with underscores.
        """
        if not isinstance(self.node, ast.ClassDef) or any("torch" in ast.dump(base) or "nn" in ast.dump(base)
                                                          for base in self.node.bases):  # fmt: skip
            return []
        found = [one for one in self.node.body if isinstance(one, ast.FunctionDef)]
        return [one for one in found if not one.name.startswith("__")]


def first_line(node: ast.stmt) -> int:
    """The line where a statement begins, decorators included."""
    decorators = node.decorator_list if isinstance(node, ast.FunctionDef | ast.ClassDef) else []
    return min([node.lineno, *(one.lineno for one in decorators)])


@dataclass(frozen=True, eq=False)
class Module:
    """A module's text, what it imports and what it defines."""

    name: str
    text: str

    @cached_property
    def lines(self) -> list[str]:
        """The lines of the text."""
        return self.text.splitlines()

    @cached_property
    def imports(self) -> dict[str, Import]:
        """What it imports, by the name it goes by here, in order."""
        found: dict[str, Import] = {}
        for node in ast.parse(self.text).body:
            if isinstance(node, ast.Import):
                found |= {one.asname or one.name: Import(one.name) for one in node.names}
            elif isinstance(node, ast.ImportFrom):
                found |= {one.asname or one.name: Import(node.module or "", one.name) for one in node.names}
        return found

    @cached_property
    def pieces(self) -> list[Piece]:
        """Its statements but for imports and its own description."""
        body = ast.parse(self.text).body
        return list(self._pieces(body[1:] if ast.get_docstring(ast.parse(self.text)) is not None else body))

    def _pieces(self, body: list[ast.stmt]) -> Iterator[Piece]:
        for at, node in enumerate(body):
            if isinstance(node, ast.Import | ast.ImportFrom) or is_text(node):
                continue
            below = body[at + 1] if at + 1 < len(body) and is_text(body[at + 1]) else node
            yield Piece(self, node, below.end_lineno or below.lineno)

    @cached_property
    def defines(self) -> dict[str, Piece]:
        """Its definitions by name."""
        return {name: piece for piece in self.pieces for name in piece.names}

    def find(self, name: str) -> Import | Piece | None:
        """What a name stands for at the top of the module; None for one of Python's own or of a function."""
        return self.defines.get(name) or self.imports.get(name)


def is_text(node: ast.stmt) -> bool:
    """Whether a statement is a string alone."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


@cache
def module(name: str) -> Module:
    """A module of archspec by its dotted name."""
    return Module(name, file_of(name).read_text(encoding="utf-8"))
