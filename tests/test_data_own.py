"""Data of the user's own: folders of PyG graphs, tables and functions, from files to training."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner

from archspec.commands.main import main
from archspec.data.load import load
from archspec.diagnostics import SpecError, render
from archspec.facts import known
from archspec.syntax.schema import DataSettings
from tests.own import SPEC, SPLITS, as_tables, assert_same, define, opened, ring, save, three, whole, write


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """Relative names are looked for in a folder of the test's own, and data is kept there."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ARCHSPEC_CACHE", str(tmp_path / "cache"))


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
    # Of another length, since Python takes a file of the same length and second for the one it has compiled.
    define("changing", body.replace("20", "130"))
    assert len(opened(name).train) == 104
    assert Path("ran").read_text() == "xxx"


def test_a_module_of_a_package_is_found_without_importing_the_package():
    Path("pack").mkdir()
    Path("pack/__init__.py").write_text("with open('imported', 'w'):\n    pass\n")
    Path("pack/data.py").write_text("from tests.own import three\n\n\ndef graphs():\n    return three()\n")
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


def test_one_graph_with_masks_in_every_form():
    save("one", graph=whole())
    rows = ["node,x_a,x_b,x_c,x_d,x_e,y,split"]
    for i in range(12):
        x = ",".join("1" if i == column else "0" for column in range(5))
        rows.append(f"{i},{x},{i % 2},{('train', 'val', 'test')[i % 3]}")
    write("rows", nodes=" ".join(rows), edges=" ".join(["source,target", *(f"{i},{(i + 1) % 12}" for i in range(12))]))
    one = opened("./one")
    assert_same(opened("./rows"), one)
    assert_same(opened(define("alone", "from tests.own import whole\ngraphs = whole\n")), one)
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


def test_labels_of_edges_go_with_their_edges():
    nodes = " ".join(f"{graph},{node},0" for graph in "ab" for node in range(3))
    edges = "b,0,1,3 a,2,0,1 a,1,0,0 b,2,1,2"
    given = {"nodes": f"graph,node,x {nodes}", "edges": f"graph,source,target,y {edges}"}
    write("e", **given, graphs="graph,split b,val a,train")
    Path("e/graphs.csv").write_text("graph,split\nb,val\na,train\nc,test\n")
    Path("e/nodes.csv").write_text(Path("e/nodes.csv").read_text() + "c,0,0\n")
    data = opened("./e")
    assert data.facts.task == "edge classification"
    assert data.train.labels.tolist() == [0, 1]
    assert data.val.labels.tolist() == [3, 2]
    both = opened("./e", undirected=True).val
    batch = both.batch([0])
    found = zip(batch.N.index.tolist(), batch.N.target.tolist(), both.labels.tolist(), strict=True)
    assert sorted(found) == [(0, 1, 3), (1, 0, 3), (1, 2, 2), (2, 1, 2)]


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


def test_tables_are_read_without_torch():
    as_tables("t", list(map(ring, range(12))), SPLITS)
    code = (
        "import sys; from archspec.data.load import load; from archspec.syntax.schema import DataSettings;"
        "load(DataSettings(name='./t')); assert not {'torch', 'torch_geometric'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_parquet_holds_what_csv_holds():
    import pyarrow as arrow
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
