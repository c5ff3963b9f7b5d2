"""The real files of `ARCHSPEC_DATA`: the facts of the table, published splits. Skipped where they are not."""

import json
import os
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from archspec.data.infer import facts_of
from archspec.data.load import load
from archspec.facts import TABLE, sources
from archspec.syntax.schema import DataSettings

REAL = os.environ.get("ARCHSPEC_DATA", "")


def need(path: str) -> None:
    if not REAL or not Path(REAL, path).exists():
        pytest.skip(f"ARCHSPEC_DATA names no folder with {path}")


FILES = {
    "zinc": "zinc12k.npz",
    "mutag": "TU/MUTAG",
    "enzymes": "TU/ENZYMES",
    "cora": "Planetoid/Cora",
    "minesweeper": "Heterophilous/minesweeper",
    "csl_released": "GNNBenchmark/CSL",
}


@pytest.fixture(scope="module")
def cache(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.mark.parametrize("name", FILES)
def test_facts_of_real_files_are_those_of_the_table(name, cache):
    need(FILES[name])
    data = load(DataSettings(name=name), cache)
    file = cache / f"{sources.key(sources.source(DataSettings(name=name)))}.graphs"
    from archspec.data.store import read

    header = json.loads(file.read_bytes()[:8192].partition(b"\n")[2])
    found = facts_of(name, read(file, header["made_by"]), data.facts.benchmark)
    wanted = TABLE.get(name, TABLE["csl"])
    if name == "zinc":  # its vocabulary is that of the whole ZINC, of which these molecules use 20
        wanted = replace(wanted, letters=20)
    for field in fields(wanted):
        value = getattr(wanted, field.name)
        value = pytest.approx(value, rel=1e-4) if isinstance(value, float) else value
        assert field.name == "name" or getattr(found, field.name) == value, field.name


def test_cora_has_its_published_split(cache):
    need(FILES["cora"])
    data = load(DataSettings(name="cora"), cache)
    assert [len(split.labels) for split in data.splits.values()] == [140, 500, 1000]
    assert np.bincount(data.train.labels).tolist() == [20] * 7


def test_zinc_from_arrays_is_zinc_from_pickles(tmp_path, monkeypatch):
    """A few molecules of the file of arrays, unpacked as PyG reads them, are the same graphs."""
    import pickle

    need(FILES["zinc"])
    arrays = np.load(Path(REAL, "zinc12k.npz"))
    raw = tmp_path / "data" / "ZINC" / "raw"
    raw.mkdir(parents=True)
    for split in ("train", "val", "test"):
        molecules, atom, bond = [], 0, 0
        for number in range(20):
            n, m = int(arrays[f"{split}_n"][number]), int(arrays[f"{split}_m"][number])
            adjacency = torch.zeros(n, n, dtype=torch.int8)
            for i, j, kind in arrays[f"{split}_bond"][bond : bond + m].tolist():
                adjacency[i, j] = adjacency[j, i] = kind
            atoms = torch.from_numpy(arrays[f"{split}_atom"][atom : atom + n].copy())
            y = torch.tensor([arrays[f"{split}_y"][number]])
            molecules.append({"atom_type": atoms, "bond_type": adjacency, "logP_SA_cycle_normalized": y})
            atom, bond = atom + n, bond + m
        (raw / f"{split}.pickle").write_bytes(pickle.dumps(molecules))
        (raw / f"{split}.index").write_text(",".join(map(str, range(20))) + "\n")
    ours = load(DataSettings(name="zinc", limit=20), tmp_path / "ours")
    monkeypatch.setenv("ARCHSPEC_DATA", str(tmp_path / "data"))
    theirs = load(DataSettings(name="zinc", limit=20), tmp_path / "theirs")
    for split, graphs in ours.splits.items():
        others = theirs.splits[split].packed
        for name, column in graphs.packed.columns.items():
            np.testing.assert_array_equal(column, getattr(others, name), err_msg=f"{split}.{name}")


def test_the_page_on_data_has_every_name():
    page = (Path(__file__).parent.parent / "docs" / "data.md").read_text()
    assert [name for name in (*TABLE, *sources.SOURCES) if f"`{name}`" not in page] == []


def test_esol_has_columns_of_categories_and_molecules_without_bonds(cache):
    need("MoleculeNet/esol")
    data = load(DataSettings(name="esol"), cache)
    facts = data.facts
    assert (facts.task, facts.out, facts.benchmark, facts.folds) == ("graph regression", 1, ("mse", "rmse"), 10)
    assert (len(facts.letters), len(facts.edge_letters), facts.features, facts.symmetric) == (9, 3, None, True)
    assert sum(facts.graphs.values()) == 1_128
    graphs = [(split, number) for split in data.splits.values() for number in range(len(split))]
    sizes = np.concatenate([split.packed.sizes for split in data.splits.values()])
    assert sizes.sum() == 14_991
    lone = next((split, number) for split, number in graphs if split.packed.sizes[number] == 1)
    batch = lone[0].batch([lone[1]])  # methane
    assert (batch.x[0, 0].item(), batch.x.shape, batch.e.shape) == (6, (1, 9), (0, 3))
