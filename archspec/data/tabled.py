"""Graphs from tables: rows of nodes and edges find their graphs, edges their ends."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from archspec.data.packed import offsets
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
        """The split of every row; nodes may be in none."""
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

    def ends(self, owner: Array, places: Mapping[tuple[int, str], int]) -> Array:
        """Source and target of every edge, numbered within their graph, [2, edges]."""
        table = self.tables["edges"]
        found = np.zeros((2, len(table)), dtype=np.int64)
        for at, column in enumerate(("source", "target")):
            for row, (graph, name) in enumerate(zip(owner.tolist(), table.columns[column], strict=True)):
                number = places.get((graph, name), -1)
                if number < 0 <= graph:
                    cure = "add it to the table of nodes, or remove this row"
                    self.wrong("edges", row, "E0420", f"the {column} `{name}` is no node of its graph", cure)
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
    ends = graphs.ends(owners["edges"], places) if "edges" in tables else np.zeros((2, 0), np.int64)
    columns = {
        (kind, name): found
        for kind, name in COLUMNS
        if kind in tables and (found := tables[kind].numbers(name, graphs.problems)) is not None
    }
    labels(columns, graphs)
    splits = {kind: graphs.splits(kind) for kind in ("nodes", "graphs") if "split" in tables.get(kind, NONE).columns}
    if graphs.problems:
        raise SpecError(graphs.problems)
    made = list(cut(graphs, owners, both(ends) if undirected else directed(ends), columns, splits.get("nodes")))
    if "graphs" not in splits:
        return {"all": made}
    return {part: [made[row] for row in np.flatnonzero(splits["graphs"] == part)] for part in SPLITS}


COLUMNS = (*(("nodes", name) for name in ("x", "pos", "y")), *(("edges", name) for name in ("e", "y")), ("graphs", "y"))
"""What there may be numbers of, by table."""

NONE = Table("", {}, ())


def mixed(tables: Mapping[str, Table]) -> Diagnostic | None:
    """E0418 where only some tables name graphs."""
    without = [one for one in tables.values() if "graph" not in one.columns]
    if not without or len(without) == len(tables):
        return None
    message = "there is no column `graph`, and another table has it"
    return Diagnostic("E0418", message, path=without[0].path, help="name the graph in every table, or in none")


def labels(columns: Mapping[tuple[str, str], Array], graphs: Graphs) -> None:
    """Note labels in several tables, and splits of nodes where there are several graphs."""
    labelled = [kind for kind, name in columns if name == "y"]
    if len(labelled) > 1:
        message = f"there are labels `y…` in the tables of {' and '.join(labelled)}"
        path = graphs.tables[labelled[0]].path
        graphs.problems.append(Diagnostic("E0418", message, path=path, help="keep those of one table"))
    if "split" in graphs.tables["nodes"].columns and len(graphs.names) > 1:
        cure = "name the split of every graph in the table of graphs"
        graphs.problems.append(
            Diagnostic("E0427", "several graphs cannot be split by nodes", path=graphs.tables["nodes"].path, help=cure)
        )


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
    edges: Array,
    columns: Mapping[tuple[str, str], Array],
    splits: Array | None,
) -> Iterator[Raw]:
    """Every graph with its rows; `edges` are as `directed` has them."""
    count = len(graphs.names)
    nodes = grouped(owners["nodes"], count)
    own = grouped(owners["edges"][edges[0]], count) if "edges" in owners else [edges[0]] * count
    for number in range(count):
        ends = edges[:, own[number]]
        rows = {"nodes": nodes[number], "edges": ends[0], "graphs": np.array([number])}
        found = {FIELDS[name]: column[rows[kind]] for (kind, name), column in columns.items()}
        level = next((kind for kind, name in columns if name == "y"), "nodes")
        if splits is not None:
            found |= {f"{part}_mask": splits[rows["nodes"]] == part for part in SPLITS}
        yield Raw(Place(graphs.tables, rows, level), len(nodes[number]), ends[1:], **found)


FIELDS = {"x": "x", "pos": "pos", "y": "y", "e": "edge_attr"}
"""What the columns are called in a graph."""


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
        kind = {"y": self.level, "edge_attr": "edges", "edge_index": "edges", "graph": "graphs"}.get(name, "nodes")
        table, rows = self.tables.get(kind, self.tables["nodes"]), self.rows[kind]
        return table.at(int(rows[row])) if kind in self.tables and len(rows) else Spot(table.path)
