"""Data sets that PyG reads: a small one written here, and what can go wrong."""

import os
import subprocess
import sys
import urllib.error
from pathlib import Path

import pytest

from archspec.data.load import load
from archspec.diagnostics import SpecError
from archspec.facts import TABLE, known, sources
from archspec.syntax.schema import DataSettings

TINY = {"name": "TUDataset", "options": {"name": "TINY"}}
GRAPHS = 12


def write_tiny(folder: Path) -> None:
    """Twelve directed-and-back paths of 2 to 4 nodes in the layout of TU Dortmund's collection."""
    raw = folder / "TU" / "TINY" / "raw"
    raw.mkdir(parents=True)
    edges, nodes, labels, kinds, indicator, first = [], [], [], [], [], 1
    for graph in range(GRAPHS):
        size = 2 + graph % 3
        for node in range(size - 1):
            edges += [(first + node, first + node + 1), (first + node + 1, first + node)]
            kinds += [node % 2] * 2
        nodes += [(graph + node) % 3 for node in range(size)]
        indicator += [graph + 1] * size
        labels.append(graph % 2)
        first += size
    columns = {
        "A": [f"{a}, {b}" for a, b in edges],
        "graph_indicator": indicator,
        "graph_labels": labels,
        "node_labels": nodes,
        "edge_labels": kinds,
    }
    for name, rows in columns.items():
        (raw / f"TINY_{name}.txt").write_text("".join(f"{row}\n" for row in rows))


@pytest.fixture(scope="module")
def raw(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("raw")
    write_tiny(folder)
    return folder


@pytest.fixture
def offline(monkeypatch):
    """No address can be reached."""
    from torch_geometric.data import download

    def refuse(*_arguments, **_options):
        raise urllib.error.URLError("no network in tests")

    monkeypatch.setattr(download.urllib.request, "urlopen", refuse)
    monkeypatch.setattr("torch_geometric.datasets.tu_dataset.fs.cp", refuse)


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


@pytest.mark.parametrize("graph", range(3))
def test_graphs_are_those_of_pyg(raw, tmp_path, monkeypatch, graph):
    monkeypatch.setenv("ARCHSPEC_DATA", str(raw))
    before = files(raw)
    lines = []
    data = load(DataSettings(**TINY), tmp_path, lines.append)
    assert len(lines) == 1
    batch = data.train.batch([graph])
    size = batch.nodes
    assert size in (2, 3, 4)
    assert batch.x.shape == (size, 3)
    assert batch.N.target.tolist() == sorted(batch.N.target.tolist())
    pairs = list(zip(batch.N.source.tolist(), batch.N.target.tolist(), strict=True))
    assert sorted(pairs) == sorted([(a, a + 1) for a in range(size - 1)] + [(a + 1, a) for a in range(size - 1)])
    kinds = batch.e.argmax(1).tolist()
    assert kinds == [min(pair) % 2 for pair in pairs]  # labels of edges follow their order
    assert data.facts.task == "graph classification"
    assert (data.facts.features, data.facts.edge_features, data.facts.folds) == (3, 2, 10)
    assert files(raw) == before
    assert files(tmp_path) == {"TUDataset-name=TINY.graphs", "TUDataset-name=TINY.facts.json"}
    load(DataSettings(**TINY), tmp_path, lines.append)
    assert len(lines) == 1  # read once


def test_facts_are_known_after_it_was_read_and_not_before(raw, tmp_path, monkeypatch):
    monkeypatch.setenv("ARCHSPEC_DATA", str(raw))
    settings = DataSettings(**TINY)
    assert known(settings, None, tmp_path) is None
    facts = load(settings, tmp_path).facts
    assert known(settings, None, tmp_path) == facts
    assert known(DataSettings(**TINY, limit=2), None, tmp_path).graphs == {"train": 2, "val": 2, "test": 2}
    (tmp_path / "TUDataset-name=TINY.facts.json").write_text("{}")
    assert known(settings, None, tmp_path) is None
    assert load(settings, tmp_path).facts == facts


def test_facts_are_known_without_torch(raw, tmp_path, monkeypatch):
    monkeypatch.setenv("ARCHSPEC_DATA", str(raw))
    load(DataSettings(**TINY), tmp_path)
    text = f"known(DataSettings(**{TINY!r})).out"
    command = f"from archspec.facts import known; from archspec.syntax.schema import DataSettings; print({text})"
    command += "; import sys; print({'torch', 'numpy', 'torch_geometric'} & set(sys.modules))"
    environment = {**os.environ, "ARCHSPEC_CACHE": str(tmp_path)}
    answer = subprocess.run(
        [sys.executable, "-c", command], capture_output=True, text=True, check=True, env=environment
    )
    assert answer.stdout == "2\nset()\n"


def test_what_was_downloaded_is_kept_and_read_again(raw, tmp_path, monkeypatch):
    """A download is one that writes files below PyG's folder."""
    import shutil

    from torch_geometric.datasets import TUDataset

    calls = []

    def download(self) -> None:
        calls.append(self.root)
        shutil.copytree(raw / "TU" / "TINY" / "raw", self.raw_dir, dirs_exist_ok=True)

    monkeypatch.delenv("ARCHSPEC_DATA", raising=False)
    monkeypatch.setattr(TUDataset, "download", download)
    load(DataSettings(**TINY), tmp_path)
    assert (tmp_path / "raw" / "TUDataset" / "TINY" / "raw" / "TINY_A.txt").is_file()
    (tmp_path / "TUDataset-name=TINY.graphs").unlink()
    load(DataSettings(**TINY), tmp_path)
    assert len(calls) == 1


@pytest.mark.usefixtures("offline")
def test_without_files_and_network_the_error_says_where_to_put_them(tmp_path, monkeypatch):
    monkeypatch.setenv("ARCHSPEC_DATA", str(tmp_path / "mine"))
    with pytest.raises(SpecError, match="E0409") as caught:
        load(DataSettings(name="cora"), tmp_path / "cache")
    found = caught.value.diagnostics[0]
    assert f"looked in `{tmp_path / 'mine' / 'Planetoid'}`" in found.notes[1]
    assert "no network in tests" in found.notes[0]
    assert files(tmp_path / "cache") == set()  # nothing half-written


def test_half_of_a_download_is_not_kept(tmp_path, monkeypatch):
    from torch_geometric.datasets import TUDataset

    def download(self) -> None:
        Path(self.raw_dir, "TINY_A.txt").write_text("1, 2\n")
        raise ConnectionResetError("cut off")

    monkeypatch.delenv("ARCHSPEC_DATA", raising=False)
    monkeypatch.setattr(TUDataset, "download", download)
    with pytest.raises(SpecError, match="E0409"):
        load(DataSettings(**TINY), tmp_path)
    assert files(tmp_path) == set()


def test_what_a_killed_process_left_is_removed(raw, tmp_path, monkeypatch):
    monkeypatch.setenv("ARCHSPEC_DATA", str(raw))
    for name, age in (("old", 10**6), ("new", 0)):
        (tmp_path / f".reading-{name}" / "raw").mkdir(parents=True)
        os.utime(tmp_path / f".reading-{name}", (0, os.stat(tmp_path).st_mtime - age))
    load(DataSettings(**TINY), tmp_path)
    assert {path.name for path in tmp_path.glob(".reading-*")} == {".reading-new"}


def test_pyg_cannot_write_over_the_users_files(tmp_path, monkeypatch):
    from torch_geometric.datasets import TUDataset

    write_tiny(tmp_path / "mine")
    before = {path: path.read_bytes() for path in (tmp_path / "mine").rglob("*.txt")}
    process = TUDataset.process

    def spoil(self) -> None:
        process(self)
        Path(self.raw_paths[0]).write_text("spoilt")

    monkeypatch.setattr(TUDataset, "process", spoil)
    monkeypatch.setenv("ARCHSPEC_DATA", str(tmp_path / "mine"))
    load(DataSettings(**TINY), tmp_path / "cache")
    assert {path: path.read_bytes() for path in (tmp_path / "mine").rglob("*.txt")} == before


def test_a_spoilt_file_of_arrays(tmp_path, monkeypatch):
    (tmp_path / "zinc12k.npz").write_bytes(b"PK nonsense")
    monkeypatch.setenv("ARCHSPEC_DATA", str(tmp_path))
    with pytest.raises(SpecError, match=r"E0410 .*zinc12k.npz. cannot be read"):
        load(DataSettings(name="zinc"), tmp_path / "cache")
    assert files(tmp_path / "cache") == set()


def test_raw_files_that_cannot_be_read(raw, tmp_path, monkeypatch):
    write_tiny(tmp_path / "raw")
    (tmp_path / "raw" / "TU" / "TINY" / "raw" / "TINY_A.txt").write_text("one, two\n")
    monkeypatch.setenv("ARCHSPEC_DATA", str(tmp_path / "raw"))
    with pytest.raises(SpecError, match=r"E0410 PyG cannot read the raw files of `TUDataset`: ValueError"):
        load(DataSettings(**TINY), tmp_path / "cache")
    assert files(tmp_path / "cache") == set()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"name": "TUDataset"}, "E0407 `TUDataset` needs the option `name`"),
        ({"name": "TUDataset", "options": {"nam": "MUTAG"}}, r"E0403 `TUDataset` has no option `nam` \(write `name`\)"),
        (
            {"name": "mutag", "options": {"cleaned": "yes"}},
            r"E0407 .*`cleaned` of `TUDataset` cannot be `yes` \(its default is `False`",
        ),
        (
            {"name": "HeterophilousGraphDataset", "options": {"name": "Mines"}},
            "E0407 `HeterophilousGraphDataset` refuses its options",
        ),
        ({"name": "TUDataset", "options": {"name": "../../MINE"}}, "E0407 the option `name` of `TUDataset` is a path"),
        ({"name": "ZINC", "options": {"root": "/"}}, "E0403 `ZINC` has no option `root`"),
        ({"name": "TUDatasets"}, r"E0401 unknown data set `TUDatasets` \(write `TUDataset`"),
        ({"name": "mutag", "fold": 10}, r"E0414 .* \(write a number from 0 to 9\)"),
    ],
)
def test_wrong_names_and_options(tmp_path, given, message):
    with pytest.raises(SpecError, match=message):
        load(DataSettings(**given), tmp_path)
    assert files(tmp_path) == set()


def test_a_package_that_is_missing_is_named(tmp_path, monkeypatch):
    from torch_geometric.datasets import TUDataset

    def process(self) -> None:
        raise ModuleNotFoundError("No module named 'rdkit'", name="rdkit")

    monkeypatch.setattr(TUDataset, "__init__", lambda self, root, name: process(self))
    with pytest.raises(SpecError, match="E0411 PyG needs the package `rdkit` to read `TUDataset`"):
        load(DataSettings(**TINY), tmp_path)


def test_classes_are_found_without_importing_pyg():
    import torch_geometric.datasets

    assert {"TUDataset", "ZINC", "Planetoid", "KarateClub"} <= sources.classes()
    assert all(hasattr(torch_geometric.datasets, name) for name in sources.classes())
    assert {one.pyg for one in sources.SOURCES.values() if one.module == sources.PYG} <= sources.classes()


def test_a_short_name_and_its_class_are_one_data_set():
    short = DataSettings(name="mutag")
    long = DataSettings(name="TUDataset", options={"name": "MUTAG"})
    assert sources.key(sources.source(short)) == sources.key(sources.source(long))
    assert known(long) is TABLE["mutag"]
    other = DataSettings(name="mutag", options={"use_node_attr": True})
    assert sources.key(sources.source(other)) != sources.key(sources.source(short))
