"""Graphs from tables: rows of nodes and edges find their graphs, edges their ends."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from archspec.data.packed import Rows, offsets
from archspec.data.raw import Array, Raw, Spot
from archspec.data.tables import Table
from archspec.diagnostics import Diagnostic, SpecError
from archspec.facts.own import SPLITS

ONLY = ""
"""What the graph is called where no table names graphs."""


@dataclass
class Graphs:
    """What is read from the tables on the way to graphs; problems are collected."""

    tables: Mapping[str, Table]
    problems: list[Diagnostic] = field(default_factory=list)

    @cached_property
    def names(self) -> dict[str, int]:
        """The number of every graph: in the order of the table of graphs, or as they appear among the nodes."""
        if "graphs" not in self.tables:
            return {name: number for number, name in enumerate(dict.fromkeys(self.of("nodes")))}
        found: dict[str, int] = {}
        for row, name in enumerate(self.of("graphs")):
            if name in found:
                self.wrong("graphs", row, "E0419", f"the graph `{name}` is there twice", "leave one out")
            found.setdefault(name, len(found))
        return found

    def of(self, table: str) -> Sequence[str]:
        """The name of the graph of every row."""
        one = self.tables[table]
        return one.columns.get("graph", [ONLY] * len(one))

    def wrong(self, table: str, row: int, code: str, message: str, cure: str) -> None:
        """Note a problem of a row."""
        self.problems.append(self.tables[table].at(row).problem(code, message, cure))

    def owner(self, table: str) -> Array:
        """The number of the graph of every row, -1 where there is none."""
        found = np.array([self.names.get(name, -1) for name in self.of(table)], dtype=np.int64)
        for row in np.flatnonzero(found < 0).tolist():
            listed = "graphs" if "graphs" in self.tables else "nodes"
            message = f"the graph `{self.of(table)[row]}` is not in the table of {listed}"
            self.wrong(table, row, "E0420", message, "add it there, or remove this row")
        return found

    def splits(self, table: str) -> Array:
        """The split of every row; all but graphs may be in none."""
        cells = self.tables[table].columns["split"]
        known = SPLITS if table == "graphs" else (*SPLITS, "")
        for row, cell in enumerate(cells):
            if cell not in known:
                self.wrong(table, row, "E0427", f"`{cell}` is no split", "write `train`, `val` or `test`")
        return np.array(cells, dtype=np.str_)

    def places(self, owner: Array) -> dict[tuple[int, str], int]:
        """The number within its graph of every node, by graph and name; without names they are numbered from 0."""
        table = self.tables["nodes"]
        names, counts = table.columns.get("node"), [0] * len(self.names)
        found: dict[tuple[int, str], int] = {}
        for row, graph in enumerate(owner.tolist()):
            if graph >= 0:
                name = str(counts[graph]) if names is None else names[row]
                if (graph, name) in found:
                    self.wrong("nodes", row, "E0419", f"the node `{name}` is in its graph twice", "leave one out")
                else:
                    found[graph, name] = counts[graph]
                counts[graph] += 1
        return found

    def ends(self, kind: str, owner: Array, places: Mapping[tuple[int, str], int]) -> Array:
        """Source and target of every edge, j and i of every pair, numbered within their graph, [2, rows]."""
        table = self.tables[kind]
        found = np.zeros((2, len(table)), dtype=np.int64)
        for at, column in enumerate(ENDS[kind]):
            for row, (graph, name) in enumerate(zip(owner.tolist(), table.columns[column], strict=True)):
                number = places.get((graph, name), -1)
                if number < 0 <= graph:
                    cure = "add it to the table of nodes, or remove this row"
                    self.wrong(kind, row, "E0420", f"the {column} `{name}` is no node of its graph", cure)
                found[at, row] = number
        return found


def read(tables: Mapping[str, Table], undirected: bool) -> dict[str, list[Raw]]:
    """The graphs of every split, or `all`; where `undirected` an edge is there in both directions.

    Raises SpecError with everything that is wrong: E0416 a table, E0418 a column is not there or there twice, E0419
    what is no number or twice, E0420 edges and rows that lead nowhere, E0427 splits.
    """
    if "nodes" not in tables:
        path = next(iter(tables.values())).path
        raise SpecError([Diagnostic("E0416", "there is no table of nodes", path=path, help="write `nodes.csv` too")])
    graphs = Graphs(tables)
    if problem := mixed(tables):
        raise SpecError([problem])
    owners = {kind: graphs.owner(kind) for kind in tables}
    places = graphs.places(owners["nodes"])
    ends = {kind: graphs.ends(kind, owners[kind], places) for kind in ENDS if kind in tables}
    columns = {
        (kind, name): found
        for kind, name in COLUMNS
        if kind in tables and (found := tables[kind].numbers(name, graphs.problems)) is not None
    }
    labels(columns, graphs)
    splits = {kind: graphs.splits(kind) for kind, table in tables.items() if "split" in table.columns}
    if graphs.problems:
        raise SpecError(graphs.problems)
    edges = ends.get("edges", np.zeros((2, 0), np.int64))
    rows = {"edges": both(edges) if undirected else directed(edges)}
    if "pairs" in ends:
        rows["pairs"] = directed(ends["pairs"])
    made = list(cut(graphs, owners, rows, columns, splits))
    if "graphs" not in splits:
        return {"all": made}
    return {part: [made[row] for row in np.flatnonzero(splits["graphs"] == part)] for part in SPLITS}


COLUMNS = (
    *(("nodes", name) for name in ("x", "pos", "y")),
    *(("edges", name) for name in ("e", "y")),
    *(("pairs", "y"), ("graphs", "y")),
)
"""What there may be numbers of, by table."""

ENDS = {"edges": ("source", "target"), "pairs": ("j", "i")}
"""The columns that name nodes, in the order of PyG's indices."""


def mixed(tables: Mapping[str, Table]) -> Diagnostic | None:
    """E0418 where only some tables name graphs."""
    without = [one for one in tables.values() if "graph" not in one.columns]
    if not without or len(without) == len(tables):
        return None
    message = "there is no column `graph`, and another table has it"
    return Diagnostic("E0418", message, path=without[0].path, help="name the graph in every table, or in none")


def labels(columns: Mapping[tuple[str, str], Array], graphs: Graphs) -> None:
    """Note labels in several tables, pairs without, and splits of what has no labels or stands in several graphs."""
    tables, labelled = graphs.tables, [kind for kind, name in columns if name == "y"]

    def note(kind: str, code: str, message: str, cure: str) -> None:
        graphs.problems.append(Diagnostic(code, message, path=tables[kind].path, help=cure))

    if len(labelled) > 1:
        message = f"there are labels `y…` in the tables of {' and '.join(labelled)}"
        note(labelled[0], "E0418", message, "keep those of one table")
    elif "pairs" in tables and labelled != ["pairs"]:
        note("pairs", "E0418", "there are no labels `y…` of the pairs", "add them, or remove the table")
    for kind, table in tables.items():
        if "split" not in table.columns or kind == "graphs":
            continue
        if len(graphs.names) > 1:
            cure = "name the split of every graph in the table of graphs"
            note(kind, "E0427", f"several graphs cannot be split by {kind}", cure)
        elif labelled and kind not in labelled:
            cure = "a split is named where the labels are"
            note(kind, "E0427", f"the {kind} have a split, and labels stand in the table of {labelled[0]}", cure)


def both(ends: Array) -> Array:
    """The number of the row of every directed edge, and its ends, [3, edges]: those given, then the other direction.

    A loop has only one.
    """
    back = np.flatnonzero(ends[0] != ends[1])
    return np.concatenate([directed(ends), np.stack([back, *ends[::-1, back]])], axis=1)


def directed(ends: Array) -> Array:
    """The number of the row of every edge, and its ends, [3, edges]."""
    return np.concatenate([np.arange(ends.shape[1])[None], ends])


def cut(
    graphs: Graphs,
    owners: Mapping[str, Array],
    ends: Mapping[str, Array],
    columns: Mapping[tuple[str, str], Array],
    splits: Mapping[str, Array],
) -> Iterator[Raw]:
    """Every graph with its rows; the ends of edges and pairs are as `directed` has them."""
    count = len(graphs.names)
    nodes = grouped(owners["nodes"], count)
    own = {
        kind: grouped(owners[kind][rows[0]], count) if kind in owners else [rows[0]] * count
        for kind, rows in ends.items()
    }
    level = next((kind for kind, name in columns if name == "y"), "nodes")
    for number in range(count):
        here = {kind: rows[:, own[kind][number]] for kind, rows in ends.items()}
        rows = {"nodes": nodes[number], "graphs": np.array([number]), **{kind: one[0] for kind, one in here.items()}}
        found = {FIELDS[name]: column[rows[kind]] for (kind, name), column in columns.items()}
        if level in splits and level != "graphs":
            found |= {f"{part}_mask": splits[level][rows[level]] == part for part in SPLITS}
        if "pairs" in here:
            found["edge_label_index"] = here["pairs"][1:]
        yield Raw(
            Place(graphs.tables, rows, level), len(nodes[number]), here["edges"][1:], **found, level=LEVELS[level]
        )


LEVELS: Mapping[str, Rows] = {"nodes": "node", "edges": "edge", "pairs": "pair", "graphs": "graph"}
"""What carries the labels in a table."""

FIELDS = {"x": "x", "pos": "pos", "y": "y", "e": "edge_attr"}
"""What the columns are called in a graph."""

TABLES = {"edge_attr": "edges", "edge_index": "edges", "edge_label_index": "pairs", "graph": "graphs"}
"""The tables that have the rows of an array; those of x and pos are nodes."""


def grouped(owner: Array, count: int) -> list[Array]:
    """The rows of every graph, in their order."""
    order = np.argsort(owner, kind="stable")
    return np.split(order, offsets(np.bincount(owner, minlength=count))[1:-1])


@dataclass(frozen=True)
class Place:
    """Where the rows of a graph stand in the tables."""

    tables: Mapping[str, Table]
    rows: Mapping[str, Array]
    level: str
    """The table that has the labels."""

    def __call__(self, name: str, row: int) -> Spot:
        """Where a row of an array stands."""
        kind = TABLES.get(name, self.level if name == "y" or name.endswith("_mask") else "nodes")
        table, rows = self.tables.get(kind, self.tables["nodes"]), self.rows[kind]
        return table.at(int(rows[row])) if kind in self.tables and len(rows) else Spot(table.path)
