"""What may be wrong with data of the user's own: every problem told, where it is, and nothing kept."""

import os
import pickle
import sys
from fractions import Fraction
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from torch_geometric.data import Data

from archspec.commands.main import main
from archspec.diagnostics import SpecError, render
from tests.own import SPEC, SPLITS, as_tables, define, opened, problems, ring, save, three, whole, write


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """Relative names are looked for in a folder of the test's own, and data is kept there."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ARCHSPEC_CACHE", str(tmp_path / "cache"))


def test_a_function_that_is_not_there_is_told_at_its_name_in_the_spec():
    Path("s.yaml").write_text(SPEC.format(name="nowhere:graphs"))
    result = CliRunner().invoke(main, ["train", "s.yaml"])
    assert "s.yaml:2:14: E0426 there is no module `nowhere`" in str(result.exception)


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
    "complex numbers": (broken(2, y=torch.tensor([1j])), "E0421 graph 2: `y` holds complex64"),
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


def test_a_run_does_not_go_on_with_other_files():
    save("g", **three())
    Path("s.yaml").write_text(SPEC.format(name="./g"))
    run = CliRunner()
    assert run.invoke(main, ["train", "s.yaml", "--run-dir", "r"], catch_exceptions=False).exit_code == 0
    more = ["train", "s.yaml", "--resume", "r", "--set", "train.epochs=3"]
    before = Path("g/train.pt").read_bytes()
    torch.save(three()["train"][:5], "g/train.pt")
    refused = run.invoke(main, more)
    assert "E0614 the data in `./g` has changed since the run began" in str(refused.exception)
    Path("g/train.pt").write_bytes(before)
    assert run.invoke(main, more, catch_exceptions=False).exit_code == 0


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
        "E0426 `graphs` raised ZeroDivisionError: division",
    ),
    "it does not import": (lambda: define("f4", "import no_such_thing\n"), "E0426 `graphs` raised ModuleNotFoundError"),
    "it needs options": (lambda: define("f5", "def graphs(size):\n    return []\n"), "E0426 `graphs` raised TypeError"),
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


def test_parquet_without_its_package_is_one_clear_error(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    Path("t").mkdir()
    Path("t/nodes.parquet").write_bytes(b"PAR1")
    (found,) = problems("./t")
    assert found.startswith("t/nodes.parquet: E0411 Parquet is read with the package `pyarrow`")
