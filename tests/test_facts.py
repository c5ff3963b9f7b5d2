"""Facts of data sets: looked up without loading anything, unknown names answered with the nearest."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from archspec.diagnostics import SpecError
from archspec.facts import TABLE, known
from archspec.source import SourceFile, Span
from archspec.syntax.schema import DataSettings


def test_no_data_section_means_unknown_sizes():
    assert known(None) is None


def test_pattern_is_known():
    facts = known(DataSettings(name="pattern"))
    assert facts is TABLE["pattern"]
    assert (facts.out, facts.letters, facts.features) == (2, 3, None)


def test_zinc_is_known():
    facts = known(DataSettings(name="zinc"))
    assert (facts.task, facts.level, facts.out) == ("graph regression", "graph", 1)
    assert (facts.letters, facts.edge_letters, facts.edge_features, facts.positions) == (28, 4, None, None)


def test_figures_of_zinc_are_those_of_its_molecules():
    file = Path(os.environ.get("ARCHSPEC_DATA", "")) / "zinc12k.npz"
    if not file.is_file():
        pytest.skip("ARCHSPEC_DATA names no folder with zinc12k.npz")
    facts, data = TABLE["zinc"], np.load(file)
    sizes = {split: data[f"{split}_n"].astype(np.int64) for split in facts.graphs}
    nodes, bonds = np.concatenate(list(sizes.values())), sum(len(data[f"{split}_bond"]) for split in sizes)
    train = [sizes["train"][at : at + 32] ** 2 for at in range(0, len(sizes["train"]), 32)]
    assert {split: len(found) for split, found in sizes.items()} == facts.graphs
    assert (nodes.mean(), 2 * bonds / len(nodes)) == (
        pytest.approx(facts.nodes, abs=6e-4),
        pytest.approx(facts.edges, abs=6e-4),
    )
    assert nodes.max() == facts.max_nodes
    assert 2 * bonds / (nodes**2).sum() == pytest.approx(facts.density, abs=6e-6)
    assert np.mean([len(one) * one.max() / one.sum() for one in train]) == pytest.approx(facts.padding, abs=6e-5)
    assert max(data[f"{split}_atom"].max() for split in sizes) < facts.letters
    assert max(data[f"{split}_bond"][:, 2].max() for split in sizes) < facts.edge_letters


def test_limit_changes_the_number_of_graphs_alone():
    whole, limited = known(DataSettings(name="pattern")), known(DataSettings(name="pattern", limit=3_000))
    assert limited.graphs == {"train": 3_000, "val": 2_000, "test": 2_000}
    assert limited.nodes == whole.nodes


def test_unknown_name_is_located_and_the_nearest_is_suggested():
    text = SourceFile("my.yaml", "data:\n  name: Patern\n")
    with pytest.raises(SpecError) as caught:
        known(DataSettings(name="Patern"), Span(text, 14, 20))
    assert str(caught.value) == "my.yaml:2:9: E0401 unknown data set `Patern` (write `pattern`)"
    assert (
        caught.value.diagnostics[0]
        .notes[0]
        .startswith("known data sets: `pattern`, `cluster`, `colouring`, `colouring_pairs`, `palindrome`")
    )


def test_name_unlike_any_gets_the_list_without_a_guess():
    with pytest.raises(SpecError) as caught:
        known(DataSettings(name="imagenet"))
    assert caught.value.diagnostics[0].help == ""


def heavy_modules(statement: str) -> str:
    """Which of torch and numpy a fresh interpreter has loaded after a statement."""
    command = f"import sys; {statement}; print(*sorted({{'torch', 'numpy'}} & set(sys.modules)))"
    return subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=True).stdout.strip()


def test_facts_import_neither_torch_nor_numpy():
    assert heavy_modules("import archspec.facts") == ""
    assert heavy_modules("import numpy") == "numpy"  # the check can fail
