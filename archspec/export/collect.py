"""What emitted code calls, collected from the modules of archspec: only what is needed, each definition once.

A definition is needed where a needed one names it; a method where needed code has an attribute of its name; a row of
a table of functions where needed code asks for its index set.
"""

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from archspec.export.pieces import Import, Module, Piece, Place, first_line, module


@dataclass
class Collected:
    """The definitions that are needed, modules in an order in which each comes after those it imports."""

    emitted: Module
    pieces: dict[Piece, None] = field(default_factory=dict)
    attributes: set[str] = field(default_factory=set)
    keys: set[str] = field(default_factory=set)
    """The index sets that are asked for."""
    outside: dict[str, Import] = field(default_factory=dict)
    """What is imported from elsewhere, by the name it goes by."""
    seen: set[int] = field(default_factory=set)

    def add(self, piece: Piece) -> None:
        """A definition, and later all it needs."""
        self.pieces[piece] = None

    def settle(self) -> None:
        """Add what is needed until nothing is missing."""
        while True:
            before = self.size
            for piece in list(self.pieces):
                for part in kept_parts(piece, self):
                    if id(part) not in self.seen:
                        self.seen.add(id(part))
                        self.read(part, piece.module)
            if before == self.size:
                return

    @property
    def size(self) -> tuple[int, ...]:
        """Grows as long as something was missing."""
        return len(self.pieces), len(self.attributes), len(self.keys), len(self.seen)

    def read(self, part: ast.AST, of: Module) -> None:
        """What a part of a definition needs."""
        for node in ast.walk(part):
            self.keys |= set(asked_for(node))
            if isinstance(node, ast.Attribute):
                self.attributes.add(node.attr)
                if isinstance(node.value, ast.Name) and (inner := submodule(of, node.value.id)):
                    self.need(module(inner), node.attr)
            elif isinstance(node, ast.Name) and not submodule(of, node.id):
                self.need(of, node.id)

    def need(self, of: Module, name: str) -> None:
        """What a name of a module stands for."""
        found = of.find(name)
        if isinstance(found, Piece):
            self.add(found)
            for other in of.pieces:  # statements without a name, which a module runs when it is imported
                if not other.names:
                    self.add(other)
        elif isinstance(found, Import) and found.ours:
            self.need(module(found.module), found.name)
        elif isinstance(found, Import):
            self.outside[name] = found

    def modules(self) -> list[Module]:
        """The modules with needed definitions, in order."""
        ordered: dict[str, None] = {}

        def visit(one: Module) -> None:
            for found in one.imports.values():
                if found.ours:
                    visit(module(found.submodule or found.module))
            ordered[one.name] = None

        visit(self.emitted)
        used = {piece.module.name for piece in self.pieces}
        return [module(name) for name in ordered if name in used and name != self.emitted.name]


def submodule(of: Module, name: str) -> str:
    """The module of archspec that a name stands for, else ""."""
    found = of.imports.get(name)
    return found.submodule if found and found.ours else ""


def collect(emitted: Module, also: Iterable[Place] = ()) -> Collected:
    """All that emitted code needs, and some more."""
    found = Collected(emitted)
    for piece in emitted.pieces:
        found.add(piece)
    for name, one in also:
        found.need(module(name), one)
    found.settle()
    return found


def asked_for(node: ast.AST) -> Iterator[str]:
    """The name of the index set that `batch.pairs("V")` asks for."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "pairs":
        yield from (one.value for one in node.args if isinstance(one, ast.Constant) and isinstance(one.value, str))


def kept_parts(piece: Piece, found: Collected) -> Iterator[ast.AST]:
    """The parts of a definition that are needed."""
    if table := piece.table:
        yield from (value for key, value in zip(table.keys, table.values, strict=True) if wanted(key, found.keys))
        return
    left_out = set(map(id, left_out_methods(piece, found.attributes)))
    if not piece.methods:
        yield piece.node
    elif isinstance(piece.node, ast.ClassDef):
        yield from (*piece.node.decorator_list, *piece.node.bases)
        yield from (one for one in piece.node.body if id(one) not in left_out)


def left_out_methods(piece: Piece, attributes: set[str]) -> list[ast.FunctionDef]:
    """The methods that nothing calls."""
    return [one for one in piece.methods if one.name not in attributes]


def wanted(key: ast.AST | None, asked: set[str]) -> bool:
    """Whether a row of a table is asked for: `V` and ` - i` by `V - i`."""
    value = str(key.value) if isinstance(key, ast.Constant) else ""
    return any(name == value or name.startswith(f"{value} ") or name.endswith(value) for name in asked)


def text_of(piece: Piece, found: Collected, names: Mapping[Place, str]) -> str:
    """A definition's text without what is not needed, under the names that definitions have in the one file."""
    lines = renamed(piece, names)
    gone: set[int] = set()
    for method in left_out_methods(piece, found.attributes):
        last = method.end_lineno or method.lineno
        gone |= set(range(first_line(method), last + 1))
        blank = last + 1
        while blank <= piece.last and not lines[blank - 1].strip():
            gone.add(blank)
            blank += 1
    text = "\n".join(lines[at - 1] for at in range(piece.first, piece.last + 1) if at not in gone).rstrip()
    return rows_of(piece, piece.table, found, text) if piece.table else text


def rows_of(piece: Piece, table: ast.Dict, found: Collected, text: str) -> str:
    """A table with the rows that are asked for; its description follows as it is."""
    pairs = zip(table.keys, table.values, strict=True)
    rows = [f'"{key.value}": {ast.unparse(value)}' for key, value in pairs  # type: ignore[union-attr]
            if wanted(key, found.keys)]  # fmt: skip
    described = "\n".join(text.splitlines()[(piece.node.end_lineno or 0) - piece.first + 1 :])
    return f"{piece.names[0]} = {{{', '.join(rows)}}}\n{described}".rstrip()


def renamed(piece: Piece, names: Mapping[Place, str]) -> list[str]:
    """The lines of a definition's module, names within the definition replaced by those of the one file."""
    lines = [line.encode() for line in piece.module.lines]
    found = [one for one in replacements(piece, names) if one is not None]
    for line, start, end, text in sorted(set(found), reverse=True):
        old = lines[line - 1]
        lines[line - 1] = old[:start] + text.encode() + old[end:]
    return [line.decode() for line in lines]


def replacements(piece: Piece, names: Mapping[Place, str]) -> Iterator[tuple[int, int, int, str]]:
    """Line, first and last byte, and the new text of what is written otherwise in the one file."""
    of = piece.module
    if isinstance(piece.node, ast.FunctionDef | ast.ClassDef):
        new = names.get((of.name, piece.node.name), piece.node.name)
        if new != piece.node.name:
            start = of.lines[piece.node.lineno - 1].encode().index(piece.node.name.encode())
            yield piece.node.lineno, start, start + len(piece.node.name.encode()), new
    for node in ast.walk(piece.node):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if inner := submodule(of, node.value.id):
                yield node.lineno, node.col_offset, node.end_col_offset or 0, names[home(module(inner), node.attr)]
        elif isinstance(node, ast.Name) and (place := home(of, node.id)) in names and names[place] != node.id:
            yield node.lineno, node.col_offset, node.end_col_offset or 0, names[place]


def home(of: Module, name: str) -> Place:
    """Where a name that a module uses is defined: there, or where the module has it from."""
    found = of.imports.get(name)
    return home(module(found.module), found.name) if found and found.ours and not found.submodule else (of.name, name)
