"""Sets of the Open Graph Benchmark: a stand-in for its package reads files in its layout, and what can go wrong."""

import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch_geometric.data import Data, InMemoryDataset

from archspec.data.load import load
from archspec.diagnostics import SpecError
from archspec.facts import sources
from archspec.facts.tasks import KINDS
from archspec.syntax.schema import DataSettings

MOLHIV = DataSettings(name="ogbg-molhiv")


class PygGraphPropPredDataset(InMemoryDataset):
    """As that of `ogb`: raw files and splits in a folder of its own, a question where the release is not known."""

    def __init__(self, name, root="dataset", transform=None, pre_transform=None, meta_dict=None):
        folder = Path(root, name.replace("-", "_"))
        if folder.is_dir() and not (folder / "RELEASE_v1.txt").is_file() and input("Will you update? ") == "y":
            raise AssertionError("nobody can have answered")
        super().__init__(str(folder))
        self.data, self.slices = torch.load(self.processed_paths[0])

    raw_file_names = ("sizes.txt",)
    processed_file_names = ("done.pt",)

    def download(self) -> None:
        if LEAVES:
            sys.exit(-1)
        print("Downloading http://snap.stanford.edu/ogb/hiv.zip")
        raise OSError("no network in tests")

    def process(self) -> None:
        graphs = []
        for number, line in enumerate(Path(self.raw_paths[0]).read_text().split()):
            nodes = int(line)
            ends = torch.stack([torch.arange(nodes - 1), torch.arange(1, nodes)])
            columns = [torch.arange(nodes) % 3, torch.full((nodes,), number % 2), torch.arange(nodes) % 2]
            x = torch.stack(columns, 1)
            graphs.append(Data(x=x, edge_index=ends, edge_attr=x[1:] * 2, y=torch.tensor([[number % 2]])))
        torch.save(self.collate(graphs), self.processed_paths[0])

    def get_idx_split(self) -> dict[str, torch.Tensor]:
        parts = Path(self.root, "split", "scaffold")
        return {one.stem: torch.tensor([int(row) for row in one.read_text().split()]) for one in parts.iterdir()}


LEAVES: list[bool] = []


@pytest.fixture(autouse=True)
def package(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("ogb.graphproppred")
    module.PygGraphPropPredDataset = PygGraphPropPredDataset
    monkeypatch.setitem(sys.modules, "ogb", ModuleType("ogb"))
    monkeypatch.setitem(sys.modules, "ogb.graphproppred", module)


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "data" / "OGB" / "ogbg_molhiv"
    for name, text in {
        "raw/sizes.txt": "4 2 1 3 5 2",
        "split/scaffold/train.csv": "5 0 2",
        "split/scaffold/valid.csv": "4",
        "split/scaffold/test.csv": "1 3",
        "RELEASE_v1.txt": "",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    monkeypatch.setenv("ARCHSPEC_DATA", str(tmp_path / "data"))
    return folder


def test_published_splits_and_columns_of_categories(files: Path, tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in files.rglob("*") if path.is_file()}
    data = load(MOLHIV, tmp_path / "cache")
    assert [split.packed.sizes.tolist() for split in data.splits.values()] == [[2, 4, 1], [5], [2, 3]]
    assert [split.labels.tolist() for split in data.splits.values()] == [[1, 0, 0], [0], [1, 1]]
    facts = data.facts
    assert (facts.task, facts.letters, facts.edge_letters) == ("graph classification", (3, 2, 2), (5, 3, 3))
    assert (facts.loss, facts.score, facts.folds) == ("cross_entropy", "roc_auc", None)
    assert {path: path.read_bytes() for path in files.rglob("*") if path.is_file()} == before
    assert not list((tmp_path / "cache").glob(".*"))


def test_a_question_has_no_answer(files: Path, tmp_path: Path) -> None:
    (files / "RELEASE_v1.txt").unlink()
    with pytest.raises(SpecError, match="E0410 PyG cannot read the raw files of `ogbg-molhiv`: EOFError"):
        load(MOLHIV, tmp_path / "cache")


def test_without_a_network_and_where_the_package_ends_the_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARCHSPEC_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(SpecError, match="E0409") as caught:
        load(MOLHIV, tmp_path / "cache")
    assert "looked in" in caught.value.diagnostics[0].notes[1]
    assert "hiv.zip" in caught.value.diagnostics[0].notes[0]
    monkeypatch.setattr(sys.modules[__name__], "LEAVES", [True])
    with pytest.raises(SpecError, match="E0410"):
        load(MOLHIV, tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_the_package_that_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ogb", "ogb.graphproppred"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(SpecError, match=r"E0411 PyG needs the package `ogb` .*`archspec-nn\[ogb\]`"):
        load(MOLHIV, tmp_path)


def test_scores_of_the_benchmark_are_scores_there_are() -> None:
    for name, (loss, score) in sources.OGB.items():
        assert any(loss in kind.losses and score in kind.scores for kind in KINDS.values()), name
        assert sources.source(DataSettings(name=f"ogbg-{name}")).options == {"name": f"ogbg-{name}"}
