"""Tables of nodes, edges, pairs and graphs: CSV, or Parquet where pyarrow is installed, read into columns of text.

Non-goal: guessing. A column that has no meaning here is an error, since a misspelt one would else be left out.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from archspec.data.raw import Array, Spot
from archspec.diagnostics import Diagnostic, SpecError
from archspec.source import SourceFile, Span

NAMES = {
    "nodes": ("graph", "node", "split"),
    "edges": ("graph", "source", "target", "split"),
    "pairs": ("graph", "i", "j", "split"),
    "graphs": ("graph", "split"),
}
"""The columns of every table that are names."""

NEEDED = {"nodes": (), "edges": ("source", "target"), "pairs": ("i", "j"), "graphs": ("graph",)}
NUMBERS = {"nodes": ("pos", "x", "y"), "edges": ("e", "y"), "pairs": ("y",), "graphs": ("y",)}
"""What the names of columns of features and labels begin with."""


@dataclass(frozen=True)
class Table:
    """Columns of text by name, in their order, and where each row stands."""

    path: str
    columns: Mapping[str, Sequence[str]]
    lines: Sequence[int]
    """The line of every row, counted from 1; for Parquet the number of the row, from 0."""
    text: str | None = None
    """The file, where it is text."""

    def __len__(self) -> int:
        return len(self.lines)

    @cached_property
    def source(self) -> SourceFile:
        """The text with its lines."""
        return SourceFile(self.path, self.text or "")

    def at(self, row: int) -> Spot:
        """Where a row stands."""
        if self.text is None or not len(self):
            return Spot(self.path, f"row {row}" if len(self) else "")
        return Spot(self.path, "", self.line(self.lines[row]))

    def line(self, number: int) -> Span:
        """A line of the text."""
        start = self.source.line_starts[number - 1]
        return Span(self.source, start, start + max(1, len(self.source.line(number))))

    def group(self, prefix: str) -> list[str]:
        """The columns whose names begin so, in their order."""
        return [name for name in self.columns if kind_of(name, self.kind) == prefix]

    @property
    def kind(self) -> str:
        """`nodes`, `edges`, `pairs` or `graphs`."""
        return Path(self.path).stem

    def numbers(self, prefix: str, problems: list[Diagnostic]) -> Array | None:
        """The numbers of some columns, [rows, columns]: int64 where all are whole, then [rows] if single, else float64.

        An empty cell is NaN. What is no number is a problem E0419.
        """
        names = self.group(prefix)
        if not names:
            return None
        columns = [self.number(name, problems) for name in names]
        if len(columns) == 1 and columns[0].dtype.kind == "i":
            return columns[0]
        found = np.stack(columns, axis=1)
        return found if found.dtype.kind == "i" else found.astype(np.float64)

    def number(self, name: str, problems: list[Diagnostic]) -> Array:
        """One column: int64 where all are whole numbers, else float64."""
        cells = self.columns[name]
        try:
            return np.array(cells, dtype=np.str_).astype(np.int64)
        except (ValueError, OverflowError):
            pass
        found = np.full(len(cells), np.nan)
        for row, cell in enumerate(cells):
            try:
                found[row] = float(cell) if cell else np.nan
            except ValueError:
                cure = "write a number; categories are numbered from 0"
                problems.append(self.at(row).problem("E0419", f"`{cell}` in the column `{name}` is no number", cure))
                found[row] = 0.0
        return found


def kind_of(column: str, table: str) -> str | None:
    """What a column is: its name, or what a column of numbers begins with; None if it means nothing."""
    if column in NAMES[table]:
        return column
    return next((one for one in NUMBERS[table] if column.startswith(one)), None)


def read(paths: Mapping[str, Sequence[Path]]) -> dict[str, Table]:
    """The tables that are there. Raises SpecError: E0411 no pyarrow, E0417 not readable, E0418 columns, E0419 rows."""
    problems: list[Diagnostic] = []
    tables: dict[str, Table] = {}
    for kind, (path,) in paths.items():
        table = (parquet if path.suffix == ".parquet" else text)(path, problems)
        problems += columns(table, kind)
        tables[kind] = table
    if problems:
        raise SpecError(problems)
    return tables


def text(path: Path, problems: list[Diagnostic]) -> Table:
    """A CSV file in UTF-8: a line of names, then rows of as many cells, with commas between them."""
    try:
        content = path.read_text(encoding="utf-8-sig", errors="strict")
        reader = csv.reader(io.StringIO(content, newline=""), strict=True)
        names = [name.strip() for name in next(reader, [])]
        rows, lines = [], []
        for row in reader:
            if row:
                rows.append([cell.strip() for cell in row])
                lines.append(reader.line_num)
    except (OSError, UnicodeDecodeError, csv.Error) as problem:
        cure = "save it as CSV in UTF-8, with commas between the cells"
        diagnostic = Diagnostic("E0417", f"the table cannot be read: {problem}", path=str(path), help=cure)
        raise SpecError([diagnostic]) from problem
    whole = Table(str(path), {}, lines, content)
    for number, row in enumerate(rows):
        if len(row) != len(names):
            message = f"the row has {len(row)} cells, and there are {len(names)} columns"
            problems.append(whole.at(number).problem("E0419", message, "give every row a cell for each column"))
    rows = [[*row, *("",) * (len(names) - len(row))] for row in rows]
    found = list(zip(*rows, strict=False)) or [()] * len(names)
    if twice := {name for name in names if names.count(name) > 1}:
        message = f"there are several columns `{sorted(twice)[0]}`"
        problems.append(Diagnostic("E0418", message, whole.line(1), help="rename all but one"))
    return Table(str(path), dict(zip(names, found, strict=False)), lines, content)


def parquet(path: Path, _problems: list[Diagnostic]) -> Table:
    """A Parquet file, through pyarrow."""
    try:
        from pyarrow import parquet as arrow
    except ImportError as problem:
        cure = "`pip install pyarrow`, or write the tables as CSV"
        message = "Parquet is read with the package `pyarrow`, which is not installed"
        raise SpecError([Diagnostic("E0411", message, path=str(path), help=cure)]) from problem
    try:
        content: Any = arrow.read_table(path)
    except Exception as problem:
        said = f"the table cannot be read: {type(problem).__name__}: {problem}"
        raise SpecError([Diagnostic("E0417", said, path=str(path), help="write the file again")]) from problem
    found = {name: [cell(value) for value in content[name].to_pylist()] for name in content.column_names}
    return Table(str(path), found, range(content.num_rows))


def cell(value: object) -> str:
    """A value of Parquet as a cell of text; truth values are 0 and 1, nothing is empty."""
    return "" if value is None else str(int(value) if isinstance(value, bool) else value)


def columns(table: Table, kind: str) -> list[Diagnostic]:
    """Columns that are missing, and those that mean nothing."""
    at = table.line(1) if table.text else None
    known = ", ".join(f"`{one}`" for one in NAMES[kind])
    numbers = ", ".join(f"`{one}…`" for one in NUMBERS[kind])
    found = [
        Diagnostic("E0418", f"there is no column `{name}`", at, path=table.path, help=f"its columns are {known}")
        for name in NEEDED[kind]
        if name not in table.columns
    ]
    return found + [
        Diagnostic(
            "E0418",
            f"the column `{name}` has no meaning in `{kind}`",
            at,
            path=table.path,
            help=f"remove or rename it: {known} are names, {numbers} are numbers",
        )
        for name in table.columns
        if kind_of(name, kind) is None
    ]
