"""Data of the user's own: folders of PyG graphs, functions and tables, to training, and what may be wrong with it."""

import os
import pickle
import re
import subprocess
import sys
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from torch_geometric.data import Data

from archspec.commands.main import main
from archspec.data.load import DataSet, load
from archspec.diagnostics import SpecError, render
from archspec.facts import known
from archspec.syntax.schema import DataSettings

SPEC = """\
name: mine
data: {{name: {name}, batch_size: 4}}
model:
  sizes: {{d: 4}}
  input: x = encode(x, d)
  stack: layer
  output: linear(mean[i in V](x[i]), out)
  where:
    layer: x = relu(linear(x + sum[j in N](x[j]), d))
train: {{epochs: 2}}
"""


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """Relative names are looked for in a folder of the test's own, and data is kept there."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ARCHSPEC_CACHE", str(tmp_path / "cache"))


def ring(number: int, **given: object) -> Data:
    """A directed ring of 3 to 5 nodes with letters and a class."""
    nodes = 3 + number % 3
    first = torch.arange(nodes)
    found = {
        "x": first * (number + 1) % 4,
        "edge_index": torch.stack([first, (first + 1) % nodes]),
        "y": torch.tensor([number % 2]),
    }
    return Data(**{**found, **given})


def save(folder: str, **splits: object) -> None:
    """Files of graphs in a folder."""
    Path(folder).mkdir(exist_ok=True)
    for split, graphs in splits.items():
        torch.save(graphs, Path(folder) / f"{split}.pt")


def three(graphs: Iterable[Data] | None = None) -> dict[str, list[Data]]:
    """The three splits of some graphs."""
    found = list(graphs or map(ring, range(12)))
    return {"train": found[:6], "val": found[6:9], "test": found[9:]}


def opened(name: str, trust: bool = False, **options: object) -> DataSet:
    """A data set of the test's own."""
    return load(DataSettings(name=name, options=options), trust=trust)


def problems(name: str, **options: object) -> list[str]:
    """Everything that is wrong, in one line each."""
    with pytest.raises(SpecError) as caught:
        opened(name, **options)
    assert not list(Path("cache").glob("*"))
    assert not list(Path("cache").glob(".*"))
    return str(caught.value).split("\n\n")


def write(folder: str, **tables: str) -> None:
    """CSV tables in a folder; rows are apart by blanks, cells by commas."""
    Path(folder).mkdir(exist_ok=True)
    for table, rows in tables.items():
        Path(folder, f"{table}.csv").write_text("\n".join(rows.split()) + "\n", encoding="utf-8")


def define(module: str, body: str) -> str:
    """A module in the current folder with a function `graphs` of this body; the name of the data set."""
    text = f"import torch\nfrom torch_geometric.data import Data\nfrom tests.test_data_own import ring, three\n\n{body}"
    Path(f"{module}.py").write_text(text, encoding="utf-8")
    sys.modules.pop(module, None)
    return f"{module}:graphs"


def as_tables(folder: str, graphs: list[Data], splits: list[str] | None) -> None:
    """The tables of some graphs with letters and a class each; nodes have names, and rows are not in order."""
    nodes = ["graph,node,x"] + [
        f"g{number},n{node},{graph.x[node]}" for number, graph in enumerate(graphs) for node in range(graph.num_nodes)
    ]
    edges = ["source,graph,target"] + [
        f"n{i},g{number},n{j}" for number, graph in enumerate(graphs) for i, j in graph.edge_index.T.tolist()
    ]
    labels = [f"g{number},{graph.y.item()}" for number, graph in enumerate(graphs)]
    rows = (
        ["graph,y", *labels]
        if splits is None
        else ["graph,y,split", *(f"{row},{split}" for row, split in zip(labels, splits, strict=True))]
    )
    edges[1:] = edges[:0:-1]
    write(folder, nodes=" ".join(nodes), edges=" ".join(edges), graphs=" ".join(rows))


def assert_same(one: DataSet, other: DataSet) -> None:
    """The same graphs in the same splits."""
    for name, split in one.splits.items():
        theirs = other.splits[name].packed
        assert split.packed.columns.keys() == theirs.columns.keys()
        assert split.packed.level == theirs.level
        for column, values in split.packed.columns.items():
            np.testing.assert_array_equal(values, theirs.columns[column], err_msg=column)


SPLITS = ["train"] * 6 + ["val"] * 3 + ["test"] * 3


def folder() -> str:
    """A folder with a file for every split."""
    save("folder", **three())
    return "./folder"


def files() -> str:
    """A folder with a folder for every split, in it a file for every graph."""
    for split, graphs in three().items():
        save(f"files-{split}")
        for number, graph in enumerate(graphs):
            (Path("files") / split).mkdir(parents=True, exist_ok=True)
            torch.save(graph, Path("files") / split / f"{number}.pt")
        Path(f"files-{split}").rmdir()
    return "./files"


def function() -> str:
    """A function that returns splits."""
    return define("mine", "def graphs(classes: int = 2):\n    return three()\n")


def tables() -> str:
    """Tables of nodes, edges and graphs."""
    as_tables("tables", list(map(ring, range(12))), SPLITS)
    return "./tables"


FORMS = (folder, files, function, tables)


@pytest.mark.parametrize("form", FORMS)
def test_every_form_holds_the_same_graphs(form):
    save("reference", **three())
    data, reference = opened(form()), opened("./reference")
    assert_same(data, reference)
    assert [len(split) for split in data.splits.values()] == [6, 3, 3]
    batch = data.val.batch([1])
    wanted = ring(7)
    assert batch.x.tolist() == wanted.x.tolist()
    assert batch.y.tolist() == wanted.y.tolist()
    edges = {(int(j), int(i)) for j, i in zip(batch.N.index, batch.N.target, strict=True)}
    assert edges == set(map(tuple, wanted.edge_index.T.tolist()))
    facts = data.facts
    assert (facts.task, facts.out, facts.letters, facts.features) == ("graph classification", 2, 4, None)
    assert (facts.max_nodes, facts.symmetric, facts.folds) == (5, False, None)


@pytest.mark.parametrize("form", FORMS)
def test_it_trains_from_the_command_line_and_is_known_to_static_commands(form):
    name = form()
    Path("mine.yaml").write_text(SPEC.format(name=name))
    run = CliRunner()
    said = run.invoke(main, ["check", "--static", "mine.yaml"], catch_exceptions=False).output
    assert "open until it has been read" in said
    result = run.invoke(main, ["train", "mine.yaml", "--run-dir", "run"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert "graph classification, loss cross_entropy" in result.output
    assert "parameters" in run.invoke(main, ["check", "--static", "mine.yaml"], catch_exceptions=False).output
    scored = run.invoke(main, ["evaluate", "run"], catch_exceptions=False)
    assert "the same as recorded, bit for bit" in scored.output
    assert run.invoke(main, ["predict", "run", "-o", "p.csv"], catch_exceptions=False).exit_code == 0
    assert len(Path("p.csv").read_text().splitlines()) == 4  # a head and three graphs
    described = run.invoke(main, ["data", name, "--set", "limit=2"], catch_exceptions=False).output
    assert f"{name}: graph classification, 2 classes" in described


def test_a_folder_is_read_again_when_a_file_changes_and_only_then():
    said: list[str] = []
    name = folder()

    def labels() -> list[int]:
        return load(DataSettings(name=name), report=said.append).train.labels.tolist()

    assert labels() == labels() == [0, 1, 0, 1, 0, 1]
    assert len(said) == 1
    Path("folder/readme.txt").write_text("not data")
    assert labels()
    assert len(said) == 1
    graphs = three()["train"]
    graphs[0].y += 2
    torch.save(graphs, "folder/train.pt")
    assert known(DataSettings(name=name)) is None
    assert labels() == [2, 1, 0, 1, 0, 1]
    assert len(said) == 2
    assert known(DataSettings(name=name)).out == 3
    Path("sub").mkdir()
    Path("folder").rename("sub/folder")
    moved = load(DataSettings(name="sub/folder"), report=said.append)
    assert (moved.facts.name, moved.facts.out, len(said)) == ("sub/folder", 3, 2)


def test_a_function_is_run_when_its_module_or_an_option_changes_and_never_by_static_commands():
    body = "def graphs(add: int = 0):\n    with open('ran', 'a') as file:\n        file.write('x')\n"
    body += "    return [ring(n + add) for n in range(20)]\n"
    name = define("changing", body)
    assert known(DataSettings(name=name)) is None
    Path("s.yaml").write_text(SPEC.format(name=name))
    run = CliRunner()
    for command in (["check", "--static", "s.yaml"], ["show", "s.yaml"], ["fmt", "--check", "s.yaml"]):
        run.invoke(main, command, catch_exceptions=False)
    assert not Path("ran").exists()
    opened(name), opened(name), opened(name, add=1)
    assert Path("ran").read_text() == "xx"
    define("changing", body.replace("20", "30"))
    assert len(opened(name).train) == 24
    assert Path("ran").read_text() == "xxx"


def test_a_module_of_a_package_is_found_without_importing_the_package():
    Path("pack").mkdir()
    Path("pack/__init__.py").write_text("with open('imported', 'w'):\n    pass\n")
    Path("pack/data.py").write_text("from tests.test_data_own import three\n\n\ndef graphs():\n    return three()\n")
    assert known(DataSettings(name="pack.data:graphs")) is None
    assert not Path("imported").exists()
    assert len(opened("pack.data:graphs").train) == 6
    assert Path("imported").exists()


def test_graphs_without_splits_have_ten_folds():
    save("one", whatever=list(map(ring, range(20))))
    data = opened("./one")
    assert data.facts.folds == 10
    assert [len(split) for split in data.splits.values()] == [16, 2, 2]
    as_tables("rows", list(map(ring, range(20))), None)
    assert_same(opened("./rows"), data)


def whole(**given: object) -> Data:
    """One graph of twelve nodes with masks."""
    number = torch.arange(12)
    masks = {f"{part}_mask": number % 3 == k for k, part in enumerate(("train", "val", "test"))}
    edges = torch.stack([number, (number + 1) % 12])
    return Data(**{"x": torch.eye(12)[:, :5], "edge_index": edges, "y": number % 2, **masks, **given})


def test_one_graph_with_masks_in_every_form():
    save("one", graph=whole())
    rows = ["node,x_a,x_b,x_c,x_d,x_e,y,split"]
    for i in range(12):
        x = ",".join("1" if i == column else "0" for column in range(5))
        rows.append(f"{i},{x},{i % 2},{('train', 'val', 'test')[i % 3]}")
    write("rows", nodes=" ".join(rows), edges=" ".join(["source,target", *(f"{i},{(i + 1) % 12}" for i in range(12))]))
    one = opened("./one")
    assert_same(opened("./rows"), one)
    assert_same(opened(define("alone", "from tests.test_data_own import whole\ngraphs = whole\n")), one)
    assert (one.facts.task, one.facts.features, one.facts.folds) == ("node classification", 5, None)
    assert one.train.labels.tolist() == [0, 1, 0, 1]
    assert one.val.labels.tolist() == [1, 0, 1, 0]


def test_undirected_edges_are_there_in_both_directions_a_loop_once():
    write("u", nodes="node,x,y " + " ".join(f"{i},0,{i % 2}" for i in range(10)), edges="source,target,e 0,1,3 2,2,4")
    data = opened("./u", undirected=True)
    batch = data.train.batch([0])
    found = sorted(zip(batch.N.index.tolist(), batch.N.target.tolist(), batch.e.tolist(), strict=True))
    assert found == [(0, 1, 3), (1, 0, 3), (2, 2, 4)]
    assert data.facts.symmetric
    assert opened("./u").facts.edges == 2


def test_a_split_of_a_single_graph_keeps_the_level():
    graphs = [ring(n) for n in range(3)]
    save("few", train=graphs, val=graphs[:1], test=graphs[1:2])
    assert opened("./few").facts.level == "graph"


def test_text_stays_out_of_the_way_of_numbers():
    """Names of nodes may be any text; a byte order mark and Windows' line ends are no part of it."""
    Path("w").mkdir()
    Path("w/nodes.csv").write_bytes(
        "\ufeffgraph,node,x,y\r\n".encode() + "".join(f'a,"ä, {i}",{i}.5,{i % 2}\r\n' for i in range(10)).encode()
    )
    Path("w/edges.csv").write_bytes('graph,source,target\r\na,"ä, 0","ä, 3"\r\n'.encode())
    batch = opened("./w").train.batch([0])
    assert batch.N.index.tolist() == [0]
    assert batch.N.target.tolist() == [3]
    assert batch.x[3].tolist() == [3.5]


TASKS = [
    (lambda n: torch.tensor([n % 3]), {}, "graph classification", 3),
    (lambda n: torch.tensor([n % 3]), {"task": "regression"}, "graph regression", 1),
    (lambda n: torch.tensor([0.0 + n % 2]), {}, "graph multi-label", 1),
    (lambda n: torch.tensor([0.0 + n % 2]), {"task": "classification"}, "graph classification", 2),
    (lambda n: torch.tensor([0.0 + n % 2]), {"task": "regression"}, "graph regression", 1),
    (lambda n: torch.tensor([[n % 2, 1, float("nan")]]), {}, "graph multi-label", 3),
    (lambda n: torch.tensor([[0.5, 1.0]]), {}, "graph regression", 2),
    (lambda n: torch.arange(3 + n % 3), {}, "node classification", 5),
    (lambda n: torch.arange(3 + n % 3) / 7, {}, "node regression", 1),
]


@pytest.mark.parametrize(("y", "options", "task", "out"), TASKS)
def test_the_task_is_told_by_the_labels_or_an_option(y, options, task, out):
    save("t", **three([ring(n, y=y(n)) for n in range(12)]))
    facts = opened("./t", **options).facts
    assert (facts.task, facts.out) == (task, out)
    for file in Path("cache").glob("*.facts.json"):
        file.unlink()
    assert opened("./t", **options).facts == facts  # measured again from what is kept


def broken(number: int, **given: object) -> dict[str, list[Data]]:
    """Splits in which graph 2 of training is another one."""
    graphs = list(map(ring, range(12)))
    graphs[2] = ring(number, **given)
    return three(graphs)


NAN = float("nan")
WRONG = {
    "an edge to nowhere": (broken(2, edge_index=torch.tensor([[0, 1], [1, 9]])), "graph 2: edge 1 goes from node 1 to"),
    "a negative end": (broken(2, edge_index=torch.tensor([[0, -1], [1, 0]])), "E0420"),
    "edges on their side": (
        broken(2, edge_index=torch.zeros(4, 2).long()),
        "graph 2: `edge_index` has the shape [4, 2]",
    ),
    "ends that are no whole numbers": (broken(2, edge_index=torch.zeros(2, 2)), "the type float32"),
    "no edges at all": (broken(2, edge_index=None), "E0420"),
    "a graph without nodes": (
        broken(2, x=torch.zeros(0).long(), edge_index=torch.zeros(2, 0).long()),
        "E0424 graph 2: it has no nodes",
    ),
    "a negative category": (
        broken(2, x=torch.tensor([0, -1, 2, -3, 0])),
        "E0425 graph 2: row 1 of `x` is the category -1, and 1 more",
    ),
    "a category like a name": (broken(2, x=torch.tensor([0, 99999, 2, 1, 0])), "category 99999, and there are only 48"),
    "as many rows as edges": (broken(2, x=torch.zeros(9).long(), num_nodes=5), "`x` has the shape [9], and there are"),
    "features missing": (broken(2, x=None, num_nodes=5), "E0422 graph 2: there is no `x`"),
    "another width": (broken(2, x=torch.zeros(5, 3)), "E0422 graph 2: `x` has 3 numbers a row"),
    "edge features of nodes": (
        broken(2, edge_attr=torch.zeros(2)),
        "`edge_attr` has the shape [2], and there are 5 edges",
    ),
    "no labels": (broken(2, y=None), "E0423 graph 2: there is no `y`"),
    "labels of something else": (
        broken(2, y=torch.zeros(2).long()),
        "E0423 graph 2: `y` has 2 rows, and there are 5 nodes",
    ),
    "a negative class": (broken(2, y=torch.tensor([-1])), "E0423 graph 2: row 0 of `y` is -1, which is no class"),
    "a class like a number": (broken(2, y=torch.tensor([41_000])), "is the class 41000, and there are only 12 labels"),
    "labels of different widths": (broken(2, y=torch.zeros(1, 2).long()), "E0422 graph 2: `y` has 2 numbers a row"),
    "a label that is not finite": (
        broken(2, y=torch.tensor([float("inf")])),
        "E0421 graph 2: row 0 of `y` is not finite",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_with_graphs_is_told_where(case):
    splits, message = WRONG[case]
    save("w", **splits)
    found = problems("./w")
    assert len(found) == 1
    assert found[0].startswith("w/train.pt: ")
    assert message in found[0]


def test_all_problems_are_told_together():
    graphs = list(map(ring, range(12)))
    graphs[1].x = torch.tensor([0, -1, 0, 0])
    graphs[4].edge_index[0, 0] = 7
    graphs[7].y = torch.tensor([-2])
    graphs[10].y = None
    save("w", **three(graphs))
    train = ["E0420 graph 4: edge 0 goes from node 7", "E0425 graph 1: row 1 of `x` is the category -1"]
    labels = ["E0423 graph 1: row 0 of `y` is -2", "E0423 graph 1: there is no `y`"]
    wanted = [
        f"w/{split}.pt: {one}" for split, one in zip(("train", "train", "val", "test"), train + labels, strict=True)
    ]
    found = sorted(problems("./w"))
    assert len(found) == 4
    assert all(one.startswith(message) for one, message in zip(found, sorted(wanted), strict=True)), found


def test_numbers_that_are_not_finite():
    graphs = [ring(n, x=torch.rand(3 + n % 3, 2), edge_attr=torch.rand(3 + n % 3)) for n in range(12)]
    graphs[3].x[1, 1], graphs[3].x[2, 0], graphs[5].edge_attr[2] = NAN, float("inf"), -float("inf")
    save("w", **three(graphs))
    first, second = problems("./w")
    assert "E0421 graph 3: row 1 of `x` is not finite, and 1 more" in first
    assert "E0421 graph 5: row 2 of `edge_attr` is not finite" in second


MASKS = {
    "a node in two splits": ({"val_mask": torch.arange(12) < 3}, "node 0 is in two splits"),
    "a mask is missing": ({"val_mask": None}, "`val_mask` is missing"),
    "a mask is empty": ({"test_mask": torch.zeros(12, dtype=torch.bool)}, "`test_mask` is missing, empty"),
    "node numbers in place of a mask": ({"test_mask": torch.arange(12)}, "`test_mask` is missing, empty or not true"),
    "a mask of another graph": ({"test_mask": torch.ones(5).bool()}, "`test_mask` has the shape [5]"),
}


@pytest.mark.parametrize("case", MASKS)
def test_masks_that_do_not_divide_the_nodes(case):
    given, message = MASKS[case]
    save("m", graph=whole(**given))
    (found,) = problems("./m")
    assert message in found


FOLDERS = {
    "no folder": (lambda: None, "E0416 there is no folder `./d`"),
    "a file": (lambda: Path("d").write_text(""), "E0416 `./d` cannot be read as a folder"),
    "nothing in it": (lambda: Path("d").mkdir(), "E0416 there is no data in `./d`"),
    "of two kinds": (lambda: (save("d", a=[ring(1)]), write("d", nodes="x 1")), "E0416 there is data of several kinds"),
    "a split is missing": (lambda: save("d", train=[ring(1)], val=[ring(1)]), "E0427 there is no split `test`"),
    "a split is empty": (lambda: save("d", **{**three(), "val": []}), "E0427 there are no graphs in `val`"),
    "too few for folds": (lambda: save("d", all=three()["train"]), "E0427 6 graphs without splits are too few"),
    "no tensor file": (
        lambda: (Path("d").mkdir(), Path("d/a.pt").write_bytes(b"hello")),
        "E0417 the file cannot be read",
    ),
    "cut short": (
        lambda: (save("d", a=[ring(1)]), os.truncate("d/a.pt", 500)),
        "E0417 the file cannot be read",
    ),
    "tensors": (lambda: save("d", a=torch.zeros(3)), "E0418 graph 0: found torch.Tensor, where a graph belongs"),
    "a dictionary": (lambda: save("d", a={"x": torch.zeros(3)}), "E0418 found builtins.dict"),
    "no table of nodes": (lambda: write("d", edges="source,target 0,1"), "E0416 there is no table of nodes"),
}


@pytest.mark.parametrize("case", FOLDERS)
def test_folders_that_hold_no_data_set(case):
    make, message = FOLDERS[case]
    make()
    assert any(message in one for one in problems("./d"))


def test_wrong_options():
    save("o", **three())
    assert problems("./o", tsk="regression") == ["E0403 data in `.pt` has no option `tsk` (write `task`)"]
    assert "E0407 the option `task` of `./o` cannot be `ranking`" in problems("./o", task="ranking")[0]
    as_tables("t", list(map(ring, range(12))), SPLITS)
    assert "E0407 the option `undirected` of `./t` cannot be `1`" in problems("./t", undirected=1)[0]


def test_a_task_that_the_labels_do_not_fit():
    save("o", **three([ring(n, y=torch.tensor([0.5 * n])) for n in range(12)]))
    assert "row 0 of `y` is 0.5, which is no class" in problems("./o", task="classification")[0]
    assert "row 0 of `y` is neither 0, 1 nor NaN" in problems("./o", task="multi-label")[0]


def test_a_name_without_a_separator_is_no_folder_and_the_cure_says_so():
    save("g", **three())
    assert "write `./g` for the folder" in problems("g")[0]


class Stranger:
    """What a file of graphs does not need."""

    def __reduce__(self) -> tuple:
        return Fraction, (1, 2)


def test_a_file_that_asks_for_anything_else_is_refused_unless_it_is_trusted():
    save("g", **{**three(), "val": [ring(n, extra=Stranger()) for n in range(3)]})
    (found,) = problems("./g")
    assert found.startswith("g/val.pt: E0415 the file asks for `fractions.Fraction`")
    assert "--trust" in found
    run = CliRunner()
    assert isinstance(run.invoke(main, ["data", "./g"]).exception, SpecError)
    assert run.invoke(main, ["data", "./g", "--trust"], catch_exceptions=False).exit_code == 0
    assert len(opened("./g").val) == 3  # it has been converted, and is not loaded again
    Path("mine.yaml").write_text(SPEC.format(name="./g"))
    for arguments in (["train", "mine.yaml", "--run-dir", "r"], ["evaluate", "r"], ["predict", "r", "-o", "p.csv"]):
        for kept in Path("cache").glob("own-*"):
            kept.unlink()
        refused = run.invoke(main, arguments)
        assert isinstance(refused.exception, SpecError)
        assert "E0415" in str(refused.exception)
        assert run.invoke(main, [*arguments, "--trust"], catch_exceptions=False).exit_code == 0


def test_a_refused_file_runs_nothing():
    Path("g").mkdir()

    class Evil:
        def __reduce__(self) -> tuple:
            return os.mkdir, ("harm",)

    for split in ("train", "val", "test"):
        torch.save([Evil()], f"g/{split}.pt")
    found = problems("./g")
    assert len(found) == 3
    assert all("E0415 the file asks for `posix.mkdir`" in one for one in found)
    Path("g/train.pt").write_bytes(pickle.dumps(Evil()))  # the old form, without torch's archive
    problems("./g")
    assert not Path("harm").exists()


FUNCTIONS = {
    "no module": (lambda: "no_such_module:graphs", "E0426 there is no module `no_such_module`"),
    "no function": (lambda: define("f1", "x = 1\n"), "E0426 the module `f1` has no function `graphs`"),
    "not callable": (lambda: define("f2", "graphs = 3\n"), "has no function `graphs`"),
    "it fails": (
        lambda: define("f3", "def graphs():\n    return 1 / 0\n"),
        "E0426 it raised ZeroDivisionError: division",
    ),
    "it does not import": (lambda: define("f4", "import no_such_thing\n"), "E0426 it raised ModuleNotFoundError"),
    "it needs options": (lambda: define("f5", "def graphs(size):\n    return []\n"), "E0426 it raised TypeError"),
    "something else": (lambda: define("f6", "def graphs():\n    return 3\n"), "E0418 found builtins.int"),
    "nothing": (lambda: define("f7", "def graphs():\n    return None\n"), "E0418 found builtins.NoneType"),
    "other splits": (
        lambda: define("f8", "def graphs():\n    return {'train': three()['train']}\n"),
        "a dictionary of `train`",
    ),
    "a graph that is wrong": (
        lambda: define("f9", "def graphs():\n    return three([ring(n, y=torch.tensor([-1])) for n in range(12)])\n"),
        "f9:graphs: E0423 graph 5 of train: row 0 of `y` is -1",
    ),
}


@pytest.mark.parametrize("case", FUNCTIONS)
def test_functions_that_give_no_data(case):
    make, message = FUNCTIONS[case]
    assert any(message in one for one in problems(make()))


NODES = "graph,node,x,y " + " ".join(f"a,{i},{i % 3},{i % 2}" for i in range(6)) + " b,0,1,0 b,1,1,1"
EDGES = "graph,source,target a,0,1 b,1,0"
GRAPHS = "graph,split a,train b,val"
ROWS = {
    "a target that is no node": ({"edges": EDGES + " b,1,7"}, "edges.csv:4:1: E0420 the target `7` is no node of its"),
    "an edge of no graph": ({"edges": EDGES + " c,1,7"}, "edges.csv:4:1: E0420 the graph `c` is not in the table of"),
    "a node twice": ({"nodes": NODES + " b,1,1,1"}, "nodes.csv:10:1: E0419 the node `1` is in its graph twice"),
    "a cell of text": ({"nodes": NODES + " b,2,red,1"}, "nodes.csv:10:1: E0419 `red` in the column `x` is no number"),
    "a short row": ({"nodes": NODES + " b,2,1"}, "nodes.csv:10:1: E0419 the row has 3 cells, and there are 4 columns"),
    "a column without meaning": (
        {"nodes": NODES.replace("node,x", "node,colour")},
        "nodes.csv:1:1: E0418 the column `colour`",
    ),
    "a column twice": ({"nodes": NODES.replace("node,x", "x,x")}, "E0418 there are several columns `x`"),
    "no target": ({"edges": EDGES.replace("target", "e")}, "edges.csv:1:1: E0418 there is no column `target`"),
    "graphs named in one table": ({"edges": "source,target 0,1"}, "E0418 there is no column `graph`"),
    "not a number": ({"nodes": NODES + " b,2,nan,1"}, "nodes.csv:10:1: E0421 row 2 of `x` is not finite"),
    "a negative category": ({"nodes": NODES + " b,2,-2,1"}, "nodes.csv:10:1: E0425 row 2 of `x` is the category -2"),
    "a class that is negative": ({"nodes": NODES + " b,2,2,-1"}, "nodes.csv:10:1: E0423 row 2 of `y` is -1"),
    "a split that there is not": (
        {"graphs": GRAPHS.replace("val", "valid")},
        "graphs.csv:3:1: E0427 `valid` is no split",
    ),
    "a split of no graph": ({}, "E0427 there are no graphs in `test`"),
    "a graph without nodes": ({"graphs": GRAPHS + " c,test"}, "graphs.csv:4:1: E0424 it has no nodes"),
    "labels in two tables": (
        {"graphs": "graph,split,y a,train,0 b,val,1"},
        "E0418 there are labels `y…` in the tables of nodes and graphs",
    ),
    "nodes of several graphs split": (
        {"nodes": NODES.replace("node,x,y", "split,x,y").replace(",0,0", "train,0,0")},
        "E0427",
    ),
    "no labels": ({"nodes": "graph,node a,0 a,1 b,0 b,1"}, "E0423 there is no `y`"),
}


@pytest.mark.parametrize("case", ROWS)
def test_what_is_wrong_with_tables_is_told_with_its_line(case):
    given, message = ROWS[case]
    write("t", **{"nodes": NODES, "edges": EDGES, "graphs": GRAPHS, **given})
    found = problems("./t")
    assert any(message in one for one in found), found


def test_a_table_that_is_no_text(tmp_path):
    write("t", edges=EDGES)
    Path("t/nodes.csv").write_bytes(b"graph,node\xff\xfe\n")
    assert "E0417 the table cannot be read" in problems("./t")[0]


def test_the_line_is_shown_and_at_most_ten_problems():
    write("t", nodes=NODES, edges=EDGES + " b,1,7" * 30, graphs=GRAPHS)
    with pytest.raises(SpecError) as caught:
        opened("./t")
    said = render(caught.value.diagnostics)
    assert said.startswith("error[E0420]: the target `7` is no node of its graph\n --> t/edges.csv:4:1\n")
    assert "4 | b,1,7\n  | ^^^^^" in said
    assert said.count("error[E0420]") == 10
    assert said.endswith("… and 20 more")


def test_tables_are_read_without_torch():
    as_tables("t", list(map(ring, range(12))), SPLITS)
    code = (
        "import sys; from archspec.data.load import load; from archspec.syntax.schema import DataSettings;"
        "load(DataSettings(name='./t')); assert not {'torch', 'torch_geometric'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_parquet_without_its_package_is_one_clear_error(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    Path("t").mkdir()
    Path("t/nodes.parquet").write_bytes(b"PAR1")
    (found,) = problems("./t")
    assert found.startswith("t/nodes.parquet: E0411 Parquet is read with the package `pyarrow`")


def test_parquet_holds_what_csv_holds():
    arrow = pytest.importorskip("pyarrow")
    from pyarrow import csv as reader
    from pyarrow import parquet

    as_tables("rows", list(map(ring, range(12))), SPLITS)
    Path("columns").mkdir()
    for table in ("nodes", "edges", "graphs"):
        parquet.write_table(reader.read_csv(f"rows/{table}.csv"), f"columns/{table}.parquet")
    assert_same(opened("./columns"), opened("./rows"))
    wrong = parquet.read_table("columns/edges.parquet").set_column(2, "target", arrow.array(["n9"] * 48))
    parquet.write_table(wrong, "columns/edges.parquet")
    with pytest.raises(SpecError, match=r"columns/edges.parquet: E0420 row 0: the target `n9` is no node of its graph"):
        opened("./columns")


PAGE = (Path(__file__).parent.parent / "docs" / "data.md").read_text(encoding="utf-8")


def test_the_example_of_the_page_on_data():
    Path("molecules").mkdir()
    for name, text in re.findall(r"`molecules/(\w+)\.csv`\n\n```csv\n(.*?)```", PAGE, re.DOTALL):
        Path("molecules", f"{name}.csv").write_text(text)
    facts = opened("./molecules", undirected=True).facts
    assert (facts.task, facts.letters, facts.edge_letters, facts.symmetric) == ("graph regression", 3, 2, True)
    with Path("molecules/edges.csv").open("a") as file:
        file.write("ammonia,N,H3,0\n")
    with pytest.raises(SpecError) as caught:
        opened("./molecules")
    assert f"```console\n{render(caught.value.diagnostics)}\n```" in PAGE
