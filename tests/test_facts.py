"""Facts of data sets: looked up without loading anything, unknown names answered with the nearest."""

import subprocess
import sys

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


def test_limit_changes_the_number_of_graphs_alone():
    whole, limited = known(DataSettings(name="pattern")), known(DataSettings(name="pattern", limit=3_000))
    assert limited.graphs == {"train": 3_000, "val": 2_000, "test": 2_000}
    assert limited.nodes == whole.nodes


def test_unknown_name_is_located_and_the_nearest_is_suggested():
    text = SourceFile("my.yaml", "data:\n  name: Patern\n")
    with pytest.raises(SpecError) as caught:
        known(DataSettings(name="Patern"), Span(text, 14, 20))
    assert str(caught.value) == "my.yaml:2:9: E0401 unknown data set `Patern` (write `pattern`)"
    assert caught.value.diagnostics[0].notes == ("known data sets: `pattern`",)


def test_name_unlike_any_gets_the_list_without_a_guess():
    with pytest.raises(SpecError) as caught:
        known(DataSettings(name="zinc-12k"))
    assert caught.value.diagnostics[0].help == ""


def heavy_modules(statement: str) -> str:
    """Which of torch and numpy a fresh interpreter has loaded after a statement."""
    command = f"import sys; {statement}; print(*sorted({{'torch', 'numpy'}} & set(sys.modules)))"
    return subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=True).stdout.strip()


def test_facts_import_neither_torch_nor_numpy():
    assert heavy_modules("import archspec.facts") == ""
    assert heavy_modules("import numpy") == "numpy"  # the check can fail
